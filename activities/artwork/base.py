"""The artwork capability: a song's name, colours and energy become its cover."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.base import HexColour
from models.identity import Motif
from models.music import SoundAnalysis


@dataclass(frozen=True)
class CoverBrief:
    """What a cover is drawn from. ``palette`` goes from the darkest to the lightest; the last is for type."""

    artist: str
    title: str
    palette: tuple[HexColour, ...]
    motif: Motif
    analysis: SoundAnalysis
    seed: int


@dataclass(frozen=True)
class Cover:
    """The finished files, and the WCAG 2.1 contrast of the type against the picture under it."""

    picture: Path
    thumbnail: Path
    contrast: float


class ArtworkEngine(Engine, Protocol):
    """Draws covers."""

    def cover(self, brief: CoverBrief, out: Path, progress: Progress) -> Cover:
        """Write ``cover.jpg`` (3000 x 3000) and ``thumbnail.jpg`` (600 x 600) into the directory ``out``.

        Raises InvalidInput naming ``artist`` or ``title`` where it has letters that cannot be set.
        """
        ...
