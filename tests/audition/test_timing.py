"""Whether a song is played in time is heard in its stems: swing belongs to the score, a late stem does not."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from activities.audition.timing import timing
from activities.music.base import Composition
from activities.music.composer import ComposerEngine
from activities.support.engine import no_progress
from models.errors import MediaRejected
from models.music import FormSection, Genre, Score, SectionKind
from models.quality import TrackThresholds
from tests.music.conftest import plan

FORM = (FormSection(kind=SectionKind.VERSE, bars=2), FormSection(kind=SectionKind.CHORUS, bars=4))
REACH = TrackThresholds().on_grid


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Composition:
    """Swung."""
    swung = plan(Genre.LOFI, form=FORM, instruments=("electric piano 1",))
    return ComposerEngine().compose(swung, 3, tmp_path_factory.mktemp("song"), no_progress)


def score(song: Composition) -> Score:
    assert song.score and song.score.swing > 0
    return song.score


def test_what_is_struck_is_heard_where_the_score_has_it(song: Composition) -> None:
    found = timing(score(song), 0.0, song.stems)
    assert found.struck > 50
    assert found.share is not None and found.share >= REACH + 0.05
    assert found.median is not None and found.median < 0.006


def test_a_straight_score_is_not_what_a_swung_band_plays(song: Composition) -> None:
    swung = score(song)
    straight = tuple(
        part.model_copy(
            update={"notes": tuple(note.model_copy(update={"start": round(note.start * 2) / 2}) for note in part.notes)}
        )
        for part in swung.parts
    )
    share = timing(swung.model_copy(update={"parts": straight}), 0.0, song.stems).share
    assert share is not None and share < REACH


def test_a_stem_that_comes_late_is_found(song: Composition, tmp_path: Path) -> None:
    samples, rate = soundfile.read(song.stems["drums"])
    late = np.pad(samples, ((round(0.03 * rate), 0), (0, 0)))
    soundfile.write(tmp_path / "drums.wav", late, rate)
    found = timing(score(song), 0.0, {**song.stems, "drums": tmp_path / "drums.wav"})
    assert found.loosest == "drums"
    assert found.share is not None and found.share < REACH


def test_what_swells_is_not_counted_and_what_cannot_be_read_is_refused(song: Composition, tmp_path: Path) -> None:
    found = timing(score(song), 0.0, {"pads": song.stems["pads"]})
    assert (found.struck, found.share, found.median) == (0, None, None)
    (tmp_path / "page").write_text("<html>")
    with pytest.raises(MediaRejected, match="bass"):
        timing(score(song), 0.0, {"bass": tmp_path / "page"})
