"""The music video capability: a master, its analysis and its words become a moving picture in one shape."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.base import HexColour
from models.identity import Motif
from models.layout import Shape
from models.music import Genre, SoundAnalysis, SungTiming


@dataclass(frozen=True)
class VideoBrief:
    """What a video is drawn from. ``palette`` goes from the darkest to the lightest; ``plates`` are footage (local
    files) in the order it is cut; without any, every picture is generated."""

    shape: Shape
    fps: int
    artist: str
    title: str
    palette: tuple[HexColour, ...]
    motif: Motif
    genre: Genre
    master: Path
    analysis: SoundAnalysis
    timing: SungTiming
    cover: Path
    plates: tuple[Path, ...]
    seed: int


@dataclass(frozen=True)
class FinishedVideo:
    """The finished files, the frames on which the picture cuts, and the video's length in seconds."""

    video: Path
    thumbnail: Path
    cuts: tuple[int, ...]
    duration: float


class MusicVideoEngine(Engine, Protocol):
    """Draws music videos."""

    def draw(self, brief: VideoBrief, out: Path, progress: Progress) -> FinishedVideo:
        """Write ``video.mp4`` (H.264 and AAC, as long as the master) and ``thumbnail.jpg`` into the directory ``out``.

        Raises InvalidInput naming ``artist``, ``title`` or ``timing`` where letters cannot be set, MediaRejected naming
        a file that is not what it has to be.
        """
        ...
