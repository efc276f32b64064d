"""Writing speech: mono 16-bit WAV, whole or not at all, the same bytes for the same samples."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PEAK = 0.98


def write_wav(path: Path, samples: NDArray[np.float32], sample_rate: int) -> None:
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
