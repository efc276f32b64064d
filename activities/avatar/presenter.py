"""The 3D presenter: performs a segment with a look that was path-traced beforehand (see ``looks/LOOKS.md``), so that
drawing needs no renderer. Only the head is drawn anew each frame; the body is kept for a few depths of breath."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from activities.avatar import presenter_rig as rig
from activities.avatar.base import Clip, Performance, Subject
from activities.avatar.motion import Motion, move
from activities.support.engine import Progress
from activities.support.ffmpeg import encode_frames
from models.engines import find_engine
from models.errors import UnknownReference
from models.plan import Capability, EngineRef

_BATCH = 25

_LUMA = np.array([0.2126, 0.7152, 0.0722])
"""ITU-R BT.709 shares of red, green and blue."""
_BLUE, _RED = 1.8556, 1.5748


def _matrix() -> rig.Floats:
    """8-bit RGB to limited-range BT.709 Y'CbCr, rows with an offset."""
    blue = (np.array([0, 0, 1.0]) - _LUMA) / _BLUE
    red = (np.array([1.0, 0, 0]) - _LUMA) / _RED
    rows = np.stack([_LUMA * 219 / 255, blue * 224 / 255, red * 224 / 255])
    result: rig.Floats = np.c_[rows, [16.0, 128.0, 128.0]].astype(np.float32)
    return result


_TO_YUV = _matrix()


@dataclass
class Stage:
    """A look with the body frames made so far."""

    look: rig.Look
    bodies: dict[int, rig.Bytes] = field(default_factory=dict)

    def body(self, level: int) -> rig.Bytes:
        """The stacked I420 frame of the body (colour above matte) at a level of breath."""
        made = self.bodies.get(level)
        if made is None:
            frame = np.full((3 * self.look.size, self.look.size), 128, np.uint8)
            rgba = rig.draw_body(self.look, level)
            _put(frame, rgba, 0, 0)
            made = self.bodies[level] = frame
        return made


def _planes(frame: rig.Bytes) -> tuple[rig.Bytes, rig.Bytes, rig.Bytes, rig.Bytes]:
    """Views of a stacked I420 frame [3 h, h]: colour luma, matte luma, and both chroma planes of the colour half."""
    size = frame.shape[1]
    flat = frame.reshape(-1)
    luma, chroma, half = size * size, size * size // 2, size // 2
    blue = flat[2 * luma : 2 * luma + chroma].reshape(size, half)[:half]
    red = flat[2 * luma + chroma :].reshape(size, half)[:half]
    return flat[:luma].reshape(size, size), flat[luma : 2 * luma].reshape(size, size), blue, red


def _put(frame: rig.Bytes, rgba: rig.Bytes, left: int, top: int) -> None:
    """Writes straight RGBA into a stacked I420 frame; position and size are even."""
    height, width = rgba.shape[:2]
    luma, matte, blue, red = _planes(frame)
    colour = np.ascontiguousarray(rgba[..., :3])
    luma[top : top + height, left : left + width] = cv2.transform(colour, _TO_YUV[:1])
    small = cv2.resize(colour, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    pair = cv2.transform(small, _TO_YUV[1:])
    blue[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2] = pair[..., 0]
    red[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2] = pair[..., 1]
    matte[top : top + height, left : left + width] = _GREY[rgba[..., 3]]


_GREY = np.rint(16 + np.arange(256) * 219 / 255).astype(np.uint8)


class PresenterEngine:
    """Performs with a baked look from ``looks`` (a folder of looks; the shipped ones by default).

    Looks are read on first use, once, and kept. Frames are square: ``height`` pixels each way.
    """

    def __init__(self, looks: Path = rig.LOOKS) -> None:
        self._root = looks
        self._lock = threading.Lock()
        self._stages: dict[str, Stage] = {}

    @cached_property
    def ref(self) -> EngineRef:
        """``weights`` is the sha256 over the files of every look."""
        digest = hashlib.sha256()
        for name in self.looks():
            for path in sorted((self._root / name).iterdir()):
                digest.update(f"{name}/{path.name}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        return find_engine(Capability.AVATAR, "presenter").ref(digest.hexdigest())

    def looks(self) -> tuple[str, ...]:
        """The baked looks, by name."""
        return rig.available(self._root)

    def perform(self, performance: Performance, subject: Subject, height: int, out: Path, progress: Progress) -> Clip:
        """Writes the stacked clip of ``subject.look``. See :class:`activities.avatar.base.AvatarEngine`."""
        stage = self._stage(subject.look)
        motion = move(performance)
        total = len(motion.breath)

        def frames() -> Iterator[bytes]:
            for index in range(total):
                yield fitted(draw(stage, motion, index), height).tobytes()
                if (index + 1) % _BATCH == 0 and index + 1 < total:
                    progress(index + 1, total)

        encode_frames(frames(), out, (height, 2 * height), performance.fps, pixel_format="yuv420p")
        progress(total, total)
        return Clip(out, height, height, total, performance.fps, matte=True)

    def _stage(self, look: str) -> Stage:
        if look not in self.looks():
            raise UnknownReference(
                f"There is no presenter look {look!r}; there are {', '.join(self.looks()) or 'none'}.", field="look"
            )
        with self._lock:
            stage = self._stages.get(look)
            if stage is None:
                stage = self._stages[look] = Stage(rig.load(look, self._root))
        return stage


def fitted(frame: rig.Bytes, height: int) -> rig.Bytes:
    """A stacked I420 frame at another height."""
    size = frame.shape[1]
    if height == size:
        return frame
    result = np.full((3 * height, height), 128, np.uint8)
    how = cv2.INTER_AREA if height < size else cv2.INTER_CUBIC
    for source, target in zip(_planes(frame), _planes(result), strict=True):
        target[:] = cv2.resize(source, target.shape[::-1], interpolation=how)
    return result


def draw(stage: Stage, motion: Motion, index: int) -> rig.Bytes:
    """Frame ``index`` at the look's own size: I420 [3 size, size], colour above matte."""
    look = stage.look
    level = round(float(motion.breath[index]) * (rig.BREATH_LEVELS - 1))
    breath = level / (rig.BREATH_LEVELS - 1)
    yaw, pitch, roll = (float(angle) for angle in motion.head[index])
    pose = rig.Pose(motion.face[index], (yaw, pitch, roll), breath)
    head = rig.draw_head(look, pose)
    frame = stage.body(level).copy()
    _put(frame, head, look.head.left, look.head.top)
    return frame
