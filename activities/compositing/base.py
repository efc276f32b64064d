"""The compositing capability: avatar clips, plates, brand and sound become the finished video.

Two steps, so that an edited sentence costs one sentence: each segment's picture is drawn and encoded alone
(``compose``), then the film is joined without re-encoding and its sound is mixed (``assemble``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.avatar.base import Clip
from activities.support.engine import Engine, Progress
from models.alignment import Alignment
from models.layout import Layout, Shape


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
class FilmSegment:
    """A composed segment with the sound and words that belong to it. ``frames`` at the layout's fps."""

    picture: Path
    frames: int
    wav: Path
    alignment: Alignment


@dataclass(frozen=True)
class Film:
    """What to join. The picture of every segment was composed for ``shape``."""

    segments: tuple[FilmSegment, ...]
    layout: Layout
    shape: Shape
    assets: Mapping[str, Path]


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

    def assemble(self, film: Film, out: Path, progress: Progress) -> FinishedFilm:
        """Write the finished files into the directory ``out``. Loudness and true peak meet the layout's targets."""
        ...
