"""When notes are heard to begin in a recording of one part, to a few milliseconds: rises of level in narrow bands.
Apart from any capability, because who plays and who judges have to mean the same moment."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

Vector = NDArray[np.float64]

RATE: Final = 22_050
"""Hz of the sound that is listened to."""
HOP: Final = 64
"""Samples from one value of the curve to the next: 2.9 ms."""
FLOOR_DB: Final = -60.0
_FRAME: Final = 512
_BANDS: Final = 24
_LOWEST_HZ, _HIGHEST_HZ = 40.0, 10_000.0
_SPREAD: Final = 2
_LEAD_SECONDS: Final = 0.0085
"""How early the curve peaks, for a frame hears what begins at its end: the median over clicks, noise and tones of 60
and 440 Hz with attacks of 0 to 40 ms, which lie within 2 ms of it."""
_APART_SECONDS: Final = 0.02
_LEAST_DB: Final = 0.3
_BLOCK: Final = 8_192


def _filters() -> NDArray[np.float32]:
    """Triangular bands, evenly spaced by pitch: [bands, bins]."""
    hertz = np.fft.rfftfreq(_FRAME, 1 / RATE)
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 2)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    bands = np.maximum(0.0, np.minimum(rising, falling))
    # The lowest are narrower than a bin, and some hold none.
    filters: NDArray[np.float32] = bands[bands.sum(axis=1) > 0].astype(np.float32)
    return filters


_FILTERS: Final = _filters()
_WINDOW: Final = np.hanning(_FRAME + 1)[:-1].astype(np.float32)


def onset_curve(sound: NDArray[np.float32], floor_db: float = FLOOR_DB) -> Vector:
    """The mean rise of level over all bands, in dB from the frame before to the one after, every ``HOP`` samples of
    mono ``sound`` at ``RATE``. What is ``floor_db`` under the loudest band counts as silence."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, _FRAME // 2), _FRAME)[::HOP]
    power = np.concatenate(
        [
            np.square(np.abs(np.fft.rfft(frames[at : at + _BLOCK] * _WINDOW))).astype(np.float32) @ _FILTERS.T
            for at in range(0, len(frames), _BLOCK)
        ]
    )
    level = 10 * np.log10(power + max(float(power.max()) * 10 ** (floor_db / 10), 1e-20))
    rise = np.maximum(0.0, level[_SPREAD:] - level[:-_SPREAD]).mean(axis=1)
    return np.pad(rise, _SPREAD // 2).astype(np.float64)


def onsets(curve: Vector) -> tuple[Vector, Vector]:
    """Times in seconds of the curve's peaks, between its values by the vertex of a parabola, and how high each is."""
    reach = round(_APART_SECONDS * RATE / HOP)
    at = np.flatnonzero((curve == maximum_filter1d(curve, 2 * reach + 1)) & (curve > _LEAST_DB))
    at = at[(at > 0) & (at < len(curve) - 1)]
    before, top, after = curve[at - 1], curve[at], curve[at + 1]
    bend = before - 2 * top + after
    vertex = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)
    return (at + np.clip(vertex, -0.5, 0.5)) * HOP / RATE + _LEAD_SECONDS, top


def heard_late(planned: Vector, times: Vector, heights: Vector, reach: float) -> Vector:
    """For each of the ``planned`` times (ascending, seconds) by how much later the strongest onset near it is heard;
    NaN where there is none within ``reach`` seconds, nor nearer to it than to its neighbours."""
    room = np.minimum(np.diff(planned, prepend=-np.inf), np.diff(planned, append=np.inf)) / 2
    late = np.full(len(planned), np.nan)
    first = np.searchsorted(times, planned - np.minimum(room, reach))
    last = np.searchsorted(times, planned + np.minimum(room, reach))
    for index, (low, high) in enumerate(zip(first, last, strict=True)):
        if high > low:
            late[index] = times[low + int(np.argmax(heights[low:high]))] - planned[index]
    return late
