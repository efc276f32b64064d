"""Material for the compositor's tests: a figure in the avatar's stacked format, spoken sentences, plates and a bed."""

import functools
import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hibari import Hibari
from PIL import Image, ImageDraw, ImageFilter

from activities.avatar.base import Clip
from activities.compositing.base import (
    CardPicture,
    Film,
    FilmSegment,
    FinishedFilm,
    SegmentPicture,
    SpokenSound,
)
from activities.compositing.ffmpeg import FfmpegCompositor
from activities.support.engine import no_progress
from activities.support.ffmpeg import encode_frames
from models.alignment import Alignment, WordTiming
from models.artifacts import Artifact
from models.layout import Brand, Captions, Card, Layout, LowerThird, MusicBed, Shape

FPS = 25


def artifact(path: Path, media_type: str) -> tuple[Artifact, dict[str, Path]]:
    """An artifact for a local file, and the assets that hold it."""
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    return Artifact(uri=f"s3://assets/{path.name}", sha256=sha256, media_type=media_type, size=len(data)), {
        sha256: path
    }


def figure(size: int, sway: float) -> Image.Image:
    """Head and shoulders over their matte, ``size`` wide and twice as tall, swayed by ``sway`` of the width."""
    scale = size / 100
    picture, matte = Image.new("RGB", (size, size), "#6d5c50"), Image.new("L", (size, size))
    shapes = [
        ((14, 62, 86, 140), "#22304a", 0.2),
        ((42, 50, 58, 72), "#b98a70", 0.6),
        ((34, 14, 66, 60), "#c79a80", 1.0),
    ]
    for (x0, y0, x1, y1), ink, part in shapes:
        shift = sway * 100 * part
        box = tuple(value * scale for value in (x0 + shift, y0, x1 + shift, y1))
        ImageDraw.Draw(picture).ellipse(box, fill=ink)
        ImageDraw.Draw(matte).ellipse(box, fill=255)
    both = Image.new("RGB", (size, size * 2))
    both.paste(picture, (0, 0))
    both.paste(matte.filter(ImageFilter.GaussianBlur(scale / 4)).convert("RGB"), (0, size))
    return both


def make_clip(out: Path, frames: int, size: int = 360, *, matte: bool = True) -> Clip:
    """A figure that sways, from a still pose to a still pose."""

    def drawn() -> Iterator[bytes]:
        for number in range(frames):
            sway = 0.02 * math.sin(math.pi * number / max(1, frames - 1)) * math.sin(number / 7)
            both = figure(size, sway)
            yield (both if matte else both.crop((0, 0, size, size))).tobytes()

    encode_frames(drawn(), out, (size, size * 2 if matte else size), FPS)
    return Clip(out, size, size, frames, FPS, matte)


@functools.cache
def _voice() -> Hibari:
    return Hibari()


def speak(text: str, out: Path, pause: float = 0.25) -> Alignment:
    """``text`` as a WAV file, with the word times spread by length: near enough to lay captions out."""
    voice = _voice()
    blocks = [np.asarray(block, np.float32).ravel() for block in voice.stream(text, seed=1)]
    samples = np.concatenate([*blocks, np.zeros(int(pause * voice.sample_rate), np.float32)])
    soundfile.write(out, samples, voice.sample_rate, subtype="PCM_16")
    duration = len(samples) / voice.sample_rate
    return spread(text, 0.1, duration - pause, duration)


def spread(text: str, start: float, end: float, duration: float) -> Alignment:
    """The words of ``text`` between ``start`` and ``end``, each as long as its letters."""
    words = text.split()
    edges = np.cumsum([0.0] + [len(word) + 1.5 for word in words])
    times = start + (end - start) * edges / edges[-1]
    timings = tuple(
        WordTiming(text=word, start=round(float(a), 3), end=round(float(b) - 0.01, 3))
        for word, a, b in zip(words, times[:-1], times[1:], strict=True)
    )
    return Alignment(words=timings, duration=duration, source="test")


def still_alignment(frames: int) -> Alignment:
    """Nobody speaks for ``frames`` frames."""
    return Alignment(words=(), duration=frames / FPS, source="test")


def picture_of(clip: Clip, layout: Layout, shape: Shape = Shape.WIDE, **changes: object) -> SegmentPicture:
    """A segment without words that shows ``clip``; ``changes`` replace single fields."""
    given: dict[str, object] = {
        "index": 0,
        "clip": clip,
        "alignment": still_alignment(clip.frames),
        "layout": layout,
        "shape": shape,
        "offset_ms": 0,
        "assets": {},
    }
    return SegmentPicture(**{**given, **changes})  # type: ignore[arg-type]


@dataclass
class Studio:
    """A compositor and a folder to work in."""

    folder: Path
    engine: FfmpegCompositor = field(default_factory=FfmpegCompositor)

    def frames(self, segment: SegmentPicture, name: str = "segment") -> list[np.ndarray]:
        """Every frame of the composed segment as RGB."""
        out = self.folder / f"{name}.mp4"
        self.engine.compose(segment, out, no_progress)
        return decoded(out)

    def film(self, texts: list[str], layout: Layout, shape: Shape, assets: Mapping[str, Path]) -> Film:
        """``texts`` spoken and composed."""
        offset, segments, sounds = 0, [], []
        for index, text in enumerate(texts):
            wav = self.folder / f"{index}.wav"
            alignment = speak(text, wav)
            frames = math.ceil(alignment.duration * FPS)
            clip = make_clip(self.folder / f"clip{index}.mp4", frames)
            out = self.folder / f"segment{index}.mp4"
            self.engine.compose(SegmentPicture(index, clip, alignment, layout, shape, offset, assets), out, no_progress)
            segments.append(FilmSegment(out, frames, alignment))
            sounds.append(SpokenSound(wav, frames, alignment))
            offset += frames * 1000 // FPS
        sound = self.folder / "sound.m4a"
        self.engine.soundtrack(tuple(sounds), layout.sound(), assets, sound, no_progress)
        intro, outro = (
            self.card(card, opening, layout.brand, shape, segments[place].picture) if card else None
            for card, opening, place in ((layout.intro, True, 0), (layout.outro, False, -1))
        )
        return Film(tuple(segments), sound, intro, outro, layout, shape)

    def card(self, card: Card, opening: bool, brand: Brand, shape: Shape, beside: Path) -> Path:
        """``card`` drawn."""
        out = self.folder / f"{'intro' if opening else 'outro'}.mp4"
        self.engine.card(CardPicture(card, opening, brand, FPS, shape, beside, {}), out, no_progress)
        return out


def decoded(path: Path) -> list[np.ndarray]:
    """Every frame of a video as RGB."""
    import av  # noqa: PLC0415

    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture(scope="session")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven seconds of a chord in stereo at 44.1 kHz: shorter than the films, so that it has to be looped."""
    path = tmp_path_factory.mktemp("bed") / "bed.wav"
    at = np.arange(7 * 44_100) / 44_100
    left, right = (sum(np.sin(2 * np.pi * f * at) for f in chord) for chord in ((220, 277.2, 329.6), (221, 278, 330.5)))
    soundfile.write(path, 0.1 * np.stack([left, right], axis=1), 44_100)
    return path


TEXTS = ["Good morning, and welcome.", "Revenue grew by eighteen percent in the third quarter.", "Yes."]


def full_layout(track: Artifact) -> Layout:
    """Everything on."""
    return Layout(
        brand=Brand(name="Acme"),
        lower_third=LowerThird(name="Avery Collins", title="Chief Executive", start_ms=200, duration_ms=2_000),
        captions=Captions.BOTH,
        intro=Card(title="Quarterly review", subtitle="Third quarter", duration_ms=600),
        outro=Card(title="Thank you", duration_ms=400),
        music=MusicBed(track=track),
    )


@dataclass(frozen=True)
class Finished:
    """A film with everything on, and what it was made of."""

    film: Film
    made: FinishedFilm
    reports: tuple[tuple[int, int], ...]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, bed: Path) -> Finished:
    studio = Studio(tmp_path_factory.mktemp("film"))
    track, assets = artifact(bed, "audio/wav")
    film = studio.film(TEXTS, full_layout(track), Shape.WIDE, assets)
    reports: list[tuple[int, int]] = []
    out = studio.folder / "out"
    out.mkdir()
    made = studio.engine.assemble(film, out, lambda done, total: reports.append((done, total)))
    return Finished(film, made, tuple(reports))
