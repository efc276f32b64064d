"""Harmony: which chords a section has, and how their voices lead from one to the next. Pure."""

from enum import Enum
from itertools import product
from random import Random
from typing import Final

from models.music import BEATS_PER_BAR, Chord, ChordQuality, Key, Mode, SectionKind

INTERVALS: Final = {
    ChordQuality.MAJOR: (0, 4, 7),
    ChordQuality.MINOR: (0, 3, 7),
    ChordQuality.DIMINISHED: (0, 3, 6),
    ChordQuality.SUS2: (0, 2, 7),
    ChordQuality.SUS4: (0, 5, 7),
    ChordQuality.MAJOR7: (0, 4, 7, 11),
    ChordQuality.MINOR7: (0, 3, 7, 10),
    ChordQuality.DOMINANT7: (0, 4, 7, 10),
    ChordQuality.ADD9: (0, 4, 7, 2),
    ChordQuality.MINOR9: (0, 3, 7, 10, 2),
}
"""Semitones above the root."""


class Colour(Enum):
    """How far a genre stacks thirds."""

    TRIADS = "triads"
    OPEN = "open"
    """Seconds and fourths where they are in the scale: neither major nor minor."""
    SEVENTHS = "sevenths"
    NINTHS = "ninths"


PROGRESSIONS: Final[dict[Mode, tuple[tuple[int, ...], ...]]] = {
    Mode.MAJOR: ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (3, 4, 2, 5), (0, 2, 3, 4), (1, 4, 0, 5)),
    Mode.MINOR: ((0, 5, 2, 6), (0, 3, 5, 6), (5, 6, 0, 2), (0, 6, 5, 6), (0, 2, 6, 3), (3, 5, 0, 6)),
    Mode.DORIAN: ((0, 3, 0, 6), (0, 6, 3, 0), (0, 2, 3, 6), (6, 3, 0, 0), (0, 1, 2, 3)),
    Mode.MIXOLYDIAN: ((0, 6, 3, 0), (0, 4, 6, 3), (3, 0, 6, 0), (0, 3, 6, 4), (6, 3, 0, 4)),
    Mode.LYDIAN: ((0, 1, 0, 4), (0, 1, 5, 4), (5, 1, 0, 4), (0, 2, 1, 4), (4, 1, 0, 0)),
}
"""Roots of four chords as degrees of the scale, from 0; none of them leads to a diminished triad."""

REGISTER: Final = (50, 76)
"""Where chords are voiced: above the bass, around the voice."""
_CENTRE: Final = 62.0


def progressions(key: Key, rng: Random) -> dict[SectionKind, tuple[int, ...]]:
    """The degrees of each kind of section: verse, chorus and bridge differ, the frame takes the verse's."""
    verse, chorus, bridge = rng.sample(PROGRESSIONS[key.mode], 3)
    return {
        SectionKind.INTRO: verse,
        SectionKind.VERSE: verse,
        SectionKind.CHORUS: chorus,
        SectionKind.BRIDGE: bridge,
        SectionKind.OUTRO: chorus,
    }


def quality_at(key: Key, degree: int, colour: Colour) -> ChordQuality:
    """The chord on ``degree`` of the key, built from the scale alone."""
    scale = key.scale
    second, third, fourth, fifth, seventh = (
        (scale[(degree + step) % 7] - scale[degree]) % 12 for step in (1, 2, 3, 4, 6)
    )
    if fifth == 6:
        return ChordQuality.DIMINISHED
    if fifth == 8:
        return ChordQuality.MAJOR
    major = third == 4
    if colour is Colour.OPEN and second == 2:
        return ChordQuality.ADD9 if major else ChordQuality.SUS2
    if colour is Colour.OPEN and fourth == 5:
        return ChordQuality.SUS4
    if colour is Colour.NINTHS and second == 2:
        return ChordQuality.ADD9 if major else ChordQuality.MINOR9
    if colour in {Colour.SEVENTHS, Colour.NINTHS}:
        if major:
            return ChordQuality.MAJOR7 if seventh == 11 else ChordQuality.DOMINANT7
        return ChordQuality.MINOR7
    return ChordQuality.MAJOR if major else ChordQuality.MINOR


def chords_of(
    key: Key, degrees: tuple[int, ...], colour: Colour, start_bar: int, bars: int, bars_per_chord: int, last: bool
) -> tuple[Chord, ...]:
    """Chords over ``bars`` from ``start_bar``, voices in root position. ``last``: the song ends here, on its tonic."""
    chords: list[Chord] = []
    for index, bar in enumerate(range(0, bars, bars_per_chord)):
        length = min(bars_per_chord, bars - bar)
        home = last and bar + length == bars
        degree = 0 if home else degrees[index % len(degrees)]
        root = key.scale[degree]
        quality = quality_at(key, degree, colour)
        pitches = tuple(sorted(48 + (root + step) % 12 for step in INTERVALS[quality]))
        chords.append(
            Chord(
                start=(start_bar + bar) * BEATS_PER_BAR,
                beats=length * BEATS_PER_BAR,
                root=root,
                quality=quality,
                pitches=pitches,
            )
        )
    return tuple(chords)


def lead_voices(chords: tuple[Chord, ...]) -> tuple[Chord, ...]:
    """The same chords, voiced so that each voice moves as little as it can, within :data:`REGISTER`."""
    before: tuple[int, ...] = ()
    voiced = []
    for chord in chords:
        pitches = min(_voicings(chord), key=lambda option: (_motion(before, option), option))
        voiced.append(chord.model_copy(update={"pitches": pitches}))
        before = pitches
    return tuple(voiced)


def _voicings(chord: Chord) -> list[tuple[int, ...]]:
    """Every spread of the chord's tones over the register, within two octaves and without a semitone at the bottom."""
    classes = sorted(chord.classes)
    choices = [[pitch for pitch in range(*REGISTER) if pitch % 12 == one] for one in classes]
    spreads = {tuple(sorted(spread)) for spread in product(*choices)}
    close = [spread for spread in spreads if spread[-1] - spread[0] <= 19 and spread[1] - spread[0] > 1]
    return sorted(close)


def _motion(before: tuple[int, ...], after: tuple[int, ...]) -> float:
    """Semitones moved by all voices, plus a pull to the register's middle, against drifting, and to an even spread."""
    centre = abs(sum(after) / len(after) - _CENTRE)
    spread = abs(after[-1] - after[0] - 4 * (len(after) - 1)) / 2
    if not before:
        return centre + spread
    voices = max(len(before), len(after))
    moved = sum(abs(_voice(before, i, voices) - _voice(after, i, voices)) for i in range(voices))
    return moved + 0.5 * centre + spread


def _voice(pitches: tuple[int, ...], index: int, voices: int) -> int:
    """The pitch that voice ``index`` of ``voices`` sings; voices beyond the chord's double its lowest."""
    return pitches[max(0, index - (voices - len(pitches)))]
