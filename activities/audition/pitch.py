"""The pitch of a single voice: YIN (A. de Cheveigne and H. Kawahara, 2002) over whole frames at once, at the melody's
own 80 values a second."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from activities.support.audio import RATE, Samples

Pitch = NDArray[np.float64]

PITCH_RATE: Final = 80
_HOP = RATE // PITCH_RATE
_WINDOW = 640
"""Samples that are compared with themselves, 40 ms."""
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 1_000.0
_LONGEST, _SHORTEST = round(RATE / _LOWEST_HZ), round(RATE / _HIGHEST_HZ)
_NEAR = 0.1
"""The period is the first dip that is nearly as deep as the deepest: in a rough voice none passes YIN's fixed
threshold, and the deepest may be two periods."""
_VOICED = 0.45
"""Aperiodicity above which there is no pitch."""
_QUIET_DB = -35.0
"""Below the loud frames: not singing."""
_SILENT_DB = -70.0
_AT_ONCE = 2_000
_CENTS = 50.0


@dataclass(frozen=True)
class Intonation:
    """Frames in which a pitch was asked for and heard, those of them within 50 cents, and the median distance in cents
    (None without any)."""

    voiced: int
    close: int
    asked: int
    cents: float | None

    @property
    def share(self) -> float | None:
        """Of the voiced frames; None where less than a fifth of what was asked for is heard as pitched at all."""
        return self.close / self.voiced if self.voiced and self.voiced >= self.asked / 5 else None


def intonation(voice: Samples, melody: NDArray[np.float32]) -> Intonation:
    """How ``voice`` (16 kHz) keeps to ``melody`` (Hz at 80 a second, 0 for no pitch)."""
    heard = pitch(voice)
    frames = min(len(heard), len(melody))
    heard, asked = heard[:frames], melody[:frames].astype(np.float64)
    both = (heard > 0) & (asked > 0)
    cents = np.abs(1200 * np.log2(heard[both] / asked[both]))
    return Intonation(
        voiced=int(both.sum()),
        close=int((cents <= _CENTS).sum()),
        asked=int((asked > 0).sum()),
        cents=float(np.median(cents)) if len(cents) else None,
    )


def pitch(voice: Samples) -> Pitch:
    """F0 in Hz of each frame, 0 where there is none; frame k is centred on k / 80 seconds."""
    frame = _WINDOW + _LONGEST
    samples: NDArray[np.float32] = np.pad(voice.astype(np.float32) / np.float32(32768), (frame // 2, frame))
    count = -(-len(voice) // _HOP)
    frames = np.lib.stride_tricks.sliding_window_view(samples, frame)[::_HOP][:count]
    parts = [_yin(frames[at : at + _AT_ONCE]) for at in range(0, count, _AT_ONCE)]
    if not parts:
        return np.zeros(0)
    hertz, levels = (np.concatenate(column) for column in zip(*parts, strict=True))
    loud = max(np.percentile(levels, 95) + _QUIET_DB, _SILENT_DB)
    return np.where(levels > loud, hertz, 0.0)


def _yin(frames: NDArray[np.float32]) -> tuple[Pitch, Pitch]:
    """Hz (0: unvoiced) and level in dB of each frame."""
    size = 1 << (frames.shape[1] - 1).bit_length()
    head = np.fft.rfft(frames[:, :_WINDOW], size)
    correlation = np.fft.irfft(np.fft.rfft(frames, size) * head.conj(), size)[:, : _LONGEST + 1]
    energy = np.cumsum(np.pad(np.square(frames, dtype=np.float64), ((0, 0), (1, 0))), axis=1)
    windows = energy[:, _WINDOW : _WINDOW + _LONGEST + 1] - energy[:, : _LONGEST + 1]
    difference = np.maximum(windows[:, :1] + windows - 2 * correlation, 0)
    difference[:, 0] = 0
    lags = np.arange(1, _LONGEST + 1)
    means = np.cumsum(difference[:, 1:], axis=1) / lags
    normal = np.ones_like(difference)
    normal[:, 1:] = difference[:, 1:] / np.maximum(means, 1e-12)
    period, depth = _first_dip(normal)
    level = 10 * np.log10(np.maximum(windows[:, 0] / _WINDOW, 1e-12))
    return np.where(depth < _VOICED, RATE / period, 0.0), level


def _first_dip(normal: NDArray[np.float64]) -> tuple[Pitch, Pitch]:
    """The period in samples, between samples, and the aperiodicity there."""
    inner = normal[:, _SHORTEST:-1]
    minimum = (inner <= normal[:, _SHORTEST - 1 : -2]) & (inner < normal[:, _SHORTEST + 1 :])
    dips = np.where(minimum, inner, 2.0)
    near = dips <= dips.min(axis=1, keepdims=True) + _NEAR
    best = near.argmax(axis=1) + _SHORTEST
    rows = np.arange(len(normal))
    before, here, after = normal[rows, best - 1], normal[rows, best], normal[rows, best + 1]
    bend = before - 2 * here + after
    shift = np.where(np.abs(bend) > 1e-12, (before - after) / (2 * np.where(bend == 0, 1, bend)), 0)
    return best + np.clip(shift, -1, 1), here
