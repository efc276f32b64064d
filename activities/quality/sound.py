"""The finished file's sound, decoded once: measured at its own rate on the way, kept at the recogniser's rate."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soxr
from av.error import FFmpegError

from activities.quality.loudness import LoudnessMeter, Samples
from models.errors import EngineFailed

SPEECH_RATE = 16_000
"""Hz; what the recogniser and the aligner were trained on."""
_BLOCK_SECONDS = 1.0


@dataclass(frozen=True)
class Sound:
    """``speech`` is mono int16 at ``SPEECH_RATE`` from the film's time zero; ``loudness`` in LUFS, ``true_peak`` in
    dBTP, both None for silence."""

    speech: npt.NDArray[np.int16]
    loudness: float | None
    true_peak: float | None

    def between(self, start: float, end: float) -> npt.NDArray[np.int16]:
        """The samples from ``start`` to ``end`` seconds."""
        return self.speech[max(0, round(start * SPEECH_RATE)) : max(0, round(end * SPEECH_RATE))]


def listen(video: Path) -> Sound | None:
    """Decode the sound of ``video``; None when it has none. Raises EngineFailed when it cannot be decoded."""
    try:
        with av.open(str(video)) as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            return _measure(_blocks(container, stream), stream.sample_rate, stream.channels)
    except FFmpegError as error:
        raise EngineFailed(f"The sound of the finished file cannot be decoded: {error.strerror}.") from error


def _measure(blocks: Iterator[Samples], rate: int, channels: int) -> Sound:
    meter = LoudnessMeter(rate, channels)
    resampler = soxr.ResampleStream(rate, SPEECH_RATE, 1, dtype="float32", quality="HQ")
    speech: list[npt.NDArray[np.int16]] = []
    for block in blocks:
        meter.add(block)
        speech.append(_as_int16(resampler.resample_chunk(np.ascontiguousarray(block.mean(axis=1)))))
    meter.close()
    speech.append(_as_int16(resampler.resample_chunk(np.zeros(0, np.float32), last=True)))
    return Sound(np.concatenate(speech), meter.integrated, meter.true_peak)


def _as_int16(samples: Samples) -> npt.NDArray[np.int16]:
    return np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)


def _blocks(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[Samples]:
    """About a second at a time, float32 [n, channels], from time zero on: a late first sample follows silence."""
    rate = stream.sample_rate
    to_float = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
    pending: list[Samples] = []
    held = 0
    first = True
    for packet_frame in container.decode(stream):
        if first and packet_frame.time:
            pending.append(np.zeros((stream.channels, max(0, round(packet_frame.time * rate))), np.float32))
        first = False
        for frame in to_float.resample(packet_frame):
            samples = frame.to_ndarray().astype(np.float32, copy=False)
            pending.append(samples)
            held += samples.shape[1]
        if held >= rate * _BLOCK_SECONDS:
            yield np.ascontiguousarray(np.concatenate(pending, axis=1).T)
            pending, held = [], 0
    if pending:
        yield np.ascontiguousarray(np.concatenate(pending, axis=1).T)
