"""The compositing capability: avatar clips, plates, brand and sound become the finished video.

In parts, so that an edited sentence costs one sentence and nothing waits that need not: each segment's picture is drawn
and encoded alone (``compose``), the sound is mixed as soon as everything is spoken (``soundtrack``), a card needs only
the segment beside it (``card``), and joining copies packets (``assemble``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.avatar.base import Clip
from activities.support.engine import Engine, Progress
from models.alignment import Alignment
from models.layout import Brand, Card, Layout, Shape, SoundLayout


@dataclass(frozen=True)
class SegmentPicture:
    """One segment to draw. ``assets`` maps an artifact's sha256 to its local file."""

    index: int
    clip: Clip
    alignment: Alignment
    layout: Layout
    shape: Shape
    offset_ms: int
    """Where the segment begins in the spoken part; the lower third and moving plates depend on it."""
    assets: Mapping[str, Path]


@dataclass(frozen=True)
class SpokenSound:
    """The sound and words of one segment. ``frames`` at the film's fps."""

    wav: Path
    frames: int
    alignment: Alignment


@dataclass(frozen=True)
class CardPicture:
    """An intro or outro card to draw. It dissolves into the first picture of ``beside``, a composed segment of the same
    shape (``opening``), or comes out of its last."""

    card: Card
    opening: bool
    brand: Brand
    fps: int
    shape: Shape
    beside: Path
    assets: Mapping[str, Path]


@dataclass(frozen=True)
class FilmSegment:
    """A composed segment with its words. ``frames`` at the layout's fps."""

    picture: Path
    frames: int
    alignment: Alignment


@dataclass(frozen=True)
class Film:
    """What to join. Pictures were made for ``shape``; cards are there where the layout has them."""

    segments: tuple[FilmSegment, ...]
    sound: Path
    intro: Path | None
    outro: Path | None
    layout: Layout
    shape: Shape


@dataclass(frozen=True)
class FinishedFilm:
    """The files of one shape. ``speech_starts`` are the seconds at which each segment begins in the finished file."""

    video: Path
    thumbnail: Path
    srt: Path
    vtt: Path
    duration: float
    speech_starts: tuple[float, ...]


class CompositingEngine(Engine, Protocol):
    """Draws and joins."""

    def compose(self, segment: SegmentPicture, out: Path, progress: Progress) -> int:
        """Write ``out``: mp4, H.264 at the shape's size, closed GOP, no audio. Returns its frame count (the clip's)."""
        ...

    def card(self, card: CardPicture, out: Path, progress: Progress) -> None:
        """Write ``out``: a picture that can be joined with segments."""
        ...

    def soundtrack(
        self,
        segments: tuple[SpokenSound, ...],
        layout: SoundLayout,
        assets: Mapping[str, Path],
        out: Path,
        progress: Progress,
    ) -> None:
        """Write ``out``: the film's sound as it will be joined, as long as its picture. Loudness and true peak meet the
        layout's targets."""
        ...

    def assemble(self, film: Film, out: Path, progress: Progress) -> FinishedFilm:
        """Write the finished files into the directory ``out``; no packet of picture or sound is made anew."""
        ...
