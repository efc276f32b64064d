"""Black and frozen pictures in the spoken part of the finished file; title cards, which stand still, lie outside it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

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


class _Watch:
    """Follows frames in order."""

    def __init__(self) -> None:
        self.black = 0.0
        self.black_at = 0.0
        self.frozen = 0.0
        self.frozen_at = 0.0
        self._anchor: Plane | None = None
        self._since = 0.0

    def see(self, luma: Plane, at: float, duration: float) -> None:
        if np.count_nonzero(luma <= _BLACK_LUMA) >= _BLACK_SHARE * luma.size:
            self.black_at = at if not self.black else self.black_at
            self.black += duration
        if self._anchor is None or _moved(self._anchor, luma):
            self._anchor, self._since = luma, at
        elif at + duration - self._since > self.frozen:
            self.frozen, self.frozen_at = at + duration - self._since, self._since


def _moved(anchor: Plane, luma: Plane) -> bool:
    return int(np.count_nonzero(cv2.absdiff(anchor, luma) > _SAME_LEVELS)) > _MOVED_SHARE * luma.size


def watch(video: Path, fps: int, start: float, end: float, progress: Callable[[], None]) -> Pictures:
    """Look at the frames shown from ``start`` to ``end`` seconds; ``progress`` is called once per second of film."""
    seen = _Watch()
    for number, frame in enumerate(decoded(video, rough=True)):
        at = frame.time if frame.time is not None else number / fps
        if start - 0.5 / fps <= at < end - 0.5 / fps:
            seen.see(_sampled_luma(frame), at, 1 / fps)
        if number % FRAMES_A_STEP == FRAMES_A_STEP - 1:
            progress()
    return Pictures(seen.black, seen.black_at, seen.frozen, seen.frozen_at)


def _sampled_luma(frame: av.VideoFrame) -> Plane:
    if frame.format.name not in {"yuv420p", "yuvj420p"}:
        frame = frame.reformat(format="yuv420p")
    return plane(frame, 0)[_STRIDE // 2 :: _STRIDE, _STRIDE // 2 :: _STRIDE].copy()
