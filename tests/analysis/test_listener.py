"""What is heard is what was played: against the score of a composed song, and of a track that has none."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from activities.analysis.listener import LibrosaListener
from activities.analysis.topline import VoiceRange, write_topline
from activities.music.base import Composition
from activities.support.engine import no_progress
from models.engines import find_engine
from models.errors import EngineFailed, MediaRejected
from models.identity import RhymeHabit
from models.music import FormSection, Genre, Key, Mode, SectionKind
from models.plan import Capability
from tests.analysis.conftest import RATE, Track
from tests.music.conftest import plan

FORM = (
    FormSection(kind=SectionKind.VERSE, bars=8),
    FormSection(kind=SectionKind.CHORUS, bars=8),
    FormSection(kind=SectionKind.CHORUS, bars=8),
)


@pytest.fixture(scope="module")
def listener() -> LibrosaListener:
    return LibrosaListener()


def test_it_is_the_engine_of_the_catalogue(listener: LibrosaListener) -> None:
    assert listener.ref == find_engine(Capability.ANALYSIS, "listener").ref()


def test_a_composed_song_is_confirmed_by_ear_and_keeps_its_score(listener: LibrosaListener, song: Composition) -> None:
    assert song.score
    units: list[tuple[int, int]] = []
    heard = listener.listen(song.mix, song.score, plan(Genre.HYPERPOP), lambda *unit: units.append(unit))
    analysis = heard.analysis
    assert analysis.source == "score"
    assert (analysis.key, analysis.sections, heard.chords) == (song.score.key, song.score.sections, song.score.chords)
    assert (analysis.grid.tempo_bpm, analysis.grid.first_beat_ms) == (song.score.tempo_bpm, 0)
    assert len(analysis.beats) == len(analysis.energy) == 48
    assert analysis.downbeats == analysis.beats[::4]
    assert analysis.onset_error_ms is not None
    assert analysis.onset_error_ms < 20
    assert analysis.duration_ms == pytest.approx(song.seconds * 1000, abs=1)
    assert np.mean(analysis.energy[24:40]) > np.mean(analysis.energy[8:24])
    assert units == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert listener.listen(song.mix, song.score, plan(Genre.HYPERPOP), no_progress) == heard


def test_a_song_that_is_not_its_score_is_told(listener: LibrosaListener, song: Composition) -> None:
    assert song.score
    slower = song.score.model_copy(update={"tempo_bpm": song.score.tempo_bpm * 0.93})
    with pytest.raises(EngineFailed, match="BPM"):
        listener.listen(song.mix, slower, plan(Genre.HYPERPOP), no_progress)
    elsewhere = song.score.model_copy(update={"key": Key(tonic=3, mode=Mode.MINOR)})
    with pytest.raises(EngineFailed, match="was heard in"):
        listener.listen(song.mix, elsewhere, plan(Genre.HYPERPOP), no_progress)


def test_a_track_without_a_score_is_taken_as_it_is_heard(listener: LibrosaListener, track: Track) -> None:
    asked = plan(Genre.LOFI, form=FORM, tempo_bpm=95, key=Key(tonic=7, mode=Mode.MAJOR))
    heard = listener.listen(track.wav, None, asked, no_progress)
    analysis = heard.analysis
    assert analysis.source == "listener"
    assert analysis.onset_error_ms is None
    assert analysis.grid.tempo_bpm == pytest.approx(track.tempo_bpm, rel=0.001)
    assert analysis.grid.first_beat_ms == pytest.approx(track.first_beat * 1000, abs=20)
    assert analysis.key == Key(tonic=7, mode=Mode.MAJOR)
    assert [chord.root for chord in heard.chords[:24]] == list(track.roots) * 6
    assert [(one.kind, one.start_bar) for one in analysis.sections] == [
        (SectionKind.VERSE, 0),
        (SectionKind.CHORUS, 8),
        (SectionKind.CHORUS, 16),
    ]
    lead = write_topline(
        analysis.grid, analysis.key, analysis.sections, heard.chords, VoiceRange(57, 74), RhymeHabit.AABB, 1
    )
    assert lead.sections[2].same_as == 1


@pytest.mark.parametrize("samples", [np.zeros(RATE * 10), np.ones(RATE) * 0.1])
def test_what_is_no_song_is_refused(listener: LibrosaListener, samples: np.ndarray, tmp_path: Path) -> None:
    sf.write(tmp_path / "no.wav", samples, RATE)
    with pytest.raises(MediaRejected):
        listener.listen(tmp_path / "no.wav", None, plan(Genre.LOFI), no_progress)


def test_what_cannot_be_read_is_refused(listener: LibrosaListener, tmp_path: Path) -> None:
    (tmp_path / "page.wav").write_text("<html>busy</html>")
    with pytest.raises(MediaRejected, match=r"page\.wav"):
        listener.listen(tmp_path / "page.wav", None, plan(Genre.LOFI), no_progress)
