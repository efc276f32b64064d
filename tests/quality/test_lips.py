"""The face mesh says whether the mouth did what was planned, and when it came late."""

from pathlib import Path

import numpy as np
import pytest

from activities.lipsync.base import ARKIT
from activities.quality.base import SegmentSight
from activities.quality.lips import following
from activities.quality.sight import look
from activities.support.engine import no_progress
from models.errors import EngineFailed
from tests.quality.conftest import FPS, Sentence, encode, face, speaking


@pytest.fixture(scope="module")
def sight(sentences: tuple[Sentence, ...]) -> SegmentSight:
    return look(sentences[1].picture, sentences[1].curves, no_progress)


def test_a_mouth_that_follows_its_plan_is_seen_to(sight: SegmentSight) -> None:
    assert None not in sight.opening
    mouth = following([sight])
    assert mouth.correlation is not None
    assert mouth.correlation > 0.95
    assert mouth.lag == 0


@pytest.mark.parametrize("frames", [-3, 3])
def test_a_shifted_plan_is_found(sight: SegmentSight, frames: int) -> None:
    """Curves that come three frames earlier than the picture make the mouth three frames late."""
    shifted = sight.model_copy(update={"planned": tuple(np.roll(sight.planned, -frames))})
    mouth = following([shifted])
    assert mouth.lag == frames
    assert mouth.correlation is not None
    assert mouth.correlation < 0.85


def test_the_plan_of_other_words_does_not_fit(sight: SegmentSight, sentences: tuple[Sentence, ...]) -> None:
    other = np.load(sentences[2].curves)[:, ARKIT.index("jawOpen")]
    mouth = following([sight.model_copy(update={"planned": tuple(np.resize(other, len(sight.planned)))})])
    assert mouth.correlation is not None
    assert mouth.correlation < 0.5


def test_measuring_again_gives_the_same(sentences: tuple[Sentence, ...], sight: SegmentSight) -> None:
    assert look(sentences[1].picture, sentences[1].curves, no_progress) == sight


def test_a_small_face_beside_a_slide_is_found(tmp_path: Path) -> None:
    """A presenter who stands aside fills a sixth of the picture's height."""
    frames = np.stack([np.frombuffer(raw, np.uint8).reshape(480, 854, 3) for raw in speaking(face(), [0.2, 0.6] * 15)])
    small = frames[:, ::2, 187:667:2]
    slide = np.full((30, 480, 854, 3), 235, np.uint8)
    slide[:, -240:, -240:] = small
    picture = encode((frame.tobytes() for frame in slide), tmp_path / "aside.mp4")
    curves = np.zeros((30, len(ARKIT)), np.float32)
    np.save(tmp_path / "curves.npy", curves)
    assert None not in look(picture, tmp_path / "curves.npy", no_progress).opening


def test_a_picture_without_a_face_has_none(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 255, (480, 854, 3), np.uint8).tobytes()
    picture = encode(iter([noise] * 26), tmp_path / "noise.mp4")
    np.save(tmp_path / "curves.npy", np.zeros((26, len(ARKIT)), np.float32))
    measured = look(picture, tmp_path / "curves.npy", no_progress)
    assert measured.opening == (None,) * 26
    assert following([measured]).correlation is None


def test_another_number_of_frames_than_planned_is_refused(sentences: tuple[Sentence, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "curves.npy", np.zeros((FPS, len(ARKIT)), np.float32))
    with pytest.raises(EngineFailed, match="25 were planned"):
        look(sentences[0].picture, tmp_path / "curves.npy", no_progress)
