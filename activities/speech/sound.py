"""Speech as samples: where it is heard, its trimmed and faded form, and mono 16-bit WAV files, whole or not at all."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

PEAK = 0.98
SILENT_DB = -52.0
"""RMS over 5 ms against full scale, below which nothing is heard. Speech peaks near -12 dB, releases reach -50 dB."""
BLOCKS_PER_SECOND = 200
LEAD_IN = 0.04
TAIL = 0.06
"""Seconds kept before the first and after the last sound."""


def heard(samples: Samples, sample_rate: int) -> NDArray[np.bool_]:
    """For each whole 5 ms of ``samples``: whether there is sound."""
    block = sample_rate // BLOCKS_PER_SECOND
    whole = samples[: len(samples) // block * block].reshape(-1, block).astype(np.float64)
    found: NDArray[np.bool_] = 10.0 * np.log10(np.mean(whole**2, axis=1) + 1e-12) > SILENT_DB
    return found


def bounds(found: NDArray[np.bool_], count: int, sample_rate: int) -> tuple[int, int]:
    """First and last (exclusive) of ``count`` samples to keep around what :func:`heard` found, all if nothing."""
    sounding = np.flatnonzero(found)
    if not len(sounding):
        return 0, count
    block = sample_rate // BLOCKS_PER_SECOND
    first = int(sounding[0]) * block - int(LEAD_IN * sample_rate)
    last = (int(sounding[-1]) + 1) * block + int(TAIL * sample_rate)
    return max(first, 0), min(last, count)


def faded(samples: Samples, sample_rate: int) -> Samples:
    """Both ends faded over 5 ms, against clicks."""
    block = sample_rate // BLOCKS_PER_SECOND
    if len(samples) < 2 * block:
        return samples
    ramp = np.linspace(0.0, 1.0, block, dtype=np.float32)
    result = samples.copy()
    result[:block] *= ramp
    result[-block:] *= ramp[::-1]
    return result


def trimmed(samples: Samples, sample_rate: int) -> Samples:
    """``samples`` without the silence around them, faded."""
    first, last = bounds(heard(samples, sample_rate), len(samples), sample_rate)
    return faded(samples[first:last], sample_rate)


def silence(milliseconds: int, sample_rate: int) -> Samples:
    """Nothing, for so long."""
    return np.zeros(milliseconds * sample_rate // 1000, np.float32)


def write_wav(path: Path, samples: Samples, sample_rate: int) -> None:
    """Write ``samples`` (-1..1, mono) to ``path``. Louder ones are turned down as a whole, never clipped."""
    peak = float(np.abs(samples).max(initial=0.0))
    scaled = samples * (PEAK / peak) if peak > PEAK else samples
    pcm = np.rint(scaled.astype(np.float64) * 32767.0).astype("<i2")
    part = path.with_name(path.name + ".part")
    with wave.open(str(part), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(pcm.tobytes())
    part.replace(path)
