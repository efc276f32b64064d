"""The tune: pitches for the lines of each sung section, over the chords and inside the voice. Pure.

Each line is the cheapest path through the pitches the voice has: strong beats take chord tones, steps are better than
leaps, a leap turns back by step, and the line follows a contour about its section's register.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from activities.analysis.lines import Syllable, line_bars, line_rhythm, rhymes
from activities.music.rhythm import swung
from models.errors import InvalidInput
from models.identity import RhymeHabit
from models.music import (
    BEATS_PER_BAR,
    Chord,
    Grid,
    Key,
    LeadLine,
    LeadNote,
    LeadSection,
    LeadSheet,
    ScoredSection,
    SectionKind,
)

_NARROWEST: Final = 9
_STEP: Final = 2
_OCTAVE: Final = 12
_REGISTER: Final[Mapping[SectionKind, float]] = {
    SectionKind.VERSE: 0.40,
    SectionKind.CHORUS: 0.64,
    SectionKind.BRIDGE: 0.54,
}
"""Where a section's middle lies in the voice: 0 is its lowest note, 1 its highest."""
_FIRST_LINES: Final = 4
"""Lines whose rhythms are written; those after them take up the same again."""


@dataclass(frozen=True)
class VoiceRange:
    """Lowest and highest note of a voice, as MIDI numbers. Raises InvalidInput for less than nine semitones."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.high - self.low < _NARROWEST:
            raise InvalidInput(
                f"a voice from {self.low} to {self.high} is too narrow to write a tune for",
                field="voice_high",
                action=f"Give it a range of at least {_NARROWEST} semitones.",
            )


@dataclass(frozen=True)
class _Place:
    """Where a note stands: what it may be and where it should lie."""

    chord: Chord
    target: float
    strong: bool
    ending: bool
    closing: bool


def write_topline(
    grid: Grid,
    key: Key,
    sections: Sequence[ScoredSection],
    chords: Sequence[Chord],
    voice: VoiceRange,
    habit: RhymeHabit,
    seed: int,
    swing: float = 0.0,
) -> LeadSheet:
    """The lead sheet of the sung sections. A kind's later sections of equal length sing its tune again, and the
    chorus its words too. Notes lie where they are sung, off the beat as late as ``swing`` (see Score) makes
    the band. Raises InvalidInput where nothing is to be sung."""
    written: list[LeadSection] = []
    for section in (section for section in sections if section.kind.sung):
        model = next(
            (i for i, one in enumerate(written) if one.kind is section.kind and one.bars == section.bars), None
        )
        if model is not None and section.kind is SectionKind.CHORUS:
            lines, same_as = written[model].lines, model
        else:
            lines, same_as = _section_lines(section, grid.tempo_bpm, key, chords, voice, habit, seed, swing), None
        written.append(
            LeadSection(kind=section.kind, start_bar=section.start_bar, bars=section.bars, lines=lines, same_as=same_as)
        )
    if not written:
        raise InvalidInput(
            "the song has no section to be sung", field="plan.form", action="Give the form a verse or a chorus."
        )
    return LeadSheet(grid=grid, key=key, sections=tuple(written))


def _section_lines(
    section: ScoredSection,
    tempo_bpm: float,
    key: Key,
    chords: Sequence[Chord],
    voice: VoiceRange,
    habit: RhymeHabit,
    seed: int,
    swing: float,
) -> tuple[LeadLine, ...]:
    """Lines 1 and 3 share a rhythm, as do 2 and 4; each pair is a question, which stays open, and an answer."""
    lengths = line_bars(section.bars)
    letters = rhymes(habit, len(lengths))
    lines, bar, before = [], section.start_bar, None
    for index, bars in enumerate(lengths):
        chance = Random(f"{seed}/rhythm/{section.kind}/{index % 2}/{bars}")
        rhythm = line_rhythm(section.kind, bars, tempo_bpm, chance, swing)
        places = _places(section.kind, rhythm, bar, chords, voice, closing=index % 2 == 1)
        tastes = Random(f"{seed}/tune/{section.kind}/{index % _FIRST_LINES // 2}")
        pitches = _tune(places, key, voice, before, tastes)
        before = pitches[-1]
        first = (bar - section.start_bar) * BEATS_PER_BAR
        notes = tuple(_sung(one, first, pitch, swing) for one, pitch in zip(rhythm, pitches, strict=True))
        lines.append(LeadLine(notes=notes, rhyme=letters[index]))
        bar += bars
    return tuple(lines)


def _sung(one: Syllable, first: float, pitch: int, swing: float) -> LeadNote:
    start, end = (round(swung(at, swing), 6) for at in (one.start, one.start + one.beats))
    return LeadNote(start=first + start, beats=round(end - start, 6), pitch=pitch, strong=one.strong)


def _places(
    kind: SectionKind,
    rhythm: Sequence[Syllable],
    bar: int,
    chords: Sequence[Chord],
    voice: VoiceRange,
    *,
    closing: bool,
) -> tuple[_Place, ...]:
    span = voice.high - voice.low
    middle = voice.low + _REGISTER[kind] * span
    places = []
    for index, one in enumerate(rhythm):
        way = index / max(1, len(rhythm) - 1)
        # Questions rise to their end, answers arch and fall.
        bow = (0.5 - 2 * (way - 0.45) ** 2 - 0.5 * way) if closing else (0.9 * way - 0.5)
        if kind is SectionKind.BRIDGE:
            bow = -bow
        beat = bar * BEATS_PER_BAR + one.start
        places.append(
            _Place(
                chord=next((chord for chord in reversed(chords) if chord.start <= beat), chords[0]),
                target=middle + bow * span / 5,
                strong=one.strong,
                ending=index == len(rhythm) - 1,
                closing=closing,
            )
        )
    return tuple(places)


def _tune(places: Sequence[_Place], key: Key, voice: VoiceRange, before: int | None, rng: Random) -> tuple[int, ...]:
    """The cheapest path (Viterbi) over pairs of pitches, so that a leap knows how it is left."""
    taste = {(i, pitch): rng.uniform(0, 1.6) for i in range(len(places)) for pitch in range(128)}
    options = [_options(place, key, voice) for place in places]

    def lone(index: int, pitch: int) -> float:
        return _distance(places[index], pitch, key) + taste[index, pitch % 12]

    costs = {
        (pitch, pitch): lone(0, pitch) + (0.15 * abs(pitch - before) if before is not None else 0)
        for pitch in options[0]
    }
    came: list[dict[tuple[int, int], tuple[int, int]]] = []
    for index in range(1, len(places)):
        following: dict[tuple[int, int], float] = {}
        origin: dict[tuple[int, int], tuple[int, int]] = {}
        for (earlier, last), cost in costs.items():
            for pitch in options[index]:
                total = cost + lone(index, pitch) + _movement(last - earlier, pitch - last)
                if total < following.get((last, pitch), float("inf")):
                    following[last, pitch] = total
                    origin[last, pitch] = (earlier, last)
        costs = following
        came.append(origin)
    state = min(costs, key=lambda pair: (costs[pair], pair))
    path = [state[1]]
    for origin in reversed(came):
        state = origin[state]
        path.append(state[1])
    return tuple(reversed(path))


def _options(place: _Place, key: Key, voice: VoiceRange) -> list[int]:
    """Pitches a note may take: chord tones on strong beats and at line ends, else the scale."""
    pitches = range(voice.low, voice.high + 1)
    if place.strong or place.ending:
        stable = [pitch for pitch in pitches if pitch % 12 in _stable(place, key)]
        if stable:
            return stable
    return [pitch for pitch in pitches if pitch % 12 in key.scale or pitch % 12 in place.chord.classes]


def _stable(place: _Place, key: Key) -> frozenset[int]:
    """Triad tones of the chord; where a phrase closes, those that are stable in the key as well, if there are any."""
    classes = place.chord.classes
    triad = frozenset(one for one in classes if (one - place.chord.root) % 12 in {0, 3, 4, 5, 7}) or classes
    if place.ending and place.closing:
        home = frozenset({key.scale[0], key.scale[2], key.scale[4]})
        return triad & home or triad
    return triad


def _distance(place: _Place, pitch: int, key: Key) -> float:
    away = abs(pitch - place.target)
    passing = 0.0 if pitch % 12 in key.scale else 3.0
    return 0.12 * away * math.sqrt(away) + passing


def _movement(before: int, now: int) -> float:
    """What an interval costs after the one before it: steps little, leaps more, leaps in one direction most."""
    size = abs(now)
    if size > _OCTAVE:
        return 50.0
    cost = 1.1 if size == 0 else 0.0 if size <= _STEP else 0.7 + 0.35 * (size - _STEP)
    if abs(before) > 4 and (before * now > 0 or size > 4):
        cost += 3.0
    if before == now == 0:
        cost += 1.5
    if 0 < size <= _STEP and before == -now:
        # To and fro between two notes is no tune.
        cost += 0.9
    return cost
