"""The footage capability: a motif, colours and themes become clips that a music video is cut from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.base import HexColour
from models.identity import Motif
from models.layout import Shape


@dataclass(frozen=True)
class FootageBrief:
    """What is looked for: ``count`` clips for a video of that shape and rate. ``palette`` is from dark to light."""

    shape: Shape
    fps: int
    motif: Motif
    palette: tuple[HexColour, ...]
    themes: tuple[str, ...]
    count: int
    seed: int


@dataclass(frozen=True)
class Plate:
    """A clip in the house's format (see ``plates.py``), and to whom it is owed."""

    video: Path
    seconds: float
    author: str
    page: str
    licence: str


class FootageEngine(Engine, Protocol):
    """A library of footage."""

    def find(self, brief: FootageBrief, out: Path, progress: Progress) -> tuple[Plate, ...]:
        """Write up to ``brief.count`` plates into the directory ``out``, in the order in which they are to be cut.

        Deterministic in ``brief`` and in what the library answers. Raises EngineUnavailable without a key,
        EngineFailed (``footage.too_few``) where the library has not enough that fits, ProviderFault when it failed.
        """
        ...
