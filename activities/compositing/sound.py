"""The film's sound: sentences laid at their exact frames, a music bed that makes room for them, and loudness by
measurement. Works in blocks, so that an hour takes no more memory than a minute."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import numpy as np
import soundfile
from av.error import FFmpegError
from numpy.typing import NDArray

from activities.support.ffmpeg import BIT_EXACT, run
from models.errors import EngineFailed, MediaRejected, StorageFull

Sound = NDArray[np.float32]

RATE = 48_000
_BLOCK = 10 * RATE
_JOIN = 2 * RATE
"""Samples over which the end of a looped track fades into its beginning."""
_BED_FADE = 1.2
_DUCK_BEFORE, _DUCK_DOWN, _DUCK_HOLD, _DUCK_UP = 0.06, 0.3, 0.35, 0.9
"""Seconds: the bed is down before the first word, stays down over pauses between words, and comes back slowly."""
_SILENT = -60.0
_CLOSE = 0.08
"""LU and dB within which the result is good."""
_PASSES = 6
_OVERSAMPLED = 2 * RATE
"""The limiter works on twice the rate, where most peaks between samples show; what it misses is measured."""


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS (EBU R 128) and true peak in dBTP."""

    integrated: float
    true_peak: float


def measure(path: Path, tick: Callable[[int], None] | None = None) -> Loudness:
    """The loudness of the first sound track of ``path``, as decoded."""
    with tempfile.NamedTemporaryFile(prefix="r128-", suffix=".txt") as log:
        keys = "ebur128=peak=true:metadata=1:framelog=quiet,ametadata=mode=print:file="
        run(["-i", str(path), "-map", "0:a:0", "-af", f"{keys}{log.name}", "-f", "null", "-"], tick)
        integrated, peaks = -70.0, [0.0]
        for line in log:
            key, _, value = line.strip().partition(b"=")
            if key == b"lavfi.r128.I":
                integrated = float(value)
            elif key.startswith(b"lavfi.r128.true_peaks_ch"):
                peaks.append(float(value))
    return Loudness(integrated, 20 * float(np.log10(max(1e-6, *peaks))))


def read(path: Path, channels: int, name: str) -> Iterator[Sound]:
    """The sound of ``path`` at 48 kHz in blocks of float32 [samples, channels]. Raises MediaRejected with ``name``."""
    layout = "mono" if channels == 1 else "stereo"
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise MediaRejected(f"{name} has no sound.", field=name)
            resampler = av.AudioResampler(format="flt", layout=layout, rate=RATE)
            for frame in chain(container.decode(container.streams.audio[0]), [None]):
                if frame:
                    frame.pts = None
                for block in resampler.resample(frame):
                    yield block.to_ndarray().reshape(-1, channels).astype(np.float32, copy=False)
    except FFmpegError as error:
        raise MediaRejected(f"{name} is not readable as sound: {error.strerror}.", field=name) from error


def lay_speech(
    wavs: Sequence[Path], rooms: Sequence[tuple[int, int]], length: int, out: Path, tick: Callable[[], None]
) -> None:
    """Write ``out``: 48 kHz mono float WAV of ``length`` samples, silent but for each of ``wavs`` in its room (first
    sample, end). What is longer than its room is cut at the end of it."""
    with _written(out, 1) as file:
        at = 0
        for number, (wav, (begin, end)) in enumerate(zip(wavs, rooms, strict=True), start=1):
            _silence(file, begin - at)
            at = begin
            for block in read(wav, 1, f"The speech of segment {number}"):
                part = block[: end - at]
                file.write(part)
                at += len(part)
            tick()
        _silence(file, length - at)


@contextmanager
def _written(path: Path, channels: int) -> Iterator[soundfile.SoundFile]:
    """A 48 kHz float WAV to write. libsndfile reports a full disk as any other system error: the disk itself tells."""
    try:
        with soundfile.SoundFile(path, "w", RATE, channels, subtype="FLOAT") as file:
            yield file
    except soundfile.LibsndfileError as error:
        if shutil.disk_usage(path.parent).free < 4 * _BLOCK * channels:
            raise StorageFull(f"The disk is full: {path.name} could not be written.") from error
        raise EngineFailed(f"{path.name} could not be written: {error}") from error


def _silence(file: soundfile.SoundFile, samples: int) -> None:
    for at in range(0, samples, _BLOCK):
        file.write(np.zeros(min(_BLOCK, samples - at), np.float32))


@dataclass(frozen=True)
class Bed:
    """A music bed: its track, its loudness in LUFS while nobody speaks, and the change in dB while someone does.
    ``words`` are the spoken stretches in seconds of the film, in order."""

    track: Path
    level: float
    duck: float
    words: tuple[tuple[float, float], ...]


def mix(speech: Path, gain: float, bed: Bed | None, out: Path, tick: Callable[[], None]) -> None:
    """Write ``out``: 48 kHz stereo float WAV of ``speech`` changed by ``gain`` dB, over ``bed``.

    The bed is looped to length, faded at both ends and ducked along its words. Raises MediaRejected for a track without
    sound.
    """
    with ExitStack() as stack:
        spoken = stack.enter_context(soundfile.SoundFile(speech))
        length = len(spoken)
        music = stack.enter_context(_opened_bed(bed, length, out)) if bed else None
        file = stack.enter_context(_written(out, 2))
        for at in range(0, length, _BLOCK):
            block = spoken.read(_BLOCK, dtype="float32")
            both = np.repeat(block[:, None] * np.float32(_linear(gain)), 2, axis=1)
            if music:
                both += music.take(at, len(block))
            file.write(both)
            tick()


def _linear(decibels: float) -> float:
    return float(10 ** (decibels / 20))


class _Music:
    """A bed as samples of the film, looped with a crossfade and shaped by its curve."""

    def __init__(self, file: soundfile.SoundFile, length: int, gain: float, bed: Bed) -> None:
        self._file, self._gain, self._length = file, gain, length
        self._join = min(_JOIN, len(file) // 4)
        self._period = max(1, len(file) - self._join)
        self._duck = duck_curve(bed.words, bed.duck)

    def take(self, start: int, count: int) -> Sound:
        """``count`` samples of the film from ``start`` on, float32 [count, 2]."""
        parts = []
        at = start
        while at < start + count:
            part = self._piece(at, start + count - at)
            parts.append(part)
            at += len(part)
        seconds = np.arange(start, start + count) / RATE
        fade = min(_BED_FADE, self._length / RATE / 4)
        ends = np.clip(np.minimum(seconds, self._length / RATE - seconds) / fade, 0, 1)
        level = np.sin(ends * np.pi / 2) * 10 ** ((self._gain + np.interp(seconds, *self._duck)) / 20)
        return np.concatenate(parts) * level[:, None].astype(np.float32)

    def _piece(self, at: int, most: int) -> Sound:
        turn, inside = divmod(at, self._period)
        joining = turn > 0 and inside < self._join
        count = min(most, (self._join if joining else self._period) - inside)
        piece = self._read(inside, count)
        if joining:
            part = ((np.arange(inside, inside + count) + 0.5) / self._join * np.pi / 2)[:, None].astype(np.float32)
            piece = piece * np.sin(part) + self._read(self._period + inside, count) * np.cos(part)
        return piece

    def _read(self, start: int, count: int) -> Sound:
        self._file.seek(start)
        found: Sound = self._file.read(count, dtype="float32", always_2d=True)
        return found


@contextmanager
def _opened_bed(bed: Bed, length: int, beside: Path) -> Iterator[_Music]:
    stored = beside.with_suffix(".bed.wav")
    with _written(stored, 2) as file:
        for block in read(bed.track, 2, "music.track"):
            file.write(block)
            if len(file) > length + _JOIN:
                break
    found = measure(stored)
    if found.integrated <= _SILENT:
        raise MediaRejected("music.track is silent.", field="music.track")
    with soundfile.SoundFile(stored) as file:
        yield _Music(file, length, bed.level - found.integrated, bed)


def duck_curve(words: Sequence[tuple[float, float]], depth: float) -> tuple[list[float], list[float]]:
    """Seconds and dB of the bed's gain: ``depth`` over every spoken stretch, 0 in pauses long enough to come back."""
    stretches: list[list[float]] = []
    for begin, end in words:
        low, high = begin - _DUCK_BEFORE, end + _DUCK_HOLD
        if stretches and low - _DUCK_DOWN <= stretches[-1][1] + _DUCK_UP:
            stretches[-1][1] = max(high, stretches[-1][1])
        else:
            stretches.append([low, high])
    times, levels = [0.0], [depth if stretches and stretches[0][0] - _DUCK_DOWN < 0 else 0.0]
    for low, high in stretches:
        times += [max(0.0, low - _DUCK_DOWN), max(0.0, low), high, high + _DUCK_UP]
        levels += [levels[-1], depth, depth, 0.0]
    return times, levels


def spoken_gain(speech: Path, target: float, tick: Callable[[], None]) -> float:
    """dB that bring ``speech`` to ``target`` LUFS. Raises MediaRejected when there is nothing to hear."""
    found = measure(speech, lambda _: tick())
    if found.integrated <= _SILENT:
        raise MediaRejected("The speech is silent: there is nothing to bring to a loudness.", field="speech")
    return target - found.integrated


def master(mixed: Path, target: float, peak: float, out: Path, tick: Callable[[], None]) -> Loudness:
    """Write ``out``: ``mixed`` as AAC (48 kHz stereo, 192 kbit/s) at ``target`` LUFS with no true peak above ``peak``.

    A limiter changes the loudness and AAC the peaks, so the decoded result is measured and both are corrected until
    they hold. Raises EngineFailed when they cannot be reached within half a unit.
    """
    gain, ceiling = target - measure(mixed, lambda _: tick()).integrated, peak - 0.5
    found = Loudness(-70.0, 0.0)
    for _ in range(_PASSES):
        _encode(mixed, gain, ceiling, out, tick)
        found = measure(out, lambda _: tick())
        error, over = target - found.integrated, found.true_peak - peak
        if abs(error) <= _CLOSE and over <= -0.05:
            return found
        gain += error
        ceiling = min(peak - 0.1, ceiling - over - 0.2)
    if abs(target - found.integrated) <= 0.5 and found.true_peak <= peak:
        return found
    raise EngineFailed(
        f"The sound came out at {found.integrated:.1f} LUFS and {found.true_peak:.1f} dBTP; "
        f"{target:.1f} LUFS and {peak:.1f} dBTP were asked for.",
        code="compositing.loudness",
        field="layout.loudness_lufs",
        action="Ask for a lower loudness or a higher true peak: this speech cannot be that loud without distortion.",
    )


def _encode(mixed: Path, gain: float, ceiling: float, out: Path, tick: Callable[[], None]) -> None:
    limit = f"alimiter=level=disabled:attack=4:release=60:limit={_linear(ceiling):.6f}:latency=1"
    effects = f"volume={gain:.4f}dB,aresample={_OVERSAMPLED},{limit},aresample={RATE}"
    run(
        [
            *("-i", str(mixed), "-af", effects, "-c:a", "aac", "-b:a", "192k", "-ar", str(RATE), "-ac", "2"),
            *("-threads", "1", *BIT_EXACT, str(out)),
        ],
        lambda _: tick(),
    )
