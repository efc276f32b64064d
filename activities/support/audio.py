"""Sound as models hear it: 16 kHz mono, from whatever was uploaded. One place for every engine that listens."""

from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from models.errors import MediaRejected

Samples = NDArray[np.int16]

RATE: Final = 16_000


def wav_seconds(wav: Path) -> float:
    """Length of a sound file in seconds. Raises MediaRejected when it cannot be read or holds nothing."""
    try:
        info = sf.info(wav)
    except (sf.LibsndfileError, OSError) as error:
        raise MediaRejected(f"{wav.name} is not readable sound: {error}.", field="wav") from error
    if info.frames <= 0:
        raise MediaRejected(f"{wav.name} holds no sound.", field="wav")
    return float(info.frames / info.samplerate)


def mono_16k(wav: Path) -> Samples:
    """The file as 16 kHz mono. Read and converted in blocks, so that only the result is held whole.

    Raises MediaRejected when it cannot be read.
    """
    try:
        with sf.SoundFile(wav) as sound:
            resampler = soxr.ResampleStream(sound.samplerate, RATE, 1, dtype="float32")
            blocks = sound.blocks(1 << 16, dtype="float32", always_2d=True)
            pieces = [_to_int16(resampler.resample_chunk(np.nan_to_num(block.mean(axis=1)))) for block in blocks]
    except (sf.LibsndfileError, OSError) as error:
        raise MediaRejected(f"{wav.name} is not readable sound: {error}.", field="wav") from error
    pieces.append(_to_int16(resampler.resample_chunk(np.zeros(0, np.float32), last=True)))
    return np.concatenate(pieces)


def _to_int16(samples: NDArray[np.float32]) -> Samples:
    return (np.clip(samples, -1, 1) * 32767).astype(np.int16)
