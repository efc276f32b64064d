"""The one place that starts ffmpeg and looks into media files, so that progress, cancellation, a full disk and broken
uploads mean the same to every engine."""

import functools
import os
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import av
import imageio_ffmpeg
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Stream

from models.errors import EngineFailed, EngineUnavailable, MediaRejected, StorageFull, StudioError

_STDERR_LINES = 20
_PIPE_BYTES = 1 << 20
"""A raw 1080p frame is 6 MB: the kernel's 64 KB pipe would cost a hundred wake-ups for each."""
_AVCOL_SPC = {1: "bt709", 5: "bt601", 6: "bt601"}
"""ITU-T H.273 matrix coefficients that video here can have."""


@functools.cache
def ffmpeg_path() -> str:
    """The ffmpeg program. Raises EngineUnavailable when there is none."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise EngineUnavailable("No ffmpeg program was found.", field="IMAGEIO_FFMPEG_EXE") from error


def run(
    arguments: Sequence[str],
    progress: Callable[[int], None] | None = None,
    stdin: Iterable[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run ffmpeg with ``arguments`` (inputs, filters and outputs; existing outputs are overwritten) until it ends.

    ``progress`` gets the number of video frames written so far (0 where there is only sound) several times a second and
    may raise to stop the work. ``stdin`` is fed to ``-i pipe:0`` chunk by chunk from the calling thread. Whatever is
    raised here, by either of them or from outside, the child is dead when it arrives at the caller; removing partial
    outputs is the caller's. ``environment`` adds variables to the child's.

    Raises StorageFull when the disk is full, else EngineFailed with the end of what ffmpeg said.
    """
    command = [ffmpeg_path(), "-hide_banner", "-loglevel", "error", "-y", "-stats_period", "0.2", "-progress", "pipe:1"]
    if stdin is None:
        command.append("-nostdin")
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pipesize=_PIPE_BYTES,
        env={**os.environ, **(environment or {})},
    )
    said: deque[str] = deque(maxlen=_STDERR_LINES)
    frames: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    readers = [
        threading.Thread(target=_read_frames, args=(process.stdout, frames), daemon=True),
        threading.Thread(target=_read_tail, args=(process.stderr, said), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        if stdin is not None:
            _feed(process, stdin, frames, progress)
        while (frame := frames.get()) is not None:
            if progress:
                progress(frame)
        process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for reader in readers:
            reader.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with suppress(BrokenPipeError):
                    stream.close()
    if process.returncode:
        raise _failure(process.returncode, tuple(said))


def _feed(
    process: subprocess.Popen[bytes],
    chunks: Iterable[bytes],
    frames: "queue.SimpleQueue[int | None]",
    progress: Callable[[int], None] | None,
) -> None:
    """Write ``chunks``, reporting between them. A reader that went away is no error here: its exit status tells why."""
    assert process.stdin is not None
    try:
        for chunk in chunks:
            process.stdin.write(chunk)
            while progress and not frames.empty():
                if (frame := frames.get()) is None:
                    frames.put(None)
                    return
                progress(frame)
        process.stdin.close()
    except BrokenPipeError:
        return


def _read_frames(stream: IO[bytes], frames: "queue.SimpleQueue[int | None]") -> None:
    frame = 0
    for line in stream:
        key, _, value = line.partition(b"=")
        if key == b"frame" and value.strip().isdigit():
            frame = int(value)
        elif key == b"progress":
            frames.put(frame)
    frames.put(None)


def _read_tail(stream: IO[bytes], said: deque[str]) -> None:
    for line in stream:
        said.append(line.decode(errors="replace").rstrip())


def _failure(status: int, said: tuple[str, ...]) -> StudioError:
    text = "\n".join(said)
    if "No space left on device" in text:
        return StorageFull("The disk is full: ffmpeg could not write its output.")
    return EngineFailed(f"ffmpeg ended with status {status}: {text[-700:]}", code="engine.ffmpeg_failed")


def encode_frames(
    frames: Iterable[bytes],
    out: Path,
    size: tuple[int, int],
    fps: int,
    *,
    pixel_format: str = "rgb24",
    crf: int = 18,
    preset: str = "ultrafast",
    progress: Callable[[int], None] | None = None,
) -> None:
    """Encode raw ``frames`` (``width * height`` pixels of ``pixel_format``: rgb24, bgr24, yuv420p, ...) to ``out``:
    mp4, H.264, yuv420p, BT.709 limited range and tagged so, closed GOP, no audio; the same frames give the same bytes.

    ``size`` is (width, height), both even. The defaults suit a file that is composed again: nothing of it is seen to be
    lost (58 dB to the frames), it is quick to write and to read, and half the size to store of what crf 12 gives.
    ``out`` is removed when it could not be finished. Raises what :func:`run` raises.
    """
    width, height = size
    matrix = "bt709" if pixel_format.startswith("yuv") else "auto"
    arguments = [
        *("-f", "rawvideo", "-pixel_format", pixel_format, "-video_size", f"{width}x{height}"),
        *("-framerate", str(fps), "-i", "pipe:0"),
        *("-vf", f"scale=in_color_matrix={matrix}:out_color_matrix=bt709:out_range=tv,format=yuv420p"),
        *("-c:v", "libx264", "-preset", preset, "-crf", str(crf), "-threads", "1", "-flags", "+cgop"),
        *BT709_TAGS,
        *BIT_EXACT,
        *("-movflags", "+faststart", str(out)),
    ]
    try:
        run(arguments, progress, frames)
    except BaseException:
        out.unlink(missing_ok=True)
        raise


BT709_TAGS = ("-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
"""Output options that name the colours of HD video (ITU-R BT.709, limited range)."""
BIT_EXACT = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")
"""Output options that keep dates and version names out of the file, so that the same inputs give the same bytes."""


@dataclass(frozen=True)
class MediaInfo:
    """What a media file holds. ``duration`` in seconds; a still picture has one frame and duration 0. ``frames`` is 0
    without video, ``sample_rate`` and ``channels`` are 0 without audio. ``codec`` is the video's, else the audio's."""

    duration: float
    width: int
    height: int
    fps: float
    frames: int
    has_video: bool
    has_audio: bool
    sample_rate: int
    channels: int
    codec: str
    matrix: str
    """Colour matrix of the video: ``bt709``, ``bt601`` or ``unspecified``."""


def probe(path: Path, *, whole: bool = False, name: str = "") -> MediaInfo:
    """What ``path`` holds, by its content and never by its name.

    With ``whole`` every packet is read and a file that ends before its declared end is refused. ``name`` is what a
    person calls the file (default: its file name). Raises MediaRejected naming the file when it is absent, is no media,
    is truncated, or its first picture or sound cannot be decoded.
    """
    name = name or path.name
    try:
        with av.open(str(path)) as container:
            return _look(container, name, whole)
    except FFmpegError as error:
        raise MediaRejected(
            f"{name} cannot be read as audio, video or picture: {error.strerror}.", field=name
        ) from error


def _look(container: InputContainer, name: str, whole: bool) -> MediaInfo:
    video = next(iter(container.streams.video), None)
    audio = next(iter(container.streams.audio), None)
    first: Stream | None = video or audio
    if first is None:
        raise MediaRejected(f"{name} has neither picture nor sound.", field=name)
    if next(container.decode(first), None) is None:
        kind = "video without frames" if video else "audio without samples"
        raise MediaRejected(f"{name} is a {kind}.", field=name)
    still = video is not None and (container.format.name.endswith("_pipe") or container.format.name == "image2")
    duration = 0.0 if still else _duration(container, first)
    fps = float(video.average_rate or video.guessed_rate or 0) if video and not still else 0.0
    declared = video.frames if video else 0
    if not still and (whole or (video and not declared) or not duration):
        packets, end = _read_through(container, first, name)
        if whole and (packets < declared or end < duration - max(1.0, 0.02 * duration)):
            raise MediaRejected(f"{name} is truncated: it ends at {end:.1f} s of {duration:.1f} s.", field=name)
        duration, declared = duration or end, packets
    return MediaInfo(
        duration=duration,
        width=video.width if video else 0,
        height=video.height if video else 0,
        fps=fps,
        frames=(1 if still else declared) if video else 0,
        has_video=video is not None,
        has_audio=audio is not None,
        sample_rate=audio.sample_rate if audio else 0,
        channels=audio.channels if audio else 0,
        codec=first.codec_context.name,
        matrix=_AVCOL_SPC.get(int(video.codec_context.colorspace), "unspecified") if video else "unspecified",
    )


def _duration(container: InputContainer, stream: Stream) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / 1_000_000


def _read_through(container: InputContainer, stream: Stream, name: str) -> tuple[int, float]:
    """Packets of ``stream`` and the second at which the last of them ends."""
    container.seek(0)
    packets, end = 0, 0.0
    for packet in container.demux(stream):
        if packet.size and packet.time_base is not None:
            packets += 1
            begin = packet.pts if packet.pts is not None else packet.dts or 0
            end = max(end, float((begin + (packet.duration or 0)) * packet.time_base))
    if not packets:
        raise MediaRejected(f"{name} holds no packets.", field=name)
    return packets, end
