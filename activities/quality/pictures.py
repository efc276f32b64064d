"""Black and frozen pictures in the spoken part of a film; title cards, which stand still, lie outside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from activities.quality.base import SegmentSight, Stillness
from activities.quality.film import Plane, decoded, plane

_STRIDE = 8
"""Every eighth pixel each way is enough to see black or stillness, and costs next to nothing."""
_BLACK_LUMA = 32
_BLACK_SHARE = 0.98
"""As ffmpeg's blackdetect: 98 % of the picture at or below a tenth of the range (16 + 0.1 * 219, rounded up a little
because BT.709 footroom is often used); captions and the disclosure line may still be readable on it."""
_SAME_LEVELS = 3
_MOVED_SHARE = 0.0005
"""A picture is the same as another while fewer than this share of its samples differ by more than these levels: a
re-encoded still wobbles by a level or two, breathing moves the outline of head and shoulders within a second."""
FRAMES_A_STEP = 25


@dataclass(frozen=True)
class Pictures:
    """``black`` seconds in total and ``frozen`` seconds of the longest still run, each with where it (first) began."""

    black: float
    black_at: float
    frozen: float
    frozen_at: float


class Watcher:
    """Follows frames in order; counts in frames."""

    def __init__(self) -> None:
        self.black = 0
        self.black_at = 0
        self._frames = 0
        self._anchor: Plane | None = None
        self._since = 0
        self._leading = 0
        self._longest, self._longest_at = 0, 0

    def see(self, frame: av.VideoFrame) -> None:
        """The next frame."""
        luma = _sampled_luma(frame)
        if np.count_nonzero(luma <= _BLACK_LUMA) >= _BLACK_SHARE * luma.size:
            self.black_at = self.black_at if self.black else self._frames
            self.black += 1
        if self._anchor is None or _moved(self._anchor, luma):
            self._anchor, self._since = luma, self._frames
        self._frames += 1
        run = self._frames - self._since
        if not self._since:
            self._leading = run
        if run > self._longest:
            self._longest, self._longest_at = run, self._since

    @property
    def still(self) -> Stillness:
        """The stretches in which nothing moved."""
        return Stillness(
            longest=self._longest,
            longest_at=self._longest_at,
            leading=self._leading,
            trailing=self._frames - self._since,
        )


def _moved(anchor: Plane, luma: Plane) -> bool:
    return int(np.count_nonzero(cv2.absdiff(anchor, luma) > _SAME_LEVELS)) > _MOVED_SHARE * luma.size


def together(segments: Sequence[SegmentSight], first: int, fps: int) -> Pictures:
    """Of segments one after the other, the first of which begins at frame ``first`` of the film.

    A still end is taken to go on through a still beginning, so ``frozen`` is a bound: never less than there is.
    """
    black, black_at, begins = 0, 0, first
    longest, longest_at = 0, first
    run, since = 0, first
    for segment in segments:
        frames, still = len(segment.opening), segment.still
        if segment.black:
            black_at = black_at if black else begins + segment.black_at
            black += segment.black
        since = since if run else begins
        for length, at in ((run + still.leading, since), (still.longest, begins + still.longest_at)):
            if length > longest:
                longest, longest_at = length, at
        if still.leading == frames:
            run += frames
        else:
            run, since = still.trailing, begins + frames - still.trailing
        begins += frames
    return _in_seconds(black, black_at, longest, longest_at, fps)


def _in_seconds(black: int, black_at: int, longest: int, longest_at: int, fps: int) -> Pictures:
    # A picture that moves at the next frame does not stand still.
    return Pictures(black / fps, black_at / fps, longest / fps if longest > 1 else 0.0, longest_at / fps)


def watch(video: Path, fps: int, start: float, end: float, progress: Callable[[], None]) -> Pictures:
    """Look at the frames shown from ``start`` to ``end`` seconds; ``progress`` is called once per second of film."""
    seen = Watcher()
    first = round(start * fps)
    for number, frame in enumerate(decoded(video, rough=True)):
        at = frame.time if frame.time is not None else number / fps
        if start - 0.5 / fps <= at < end - 0.5 / fps:
            seen.see(frame)
        if number % FRAMES_A_STEP == FRAMES_A_STEP - 1:
            progress()
    return _in_seconds(seen.black, first + seen.black_at, seen.still.longest, first + seen.still.longest_at, fps)


def _sampled_luma(frame: av.VideoFrame) -> Plane:
    if frame.format.name not in {"yuv420p", "yuvj420p"}:
        frame = frame.reformat(format="yuv420p")
    return plane(frame, 0)[_STRIDE // 2 :: _STRIDE, _STRIDE // 2 :: _STRIDE].copy()
