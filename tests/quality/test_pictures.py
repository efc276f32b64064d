"""Black and frozen stretches are found with their length; a person who only breathes is not frozen."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from activities.quality.pictures import watch
from tests.quality.conftest import FPS, encode, face, speaking

BLACK = np.zeros((480, 854, 3), np.uint8).tobytes()


def film(frames: Iterable[bytes], folder: Path) -> Path:
    return encode(iter(frames), folder / "film.mp4")


def nothing() -> None:
    pass


def test_inserted_black_is_found_with_its_length(tmp_path: Path) -> None:
    talking = list(speaking(face(), [0.3, 0.1] * 25))
    video = film([*talking[:30], *[BLACK] * 10, *talking[30:]], tmp_path)
    seen = watch(video, FPS, 0, 60 / FPS, nothing)
    assert seen.black == pytest.approx(10 / FPS, abs=0.001)
    assert seen.black_at == pytest.approx(30 / FPS, abs=0.001)


def test_a_picture_that_stops_is_found_with_its_length(tmp_path: Path) -> None:
    talking = list(speaking(face(), [0.3, 0.1] * 30))
    video = film([*talking[:20], *[talking[20]] * 40, *talking[20:]], tmp_path)
    seen = watch(video, FPS, 0, 100 / FPS, nothing)
    assert seen.frozen == pytest.approx(41 / FPS, abs=0.081)
    assert seen.frozen_at == pytest.approx(20 / FPS, abs=0.081)


def test_a_silent_person_who_only_breathes_is_not_frozen(tmp_path: Path) -> None:
    """The outline drifts by 1.5 pixels a second: too little to tell one frame from the next."""
    shifts = (np.float32([[1, 0, 0.06 * number], [0, 1, 0]]) for number in range(100))
    frames = (cv2.warpAffine(face(), shift, (854, 480), borderMode=cv2.BORDER_REPLICATE) for shift in shifts)
    video = film((frame.tobytes() for frame in frames), tmp_path)
    assert watch(video, FPS, 0, 4, nothing).frozen < 0.9


def test_a_dark_plate_is_not_black(tmp_path: Path) -> None:
    dark = np.full((480, 854, 3), (29, 39, 51), np.uint8).tobytes()
    assert watch(film([dark] * 30, tmp_path), FPS, 0, 1.2, nothing).black == 0


def test_cards_outside_the_spoken_part_do_not_count(tmp_path: Path) -> None:
    talking = list(speaking(face(), [0.3, 0.1] * 15))
    video = film([*[BLACK] * 30, *talking, *[BLACK] * 30], tmp_path)
    seen = watch(video, FPS, 30 / FPS, 60 / FPS, nothing)
    assert seen.black == 0
    assert seen.frozen < 0.5


def test_progress_may_stop_it(tmp_path: Path) -> None:
    video = film(speaking(face(), [0.1] * 60), tmp_path)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        watch(video, FPS, 0, 2.4, stop)
