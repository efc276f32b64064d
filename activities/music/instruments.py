"""General MIDI's instruments by name, and which part of an arrangement each can play. Pure."""

from typing import Final

from models.errors import UnknownReference

_FAMILIES: Final = (
    "acoustic grand piano|bright acoustic piano|electric grand piano|honky-tonk piano|electric piano 1|electric piano 2"
    "|harpsichord|clavinet",
    "celesta|glockenspiel|music box|vibraphone|marimba|xylophone|tubular bells|dulcimer",
    "drawbar organ|percussive organ|rock organ|church organ|reed organ|accordion|harmonica|tango accordion",
    "acoustic guitar (nylon)|acoustic guitar (steel)|electric guitar (jazz)|electric guitar (clean)"
    "|electric guitar (muted)|overdriven guitar|distortion guitar|guitar harmonics",
    "acoustic bass|electric bass (finger)|electric bass (pick)|fretless bass|slap bass 1|slap bass 2|synth bass 1"
    "|synth bass 2",
    "violin|viola|cello|contrabass|tremolo strings|pizzicato strings|orchestral harp|timpani",
    "string ensemble 1|string ensemble 2|synth strings 1|synth strings 2|choir aahs|voice oohs|synth choir"
    "|orchestra hit",
    "trumpet|trombone|tuba|muted trumpet|french horn|brass section|synth brass 1|synth brass 2",
    "soprano sax|alto sax|tenor sax|baritone sax|oboe|english horn|bassoon|clarinet",
    "piccolo|flute|recorder|pan flute|blown bottle|shakuhachi|whistle|ocarina",
    "lead 1 (square)|lead 2 (sawtooth)|lead 3 (calliope)|lead 4 (chiff)|lead 5 (charang)|lead 6 (voice)"
    "|lead 7 (fifths)|lead 8 (bass + lead)",
    "pad 1 (new age)|pad 2 (warm)|pad 3 (polysynth)|pad 4 (choir)|pad 5 (bowed)|pad 6 (metallic)|pad 7 (halo)"
    "|pad 8 (sweep)",
    "fx 1 (rain)|fx 2 (soundtrack)|fx 3 (crystal)|fx 4 (atmosphere)|fx 5 (brightness)|fx 6 (goblins)|fx 7 (echoes)"
    "|fx 8 (sci-fi)",
    "sitar|banjo|shamisen|koto|kalimba|bagpipe|fiddle|shanai",
    "tinkle bell|agogo|steel drums|woodblock|taiko drum|melodic tom|synth drum|reverse cymbal",
    "guitar fret noise|breath noise|seashore|bird tweet|telephone ring|helicopter|applause|gunshot",
)
NAMES: Final = tuple(name for family in _FAMILIES for name in family.split("|"))
"""All 128 by program number (General MIDI level 1, numbers from 0)."""

_STEM_OF_FAMILY: Final = (
    *("keys", "keys", "keys", "keys", "bass", "lead", "pads", "lead"),
    *("lead", "lead", "lead", "pads", "pads", "keys", "keys", ""),
)
_STEM_OF: Final = {43: "bass", 44: "pads", 45: "keys", 46: "keys", 47: "", 55: "", 98: "keys", 119: ""}
"""Programs that play another part than the rest of their family; those without a pitch or a place play none."""


def program_of(name: str) -> int:
    """The program of an instrument by its General MIDI name, or by some of the words of one; of several that fit, the
    first. Raises UnknownReference for a name that fits none."""
    wanted = _words(name)
    for program, known in enumerate(NAMES):
        if _words(known) == wanted:
            return program
    for program, known in enumerate(NAMES):
        if wanted and wanted <= _words(known):
            return program
    raise UnknownReference(
        f'General MIDI has no instrument "{name[:40]}".',
        field="instruments",
        action="Use General MIDI names, such as: electric piano 1, string ensemble 1, synth bass 1, vibraphone.",
    )


def stem_of(program: int) -> str:
    """The part that ``program`` can play: keys, bass, pads or lead; empty where it has no place."""
    return _STEM_OF.get(program, _STEM_OF_FAMILY[program // 8])


_STRUCK: Final = frozenset(
    (*range(16), *range(24, 40), 45, 46, 47, *range(80, 85), 86, 87, *range(104, 109), *range(112, 119))
)
"""Pianos, chimes, guitars, basses, pizzicato, harp, synth leads, plucked strings from elsewhere, and what is beaten."""


def struck(program: int) -> bool:
    """Whether a note of ``program`` has a moment at which it begins, and does not swell."""
    return program in _STRUCK


def _words(name: str) -> frozenset[str]:
    plain = "".join(letter if letter.isalnum() else " " for letter in name.lower())
    return frozenset(plain.split())
