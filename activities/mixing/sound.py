"""Sound as the desk holds it, float32 [channels, samples] at 44.1 kHz, full scale 1.0; in from files, out to them."""

import math
import shutil
from pathlib import Path
from typing import Final

import numpy as np
import pyloudnorm
import soundfile as sf
import soxr
from numpy.typing import NDArray

from models.errors import EngineFailed, MediaRejected, StorageFull

Sound = NDArray[np.float32]

RATE: Final = 44_100
SILENT_LUFS: Final = -70.0
"""The absolute gate of BS.1770: below it nothing counts as heard."""
_SHORTEST = 0.4
"""Seconds: one gating block."""


def linear(decibels: float) -> float:
    """The factor of a gain in dB."""
    return float(10 ** (decibels / 20))


def decibels(factor: float) -> float:
    """The gain in dB of a factor."""
    return 20 * math.log10(max(factor, 1e-9))


def read_stereo(wav: Path, name: str) -> Sound:
    """The file as [2, samples] at 44.1 kHz. Raises MediaRejected with ``name`` when it cannot be read or is empty."""
    try:
        samples, rate = sf.read(wav, dtype="float32", always_2d=True)
    except (sf.LibsndfileError, OSError) as error:
        raise MediaRejected(f"{name} is not readable sound: {error}.", field=name) from error
    if not len(samples):
        raise MediaRejected(f"{name} holds no sound.", field=name)
    if not np.isfinite(samples).all():
        raise MediaRejected(f"{name} holds samples that are not numbers.", field=name)
    if samples.shape[1] != 2:
        samples = np.repeat(samples.mean(axis=1, keepdims=True), 2, axis=1)
    return np.ascontiguousarray(resampled(samples, rate).T)


def resampled(samples: Sound, rate: int) -> Sound:
    """``samples`` [n] or [n, channels] of ``rate`` Hz at 44.1 kHz, time zero in place."""
    if rate == RATE:
        return samples
    result: Sound = soxr.resample(samples, rate, RATE, quality="HQ").astype(np.float32, copy=False)
    return result


def fitted(sound: Sound, length: int) -> Sound:
    """``sound`` with silence behind it, or cut, to ``length`` samples."""
    if sound.shape[-1] >= length:
        return sound[..., :length]
    return np.pad(sound, [(0, 0)] * (sound.ndim - 1) + [(0, length - sound.shape[-1])])


def write_stereo(wav: Path, sound: Sound) -> Path:
    """Write [2, samples] as 24-bit WAV. Raises StorageFull or EngineFailed."""
    try:
        sf.write(wav, sound.T, RATE, subtype="PCM_24", format="WAV")
    except (sf.LibsndfileError, OSError) as error:
        # libsndfile reports a full disk as any other system error: the disk itself tells.
        if shutil.disk_usage(wav.parent).free < sound.size * 3:
            raise StorageFull(f"The disk is full: {wav.name} could not be written.") from error
        raise EngineFailed(f"{wav.name} could not be written: {error}") from error
    return wav


def loudness(sound: Sound) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4) of [channels, samples]; ``SILENT_LUFS`` where nothing passes the
    gate or there is less than a gating block."""
    if sound.shape[-1] < _SHORTEST * RATE * 1.01:
        return SILENT_LUFS
    found = float(pyloudnorm.Meter(RATE).integrated_loudness(np.ascontiguousarray(sound.T)))
    return max(found, SILENT_LUFS) if math.isfinite(found) else SILENT_LUFS
