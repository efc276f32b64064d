"""Levels over time: followers, compression, de-essing, and the voice's presence that the music makes room for. Gains
are worked out every 1.5 ms and drawn through between, so that they cost next to nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import butter, sosfiltfilt

from activities.mixing.sound import RATE, Sound

Curve = NDArray[np.float64]
"""A value for each hop."""

HOP: Final = 64
"""Samples."""
_FLOOR_DB = -120.0
_SILENCE_BELOW_DB = -38.0
"""A voice this far below its own loud passages is not singing."""
_ESSES_HZ = (4_800, 12_000)


@dataclass(frozen=True)
class Compression:
    """``threshold`` in dB over the level that the sound has where it is heard; times in seconds."""

    threshold: float
    ratio: float
    attack: float
    release: float
    knee: float = 6.0


def hops(seconds: float) -> int:
    """A time in hops, at least one."""
    return max(1, round(seconds * RATE / HOP))


def levels(sound: Sound) -> Curve:
    """RMS in dB of each hop of [samples] or [channels, samples]."""
    whole = np.atleast_2d(sound)
    short = -whole.shape[1] % HOP
    framed = np.pad(whole, ((0, 0), (0, short))).reshape(len(whole), -1, HOP)
    power = np.einsum("cfh,cfh->f", framed, framed, dtype=np.float64) / (HOP * len(whole))
    curve: Curve = 10 * np.log10(np.maximum(power, 1e-12))
    return curve


def heard_level(curve: Curve) -> float:
    """The level in dB at which the sound is where it is heard at all: power mean above the silence threshold."""
    heard = curve[curve > np.percentile(curve, 99) + _SILENCE_BELOW_DB]
    return float(10 * np.log10(np.mean(10 ** (heard / 10)))) if len(heard) else _FLOOR_DB


def followed(curve: Curve, rise: float, fall: float) -> Curve:
    """``curve`` through a one-pole follower with time constants in seconds for rising and falling."""
    up, down = (math.exp(-HOP / RATE / max(seconds, 1e-4)) for seconds in (rise, fall))
    state, out = float(curve[0]) if len(curve) else 0.0, []
    for value in curve.tolist():
        state = value + (state - value) * (up if value > state else down)
        out.append(state)
    return np.asarray(out)


def drawn(curve: Sequence[float] | Curve, length: int) -> Sound:
    """A curve over hops as one over ``length`` samples."""
    centres = (np.arange(len(curve)) + 0.5) * HOP
    result: Sound = np.interp(np.arange(length), centres, curve).astype(np.float32)
    return result


def compressed(sound: Sound, by: Compression) -> Sound:
    """``sound`` with its loud passages turned down; what is lost in level is not made up for."""
    curve = levels(sound)
    over = curve - heard_level(curve) - by.threshold
    bent = np.where(over > by.knee / 2, over, np.square(np.maximum(over + by.knee / 2, 0)) / (2 * by.knee))
    reduction = followed((1 - 1 / by.ratio) * bent, by.attack, by.release)
    return sound * drawn(10 ** (-reduction / 20), sound.shape[-1])


def de_essed(voice: Sound, most: float = 7.0) -> Sound:
    """``voice`` [samples] with its sibilants held to 10 dB under the voice, by at most ``most`` dB."""
    sections = butter(2, _ESSES_HZ, "bandpass", fs=RATE, output="sos")
    esses: Sound = sosfiltfilt(sections, voice).astype(np.float32)
    over = levels(esses) - (heard_level(levels(voice)) - 10)
    reduction = followed(np.clip(0.75 * over, 0, most), 0.001, 0.04)
    return voice - esses * (1 - drawn(10 ** (-reduction / 20), len(voice)))


def presence(voices: Sequence[Sound]) -> Curve:
    """0 where nobody sings, 1 where somebody does, every hop; up before the first consonant, held over short gaps, and
    slowly down."""
    present: Curve = np.zeros(0)
    for voice in voices:
        curve = levels(voice)
        if curve.max(initial=_FLOOR_DB) < -60:
            continue
        sung = (curve > heard_level(curve) - 22).astype(np.float64)
        present = np.maximum(present, sung) if len(present) else sung
    if not len(present):
        return np.zeros(1)
    held = maximum_filter1d(present, 2 * hops(0.12) + 1)
    smooth: Curve = np.clip(uniform_filter1d(followed(held, 0.02, 0.25), hops(0.05)), 0, 1)
    return smooth
