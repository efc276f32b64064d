"""Key, chords and sections from a chromagram: key profiles, chord templates, and boundaries near where the plan puts
them. Chroma arrays are [frames or bars, 12], C first."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.music import BEATS_PER_BAR, Chord, ChordQuality, Form, Key, Mode, ScoredSection, SectionKind

Floats = NDArray[np.float64]

_MAJOR_PROFILE: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR_PROFILE: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""Probe-tone ratings of Krumhansl and Kessler (1982)."""
_BASE: Final = {
    Mode.MAJOR: _MAJOR_PROFILE,
    Mode.LYDIAN: _MAJOR_PROFILE,
    Mode.MIXOLYDIAN: _MAJOR_PROFILE,
    Mode.MINOR: _MINOR_PROFILE,
    Mode.DORIAN: _MINOR_PROFILE,
}
_FOREIGN: Final = 0.6
"""How far a profile falls for tones that a mode leaves out, and rises for those it has instead."""
_PLAIN: Final = 0.03
_RELATIVE: Final = 0.25
_VOICED_FROM: Final = 55
_WINDOW: Final = 2


def profile(key: Key) -> Floats:
    """The key's profile: its relative's of major or minor, with the mode's own scale degrees raised."""
    base = np.array(_BASE[key.mode])
    scale = {(one - key.tonic) % 12 for one in key.scale}
    shaped = np.array([value + _FOREIGN if step in scale else value - _FOREIGN for step, value in enumerate(base)])
    return np.roll(shaped, key.tonic)


def find_key(chroma: Floats, expected: Key | None = None) -> Key:
    """The key whose profile correlates best with the whole song's chroma; church modes have to be heard plainly.
    ``expected`` decides between relatives, which share all their notes."""
    mean = chroma.mean(axis=0)
    keys = [Key(tonic=tonic, mode=mode) for mode in Mode for tonic in range(12)]
    plain = {Mode.MAJOR, Mode.MINOR}
    scores = {
        key: float(np.corrcoef(mean, profile(key))[0, 1]) + (_PLAIN if key.mode in plain else 0.0) for key in keys
    }
    best = max(keys, key=lambda key: scores[key])
    if expected is not None and set(expected.scale) == set(best.scale) and scores[expected] > scores[best] - _RELATIVE:
        return expected
    return best


def find_chords(bars: Floats, key: Key) -> tuple[Chord, ...]:
    """A triad for each bar: the template with the largest cosine, chords of the key before others."""
    chords = []
    for bar, chroma in enumerate(bars):
        root, quality = max(_TEMPLATES, key=lambda name: _match(chroma, name, key))
        steps = _STEPS[quality]
        pitches = tuple(sorted(_VOICED_FROM + (root + step - _VOICED_FROM) % 12 for step in steps))
        chords.append(
            Chord(start=bar * BEATS_PER_BAR, beats=BEATS_PER_BAR, root=root, quality=quality, pitches=pitches)
        )
    return tuple(chords)


_STEPS: Final = {ChordQuality.MAJOR: (0, 4, 7), ChordQuality.MINOR: (0, 3, 7)}
_TEMPLATES: Final = tuple((root, quality) for quality in _STEPS for root in range(12))


def _match(chroma: Floats, name: tuple[int, ChordQuality], key: Key) -> float:
    root, quality = name
    classes = [(root + step) % 12 for step in _STEPS[quality]]
    own = sum(one in key.scale for one in classes) / 3
    weights = np.array([1.15, 1.0, 1.0])
    return float(chroma[classes] @ weights / (np.linalg.norm(chroma) * np.linalg.norm(weights) + 1e-9)) + 0.1 * own


def find_sections(bars: Floats, form: Form) -> tuple[ScoredSection, ...]:
    """The plan's sections over the bars that were heard: each boundary moves to the largest change of sound within two
    bars of where the plan's proportions put it. ``bars`` are features [bars, any]. Kinds that no longer fit into a
    recording that is much shorter are left out from the end."""
    count = len(bars)
    kinds = [section.kind for section in form][:count]
    total = sum(section.bars for section in form[: len(kinds)])
    change = _novelty(bars)
    edges = [0]
    planned = 0
    for index, section in enumerate(form[: len(kinds) - 1], start=1):
        planned += section.bars
        expected = round(planned * count / total)
        latest = count - (len(kinds) - index)
        near = [bar for bar in range(expected - _WINDOW, expected + _WINDOW + 1) if edges[-1] < bar <= latest]
        edges.append(_boundary(near, change, edges[-1], expected) if near else edges[-1] + 1)
    edges.append(count)
    return tuple(_cut(kinds, edges))


def _boundary(near: Sequence[int], change: Floats, before: int, expected: int) -> int:
    """Where a section begins: where the sound changes, near what was planned, after whole phrases."""

    def worth(bar: int) -> float:
        return float(change[bar]) - 0.1 * abs(bar - expected) + (0.25 if (bar - before) % _PHRASE_BARS == 0 else 0.0)

    return max(near, key=lambda bar: (worth(bar), -bar))


_PHRASE_BARS: Final = 4
_LONGEST: Final = 32


def _cut(kinds: Sequence[SectionKind], edges: Sequence[int]) -> list[ScoredSection]:
    """Sections between ``edges``; what is longer than a section may be is left to whatever comes after it."""
    return [
        ScoredSection(kind=kind, start_bar=first, bars=min(_LONGEST, last - first))
        for kind, (first, last) in zip(kinds, pairwise(edges), strict=True)
    ]


def _novelty(bars: Floats) -> Floats:
    """How different the two bars before each bar are from the two that begin with it, scaled to 1."""
    scaled = (bars - bars.mean(axis=0)) / (bars.std(axis=0) + 1e-9)
    change = np.zeros(len(bars) + 1)
    for bar in range(1, len(bars)):
        before = scaled[max(0, bar - _WINDOW) : bar].mean(axis=0)
        change[bar] = float(np.linalg.norm(scaled[bar : bar + _WINDOW].mean(axis=0) - before))
    return change / (change.max() or 1.0)
