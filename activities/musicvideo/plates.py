"""Footage as a stream of pictures at the video's rate, from any second of a clip, round and round where it is short."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.error import FFmpegError

from activities.artwork.light import Picture
from activities.support.ffmpeg import probe
from models.errors import MediaRejected

_MOST = 1_280
"""Longest side at which footage is decoded to a picture: it is drawn no larger."""


class Reel:
    """One clip, open. ``name`` is what a person calls it."""

    def __init__(self, path: Path, name: str, fps: int) -> None:
        self._path, self._name, self._fps = path, name, fps
        info = probe(path, whole=True, name=name)
        if not info.has_video or info.duration <= 0:
            raise MediaRejected(f"{name} has no moving picture.", field=name)
        self.seconds = info.duration
        """Its length."""
        scale = min(1.0, _MOST / max(info.width, info.height))
        self._size = max(2, round(info.width * scale)), max(2, round(info.height * scale))
        self._container = av.open(str(path))
        self._container.streams.video[0].thread_type = "NONE"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def frames(self, start: float) -> Iterator[Picture]:
        """Pictures without end, the first from second ``start`` of the clip (modulo its length)."""
        start = start % self.seconds if start + 1 < self.seconds else 0.0
        step = 1 / self._fps
        while True:
            wanted = start
            for second, picture in self._decoded(start):
                while wanted < second - 1e-6 or wanted == start:
                    yield picture
                    wanted += step
            start = 0.0

    def _decoded(self, start: float) -> Iterator[tuple[float, Picture]]:
        """Each picture and the second at which it ends."""
        stream = self._container.streams.video[0]
        base = float(stream.time_base or 0)
        try:
            self._container.seek(int(start / base) if base else 0, stream=stream)
            for frame in self._container.decode(stream):
                rate = float(stream.average_rate or self._fps)
                end = (frame.pts or 0) * base + 1 / rate
                if end > start + 1e-6:
                    shown = frame.reformat(*self._size, format="bgr24")
                    yield end, np.asarray(shown.to_ndarray(), np.uint8)
        except FFmpegError as error:
            raise MediaRejected(f"{self._name} cannot be decoded: {error.strerror}.", field=self._name) from error
