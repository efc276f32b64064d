"""Equalising: filters as data and their application. Coefficients after R. Bristow-Johnson's audio EQ cookbook."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from activities.mixing.sound import RATE, Sound


class Curve(Enum):
    """A filter's shape."""

    HIGH_PASS = auto()
    LOW_PASS = auto()
    BELL = auto()
    LOW_SHELF = auto()
    HIGH_SHELF = auto()
    BAND_PASS = auto()
    """0 dB at its centre."""


@dataclass(frozen=True)
class Band:
    """One filter: ``gain`` in dB counts for bells and shelves alone."""

    curve: Curve
    hz: float
    gain: float = 0.0
    q: float = math.sqrt(0.5)


def equalised(sound: Sound, bands: Sequence[Band]) -> Sound:
    """``sound`` through all ``bands``."""
    if not bands:
        return sound
    sections = np.asarray([_section(band) for band in bands])
    filtered: Sound = sosfilt(sections, sound, axis=-1).astype(np.float32)
    return filtered


def _section(band: Band) -> NDArray[np.float64]:
    angle = 2 * math.pi * band.hz / RATE
    cosine, alpha = math.cos(angle), math.sin(angle) / (2 * band.q)
    root = 10 ** (band.gain / 40)
    if band.curve is Curve.HIGH_PASS:
        b, a = [(1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2], [1 + alpha, -2 * cosine, 1 - alpha]
    elif band.curve is Curve.LOW_PASS:
        b, a = [(1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2], [1 + alpha, -2 * cosine, 1 - alpha]
    elif band.curve is Curve.BAND_PASS:
        b, a = [alpha, 0.0, -alpha], [1 + alpha, -2 * cosine, 1 - alpha]
    elif band.curve is Curve.BELL:
        b = [1 + alpha * root, -2 * cosine, 1 - alpha * root]
        a = [1 + alpha / root, -2 * cosine, 1 - alpha / root]
    else:
        b, a = _shelf(root, cosine, alpha, 1 if band.curve is Curve.LOW_SHELF else -1)
    return np.asarray([*b, *a]) / a[0]


def _shelf(root: float, cosine: float, alpha: float, side: int) -> tuple[list[float], list[float]]:
    """``side`` is 1 for the low shelf and -1 for the high one, which is its mirror."""
    slope = 2 * math.sqrt(root) * alpha
    up, down, turn = root + 1, root - 1, side * cosine
    b = [root * (up - down * turn + slope), side * 2 * root * (down - up * turn), root * (up - down * turn - slope)]
    a = [up + down * turn + slope, -side * 2 * (down + up * turn), up + down * turn - slope]
    return b, a
