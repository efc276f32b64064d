"""Black and frozen stretches are found with their length; a person who only breathes is not frozen."""

from collections.abc import Iterable
from itertools import accumulate, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from activities.quality.base import SegmentSight
from activities.quality.film import decoded
from activities.quality.pictures import Watcher, together, watch
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


def seen_alone(frames: Iterable[bytes], folder: Path) -> SegmentSight:
    """A segment of its own, looked at."""
    folder.mkdir()
    watcher, count = Watcher(), 0
    for count, frame in enumerate(decoded(film(frames, folder)), start=1):  # noqa: B007 - counted
        watcher.see(frame)
    return SegmentSight(
        opening=(None,) * count,
        planned=(),
        black=watcher.black,
        black_at=watcher.black_at,
        still=watcher.still,
        packets="",
    )


@pytest.mark.parametrize("cuts", [(50, 50), (20, 30, 50), (35, 10, 55), (15, 85), (75, 25)])
def test_segments_seen_alone_tell_what_the_whole_film_shows(tmp_path: Path, cuts: tuple[int, ...]) -> None:
    """Black and a still picture across the cuts, wherever they fall."""
    talking = list(speaking(face(), [0.3, 0.1] * 50))
    frames = [*talking[:20], *[talking[20]] * 40, *[BLACK] * 10, *talking[70:]]
    whole = watch(film(frames, tmp_path), FPS, 0, 4, nothing)
    edges = [0, *accumulate(cuts)]
    alone = [seen_alone(frames[begin:end], tmp_path / str(begin)) for begin, end in pairwise(edges)]
    joined = together(alone, 0, FPS)
    assert (joined.black, joined.black_at) == (whole.black, whole.black_at)
    assert joined.frozen == pytest.approx(whole.frozen, abs=0.081)
    assert joined.frozen >= whole.frozen - 0.001
    assert joined.frozen_at == pytest.approx(whole.frozen_at, abs=0.081)


def test_a_still_segment_goes_on_into_the_next(tmp_path: Path) -> None:
    still = seen_alone([face().tobytes()] * 30, tmp_path / "still")
    talking = seen_alone(speaking(face(), [0.3, 0.1] * 10), tmp_path / "talking")
    assert together([talking, still, still, talking], 25, FPS).frozen == pytest.approx(60 / FPS, abs=0.081)
    assert together([talking, still, still, talking], 25, FPS).frozen_at == pytest.approx(45 / FPS, abs=0.041)


def test_progress_may_stop_it(tmp_path: Path) -> None:
    video = film(speaking(face(), [0.1] * 60), tmp_path)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        watch(video, FPS, 0, 2.4, stop)
