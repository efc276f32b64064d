"""What takes the machine out of a performance: small seeded drifts of level, place and time, and a floor of noise."""

import zlib
from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline

from activities.mixing.eq import Band, Curve, equalised
from activities.mixing.sound import RATE, Sound, linear

MOST_DRIFT: float = 0.008
"""Seconds: what a listener takes for feel and not for a mistake."""


def chance(seed: int, name: str) -> np.random.Generator:
    """A random generator of one part, which other parts do not disturb."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def wander(length: int, every: float, rng: np.random.Generator) -> Sound:
    """A smooth seeded curve over ``length`` samples within -1 to 1, with a new turn ``every`` seconds."""
    knots = max(4, round(length / RATE / every) + 2)
    every_centisecond = np.arange(0, length + RATE // 100, RATE // 100)
    spline = CubicSpline(np.linspace(0, length, knots), rng.uniform(-1, 1, knots))
    values = np.clip(spline(every_centisecond), -1, 1)
    result: Sound = np.interp(np.arange(length), every_centisecond, values).astype(np.float32)
    return result


def drifted(sound: Sound, seconds: Sound) -> Sound:
    """``sound`` delayed by ``seconds`` [samples] (negative: early), each within ``MOST_DRIFT``; four-point Lagrange
    interpolation."""
    length = sound.shape[-1]
    delay = np.clip(seconds, -MOST_DRIFT, MOST_DRIFT).astype(np.float64) * RATE
    place = np.clip(np.arange(length) - delay, 1, length - 3)
    base = place.astype(np.int64)
    part = (place - base).astype(np.float32)
    taps = (
        -part * (part - 1) * (part - 2) / 6,
        (part + 1) * (part - 1) * (part - 2) / 2,
        -(part + 1) * part * (part - 2) / 2,
        (part + 1) * part * (part - 1) / 6,
    )
    out = np.zeros_like(sound)
    for offset, tap in enumerate(taps, start=-1):
        out += sound[..., base + offset] * tap
    return out


def played(sound: Sound, beat: float, drift: float, swell: float, rng: np.random.Generator) -> Sound:
    """[2, samples] as a hand plays it: each beat a little louder or softer (``swell`` dB), the picture swaying by a few
    percent, and late or early by at most ``drift`` seconds. ``beat`` in seconds."""
    length = sound.shape[-1]
    gain = 10 ** (swell * wander(length, beat, rng) / 20)
    sway = 0.03 * wander(length, 7.0, rng)
    timed = drifted(sound, drift * wander(length, 2.5, rng)) if drift else sound
    result: Sound = timed * np.stack([gain * (1 + sway), gain * (1 - sway)])
    return result


def hiss(length: int, level: float, bands: Sequence[Band], rng: np.random.Generator) -> Sound:
    """Noise [2, samples] at ``level`` dBFS RMS, shaped by ``bands``, that comes and goes with the song."""
    noise = equalised(rng.standard_normal((2, length), np.float32), bands)
    noise *= np.float32(linear(level)) / np.sqrt(np.mean(np.square(noise)))
    edge = min(RATE // 2, length // 2)
    noise[:, :edge] *= np.linspace(0, 1, edge, dtype=np.float32)
    noise[:, length - edge :] *= np.linspace(1, 0, edge, dtype=np.float32)
    return noise


def crackle(length: int, level: float, a_second: float, rng: np.random.Generator) -> Sound:
    """The clicks of a worn record, [2, samples]: ``a_second`` of them at about ``level`` dBFS peak."""
    clicks = np.zeros((2, length), np.float32)
    count = rng.poisson(a_second * length / RATE)
    at = rng.integers(0, length, count)
    clicks[:, at] = rng.uniform(-1, 1, count) ** 3 + rng.uniform(-0.15, 0.15, (2, count))
    shaped = equalised(clicks, [Band(Curve.BAND_PASS, 2_200, q=0.8), Band(Curve.HIGH_PASS, 500)])
    peak = float(np.abs(shaped).max(initial=0.0))
    return shaped * np.float32(linear(level) / peak) if peak else shaped
