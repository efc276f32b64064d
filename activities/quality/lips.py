"""Whether the mouth on screen does what was planned: a face mesh over every frame, and how its mouth opening follows
the curve that drove it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
import numpy.typing as npt
from mediapipe.python.solutions.face_mesh import FaceMesh

from activities.lipsync.base import ARKIT
from activities.quality.base import SegmentSight
from activities.quality.film import Plane, plane
from activities.support.box import Box
from models.errors import EngineFailed

_UPPER_LIP, _LOWER_LIP, _FOREHEAD, _CHIN = 13, 14, 10, 152
"""Face mesh points: the middle of the inner lips, the top and the bottom of the face."""
_CROP = 1.9
"""Side of the square that is tracked, in face heights: a speaking head sways well inside it."""
_MESH_PIXELS = 400
"""Longer side of what the mesh gets: it looks at 192x192 pixels of face, more would only cost copying."""
_SEARCH_PIXELS = 540
_SEARCH_EVERY = 5
"""A file without a face is searched in every fifth frame: searching is ten times as slow as following."""
_MAX_LAG = 5
_FEWEST_FRAMES = 25


class _Point(Protocol):
    x: float
    y: float


class _Mesh:
    """One face mesh. Not shared between calls: it follows one face from frame to frame."""

    def __init__(self, *, still: bool) -> None:
        self._mesh = FaceMesh(static_image_mode=still, max_num_faces=1, refine_landmarks=True)

    def __enter__(self) -> "_Mesh":
        return self

    def __exit__(self, *_: object) -> None:
        self._mesh.close()

    def points(self, image: Plane) -> npt.NDArray[np.float64] | None:
        """The landmarks in ``image`` (RGB) as pixels [n, 2]; None without a face."""
        faces = self._mesh.process(image).multi_face_landmarks
        if not faces:
            return None
        landmarks: Sequence[_Point] = faces[0].landmark
        return np.asarray([(point.x, point.y) for point in landmarks]) * (image.shape[1], image.shape[0])


def planned_opening(curves: Path) -> tuple[float, ...]:
    """``jawOpen`` minus ``mouthClose`` for each frame of ``curves`` (float32 [frames, 52])."""
    columns = np.load(curves, allow_pickle=False)
    if columns.ndim != 2 or columns.shape[1] != len(ARKIT):
        raise EngineFailed(f"{curves.name} is no curves file: its shape is {columns.shape}.")
    aperture = columns[:, ARKIT.index("jawOpen")] - columns[:, ARKIT.index("mouthClose")]
    return tuple(round(float(value), 5) for value in aperture)


class Mouth:
    """Follows the mouth of one file through its frames. Close it, or use it as a context manager."""

    def __init__(self) -> None:
        self._mesh = _Mesh(still=False)
        self._box: Box | None = None
        self._seen = 0

    def __enter__(self) -> "Mouth":
        return self

    def __exit__(self, *_: object) -> None:
        self._mesh.__exit__()

    def opening(self, frame: av.VideoFrame) -> float | None:
        """The inner-lip gap over face height in the next frame; None where no face is found."""
        if self._box is None and self._seen % _SEARCH_EVERY == 0:
            self._box = _locate(frame)
        self._seen += 1
        points = self._mesh.points(_rgb(frame, self._box, _MESH_PIXELS)) if self._box else None
        return None if points is None else _opening(points)


def _opening(points: npt.NDArray[np.float64]) -> float:
    gap = np.linalg.norm(points[_LOWER_LIP] - points[_UPPER_LIP])
    return round(float(gap / np.linalg.norm(points[_CHIN] - points[_FOREHEAD])), 5)


def _locate(frame: av.VideoFrame) -> Box | None:
    """The square around the largest face, searched in the whole frame, then in ever smaller parts of it."""
    with _Mesh(still=True) as mesh:
        for parts in _search(frame.width, frame.height):
            found = [face for part in parts if (face := _face(mesh, frame, part))]
            if found:
                x, y, height = max(found, key=lambda face: face[2])
                return _square(x, y, _CROP * height, frame.width, frame.height)
    return None


def _face(mesh: _Mesh, frame: av.VideoFrame, part: Box) -> tuple[float, float, float] | None:
    """Centre and height of the face in ``part``, in pixels of the frame."""
    image = _rgb(frame, part, _SEARCH_PIXELS)
    points = mesh.points(image)
    if points is None:
        return None
    scale = part.width / image.shape[1]
    top, bottom = points[_FOREHEAD] * scale, points[_CHIN] * scale
    x, y = (top + bottom) / 2 + (part.left, part.top)
    return float(x), float(y), float(np.linalg.norm(bottom - top))


def _search(width: int, height: int) -> Iterator[list[Box]]:
    yield [Box(0, 0, width // 2 * 2, height // 2 * 2)]
    for share in (1.0, 0.5):
        side = int(min(width, height) * share) // 2 * 2
        yield [Box(left, top, side, side) for top in _steps(height, side) for left in _steps(width, side)]


def _steps(length: int, side: int) -> list[int]:
    """Even offsets at which parts of ``side`` cover ``length``, overlapping by half."""
    count = max(1, round(2 * (length - side) / side)) + 1 if length > side else 1
    return [int((length - side) * index / max(1, count - 1)) // 2 * 2 for index in range(count)]


def _square(x: float, y: float, side: float, width: int, height: int) -> Box:
    left, top = max(0, int(x - side / 2)) // 2 * 2, max(0, int(y - side / 2)) // 2 * 2
    right, bottom = min(width, int(x + side / 2)) // 2 * 2, min(height, int(y + side / 2)) // 2 * 2
    return Box(left, top, right - left, bottom - top)


def _rgb(frame: av.VideoFrame, box: Box, longest: int) -> Plane:
    """``box`` of the frame as RGB, at most ``longest`` pixels a side. Scaled before the colours are converted, plane by
    plane, which is a fifth of the work of converting first."""
    if frame.format.name not in {"yuv420p", "yuvj420p"}:
        frame = frame.reformat(format="yuv420p")
    scale = min(1.0, longest / max(box.width, box.height))
    width, height = (max(2, round(length * scale / 2) * 2) for length in (box.width, box.height))
    luma = plane(frame, 0)[box.top : box.top + box.height, box.left : box.left + box.width]
    half = np.s_[box.top // 2 : (box.top + box.height) // 2, box.left // 2 : (box.left + box.width) // 2]
    planar = np.concatenate(
        [
            _scaled(luma, width, height).reshape(-1),
            *(_scaled(plane(frame, index)[half], width // 2, height // 2).reshape(-1) for index in (1, 2)),
        ]
    )
    return cv2.cvtColor(planar.reshape(height * 3 // 2, width), cv2.COLOR_YUV2RGB_I420).astype(np.uint8, copy=False)


def _scaled(source: Plane, width: int, height: int) -> Plane:
    # Averaging over areas costs four times as much as bilinear, and is only better below half the size.
    method = cv2.INTER_LINEAR if 2 * width >= source.shape[1] else cv2.INTER_AREA
    return cv2.resize(source, (width, height), interpolation=method).astype(np.uint8, copy=False)


@dataclass(frozen=True)
class Following:
    """How the measured mouth follows the planned one: correlation in step, and the lag in frames (positive: the mouth
    is late) at which it is highest, with its correlation there. None where there is too little or nothing moves."""

    correlation: float | None
    lag: int | None
    correlation_at_lag: float | None


def following(segments: Sequence[SegmentSight]) -> Following:
    """Pearson correlation over all ``segments`` together, at shifts of up to five frames within each segment."""
    by_lag = {lag: _correlation(segments, lag) for lag in range(-_MAX_LAG, _MAX_LAG + 1)}
    known = {lag: value for lag, value in by_lag.items() if value is not None}
    if not known:
        return Following(None, None, None)
    best = max(known, key=lambda lag: (known[lag], -abs(lag)))
    return Following(by_lag[0], best, known[best])


def _correlation(segments: Sequence[SegmentSight], lag: int) -> float | None:
    pairs = [
        (segment.planned[frame], measured)
        for segment in segments
        for frame in range(len(segment.planned))
        if 0 <= frame + lag < len(segment.opening) and (measured := segment.opening[frame + lag]) is not None
    ]
    if len(pairs) < _FEWEST_FRAMES:
        return None
    planned, opened = np.asarray(pairs).T
    if not planned.std() or not opened.std():
        return None
    return float(np.corrcoef(planned, opened)[0, 1])
