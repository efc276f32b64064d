"""Checks of recorded speech: samples to enrol a voice from, and uploaded speech. Refuses early, names the file and the
figure, and says what would do. Reads what libsndfile reads, and everything else through FFmpeg's libraries."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from activities.speech.sound import Samples
from models.errors import MediaRejected

LOWEST_RATE = 16_000
MOST_CHANNELS = 2
MOST_FILES = 20
QUIETEST_DB = -42.0
"""RMS of the speech against full scale."""
CLIPPED_SHARE = 0.001
"""Share of samples in runs of at least three at full scale."""
FULL_SCALE = 0.995
SPEECH_SHARE = 0.15
"""Of the frames, how many must be sound."""
_FRAME = 0.02
_SILENT_DB = -60.0


@dataclass(frozen=True)
class Limits:
    """What a recording must be: seconds from ``shortest`` to ``longest``, speech ``clearest_db`` above the noise."""

    shortest: float
    longest: float
    clearest_db: float


SAMPLE = Limits(shortest=2.0, longest=600.0, clearest_db=15.0)
"""One sample of a voice."""
SPEECH = Limits(shortest=0.3, longest=1_800.0, clearest_db=8.0)
"""Uploaded speech."""
SAMPLES_SECONDS = 6.0
"""All samples of a voice together, at least."""


@dataclass(frozen=True)
class AudioReport:
    """What was measured in one file. Levels in dB against full scale."""

    name: str
    seconds: float
    sample_rate: int
    channels: int
    speech_db: float
    """RMS of the frames with speech."""
    noise_db: float
    """RMS of the quietest frames."""
    snr_db: float
    peak: float
    clipped_share: float
    speech_share: float


@dataclass(frozen=True)
class SampleReport:
    """The samples of a voice, all fit to enrol it from."""

    samples: tuple[AudioReport, ...]

    @property
    def seconds(self) -> float:
        """All samples together."""
        return sum(sample.seconds for sample in self.samples)


@dataclass(frozen=True)
class _Header:
    """What a file says of itself before anything is decoded. ``seconds`` is 0 where it does not say."""

    sample_rate: int
    channels: int
    seconds: float


def check_samples(paths: Sequence[Path]) -> SampleReport:
    """Measure the samples of one voice.

    Raises MediaRejected naming the file (``field``), the measured figure and what to do: not audio, truncated, under
    16 kHz, too short or too long (by the header alone), silent, clipped, too quiet, too noisy, or too little together.
    """
    if not 1 <= len(paths) <= MOST_FILES:
        raise _rejected(
            "samples", f"{len(paths)} samples were given.", f"Give 1 to {MOST_FILES} recordings of the voice.", "count"
        )
    report = SampleReport(tuple(check_audio(path, SAMPLE) for path in paths))
    if report.seconds < SAMPLES_SECONDS:
        raise _rejected(
            "samples",
            f"The samples are {report.seconds:.1f} s together.",
            f"Record at least {SAMPLES_SECONDS:.0f} s of the voice.",
            "too-short",
        )
    return report


def check_audio(path: Path, limits: Limits = SPEECH) -> AudioReport:
    """Measure one recording against ``limits``. Raises MediaRejected like :func:`check_samples`."""
    report = measure_audio(path, limits.longest)
    judge_audio(report, limits)
    return report


def measure_audio(path: Path, longest: float, name: str = "") -> AudioReport:
    """Decode all of ``path`` and measure it; ``name`` is what a person calls it (default: its file name).

    Raises MediaRejected: not audio, truncated, longer than ``longest`` seconds (by the header alone, if that says so).
    """
    name = name or path.name
    with _opened(path, name) as (header, blocks):
        if header.sample_rate < 1 or header.channels < 1:
            raise _not_audio(name)
        _refuse_longer(name, header.seconds, longest)
        return _measure(name, header, blocks, longest)


def load_mono(path: Path, sample_rate: int, longest: float) -> Samples:
    """The first ``longest`` seconds of ``path``, channels averaged, at ``sample_rate``. Raises MediaRejected."""
    with _opened(path, path.name) as (header, blocks):
        wanted = int(longest * header.sample_rate)
        read: list[Samples] = []
        for block in blocks:
            read.append(block.mean(axis=1, dtype=np.float32))
            wanted -= len(block)
            if wanted <= 0:
                break
    mono = np.concatenate(read)[: int(longest * header.sample_rate)] if read else np.zeros(0, np.float32)
    resampled: Samples = soxr.resample(mono, header.sample_rate, sample_rate, quality="HQ")
    return resampled


def _rejected(name: str, measured: str, action: str, code: str) -> MediaRejected:
    return MediaRejected(f"{name}: {measured}", field=name, code=f"audio.{code}", action=action)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[tuple[_Header, Iterator[Samples]]]:
    """The header, and about one second of float32 [frames, channels] at a time."""
    try:
        with soundfile.SoundFile(path) as file:
            _refuse_truncated_wav(path, name)
            header = _Header(file.samplerate, file.channels, file.frames / max(file.samplerate, 1))
            yield header, _soundfile_blocks(name, file)
            return
    except soundfile.LibsndfileError:
        pass
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                raise _not_audio(name)
            duration = stream.duration * stream.time_base if stream.duration and stream.time_base else 0
            seconds = float(duration or (container.duration or 0) / av.time_base)
            header = _Header(stream.codec_context.sample_rate or 0, stream.codec_context.channels, seconds)
            yield header, _av_blocks(name, container, stream, round(seconds * header.sample_rate))
    except (av.error.FFmpegError, OSError) as error:
        raise _not_audio(name) from error


def _not_audio(name: str) -> MediaRejected:
    return _rejected(name, "this is not a readable recording.", "Send WAV, FLAC, MP3, M4A or Ogg.", "unreadable")


def _soundfile_blocks(name: str, file: soundfile.SoundFile) -> Iterator[Samples]:
    read = 0
    try:
        for block in file.blocks(file.samplerate, dtype="float32", always_2d=True):
            read += len(block)
            yield block
    except soundfile.LibsndfileError as error:
        raise _truncated(name, read, file.frames) from error
    if read < file.frames:
        raise _truncated(name, read, file.frames)


def _av_blocks(
    name: str, container: av.container.InputContainer, stream: av.AudioStream, promised: int
) -> Iterator[Samples]:
    resampler = av.AudioResampler(format="fltp")
    read = 0
    try:
        for decoded in container.decode(stream):
            for frame in resampler.resample(decoded):
                read += frame.samples
                yield frame.to_ndarray().T.astype(np.float32, copy=False)
    except av.error.FFmpegError as error:
        if not read:
            raise
        raise _truncated(name, read, promised) from error


def _truncated(name: str, read: int, promised: int) -> MediaRejected:
    return _rejected(
        name,
        f"the file ends after {read:,} of {promised:,} samples.",
        "Send the whole file again; the upload was probably cut off.",
        "truncated",
    )


def _refuse_truncated_wav(path: Path, name: str) -> None:
    """libsndfile silently shortens a WAV whose data chunk promises more bytes than the file has."""
    size = path.stat().st_size
    with path.open("rb") as file:
        kind, _, form = struct.unpack("<4sI4s", file.read(12).ljust(12, b"\0"))
        if kind != b"RIFF" or form != b"WAVE":
            return
        while len(chunk := file.read(8)) == 8:
            kind, length = struct.unpack("<4sI", chunk)
            if kind == b"data":
                # Recorders that stream write 0 or the largest number, for they do not know the length yet.
                if length not in (0, 0xFFFFFFFF) and file.tell() + length > size:
                    raise _truncated(name, (size - file.tell()) // 2, length // 2)
                return
            file.seek(length + length % 2, 1)


def _refuse_longer(name: str, seconds: float, longest: float) -> None:
    if seconds > longest:
        raise _rejected(name, f"it is {_span(seconds)} long.", f"Send at most {_span(longest)}.", "too-long")


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


class _Meter:
    """Levels of a recording, read block by block."""

    def __init__(self, sample_rate: int) -> None:
        self.frame = int(sample_rate * _FRAME)
        self.frames: list[NDArray[np.float64]] = []
        self.rest: NDArray[np.float32] = np.zeros(0, np.float32)
        self.samples = 0
        self.clipped = 0
        self.peak = 0.0

    def add(self, block: Samples) -> None:
        """One block, [frames, channels]."""
        self.samples += len(block)
        loud = np.abs(block)
        self.peak = max(self.peak, float(loud.max(initial=0.0)))
        full = loud >= FULL_SCALE
        runs = full[2:] & full[1:-1] & full[:-2] if len(full) > 2 else full[:0]
        self.clipped += int(runs.any(axis=1).sum())
        mono = np.concatenate([self.rest, block.mean(axis=1, dtype=np.float32)])
        whole = len(mono) // self.frame * self.frame
        self.frames.append(np.mean(mono[:whole].reshape(-1, self.frame).astype(np.float64) ** 2, axis=1))
        self.rest = mono[whole:]

    def levels(self) -> NDArray[np.float64]:
        """dB of each 20 ms."""
        powers = np.concatenate(self.frames) if self.frames else np.zeros(0)
        levels: NDArray[np.float64] = 10.0 * np.log10(powers + 1e-12)
        return levels


def _measure(name: str, header: _Header, blocks: Iterator[Samples], longest: float) -> AudioReport:
    meter = _Meter(header.sample_rate)
    for block in blocks:
        meter.add(block)
        # A header may lie about the length; what is decoded does not.
        if meter.samples > (longest + 1) * header.sample_rate:
            break
    _refuse_longer(name, meter.samples / header.sample_rate, longest)
    # Some lengths are rounded or guessed from the bit rate; a file that was cut off misses more than that.
    if meter.samples / header.sample_rate < 0.98 * header.seconds - 1.0:
        raise _truncated(name, meter.samples, round(header.seconds * header.sample_rate))
    levels = meter.levels()
    if not len(levels):
        raise _rejected(name, "it holds no sound.", "Record it again and look at its length.", "too-short")
    loud = float(np.percentile(levels, 95))
    speaking = levels[levels > max(loud - 25.0, _SILENT_DB)]
    speech_db = 10.0 * float(np.log10(np.mean(10.0 ** (speaking / 10.0)))) if len(speaking) else -120.0
    noise_db = float(np.percentile(levels, 5))
    return AudioReport(
        name=name,
        seconds=meter.samples / header.sample_rate,
        sample_rate=header.sample_rate,
        channels=header.channels,
        speech_db=speech_db,
        noise_db=noise_db,
        snr_db=speech_db - noise_db,
        peak=meter.peak,
        clipped_share=meter.clipped / max(meter.samples, 1),
        speech_share=len(speaking) / max(len(levels), 1),
    )


def judge_audio(report: AudioReport, limits: Limits) -> None:
    """Raises MediaRejected as :func:`check_samples`, for what was measured."""
    name = report.name
    if report.sample_rate < LOWEST_RATE:
        raise _rejected(
            name,
            f"it has {report.sample_rate / 1000:g} kHz.",
            f"Record at {LOWEST_RATE // 1000} kHz or more; raising the rate of this file would not help.",
            "sample-rate",
        )
    if report.channels > MOST_CHANNELS:
        raise _rejected(name, f"it has {report.channels} channels.", "Send mono or stereo.", "channels")
    _refuse_longer(name, report.seconds, limits.longest)
    if report.seconds < limits.shortest:
        raise _rejected(
            name, f"it is {report.seconds:.2f} s long.", f"Send at least {limits.shortest:g} s.", "too-short"
        )
    if report.speech_db <= _SILENT_DB or report.speech_share < SPEECH_SHARE:
        share = 0.0 if report.speech_db <= _SILENT_DB else report.speech_share
        raise _rejected(
            name,
            f"only {share:.0%} of it is sound.",
            "Record speech without long silence; check the microphone.",
            "silent",
        )
    if report.clipped_share > CLIPPED_SHARE:
        raise _rejected(
            name,
            f"{report.clipped_share:.1%} of it is clipped at full scale.",
            "Record again with less gain: peaks near -6 dB.",
            "clipped",
        )
    if report.speech_db < QUIETEST_DB:
        raise _rejected(
            name,
            f"the speech is at {report.speech_db:.0f} dB, under {QUIETEST_DB:.0f} dB.",
            "Record again nearer to the microphone or with more gain.",
            "too-quiet",
        )
    if report.snr_db < limits.clearest_db:
        raise _rejected(
            name,
            f"the speech is {report.snr_db:.0f} dB above the noise; {limits.clearest_db:.0f} dB are needed.",
            "Record again in a quiet room, without music or other voices.",
            "noisy",
        )
