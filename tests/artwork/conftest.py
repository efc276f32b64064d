"""A song's analysis, for pictures that are shaped by it."""

import numpy as np
import pytest

from models.music import Grid, Key, Mode, ScoredSection, SectionKind, SoundAnalysis


@pytest.fixture(scope="session")
def analysis() -> SoundAnalysis:
    beats = np.arange(96) * 0.5
    energy = 0.35 + 0.6 * np.sin(beats / 7) ** 2
    return SoundAnalysis(
        grid=Grid(tempo_bpm=120),
        beats=tuple(beats.tolist()),
        downbeats=tuple(beats[::4].tolist()),
        key=Key(tonic=9, mode=Mode.MINOR),
        sections=(
            ScoredSection(kind=SectionKind.VERSE, start_bar=0, bars=12),
            ScoredSection(kind=SectionKind.CHORUS, start_bar=12, bars=12),
        ),
        duration_ms=48_000,
        loudness_lufs=-14.0,
        energy=tuple((energy / energy.max()).tolist()),
        source="score",
    )
