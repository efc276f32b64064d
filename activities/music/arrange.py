"""The arrangement: form, harmony, layers and dynamics become a score. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from activities.music.chance import stream
from activities.music.figures import bass_notes, chord_notes
from activities.music.genres import GRAMMARS
from activities.music.grammar import Figures, Grammar
from activities.music.harmony import chords_of, lead_voices, progressions
from activities.music.instruments import program_of, stem_of
from activities.music.melody import Motif, answer
from activities.music.rhythm import crash_note, fill_notes, groove_notes, swing_notes
from models.music import (
    BEATS_PER_BAR,
    Chord,
    Note,
    Part,
    Score,
    ScoredSection,
    SectionKind,
    SongPlan,
    placed,
)

_INTENSITY: Final[Mapping[SectionKind, float]] = {
    SectionKind.INTRO: 0.34,
    SectionKind.VERSE: 0.55,
    SectionKind.CHORUS: 0.9,
    SectionKind.BRIDGE: 0.5,
    SectionKind.OUTRO: 0.3,
}
_SUNG_SHARE: Final = 0.85
"""How strongly chords are played under a voice."""
_PHRASE_BARS: Final = 4
_HELD: Final = "c---------------"
_LAST_BASS: Final = "r---------------"
STEMS: Final = ("drums", "bass", "pads", "keys", "lead")


@dataclass(frozen=True)
class _Passage:
    """A section with what it has been given. ``intensity`` from 0 to 1; ``last`` ends the song."""

    place: ScoredSection
    intensity: float
    chords: tuple[Chord, ...]
    last: bool

    @property
    def level(self) -> int:
        """Which of a grammar's three degrees of density is played."""
        return 2 if self.intensity >= 0.7 else 1 if self.intensity >= 0.42 else 0

    @property
    def bars(self) -> range:
        """Its bars, counted in the song."""
        return range(self.place.start_bar, self.place.start_bar + self.place.bars)

    def chord(self, bar: int) -> Chord:
        """The chord that sounds when ``bar`` begins."""
        return next(chord for chord in reversed(self.chords) if chord.start <= bar * BEATS_PER_BAR)

    def ends_song(self, bar: int) -> bool:
        """Whether ``bar`` is the song's last, in which all hold."""
        return self.last and bar == self.bars[-1]


def arrange(plan: SongPlan, seed: int) -> Score:
    """The score of ``plan``. Deterministic in both arguments. Raises UnknownReference for an unknown instrument."""
    genre = plan.genres[0].genre
    grammar = blended(plan)
    programs = _programs(plan, grammar, seed)
    passages = _passages(plan, grammar, seed)
    notes: dict[str, list[Note]] = {stem: [] for stem in STEMS}
    motif = Motif(grammar.melody, stream(seed, "motif"))
    for number, passage in enumerate(passages):
        following = passages[number + 1] if number + 1 < len(passages) else None
        notes["drums"] += _drums(grammar, passage, following, seed)
        notes["bass"] += _bass(grammar, passage, following, seed)
        notes["pads"] += _chordal("pads", grammar.pad_figures, passage, 0, seed)
        notes["keys"] += _chordal("keys", grammar.key_figures, passage, 12, seed)
        notes["lead"] += _lead(grammar, motif, passage, plan, seed)
    return Score(
        genre=genre,
        tempo_bpm=plan.tempo_bpm,
        key=plan.key,
        swing=grammar.swing,
        sections=tuple(passage.place for passage in passages),
        chords=tuple(chord for passage in passages for chord in passage.chords),
        parts=tuple(
            Part(
                stem=stem,
                program=programs[stem],
                drums=stem == "drums",
                notes=swing_notes(tuple(sorted(notes[stem], key=lambda note: (note.start, note.pitch))), grammar.swing),
            )
            for stem in STEMS
            if notes[stem]
        ),
    )


def blended(plan: SongPlan) -> Grammar:
    """The first genre's grammar, coloured by the others: their instruments behind its own, swing and room by share."""
    grammar = GRAMMARS[plan.genres[0].genre]
    total = sum(share.share for share in plan.genres)
    others = [(GRAMMARS[share.genre], share.share / total) for share in plan.genres[1:]]
    if not others:
        return grammar
    own = plan.genres[0].share / total

    def mean(value: str) -> float:
        return float(own * getattr(grammar, value) + sum(part * getattr(other, value) for other, part in others))

    second = others[0][0]
    return replace(
        grammar,
        swing=round(mean("swing"), 4),
        reverb=round(mean("reverb")),
        room=round(mean("room"), 3),
        chorus=round(mean("chorus")),
        keys=second.keys,
        key_figures=replace(grammar.key_figures, middle=second.key_figures.middle),
        lead=others[-1][0].lead,
    )


def _programs(plan: SongPlan, grammar: Grammar, seed: int) -> dict[str, int]:
    """Who plays each stem: the plan's instruments where they can, else one of the grammar's."""
    rng = stream(seed, "instruments")
    chosen = {
        "drums": grammar.kit,
        "bass": rng.choice(grammar.bass[:2]),
        "pads": rng.choice(grammar.pads[:3]),
        "keys": rng.choice(grammar.keys[:3]),
        "lead": rng.choice(grammar.lead),
    }
    wanted: dict[str, int] = {}
    for name in plan.instruments:
        program = program_of(name)
        wanted.setdefault(stem_of(program), program)
    return {stem: wanted.get(stem, program) for stem, program in chosen.items()}


def _passages(plan: SongPlan, grammar: Grammar, seed: int) -> tuple[_Passage, ...]:
    degrees = progressions(plan.key, stream(seed, "harmony"))
    places = placed(plan.form)
    chords = [
        chords_of(
            plan.key,
            degrees[place.kind],
            grammar.colour,
            place.start_bar,
            place.bars,
            grammar.bars_per_chord,
            last=place is places[-1],
        )
        for place in places
    ]
    voiced = iter(lead_voices(tuple(chord for section in chords for chord in section)))
    seen: dict[SectionKind, int] = {}
    passages = []
    for place, section in zip(places, chords, strict=True):
        repeat = seen.get(place.kind, 0)
        seen[place.kind] = repeat + 1
        intensity = _INTENSITY[place.kind] + 0.3 * (plan.energy - 0.6) + 0.04 * repeat
        ceiling = 1.0 if place.kind is SectionKind.CHORUS else 0.68
        passages.append(
            _Passage(
                place,
                max(0.1, min(ceiling, intensity)),
                tuple(next(voiced) for _ in section),
                last=place is places[-1],
            )
        )
    return tuple(passages)


def _drums(grammar: Grammar, passage: _Passage, following: _Passage | None, seed: int) -> list[Note]:
    groove = grammar.grooves[passage.level]
    rng = stream(seed, "drums", passage.place.kind)
    notes: list[Note] = []
    for bar in passage.bars:
        if passage.ends_song(bar):
            return [*notes, crash_note(bar, passage.intensity)] if groove else notes
        made = groove_notes(groove, bar, passage.intensity, rng)
        if grammar.fills and following and bar == passage.bars[-1] and (passage.level or following.level == 2):
            half = bar * BEATS_PER_BAR + BEATS_PER_BAR / 2
            made = [note for note in made if note.start < half]
            made += fill_notes(bar, passage.intensity, stream(seed, "fill", passage.place.start_bar))
        notes += made
    if grammar.fills and passage.level == 2:
        notes.append(crash_note(passage.place.start_bar, passage.intensity))
    return notes


def _bass(grammar: Grammar, passage: _Passage, following: _Passage | None, seed: int) -> list[Note]:
    rng = stream(seed, "bass", passage.place.kind)
    bars = grammar.bass_figures.at(passage.level)
    cycle = [rng.choice(bars) for _ in range(2)] if bars else []
    notes: list[Note] = []
    for bar in passage.bars if cycle else ():
        chord = passage.chord(bar)
        after = passage.chord(bar + 1) if bar + 1 in passage.bars else following.chords[0] if following else chord
        figure = _LAST_BASS if passage.ends_song(bar) else cycle[bar % 2]
        notes += bass_notes(figure, chord, after, bar, passage.intensity)
    return notes


def _chordal(stem: str, figures: Figures, passage: _Passage, lift: int, seed: int) -> list[Note]:
    rng = stream(seed, stem, passage.place.kind)
    bars = figures.at(passage.level)
    cycle = [rng.choice(bars) for _ in range(2)] if bars else []
    strength = passage.intensity * (_SUNG_SHARE if passage.place.kind.sung else 1.0)
    notes: list[Note] = []
    for bar in passage.bars if cycle else ():
        figure = _HELD if passage.ends_song(bar) else cycle[bar % 2]
        notes += chord_notes(figure, passage.chord(bar), bar, strength, lift)
    return notes


def _lead(grammar: Grammar, motif: Motif, passage: _Passage, plan: SongPlan, seed: int) -> list[Note]:
    rng = stream(seed, "lead", passage.place.start_bar)
    notes: list[Note] = []
    for index, bar in enumerate(passage.bars):
        closing = index % _PHRASE_BARS == _PHRASE_BARS - 1
        chord = passage.chord(bar)
        if passage.ends_song(bar):
            continue
        if not passage.place.kind.sung:
            if not closing:
                notes += motif.notes(chord, plan.key, bar, passage.intensity, index)
        elif closing and passage.level:
            notes += answer(chord, grammar.melody.register, bar, passage.intensity, rng)
    return notes
