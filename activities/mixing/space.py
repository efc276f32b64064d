"""Where a sound is: panned, in a room, echoed in time. The rooms are made here, from noise, by seed."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import oaconvolve

from activities.mixing.eq import Band, Curve, equalised
from activities.mixing.sound import RATE, Sound


@dataclass(frozen=True)
class Room:
    """``decay`` is T60 in seconds, ``before`` the time until the first reflection, ``bright`` in Hz where its air
    swallows the treble."""

    decay: float
    before: float
    bright: float


@dataclass(frozen=True)
class Echo:
    """``beats`` between repeats; ``again`` is what remains of each in the next; repeats change sides."""

    beats: float
    again: float
    repeats: int = 4


def panned(voice: Sound, where: float) -> Sound:
    """[samples] as [2, samples]: -1 is left, 1 right; equal power, 0 dB in the middle on each side."""
    angle = (where + 1) * math.pi / 4
    return np.stack([voice * (math.cos(angle) * math.sqrt(2)), voice * (math.sin(angle) * math.sqrt(2))]).astype(
        np.float32, copy=False
    )


def widened(sound: Sound, width: float) -> Sound:
    """[2, samples] with its sides ``width`` times as strong; below 150 Hz they are left alone, for bass has no side."""
    if width == 1.0:
        return sound
    side = (sound[0] - sound[1]) / 2
    added = equalised(side, [Band(Curve.HIGH_PASS, 150)]) * np.float32(width - 1)
    return np.stack([sound[0] + added, sound[1] - added])


def impulse(room: Room, rng: np.random.Generator) -> Sound:
    """A stereo impulse response [2, samples] of unit energy a side: a few early reflections, then noise that decays and
    darkens. Both sides have their own noise, so that the room is wide."""
    length = round((room.before + room.decay) * RATE)
    seconds = np.arange(length) / RATE - room.before
    tail = rng.standard_normal((2, length)) * np.where(seconds >= 0, 10 ** (-3 * seconds / room.decay), 0)
    onset = 1 - np.exp(-np.maximum(seconds, 0) / 0.02)
    response = (tail * onset).astype(np.float32)
    for _ in range(6):
        at = round((room.before + rng.uniform(0.002, 0.045)) * RATE)
        if at < length:
            response[:, at] += rng.uniform(-1, 1, 2) * 6
    shaped = equalised(response, [Band(Curve.HIGH_PASS, 220), Band(Curve.LOW_PASS, room.bright)])
    result: Sound = shaped / np.sqrt(np.square(shaped).sum(axis=1, keepdims=True))
    return result


def reverberated(sound: Sound, response: Sound) -> Sound:
    """What the room gives back of ``sound`` ([samples] or [2, samples]), [2, samples] of the same length."""
    mono = sound if sound.ndim == 1 else sound.mean(axis=0)
    wet = [oaconvolve(mono, side)[: len(mono)] for side in response]
    return np.stack(wet).astype(np.float32)


def echoed(voice: Sound, echo: Echo, tempo_bpm: float) -> Sound:
    """The repeats of ``voice`` [samples] alone, [2, samples], narrower in band than the voice."""
    send = equalised(voice, [Band(Curve.HIGH_PASS, 350), Band(Curve.LOW_PASS, 4_500)])
    wet = np.zeros((2, len(voice)), np.float32)
    step = round(echo.beats * 60 / tempo_bpm * RATE)
    for repeat in range(1, echo.repeats + 1):
        at = repeat * step
        if at >= len(voice):
            break
        sides = panned(send[: len(voice) - at], 0.6 if repeat % 2 else -0.6)
        wet[:, at:] += sides * np.float32(echo.again ** (repeat - 1))
    return wet
