"""Tunes to write words for: made as the topline makes them, and one small and plain."""

from itertools import accumulate
from random import Random
from typing import Any

from activities.analysis.lines import line_bars, line_rhythm, rhymes
from activities.lyrics.base import LyricsBrief
from models.identity import RhymeHabit
from models.music import (
    BEATS_PER_BAR,
    Grid,
    Key,
    LeadLine,
    LeadNote,
    LeadSection,
    LeadSheet,
    LyricLine,
    Lyrics,
    LyricSection,
    LyricWord,
    Mode,
    SectionKind,
)

FORM = ((SectionKind.VERSE, 8), (SectionKind.CHORUS, 8), (SectionKind.BRIDGE, 4), (SectionKind.CHORUS, 8))


def brief(**changes: Any) -> LyricsBrief:
    values = {"themes": ("ocean", "memory"), "language": "en", "explicit": False, "banned": (), "notes": "", "seed": 1}
    return LyricsBrief(**{**values, **changes})


def topline(seed: int) -> LeadSheet:
    """A song's tune, at a tempo and in a rhyme habit of its seed; the chorus returns."""
    draw = Random(seed)
    tempo, habit = draw.choice([66, 84, 104, 124, 160]), draw.choice(tuple(RhymeHabit))
    sections: list[LeadSection] = []
    bar = 0
    for kind, bars in FORM:
        first = next((at for at, one in enumerate(sections) if one.kind is kind), None)
        lengths = line_bars(bars)
        letters = rhymes(habit, len(lengths))
        starts = accumulate((BEATS_PER_BAR * length for length in lengths), initial=0)
        lines = tuple(
            LeadLine(
                notes=tuple(
                    LeadNote(start=start + one.start, beats=one.beats, pitch=60, strong=one.strong)
                    for one in line_rhythm(kind, length, tempo, draw)
                ),
                rhyme=letter,
            )
            for start, length, letter in zip(starts, lengths, letters, strict=False)
        )
        lines = lines if first is None else sections[first].lines
        sections.append(LeadSection(kind=kind, start_bar=bar, bars=bars, lines=lines, same_as=first))
        bar += bars
    return LeadSheet(grid=Grid(tempo_bpm=tempo), key=Key(tonic=0, mode=Mode.MAJOR), sections=tuple(sections))


def line(count: int, rhyme: str = "", *, strong: int = 2) -> LeadLine:
    """A line of ``count`` notes, every ``strong``-th on a strong beat."""
    notes = (LeadNote(start=at / 2, beats=0.5, pitch=60, strong=at % strong == 0) for at in range(count))
    return LeadLine(notes=tuple(notes), rhyme=rhyme)


def small() -> LeadSheet:
    """A verse of two rhyming lines of four notes, a chorus of two of five, and the chorus again."""
    verse = LeadSection(kind=SectionKind.VERSE, start_bar=0, bars=2, lines=(line(4, "A"), line(4, "A")))
    chorus = LeadSection(kind=SectionKind.CHORUS, start_bar=2, bars=2, lines=(line(5, "A"), line(5, "A")))
    again = chorus.model_copy(update={"start_bar": 4, "same_as": 1})
    return LeadSheet(grid=Grid(tempo_bpm=100), key=Key(tonic=0, mode=Mode.MAJOR), sections=(verse, chorus, again))


def written(*sections: tuple[str, ...], title: str = "Silver", counts: dict[str, int] | None = None) -> Lyrics:
    """Lyrics of these lines. A word has the syllables of ``counts``, or one."""
    counts = counts or {}

    def words(text: str) -> LyricLine:
        return LyricLine(words=tuple(LyricWord(text=one, syllables=counts.get(one, 1)) for one in text.split()))

    kinds = (SectionKind.VERSE, SectionKind.CHORUS, SectionKind.CHORUS)
    return Lyrics(
        title=title,
        sections=tuple(
            LyricSection(kind=kind, lines=tuple(map(words, texts)))
            for kind, texts in zip(kinds, sections, strict=False)
        ),
        source="somebody",
    )
