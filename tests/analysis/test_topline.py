"""A tune can be sung: inside the voice, on the grid, with room to breathe, in the harmony, and the chorus returns."""

import subprocess
import sys
from itertools import pairwise
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.analysis.lines import BREATH_BEATS, SHORTEST_SECONDS, rhymes
from activities.analysis.topline import VoiceRange, write_topline
from activities.music.arrange import arrange
from deploy.settings import ROOT
from models.errors import InvalidInput
from models.identity import RhymeHabit
from models.music import (
    BEATS_PER_BAR,
    FormSection,
    Genre,
    Grid,
    Key,
    LeadNote,
    LeadSection,
    LeadSheet,
    Mode,
    Score,
    SectionKind,
)
from tests.music.conftest import plan

SUNG = (SectionKind.VERSE, SectionKind.CHORUS, SectionKind.BRIDGE)
FORMS = (
    st.lists(st.builds(FormSection, kind=st.sampled_from(SectionKind), bars=st.integers(1, 32)), min_size=1, max_size=6)
    .map(tuple)
    .map(lambda form: (*form, FormSection(kind=SectionKind.CHORUS, bars=8)))
)
SONG = tuple(
    FormSection(kind=kind, bars=8)
    for kind in (SectionKind.VERSE, SectionKind.CHORUS, SectionKind.VERSE, SectionKind.CHORUS, SectionKind.BRIDGE)
)


def sheet(
    score: Score,
    low: int = 57,
    high: int = 74,
    habit: RhymeHabit = RhymeHabit.ABCB,
    seed: int = 1,
    swing: float = 0.0,
) -> LeadSheet:
    grid = Grid(tempo_bpm=score.tempo_bpm)
    return write_topline(grid, score.key, score.sections, score.chords, VoiceRange(low, high), habit, seed, swing)


def notes_of(section: LeadSection) -> list[LeadNote]:
    return [note for line in section.lines for note in line.notes]


@settings(max_examples=15, deadline=None)
@given(
    form=FORMS,
    tempo=st.floats(50, 200),
    key=st.builds(Key, tonic=st.integers(0, 11), mode=st.sampled_from(Mode)),
    low=st.integers(40, 66),
    span=st.integers(9, 24),
    seed=st.integers(0, 2**31),
    habit=st.sampled_from(RhymeHabit),
)
def test_every_tune_can_be_sung(
    form: tuple[FormSection, ...], tempo: float, key: Key, low: int, span: int, seed: int, habit: RhymeHabit
) -> None:
    score = arrange(plan(Genre.CINEMATIC, form=form, key=key, tempo_bpm=tempo), seed)
    lead = sheet(score, low, low + span, habit, seed)
    assert [section.kind for section in lead.sections] == [one.kind for one in form if one.kind.sung]
    shortest = 0.5 if 30 / tempo >= SHORTEST_SECONDS else 1.0
    for section in lead.sections:
        assert all(low <= note.pitch <= low + span for note in notes_of(section))
        assert all(note.start * 2 == int(note.start * 2) and note.beats >= shortest for note in notes_of(section))
        assert all(note.strong == (note.start % 2 == 0) for note in notes_of(section))
        for before, after in pairwise(notes_of(section)):
            assert before.start + before.beats <= after.start
            assert abs(before.pitch - after.pitch) <= 12
        ends = [line.notes[-1].start + line.notes[-1].beats for line in section.lines]
        starts = [line.notes[0].start for line in section.lines]
        assert all(start - end >= BREATH_BEATS for end, start in zip(ends, starts[1:], strict=False))
        assert ends[-1] <= section.bars * BEATS_PER_BAR - BREATH_BEATS
        if section.same_as is not None:
            assert lead.sections[section.same_as].lines == section.lines


def test_the_tune_swings_as_the_band_does() -> None:
    score = arrange(plan(Genre.LOFI, form=SONG, tempo_bpm=84), 1)
    assert score.swing > 0.2
    straight, lead = sheet(score), sheet(score, swing=score.swing)
    for plain, sung in zip(straight.sections, lead.sections, strict=True):
        off = [(one, other) for one, other in zip(notes_of(plain), notes_of(sung), strict=True) if one.start % 1]
        on = [(one, other) for one, other in zip(notes_of(plain), notes_of(sung), strict=True) if not one.start % 1]
        assert off and all(other.start == pytest.approx(one.start + score.swing / 2, abs=1e-5) for one, other in off)
        assert on and all((other.start, other.strong) == (one.start, one.strong) for one, other in on)
        assert [note.pitch for note in notes_of(plain)] == [note.pitch for note in notes_of(sung)]
        ends = [(note.start + note.beats) * 60 / score.tempo_bpm for note in notes_of(sung)]
        assert all(
            after.start * 60 / score.tempo_bpm >= end - 1e-5
            for end, after in zip(ends, notes_of(sung)[1:], strict=False)
        )


def test_what_swings_too_fast_for_its_short_eighths_is_sung_in_quarters() -> None:
    score = arrange(plan(Genre.LOFI, form=SONG, tempo_bpm=100), 1)
    shortest = min(note.beats for section in sheet(score, swing=0.3).sections for note in notes_of(section))
    assert shortest * 60 / 100 >= SHORTEST_SECONDS


@pytest.mark.parametrize("seed", range(3))
def test_slow_songs_are_not_drawn_out(seed: int) -> None:
    score = arrange(plan(Genre.AMBIENT, form=SONG), seed)
    beat = 60 / score.tempo_bpm
    for section in sheet(score, seed=seed).sections:
        assert mean(note.beats for note in notes_of(section)) * beat < 0.75


@pytest.mark.parametrize("genre", Genre)
def test_strong_beats_and_line_ends_are_in_the_chord(genre: Genre) -> None:
    score = arrange(plan(genre, form=SONG), 3)
    for section in sheet(score).sections:
        if section.same_as is not None:
            continue
        lasts = {line.notes[-1] for line in section.lines}
        for note in notes_of(section):
            beat = section.start_bar * BEATS_PER_BAR + note.start
            chord = next(one for one in reversed(score.chords) if one.start <= beat)
            assert note.pitch % 12 in {*score.key.scale, *chord.classes}
            if note.strong or note in lasts:
                assert note.pitch % 12 in chord.classes


@pytest.mark.parametrize("seed", range(4))
def test_tunes_go_by_steps_and_the_chorus_is_higher_and_slower(seed: int) -> None:
    lead = sheet(arrange(plan(Genre.LOFI, form=SONG), seed), seed=seed)
    verse, chorus, bridge = lead.sections[0], lead.sections[1], lead.sections[4]
    moves = [
        abs(before.pitch - after.pitch)
        for section in lead.sections
        for line in section.lines
        for before, after in pairwise(line.notes)
    ]
    assert mean(move <= 2 for move in moves) >= 0.7
    assert mean(note.pitch for note in notes_of(chorus)) >= mean(note.pitch for note in notes_of(verse)) + 2
    assert mean(note.beats for note in notes_of(chorus)) > mean(note.beats for note in notes_of(verse))
    assert all(6 <= len(line.notes) <= 10 for section in lead.sections for line in section.lines)
    assert [note.start for note in notes_of(bridge)] != [note.start for note in notes_of(verse)]
    middle = [note for section in lead.sections for note in notes_of(section) if 60 <= note.pitch <= 71]
    assert len(middle) >= 0.8 * sum(len(notes_of(section)) for section in lead.sections)


def test_the_chorus_returns_and_the_second_verse_has_words_of_its_own() -> None:
    lead = sheet(arrange(plan(Genre.LOFI, form=SONG), 1))
    assert [section.same_as for section in lead.sections] == [None, None, None, 1, None]
    first, second = lead.sections[0], lead.sections[2]
    assert [note.start for note in notes_of(first)] == [note.start for note in notes_of(second)]


def test_rhymes_follow_the_habit() -> None:
    assert rhymes(RhymeHabit.AABB, 8) == ("A", "A", "B", "B", "C", "C", "D", "D")
    assert rhymes(RhymeHabit.ABAB, 4) == ("A", "B", "A", "B")
    assert rhymes(RhymeHabit.ABCB, 4) == ("", "A", "", "A")
    assert rhymes(RhymeHabit.ABCB, 2) == ("A", "A")
    assert rhymes(RhymeHabit.AABB, 1) == ("",)


def test_the_same_seed_is_the_same_tune_and_another_another() -> None:
    score = arrange(plan(Genre.LOFI, form=SONG), 1)
    assert sheet(score, seed=5) == sheet(score, seed=5)
    assert sheet(score, seed=5) != sheet(score, seed=6)


def test_what_cannot_be_sung_is_refused() -> None:
    score = arrange(plan(Genre.LOFI), 1)
    with pytest.raises(InvalidInput, match="too narrow"):
        sheet(score, 60, 66)
    silent = tuple(FormSection(kind=kind, bars=4) for kind in (SectionKind.INTRO, SectionKind.OUTRO))
    with pytest.raises(InvalidInput, match="no section to be sung"):
        sheet(arrange(plan(Genre.LOFI, form=silent), 1))


def test_writing_a_tune_needs_no_heavy_library() -> None:
    code = "import sys, activities.analysis.topline; print({'numpy', 'librosa', 'soundfile'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
