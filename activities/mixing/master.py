"""The master bus: glue, loudness and true peak. The limiter works on a curve of peaks between samples, looks ahead, and
what it gives is measured anew and corrected until loudness and peak both hold."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyloudnorm
import soxr
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d
from scipy.signal import lfilter

from activities.mixing.dynamics import HOP, Compression, Curve, compressed, drawn, hops
from activities.mixing.eq import Band, equalised
from activities.mixing.sound import RATE, SILENT_LUFS, Sound, decibels, linear, loudness
from activities.mixing.space import widened
from models.errors import EngineFailed, MediaRejected

LOUDNESS: Final = -14.0
"""LUFS: what streaming services play at."""
TRUE_PEAK: Final = -1.0
"""dBTP: what lossy coding needs as room."""
_TOLERANCE = 0.5
_CLOSE = 0.1
"""LU within which the result is good."""
_PASSES = 6
_OVERSAMPLING = 4
_BLOCK = 1 << 18
_AHEAD = 0.004
"""Seconds in which the limiter comes down; it sees a peak this long before."""
_RECOVERY = 0.08
_GATING_HOPS = round(0.1 * RATE / HOP)
"""A quarter of a gating block."""


@dataclass(frozen=True)
class Bus:
    """How a genre's mix is finished: tone, glue, saturation (0: none) and width."""

    bands: tuple[Band, ...]
    glue: Compression
    drive: float = 0.0
    width: float = 1.0


def mastered(mix: Sound, bus: Bus) -> Sound:
    """[2, samples] at ``LOUDNESS`` +-0.5 LUFS with no true peak above ``TRUE_PEAK``.

    Raises MediaRejected for silence, EngineFailed when both cannot be had.
    """
    glued = _glued(mix, bus)
    before = loudness(glued)
    if before <= SILENT_LUFS:
        raise MediaRejected("The mix is silent: there is nothing to master.", field="music")
    peaks, powers = _peaks(glued), _powers(glued)
    aim, ceiling = LOUDNESS, TRUE_PEAK - 0.3
    found, peak = SILENT_LUFS, 0.0
    gain = LOUDNESS - before
    for _ in range(_PASSES):
        gain = _gain_for(aim, gain, ceiling, peaks, powers)
        limit = _limited(peaks * linear(gain), linear(ceiling))
        out = glued * drawn(limit * linear(gain), glued.shape[1])
        found, peak = loudness(out), decibels(true_peak(out))
        if abs(found - LOUDNESS) <= _CLOSE and peak <= TRUE_PEAK - 0.05:
            return out
        aim += LOUDNESS - found
        ceiling -= max(0.0, peak - TRUE_PEAK + 0.1)
    if abs(found - LOUDNESS) <= _TOLERANCE and peak <= TRUE_PEAK:
        return out
    raise EngineFailed(
        f"The master came out at {found:.1f} LUFS and {peak:.1f} dBTP; {LOUDNESS:.0f} LUFS and {TRUE_PEAK:.0f} dBTP "
        "are wanted.",
        code="mixing.loudness",
        action="Listen to the stems: a few clicks in near silence cannot be made that loud. Make the music again.",
    )


def true_peak(sound: Sound) -> float:
    """The highest peak between samples (4 times oversampled), full scale 1.0."""
    return max((float(np.abs(block).max(initial=0.0)) for block in _oversampled(sound)), default=0.0)


def _glued(mix: Sound, bus: Bus) -> Sound:
    shaped = widened(compressed(equalised(mix, bus.bands), bus.glue), bus.width)
    if not bus.drive:
        return shaped
    level = float(np.sqrt(np.mean(np.square(shaped)))) * 4 or 1.0
    bend = np.float32(bus.drive / level)
    bent: Sound = np.tanh(shaped * bend) / bend
    return bent


def _oversampled(sound: Sound) -> Iterator[Sound]:
    """[samples, channels] in blocks, time zero in place."""
    stream = soxr.ResampleStream(RATE, RATE * _OVERSAMPLING, len(sound), dtype="float32", quality="HQ")
    for at in range(0, sound.shape[1], _BLOCK):
        block = np.ascontiguousarray(sound[:, at : at + _BLOCK].T)
        yield stream.resample_chunk(block, last=at + _BLOCK >= sound.shape[1])


def _peaks(sound: Sound) -> Curve:
    """The highest peak between samples of each hop."""
    peaks = np.concatenate([np.abs(block).max(axis=1) for block in _oversampled(sound)])
    wide = HOP * _OVERSAMPLING
    count = math.ceil(sound.shape[1] / HOP)
    framed = np.pad(peaks, (0, max(0, count * wide - len(peaks))))[: count * wide].reshape(count, wide)
    curve: Curve = framed.max(axis=1).astype(np.float64)
    return curve


def _powers(sound: Sound) -> Curve:
    """K-weighted power of each hop, both channels together."""
    weighted = sound.astype(np.float64)
    for stage in (
        pyloudnorm.IIRfilter(4.0, 1 / math.sqrt(2), 1500.0, RATE, "high_shelf"),
        pyloudnorm.IIRfilter(0.0, 0.5, 38.0, RATE, "high_pass"),
    ):
        weighted = lfilter(stage.b, stage.a, weighted, axis=-1)
    short = -weighted.shape[1] % HOP
    framed = np.pad(np.square(weighted).sum(axis=0), (0, short)).reshape(-1, HOP)
    curve: Curve = framed.mean(axis=1)
    return curve


def _limited(peaks: Curve, ceiling: float) -> Curve:
    """The gain of each hop that keeps ``peaks`` under ``ceiling``: down before a peak, at once held, slowly back.

    The least gain within reach of a hop is averaged over a shorter reach: no average then lets a peak through, nor does
    the line drawn between two of them.
    """
    ahead = hops(_AHEAD)
    needed = minimum_filter1d(np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9)), 2 * (ahead + 1) + 1)
    keep = math.exp(-HOP / RATE / _RECOVERY)
    state, held = 1.0, []
    for gain in needed.tolist():
        state = min(gain, 1 - (1 - state) * keep)
        held.append(state)
    shape: NDArray[np.float64] = np.hanning(2 * ahead + 3)[1:-1]
    smooth: Curve = np.convolve(np.pad(held, ahead, mode="edge"), shape / shape.sum(), mode="valid")
    return smooth


def _gain_for(aim: float, gain: float, ceiling: float, peaks: Curve, powers: Curve) -> float:
    """The gain in dB with which the limited sound comes to ``aim`` LUFS, found on the curves alone."""
    for _ in range(8):
        limit = _limited(peaks * linear(gain), linear(ceiling))
        error = aim - _gated(powers * np.square(limit * linear(gain)))
        gain += error
        if abs(error) < 0.02:
            break
    return gain


def _gated(powers: Curve) -> float:
    """Integrated loudness in LUFS of K-weighted powers a hop (BS.1770-4, blocks of 400 ms that overlap by 75 %)."""
    count = max(1, len(powers) // _GATING_HOPS)
    quarters = np.resize(powers, count * _GATING_HOPS).reshape(count, -1).mean(axis=1)
    blocks = np.convolve(quarters, np.full(min(4, count), 1 / min(4, count)), mode="valid")
    heard = blocks[blocks > 10 ** ((SILENT_LUFS + 0.691) / 10)]
    if not len(heard):
        return SILENT_LUFS
    loud = heard[heard > heard.mean() / 10]
    return float(-0.691 + 10 * np.log10(loud.mean()))
