"""What the picture moves to: the master's bands, frame by frame, smoothed so that things move and never flicker."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from models.errors import MediaRejected

Curve = NDArray[np.float32]

_WINDOW = 2048
_BANDS = {"bass": (30.0, 140.0), "mids": (250.0, 2_000.0), "highs": (4_000.0, 12_000.0)}
"""Hz: kick and bass, voice and chords, cymbals and breath."""
_BLOCK = 256
_KICK_GAP = 0.34
"""Seconds between two kicks that move the picture: less than three a second, however fast the drums are."""


@dataclass(frozen=True)
class Heard:
    """The master as curves [frames], 0..1: three bands and loudness, each against its own loudest, and low onsets."""

    bass: Curve
    mids: Curve
    highs: Curve
    loud: Curve
    kick: Curve


def duration(master: Path) -> float:
    """Seconds of sound. Raises MediaRejected when it cannot be read or holds none."""
    try:
        info = sf.info(master)
    except (sf.LibsndfileError, OSError) as error:
        raise MediaRejected(f"master is not readable sound: {error}.", field="master") from error
    if info.frames <= 0:
        raise MediaRejected("master holds no sound.", field="master")
    return float(info.frames / info.samplerate)


def listen(master: Path, fps: int, frames: int) -> Heard:
    """The curves of ``master`` at ``fps``, measured at the middle of each frame. Raises MediaRejected."""
    try:
        samples, rate = sf.read(master, dtype="float32", always_2d=True)
    except (sf.LibsndfileError, OSError) as error:
        raise MediaRejected(f"master is not readable sound: {error}.", field="master") from error
    mono = np.nan_to_num(samples.mean(axis=1))
    spectra = _bands(mono, rate, fps, frames)
    return Heard(
        bass=_follow(_scaled(spectra["bass"]), fps, rise=0.08, fall=0.3),
        mids=_follow(_scaled(spectra["mids"]), fps, rise=0.12, fall=0.5),
        highs=_follow(_scaled(spectra["highs"]), fps, rise=0.06, fall=0.3),
        loud=_follow(_scaled(spectra["loud"]), fps, rise=0.5, fall=1.2),
        kick=_kicks(spectra["bass"], fps),
    )


def _bands(mono: Curve, rate: int, fps: int, frames: int) -> dict[str, Curve]:
    """Amplitude [frames] of each band and of all, from a windowed transform at each frame."""
    wide = np.concatenate([np.zeros(_WINDOW, np.float32), mono, np.zeros(2 * _WINDOW + rate // fps, np.float32)])
    starts = np.round((np.arange(frames) + 0.5) * rate / fps).astype(np.int64) + _WINDOW // 2
    starts = np.minimum(starts, len(wide) - _WINDOW)
    window = np.hanning(_WINDOW).astype(np.float32)
    hertz = np.fft.rfftfreq(_WINDOW, 1 / rate)
    found = {name: np.zeros(frames, np.float32) for name in (*_BANDS, "loud")}
    for first in range(0, frames, _BLOCK):
        at = starts[first : first + _BLOCK, None] + np.arange(_WINDOW)
        power = np.abs(np.fft.rfft(wide[at] * window, axis=1)) ** 2
        for name, (low, high) in _BANDS.items():
            found[name][first : first + _BLOCK] = np.sqrt(power[:, (hertz >= low) & (hertz < high)].sum(axis=1))
        found["loud"][first : first + _BLOCK] = np.sqrt(power.sum(axis=1))
    return found


def _scaled(curve: Curve) -> Curve:
    """0 at the band's quiet, 1 at its loud. Silence stays 0."""
    quiet, loud = np.percentile(curve, (8, 97))
    if loud - quiet < 1e-4:
        return np.zeros_like(curve)
    return np.asarray(np.clip((curve - quiet) / (loud - quiet), 0, 1) ** 0.8, np.float32)


def _follow(curve: Curve, fps: int, rise: float, fall: float) -> Curve:
    """The curve with a rise and a fall of so many seconds (time constants of an envelope follower)."""
    up, down = 1 - np.exp(-1 / (fps * rise)), 1 - np.exp(-1 / (fps * fall))
    level, followed = 0.0, np.empty_like(curve)
    for number, value in enumerate(curve):
        level += (value - level) * (up if value > level else down)
        followed[number] = level
    return followed


def _kicks(bass: Curve, fps: int) -> Curve:
    """A short swell at each low onset: spectral flux above what is usual around it."""
    level = np.log1p(bass / (np.percentile(bass, 90) + 1e-6) * 20)
    flux = np.maximum(np.diff(level, prepend=level[:1]), 0)
    kernel = np.ones(min(2 * fps + 1, len(bass)))
    usual = np.convolve(flux, kernel, mode="same") / np.convolve(np.ones_like(flux), kernel, mode="same")
    strong = flux > np.maximum(2.0 * usual, 0.25)
    curve, last = np.zeros(len(bass), np.float32), -fps
    for frame in map(int, np.flatnonzero(strong)):
        if frame - last < _KICK_GAP * fps:
            continue
        last = frame
        after = np.arange(min(fps, len(bass) - frame)) / fps
        swell = np.minimum(after / 0.05, 1) * np.exp(-np.maximum(after - 0.05, 0) / 0.12)
        curve[frame : frame + len(after)] = np.maximum(curve[frame : frame + len(after)], swell)
    return curve
