"""A short finished song of real sound: spoken lines over a beat, with everything it was planned to be."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr
from hibari import Hibari

from activities.audition.base import FinishedSong
from activities.mixing.master import mastered
from activities.mixing.presets import PRESETS
from activities.mixing.sound import write_stereo
from activities.quality.weights import unpack_whisper
from activities.support.ffmpeg import encode_frames
from models.identity import Delivery
from models.music import (
    BEATS_PER_BAR,
    Chord,
    ChordQuality,
    FormSection,
    Genre,
    GenreShare,
    Grid,
    Key,
    LyricLine,
    Lyrics,
    LyricSection,
    LyricWord,
    Mode,
    Note,
    Part,
    Score,
    ScoredSection,
    SectionKind,
    SongPlan,
    SoundAnalysis,
    SungTiming,
    SungWord,
)
from models.quality import TrackThresholds

RATE = 44_100
TEMPO = 120.0
LINES = ("Hold me closer when the morning comes again", "Every star above the water knows the way")
FPS = 25

Samples = npt.NDArray[np.float32]


def beat(seconds: float, tempo: float) -> Samples:
    """A kick on each beat and a hat between, mono."""
    count = round(seconds * RATE)
    at = np.arange(count) / RATE
    rng = np.random.default_rng(5)
    kick = np.exp(-(at % (60 / tempo)) * 25) * np.sin(2 * np.pi * 70 * (at % (60 / tempo)))
    hat = np.exp(-((at + 30 / tempo) % (60 / tempo)) * 90) * rng.standard_normal(count) * 0.2
    sound: Samples = (0.5 * kick + 0.5 * hat).astype(np.float32)
    return sound


def drummed(bars: int) -> Score:
    """What :func:`beat` plays."""
    key = Key(tonic=0, mode=Mode.MINOR)
    notes = tuple(
        Note(start=at / 2, beats=0.2, pitch=42 if at % 2 else 36, velocity=90) for at in range(bars * BEATS_PER_BAR * 2)
    )
    return Score(
        genre=Genre.CINEMATIC,
        tempo_bpm=TEMPO,
        key=key,
        swing=0,
        sections=(ScoredSection(kind=SectionKind.VERSE, start_bar=0, bars=bars),),
        chords=(Chord(start=0, beats=bars * BEATS_PER_BAR, root=0, quality=ChordQuality.MINOR, pitches=(48, 51, 55)),),
        parts=(Part(stem="drums", program=0, drums=True, notes=notes),),
    )


def lyrics(lines: tuple[str, ...]) -> Lyrics:
    written = tuple(
        LyricLine(words=tuple(LyricWord(text=word, syllables=1) for word in line.split())) for line in lines
    )
    section = LyricSection(kind=SectionKind.VERSE, lines=written)
    return Lyrics(title="Water", sections=(section,), source="test")


@dataclass(frozen=True)
class Voice:
    samples: Samples
    """Mono at 44.1 kHz, from the song's start."""
    timing: SungTiming


@pytest.fixture(scope="session")
def voice() -> Voice:
    """``LINES`` as they are said from the second second on."""
    reader = Hibari()
    samples, lines, at = np.zeros(12 * RATE, np.float32), [], 1.0
    for line in LINES:
        said = soxr.resample(np.asarray(reader(line), np.float32), 24_000, RATE)
        samples[round(at * RATE) : round(at * RATE) + len(said)] = said
        words, seconds = line.split(), len(said) / RATE
        edges = at + np.linspace(0, seconds, len(words) + 1)
        lines.append(tuple(SungWord(text=word, start=edges[i], end=edges[i + 1]) for i, word in enumerate(words)))
        at += seconds + 0.5
    assert at < 11.5
    return Voice(samples, SungTiming(lines=tuple(lines)))


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_whisper(tmp_path_factory.mktemp("weights") / "whisper-base")


@pytest.fixture(scope="session")
def song(voice: Voice, tmp_path_factory: pytest.TempPathFactory) -> FinishedSong:
    folder = tmp_path_factory.mktemp("song")
    music = beat(12.0, TEMPO) * 0.2
    mix = np.stack([music, music]) + voice.samples
    write_stereo(folder / "master.wav", mastered(mix, PRESETS[Genre.CINEMATIC].bus))
    soundfile.write(folder / "vocal.wav", voice.samples, RATE)
    soundfile.write(folder / "drums.wav", music, RATE)
    melody = np.zeros(12 * 80, np.float32)
    melody[80:400] = 220
    np.save(folder / "melody.npy", melody)
    key = Key(tonic=0, mode=Mode.MINOR)
    beats = tuple(i * 60 / TEMPO for i in range(24))
    pictures = (np.full((64, 64, 3), 80 + number // 25 * 10, np.uint8).tobytes() for number in range(12 * FPS))
    encode_frames(pictures, folder / "video.mp4", (64, 64), FPS)
    return FinishedSong(
        master=folder / "master.wav",
        vocal=folder / "vocal.wav",
        melody=folder / "melody.npy",
        timing=voice.timing,
        lyrics=lyrics(LINES),
        plan=SongPlan(
            genres=(GenreShare(genre=Genre.CINEMATIC, share=1),),
            tempo_bpm=TEMPO,
            key=key,
            form=(FormSection(kind=SectionKind.INTRO, bars=2), FormSection(kind=SectionKind.VERSE, bars=4)),
        ),
        analysis=SoundAnalysis(
            grid=Grid(tempo_bpm=TEMPO),
            beats=beats,
            downbeats=beats[::4],
            key=key,
            sections=(ScoredSection(kind=SectionKind.VERSE, start_bar=0, bars=6),),
            duration_ms=12_000,
            loudness_lufs=-14,
            energy=(),
            source="score",
        ),
        videos=(folder / "video.mp4",),
        cuts=((0, 50, 100, 150, 213),),
        language="en",
        delivery=Delivery.SUNG,
        thresholds=TrackThresholds(),
        stems={"drums": folder / "drums.wav"},
        score=drummed(6),
    )
