"""A short song made here: a kick on every beat, a pad that is louder in the chorus, a hiss on the offbeats."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from PIL import Image

from activities.musicvideo.base import VideoBrief
from models.identity import Motif
from models.layout import Shape
from models.music import Genre, Grid, Key, Mode, ScoredSection, SectionKind, SoundAnalysis, SungTiming, SungWord

RATE, BEAT, BARS = 44_100, 0.5, 4
FPS = 25
PALETTE = ("#0b1026", "#2b2d6e", "#c2426b", "#f2a65a", "#fff3dc")


def song(out: Path, bars: int = BARS) -> SoundAnalysis:
    seconds = bars * 4 * BEAT
    time = np.arange(round(seconds * RATE)) / RATE
    into = time % BEAT
    chorus = time >= seconds / 2
    kick = np.sin(2 * np.pi * 55 * into) * np.exp(-into / 0.09)
    hiss = np.random.default_rng(1).normal(0, 1, len(time)) * np.exp(-((time + BEAT / 2) % BEAT) / 0.03)
    pad = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 277, 330)) * np.where(chorus, 0.12, 0.04)
    sound = 0.5 * kick + 0.05 * hiss + pad
    sf.write(out, np.stack([sound, sound], axis=1) * 0.8, RATE, subtype="PCM_24")
    beats = np.arange(bars * 4) * BEAT
    sections = (
        ScoredSection(kind=SectionKind.VERSE, start_bar=0, bars=bars // 2),
        ScoredSection(kind=SectionKind.CHORUS, start_bar=bars // 2, bars=bars - bars // 2),
    )
    return SoundAnalysis(
        grid=Grid(tempo_bpm=60 / BEAT),
        beats=tuple(beats.tolist()),
        downbeats=tuple(beats[::4].tolist()),
        key=Key(tonic=9, mode=Mode.MAJOR),
        sections=sections,
        duration_ms=round(seconds * 1000),
        loudness_lufs=-14.0,
        energy=tuple(np.where(beats >= seconds / 2, 1.0, 0.5).tolist()),
        source="score",
    )


WORDS = SungTiming(
    lines=(
        tuple(
            SungWord(text=text, start=1.0 + 0.4 * number, end=1.3 + 0.4 * number)
            for number, text in enumerate(["over", "the", "glass", "{and}", "the", "tide"])
        ),
        tuple(
            SungWord(text=text, start=4.0 + 0.3 * number, end=4.25 + 0.3 * number)
            for number, text in enumerate(["hold", "the", "line"])
        ),
    )
)

Briefs = Callable[..., VideoBrief]


@pytest.fixture(scope="session")
def briefs(tmp_path_factory: pytest.TempPathFactory) -> Briefs:
    folder = tmp_path_factory.mktemp("song")
    cover = folder / "cover.jpg"
    Image.fromarray(np.full((900, 900, 3), (30, 90, 200), np.uint8)).save(cover)

    def brief(bars: int = BARS, **changes: object) -> VideoBrief:
        master = folder / f"master-{bars}.wav"
        values: dict[str, object] = {
            "shape": Shape.WIDE,
            "fps": FPS,
            "artist": "Mira Solvang",
            "title": "Glass Harbour",
            "palette": PALETTE,
            "motif": Motif.RIBBONS,
            "genre": Genre.ELECTRONIC,
            "master": master,
            "analysis": song(master, bars),
            "timing": WORDS,
            "cover": cover,
            "plates": (),
            "seed": 5,
        }
        return VideoBrief(**{**values, **changes})  # type: ignore[arg-type]

    return brief
