"""Rhythms of sung lines: how many syllables, how long, where the voice breathes, and which lines rhyme. Pure."""

from dataclasses import dataclass
from random import Random
from typing import Final

from models.identity import RhymeHabit
from models.music import BEATS_PER_BAR, SectionKind

SHORTEST_SECONDS: Final = 0.25
"""Below this a syllable is no longer understood when it is sung."""
LONGEST_SECONDS: Final = 0.72
"""Where a beat is longer, most syllables take half of one: words of drawn-out syllables fall apart to the ear (of
choruses whose syllables last 0.9 s on average, a recogniser gets three words of four wrong; at 0.65 s one of six)."""
LINE_BARS: Final = 2
BREATH_BEATS: Final = 1.0
_EIGHTHS: Final = 2 * BEATS_PER_BAR

Cell = tuple[int, ...]
"""A bar as eighths: positive numbers sing so many, negative ones rest."""


@dataclass(frozen=True)
class Syllable:
    """A note without its pitch, in beats from the line's first."""

    start: float
    beats: float

    @property
    def strong(self) -> bool:
        """On the first or third beat of a bar, where stress belongs."""
        return self.start % 2 == 0


_OPENING: Final[dict[SectionKind, tuple[Cell, ...]]] = {
    SectionKind.VERSE: ((1, 1, 1, 1, 2, 2), (2, 1, 1, 2, 2), (1, 1, 2, 1, 1, 2), (2, 1, 1, 1, 1, 2), (2, 2, 1, 1, 2)),
    SectionKind.CHORUS: ((2, 2, 2, 2), (3, 1, 2, 2), (2, 2, 1, 3), (2, 1, 1, 4), (3, 3, 2)),
    SectionKind.BRIDGE: ((-2, 2, 2, 2), (-1, 1, 2, 2, 2), (-1, 1, 1, 1, 4), (4, 2, 2)),
}
_CLOSING: Final[dict[SectionKind, tuple[Cell, ...]]] = {
    SectionKind.VERSE: ((1, 1, 2, -4), (2, 1, 1, 2, -2), (1, 1, 4, -2), (2, 2, 2, -2)),
    SectionKind.CHORUS: ((2, 4, -2), (3, 3, -2), (2, 2, 2, -2), (1, 1, 4, -2)),
    SectionKind.BRIDGE: ((2, 2, 2, -2), (1, 1, 4, -2), (2, 1, 3, -2)),
}
_FAST_OPENING: Final[dict[SectionKind, tuple[Cell, ...]]] = {
    SectionKind.VERSE: ((2, 2, 2, 2),),
    SectionKind.CHORUS: ((2, 2, 2, 2), (4, 2, 2)),
    SectionKind.BRIDGE: ((-2, 2, 2, 2), (2, 2, 4)),
}
_FAST_CLOSING: Final[dict[SectionKind, tuple[Cell, ...]]] = {
    SectionKind.VERSE: ((2, 2, -4), (2, 2, 2, -2)),
    SectionKind.CHORUS: ((2, 4, -2), (2, 2, 2, -2)),
    SectionKind.BRIDGE: ((2, 2, 2, -2),),
}
_SLOW_OPENING: Final[dict[SectionKind, tuple[Cell, ...]]] = {
    SectionKind.VERSE: ((1, 1, 1, 1, 2, -2), (1, 1, 2, 1, 1, -2), (1, 1, 1, 1, 1, 1, -2)),
    SectionKind.CHORUS: ((2, 1, 1, 2, -2), (1, 2, 1, 2, -2), (1, 1, 2, 2, -2)),
    SectionKind.BRIDGE: ((-2, 1, 1, 2, -2), (-1, 1, 1, 1, 2, -2), (-2, 2, 1, 1, -2)),
}
_SLOW_CLOSING: Final[dict[SectionKind, tuple[Cell, ...]]] = {
    SectionKind.VERSE: ((1, 1, 2, -4), (1, 1, 1, 2, -3), (1, 1, 1, 1, 2, -2)),
    SectionKind.CHORUS: ((1, 1, 2, -4), (2, 1, 2, -3), (1, 2, 2, -3)),
    SectionKind.BRIDGE: ((1, 1, 2, -4), (2, 1, 2, -3), (1, 1, 1, 2, -3)),
}
_SYLLABLES: Final = {SectionKind.VERSE: (8, 10), SectionKind.CHORUS: (6, 8), SectionKind.BRIDGE: (6, 8)}
_FAST_SYLLABLES: Final = {SectionKind.VERSE: (6, 7), SectionKind.CHORUS: (5, 7), SectionKind.BRIDGE: (6, 6)}


def line_rhythm(
    kind: SectionKind, bars: int, tempo_bpm: float, rng: Random, swing: float = 0.0
) -> tuple[Syllable, ...]:
    """A line over ``bars``, the last beat of which is rest, before it is swung. Syllables last at least
    :data:`SHORTEST_SECONDS`: in fast songs they are quarters; in slow ones eighths, with rests between."""
    beat = 60 / tempo_bpm
    fast = 0.5 * (1 - swing) * beat < SHORTEST_SECONDS
    # Swing makes every second eighth short: what is understood is then sung on the longer ones.
    slow = beat > LONGEST_SECONDS and not fast and not swing
    opening, closing, counts = (
        (_FAST_OPENING, _FAST_CLOSING, _FAST_SYLLABLES)
        if fast
        else (_SLOW_OPENING, _SLOW_CLOSING, _SYLLABLES)
        if slow
        else (_OPENING, _CLOSING, _SYLLABLES)
    )
    if bars == 1:
        return _placed((rng.choice(closing[kind]),))
    fewest, most = counts[kind]
    pairs = [
        (first, second)
        for first in opening[kind]
        for second in closing[kind]
        if fewest <= sum(length > 0 for length in first + second) <= most
    ]
    return _placed(rng.choice(pairs))


def _placed(cells: tuple[Cell, ...]) -> tuple[Syllable, ...]:
    at, syllables = 0, []
    for length in (length for cell in cells for length in cell):
        if length > 0:
            syllables.append(Syllable(at / 2, length / 2))
        at += abs(length)
    return tuple(syllables)


def line_bars(bars: int) -> tuple[int, ...]:
    """How the bars of a section are divided into lines: two each, an odd one goes to the last."""
    if bars == 1:
        return (1,)
    lines = [LINE_BARS] * (bars // LINE_BARS)
    lines[-1] += bars % LINE_BARS
    return tuple(lines)


def rhymes(habit: RhymeHabit, count: int) -> tuple[str, ...]:
    """A letter for each of ``count`` lines, four by four; empty for a line that rhymes with none in its group."""
    letters: list[str] = []
    free = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for first in range(0, count, 4):
        size = min(4, count - first)
        # Half a group has no room for crossed rhymes.
        scheme = habit.value[:size] if size > 2 else "AA"[:size]
        names = {mark: next(free) for mark in sorted(set(scheme)) if scheme.count(mark) > 1}
        letters += [names.get(mark, "") for mark in scheme]
    return tuple(letters)
