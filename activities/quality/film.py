"""Reading a file: decoding pictures on one thread (segments run side by side on all cores), and the packets by which
pictures and sound are known again after they were joined into another file."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError

from models.errors import EngineFailed

Plane = npt.NDArray[np.uint8]

_SLICES = frozenset((1, 2, 3, 4, 5))
"""H.264 NAL unit types that hold picture data (ITU-T H.264 table 7-1). Parameter sets, delimiters and SEI are left out:
joining moves, repeats and drops those."""


def decoded(video: Path, *, rough: bool = False) -> Iterator[av.VideoFrame]:
    """The frames of ``video`` in order. ``rough`` leaves out the deblocking filter, which a third of the time goes to.

    Raises EngineFailed when the file has no picture or cannot be decoded.
    """
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise EngineFailed(f"{video.name} has no picture.")
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            if rough:
                stream.codec_context.options = {"skip_loop_filter": "all"}
            yield from container.decode(stream)
    except FFmpegError as error:
        raise EngineFailed(f"The picture of {video.name} cannot be decoded: {error.strerror}.") from error


def plane(frame: av.VideoFrame, index: int) -> Plane:
    """A view of one 8-bit plane of a planar YUV frame, without its padding."""
    source = frame.planes[index]
    return np.frombuffer(memoryview(source), np.uint8).reshape(-1, source.line_size)[: source.height, : source.width]


@dataclass(frozen=True)
class Lengths:
    """Seconds by the container and by each stream; a stream's is None where the file lacks it."""

    container: float
    picture: float | None
    sound: float | None


def lengths(video: Path) -> Lengths:
    """How long ``video`` says it is. Raises EngineFailed when it is no media file."""
    try:
        with av.open(str(video)) as container:
            picture, sound = (_seconds(streams) for streams in (container.streams.video, container.streams.audio))
            return Lengths((container.duration or 0) / av.time_base, picture, sound)
    except FFmpegError as error:
        raise EngineFailed(f"The finished file cannot be read: {error.strerror}.") from error


def _seconds(streams: Sequence[av.VideoStream] | Sequence[av.AudioStream]) -> float | None:
    for stream in streams:
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
    return None


@dataclass(frozen=True)
class Slices:
    """The picture packets of a file in decoding order: the digest of each one's slices, and when each is shown."""

    digests: tuple[bytes, ...]
    shown: tuple[float, ...]
    """Seconds."""

    def sha256(self, start: int = 0, end: int | None = None) -> str:
        """One digest over the packets from ``start`` to ``end``."""
        return hashlib.sha256(b"".join(self.digests[start:end])).hexdigest()


def slices(video: Path) -> Slices:
    """The packets of ``video`` (H.264 in any container). Raises EngineFailed when they cannot be read."""
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise EngineFailed(f"{video.name} has no picture.")
            stream = container.streams.video[0]
            extradata = stream.codec_context.extradata or b""
            length_size = (extradata[4] & 3) + 1 if extradata[:1] == b"\x01" else 0
            digests, shown = [], []
            for packet in container.demux(stream):
                if packet.size and packet.pts is not None and packet.time_base is not None:
                    digests.append(_digest(bytes(packet), length_size))
                    shown.append(float(packet.pts * packet.time_base))
            return Slices(tuple(digests), tuple(shown))
    except FFmpegError as error:
        raise EngineFailed(f"The packets of {video.name} cannot be read: {error.strerror}.") from error


def sound_packets(file: Path) -> str | None:
    """sha256 over the packets of the first sound track of ``file``; None without one. They stay the same when a track
    is copied into another file. Raises EngineFailed when they cannot be read."""
    try:
        with av.open(str(file)) as container:
            if not container.streams.audio:
                return None
            digest = hashlib.sha256()
            for packet in container.demux(container.streams.audio[0]):
                digest.update(packet.size.to_bytes(4, "big"))
                digest.update(bytes(packet))
            return digest.hexdigest()
    except FFmpegError as error:
        raise EngineFailed(f"The sound packets of {file.name} cannot be read: {error.strerror}.") from error


def _digest(packet: bytes, length_size: int) -> bytes:
    digest = hashlib.sha256()
    for unit in _units(packet, length_size):
        if unit and unit[0] & 0x1F in _SLICES:
            digest.update(len(unit).to_bytes(4, "big"))
            digest.update(unit)
    return digest.digest()


def _units(packet: bytes, length_size: int) -> Sequence[bytes]:
    """NAL units, whether length-prefixed (ISO 14496-15) or after start codes (H.264 annex B, ``length_size`` 0)."""
    if not length_size:
        return [unit.rstrip(b"\0") for unit in packet.split(b"\0\0\1")[1:]]
    units, at = [], 0
    while at + length_size <= len(packet):
        end = at + length_size + int.from_bytes(packet[at : at + length_size], "big")
        units.append(packet[at + length_size : end].rstrip(b"\0"))
        at = end
    return units
