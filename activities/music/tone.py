"""What becomes of a rendered stem: tone, pumping and level. Arrays are float32 [samples, 2] at 44.1 kHz."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from activities.music.grammar import Tone

Stereo = NDArray[np.float32]

RATE: Final = 44_100
_SHELF_HZ: Final = 5_000
_PUMP_SECONDS: Final = 0.11
"""Time constant of the recovery after a kick; four of them are a beat at 136 BPM."""
_BLOCK: Final = 17_640
_SILENT: Final = 1e-9
"""Mean square: -90 dBFS. A reverb that got nothing still gives its rounding noise."""
_GATE_DB: Final = -25.0


def shape(samples: Stereo, tone: Tone, kicks: Sequence[float]) -> Stereo:
    """The stem with its tone. ``kicks`` are the times in seconds at which it is pushed down."""
    out = samples
    if tone.drive:
        out = _driven(out, tone.drive)
    if tone.low_pass:
        out = _filtered(out, "lowpass", tone.low_pass)
    if tone.shelf_db:
        gain = 10 ** (tone.shelf_db / 20) - 1
        out = out + np.float32(gain) * _filtered(out, "highpass", _SHELF_HZ)
    if tone.pump and kicks:
        out = out * _pump(len(out), tone.pump, kicks)[:, None]
    return out


def level(samples: Stereo) -> float:
    """RMS in dBFS of the blocks of 400 ms that are within 25 dB of the loudest; -inf for silence (below -90 dBFS)."""
    whole = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK * 2)
    power = np.mean(np.square(whole, dtype=np.float64), axis=1)
    if not power.size or power.max() < _SILENT:
        return float("-inf")
    sounding = power[power > power.max() * 10 ** (_GATE_DB / 10)]
    return float(10 * np.log10(sounding.mean()))


def _driven(samples: Stereo, drive: float) -> Stereo:
    """Soft clipping of a stem brought to its loudest at 1 to 5 times full scale."""
    peak = float(np.abs(samples).max()) or 1.0
    amount = np.float32((1 + 4 * drive) / peak)
    shaped: Stereo = np.tanh(samples * amount)
    return shaped


def _filtered(samples: Stereo, kind: str, hertz: float) -> Stereo:
    sections = butter(2, hertz, kind, fs=RATE, output="sos")
    filtered: Stereo = sosfilt(sections, samples, axis=0).astype(np.float32)
    return filtered


def _pump(count: int, depth: float, kicks: Sequence[float]) -> NDArray[np.float32]:
    gain = np.ones(count, np.float32)
    curve = (1 - depth * np.exp(-np.arange(round(4 * _PUMP_SECONDS * RATE)) / (_PUMP_SECONDS * RATE))).astype(
        np.float32
    )
    for kick in kicks:
        first = round(kick * RATE)
        room = gain[first : first + len(curve)]
        np.minimum(room, curve[: len(room)], out=room)
    return gain
