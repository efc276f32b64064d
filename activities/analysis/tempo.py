"""Tempo, beats and downbeats from librosa's onset envelope: a constant tempo, its phase, and which beat is the first of
a bar. Frames are ``HOP`` samples at ``RATE``."""

from dataclasses import dataclass
from typing import Final

import librosa
import numpy as np
from numpy.typing import NDArray

from models.music import BEATS_PER_BAR

RATE: Final = 22_050
HOP: Final = 256
_SEARCH: Final = 0.06
"""How far from the tracked tempo the fine search looks, as a share of it."""
_BASS_SHARE: Final = 0.2
"""What the bass says of downbeats against what the harmony says: basses also enter, louder, in the middle of a bar."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pulse:
    """A constant tempo and the time in seconds of the first beat in the recording."""

    tempo_bpm: float
    first: float

    def beats(self, seconds: float) -> Floats:
        """Times of all beats before ``seconds``."""
        period = 60 / self.tempo_bpm
        return np.arange(self.first, max(self.first + 1e-6, seconds), period)


def onset_envelope(samples: NDArray[np.float32]) -> Floats:
    """Spectral flux of mono ``samples`` at ``RATE``, per frame."""
    envelope = librosa.onset.onset_strength(y=samples, sr=RATE, hop_length=HOP, n_fft=1024, aggregate=np.median)
    return np.asarray(envelope, np.float64)


def find_pulse(envelope: Floats, expected_bpm: float) -> Pulse:
    """The tempo whose comb best meets the onsets. librosa's beat tracker gives the coarse tempo, counted in the octave
    of ``expected_bpm``; the comb then decides to a thousandth, as a tracker that looks a few seconds far cannot."""
    coarse = {_tracked(envelope, expected_bpm), expected_bpm}
    near = np.concatenate([bpm * np.linspace(1 - _SEARCH, 1 + _SEARCH, 241) for bpm in sorted(coarse)])
    best = max((_comb(envelope, bpm), bpm) for bpm in near)[1]
    fine = [(_comb(envelope, bpm), bpm) for bpm in best * np.linspace(0.9992, 1.0008, 33)]
    tempo = float(max(fine)[1])
    return Pulse(tempo, _phase(envelope, tempo))


def _tracked(envelope: Floats, expected_bpm: float) -> float:
    """The tracker's tempo, doubled or halved to the octave of ``expected_bpm``."""
    tempo, _ = librosa.beat.beat_track(
        onset_envelope=envelope, sr=RATE, hop_length=HOP, start_bpm=expected_bpm, tightness=100
    )
    found = float(np.atleast_1d(tempo)[0]) or expected_bpm
    return min((found * factor for factor in (0.25, 0.5, 1, 2, 4)), key=lambda bpm: abs(np.log2(bpm / expected_bpm)))


def _comb(envelope: Floats, bpm: float) -> float:
    """Magnitude of the envelope's Fourier component at the beat and at the eighth: both turn with the right tempo."""
    seconds = np.arange(len(envelope)) * HOP / RATE
    turns = np.exp(-2j * np.pi * seconds * bpm / 60)
    return float(abs(envelope @ turns) + abs(envelope @ turns**2) + 0.5 * abs(envelope @ turns**4))


def _phase(envelope: Floats, bpm: float) -> float:
    """Time of the first beat: where a comb with teeth a beat apart gathers the most."""
    period = 60 / bpm * RATE / HOP
    smooth = np.convolve(envelope, (0.25, 0.5, 0.25), "same")
    frames = np.arange(len(envelope))
    count = int((len(envelope) - 2) / period)
    shifts = np.arange(0, period, 0.25)
    sums = [np.interp(shift + period * np.arange(count), frames, smooth).sum() for shift in shifts]
    return float(shifts[int(np.argmax(sums))] * HOP / RATE)


def first_downbeat(novelty: Floats, bass: Floats) -> int:
    """Which of the first four beats opens a bar. ``novelty`` is the change of harmony at each beat, ``bass`` the onset
    of what is low: chords change and kicks fall on the first beat more than on the others."""
    scores = []
    for shift in range(BEATS_PER_BAR):
        change = novelty[shift::BEATS_PER_BAR].mean() / (novelty.mean() + 1e-9)
        low = bass[shift::BEATS_PER_BAR].mean() / (bass.mean() + 1e-9)
        scores.append(change + _BASS_SHARE * low)
    return int(np.argmax(scores))
