"""A score is music: in its key, in its form, led by its voices, louder where it should lift, and of its genre."""

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.music.arrange import arrange
from activities.music.genres import GRAMMARS
from activities.music.harmony import INTERVALS, Colour, chords_of, lead_voices, quality_at
from activities.music.instruments import NAMES, program_of
from activities.music.rhythm import STEP, swung
from deploy.settings import ROOT
from models.errors import UnknownReference
from models.music import BEATS_PER_BAR, ChordQuality, FormSection, Genre, Key, Mode, Score, SectionKind
from tests.music.conftest import plan

KEYS = st.builds(Key, tonic=st.integers(0, 11), mode=st.sampled_from(Mode))
FORMS = st.lists(
    st.builds(FormSection, kind=st.sampled_from(SectionKind), bars=st.integers(1, 16)), min_size=2, max_size=10
).map(tuple)


def notes_between(score: Score, first: int, bars: int) -> dict[str, list[tuple[float, int]]]:
    low, high = first * BEATS_PER_BAR, (first + bars) * BEATS_PER_BAR
    return {
        part.stem: [(note.start, note.velocity) for note in part.notes if low <= note.start < high]
        for part in score.parts
    }


@settings(max_examples=25, deadline=None)
@given(genre=st.sampled_from(Genre), key=KEYS, form=FORMS, seed=st.integers(0, 2**31))
def test_every_plan_gives_a_score_on_the_grid_within_its_form(
    genre: Genre, key: Key, form: tuple[FormSection, ...], seed: int
) -> None:
    score = arrange(plan(genre, key=key, form=form), seed)
    end = sum(section.bars for section in form) * BEATS_PER_BAR
    grid = {round(swung(step * STEP, score.swing), 6) for step in range(round(end / STEP))}
    for part in score.parts:
        for note in part.notes:
            assert note.start in grid
            assert note.start + note.beats <= end + 1e-6
    assert [chord.start for chord in score.chords] == sorted(chord.start for chord in score.chords)
    assert sum(chord.beats for chord in score.chords) == end
    assert all(chord.classes <= set(key.scale) for chord in score.chords if chord.quality != ChordQuality.DIMINISHED)


@pytest.mark.parametrize("genre", Genre)
def test_the_song_ends_on_its_tonic(genre: Genre) -> None:
    score = arrange(plan(genre), 3)
    assert score.chords[-1].root == score.key.tonic


@settings(max_examples=30, deadline=None)
@given(key=KEYS, colour=st.sampled_from(Colour), degrees=st.lists(st.integers(0, 6), min_size=4, max_size=4).map(tuple))
def test_voices_move_by_small_steps(key: Key, colour: Colour, degrees: tuple[int, ...]) -> None:
    chords = lead_voices(chords_of(key, degrees, colour, 0, 8, 1, last=False))
    for before, after in pairwise(chords):
        assert {pitch % 12 for pitch in after.pitches} == {
            (after.root + step) % 12 for step in INTERVALS[quality_at(key, key.scale.index(after.root), colour)]
        }
        if len(before.pitches) == len(after.pitches):
            moves = [abs(a - b) for a, b in zip(before.pitches, after.pitches, strict=True)]
            assert sum(moves) / len(moves) <= 5


@pytest.mark.parametrize("genre", Genre)
def test_the_chorus_lifts_above_the_verse(genre: Genre) -> None:
    score = arrange(plan(genre), 5)
    verse, chorus = (notes_between(score, start, 4) for start in (2, 6))

    def weight(section: dict[str, list[tuple[float, int]]]) -> int:
        return sum(velocity for notes in section.values() for _, velocity in notes)

    assert weight(chorus) > 1.15 * weight(verse)


@pytest.mark.parametrize("genre", Genre)
def test_the_lead_leaves_room_for_a_voice(genre: Genre) -> None:
    score = arrange(plan(genre), 7)
    lead = next(part for part in score.parts if part.stem == "lead")
    sung = [note for note in lead.notes if 2 * BEATS_PER_BAR <= note.start < 10 * BEATS_PER_BAR]
    phrase = 4 * BEATS_PER_BAR
    assert all((note.start - 2 * BEATS_PER_BAR) % phrase >= phrase - 1 for note in sung)
    assert len(lead.notes) > len(sung)


def test_grammars_differ_in_density_swing_instruments_and_drums() -> None:
    scores = {genre: arrange(plan(genre), 1) for genre in Genre}
    density = {
        genre: sum(len(part.notes) for part in score.parts) / 12 * score.tempo_bpm / 240
        for genre, score in scores.items()
    }
    assert density[Genre.HYPERPOP] > density[Genre.ELECTRONIC] > density[Genre.LOFI] > density[Genre.AMBIENT]
    assert density[Genre.HYPERPOP] > 5 * density[Genre.AMBIENT]
    assert scores[Genre.LOFI].swing > 0.2
    assert all(score.swing == 0 for genre, score in scores.items() if genre is not Genre.LOFI)
    assert len({tuple(part.program for part in score.parts) for score in scores.values()}) == len(Genre)
    assert len({tuple(sorted({n.pitch for p in s.parts if p.drums for n in p.notes})) for s in scores.values()}) == 5


def test_the_same_seed_writes_the_same_score_and_another_seed_another() -> None:
    first, again, other = (arrange(plan(Genre.LOFI), seed) for seed in (1, 1, 2))
    assert first == again
    assert first.parts != other.parts


def test_further_genres_and_instruments_colour_the_first() -> None:
    own = arrange(plan(Genre.ELECTRONIC), 1)
    blend = arrange(plan(Genre.ELECTRONIC, also=Genre.LOFI), 1)
    assert blend.genre is Genre.ELECTRONIC
    assert 0 < blend.swing < GRAMMARS[Genre.LOFI].swing
    assert blend.parts != own.parts
    cello = arrange(plan(Genre.LOFI, instruments=("vibraphone", "Cello", "slap bass 1")), 1)
    programs = {part.stem: part.program for part in cello.parts}
    assert (programs["keys"], programs["lead"], programs["bass"]) == (11, 42, 36)


def test_an_instrument_that_does_not_exist_is_named() -> None:
    assert [program_of(name) for name in NAMES] == list(range(128))
    with pytest.raises(UnknownReference, match="moon harp") as caught:
        arrange(plan(Genre.AMBIENT, instruments=("moon harp",)), 1)
    assert caught.value.field == "instruments"


def test_writing_a_score_needs_no_heavy_library() -> None:
    code = "import sys, activities.music.arrange; print({'numpy', 'librosa', 'mido', 'soundfile'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
