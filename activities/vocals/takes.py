"""Sung lines put together: levels, sibilants, joins, and takes that support the lead. Samples and notes alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import istft, stft

from activities.speech.kokoro_graph import FloatArray
from activities.speech.kokoro_voices import SAMPLE_RATE
from models.music import Key, LeadNote

LEVEL = 0.11
"""RMS of what sounds in a line: about -19 dBFS, which leaves 12 dB to the peaks."""
PEAK = 0.89
SOUNDING = 0.02
FADE = 0.012
SIBILANT_HZ = 4_500.0
"""Above this, s and sh are louder than any vowel."""
MOST_SIBILANT = 0.55
"""How loud sibilants may be against the line's level; measured on spoken lines they reach 0.4."""
_WINDOW = 512


@dataclass(frozen=True)
class Take:
    """A way the section is sung again. ``steps`` are diatonic: 2 is a third above."""

    name: str
    cents: float = 0.0
    delay: float = 0.0
    steps: int = 0
    consonants: float = 1.0


LEAD = Take("lead")


def supporting(seed: int) -> tuple[Take, ...]:
    """Two doubles, detuned and late by an amount of their own, and a harmony with weaker consonants."""
    draw = np.random.default_rng(seed)
    spread, late = draw.uniform(7.0, 11.0, 2), draw.uniform(0.010, 0.024, 3)
    return (
        Take("double-1", cents=float(spread[0]), delay=float(late[0]), consonants=0.92),
        Take("double-2", cents=-float(spread[1]), delay=float(late[1]), consonants=1.06),
        Take("harmony-1", cents=float(draw.uniform(-3, 3)), delay=float(late[2]), steps=2, consonants=0.9),
    )


def harmonised(notes: Sequence[LeadNote], steps: int, key: Key, high: int) -> tuple[LeadNote, ...]:
    """``notes`` moved by diatonic ``steps`` in ``key``: above, or as far below where any would leave the range."""
    moved = [_moved(note.pitch, steps, key) for note in notes]
    if max(moved) > high:
        moved = [_moved(note.pitch, -steps, key) for note in notes]
    return tuple(note.model_copy(update={"pitch": pitch}) for note, pitch in zip(notes, moved, strict=True))


def _moved(pitch: int, steps: int, key: Key) -> int:
    degrees = sorted(key.scale)
    scale = [12 * octave + degree for octave in range(11) for degree in degrees]
    nearest = min(range(len(scale)), key=lambda at: (abs(scale[at] - pitch), at))
    return min(max(scale[nearest + steps] + pitch - scale[nearest], 0), 127)


def levelled(samples: FloatArray) -> FloatArray:
    """A line at the level of all lines, its sibilants held back, faded at both ends."""
    sounding = samples[np.abs(samples) > SOUNDING]
    if not len(sounding):
        return samples
    scaled = samples * np.float32(LEVEL / float(np.sqrt(np.mean(sounding.astype(np.float64) ** 2))))
    softened = deessed(scaled)
    ramp = np.linspace(0.0, 1.0, int(FADE * SAMPLE_RATE), dtype=np.float32)
    softened[: len(ramp)] *= ramp
    softened[-len(ramp) :] *= ramp[::-1]
    return softened


def deessed(samples: FloatArray) -> FloatArray:
    """Samples (24 kHz) whose sibilants are no louder than MOST_SIBILANT of LEVEL."""
    frequencies, _, spectrum = stft(samples, SAMPLE_RATE, nperseg=_WINDOW)
    high = frequencies >= SIBILANT_HZ
    # A Hann window's spectrum, scaled by scipy so that a full-scale sine has amplitude one half.
    loud = np.sqrt(3.0 * np.sum(np.abs(spectrum[high]) ** 2, axis=0))
    gain = np.minimum(1.0, MOST_SIBILANT * LEVEL / np.maximum(loud, 1e-9))
    spectrum[high] *= np.convolve(np.pad(gain, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    _, result = istft(spectrum, SAMPLE_RATE, nperseg=_WINDOW)
    softened: FloatArray = result[: len(samples)].astype(np.float32)
    return softened


def placed(lines: Sequence[tuple[float, FloatArray]], seconds: float) -> FloatArray:
    """Lines at their times (seconds from the file's start) in a file of ``seconds``, quieter where it would clip."""
    result = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    for start, samples in lines:
        at = round(start * SAMPLE_RATE)
        piece = samples[max(-at, 0) : len(result) - at]
        at = max(at, 0)
        result[at : at + len(piece)] += piece
    peak = float(np.abs(result).max(initial=0.0))
    return result * np.float32(PEAK / peak) if peak > PEAK else result
