"""The tempo of a finished song, found in its sound: the spacing at which its onsets repeat, over sixteen beats, so that
it is known to a fraction of a percent and not to a frame."""

from typing import Final

import librosa
import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]

TEMPO_RATE: Final = 22_050
_HOP = 256
_BEATS = 16
_REACH = 1.35
"""The tempo is sought between the plan divided and multiplied by this: which level of the metre is called the beat is
the plan's to say, and within a factor of two there is one answer."""
_STEP = 0.0005
_BLURRED_FRAMES = 2


def onset_curve(sound: NDArray[np.float32]) -> Curve:
    """Onset strength of mono ``sound`` at ``TEMPO_RATE``, one value a ``_HOP``."""
    strength = librosa.onset.onset_strength(y=sound, sr=TEMPO_RATE, hop_length=_HOP)
    return np.asarray(strength, np.float64)


def found_tempo(onsets: Curve, planned_bpm: float) -> float | None:
    """BPM at the plan's metrical level; None where nothing repeats."""
    ratios = np.exp(np.arange(-np.log(_REACH), np.log(_REACH), _STEP))
    periods = 60 / (planned_bpm * ratios) * TEMPO_RATE / _HOP
    repeats = _autocorrelation(onsets, int(periods.max() * _BEATS) + 2)
    if repeats is None:
        return None
    beats = np.arange(1, _BEATS + 1)
    lags = np.arange(len(repeats))
    scores = np.asarray([np.interp(beats * period, lags, repeats).mean() for period in periods])
    best = int(scores.argmax())
    return float(planned_bpm * ratios[best]) if scores[best] > 0 else None


def _autocorrelation(onsets: Curve, longest: int) -> Curve | None:
    """Of ``onsets`` without their mean, by lag, each lag by the overlap it has; None for a curve without events."""
    if len(onsets) <= longest // 2 or not onsets.any():
        return None
    blur = np.hanning(2 * _BLURRED_FRAMES + 3)[1:-1]
    smooth = np.convolve(onsets - onsets.mean(), blur / blur.sum(), mode="same")
    size = 1 << (2 * len(smooth) - 1).bit_length()
    power = np.fft.irfft(np.square(np.abs(np.fft.rfft(smooth, size))), size)[: min(longest, len(smooth) // 2)]
    result: Curve = power / (len(smooth) - np.arange(len(power)))
    result /= result[0]
    return result
