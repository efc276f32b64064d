"""Music whose truth is known: a composed song, and a track of chords and clicks with no score."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from activities.music.base import Composition
from activities.music.composer import ComposerEngine
from activities.support.engine import no_progress
from models.music import Genre
from tests.music.conftest import plan

RATE = 44_100


@pytest.fixture(scope="session")
def song(tmp_path_factory: pytest.TempPathFactory) -> Composition:
    return ComposerEngine().compose(plan(Genre.HYPERPOP), 4, tmp_path_factory.mktemp("song"), no_progress)


@dataclass(frozen=True)
class Track:
    """G, D, Em and C, a bar each, with a kick on the first beat and clicks on the others."""

    wav: Path
    tempo_bpm: float
    first_beat: float
    roots: tuple[int, ...]


@pytest.fixture(scope="session")
def track(tmp_path_factory: pytest.TempPathFactory) -> Track:
    tempo, first, bars = 97.0, 0.8, 24
    chords = ((7, (55, 59, 62)), (2, (54, 57, 62)), (4, (55, 59, 64)), (0, (55, 60, 64)))
    beat = 60 / tempo
    noise = np.random.default_rng(1)
    sound = np.zeros(int((first + (bars * 4 + 2) * beat) * RATE))

    def add(start: float, piece: np.ndarray) -> None:
        at = int(start * RATE)
        sound[at : at + len(piece)] += piece[: len(sound) - at]

    for index in range(bars * 4):
        pitches = chords[index // 4 % 4][1]
        t = np.arange(int(beat * RATE)) / RATE
        loud = 0.5 if index // 4 < 8 else 1.0
        tone = sum(np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * t) for pitch in pitches) * np.exp(-2 * t)
        add(first + index * beat, 0.08 * loud * tone)
        if index % 4 == 0:
            add(first + index * beat, 0.5 * np.sin(2 * np.pi * 60 * t) * np.exp(-12 * t))
        else:
            add(first + index * beat, 0.2 * loud * noise.standard_normal(len(t)) * np.exp(-90 * t))
    wav = tmp_path_factory.mktemp("track") / "track.wav"
    sf.write(wav, sound, RATE, subtype="PCM_16")
    return Track(wav, tempo, first, tuple(root for root, _ in chords))
