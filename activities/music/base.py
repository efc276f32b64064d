"""The music capability: a plan becomes a recording, with stems and a score where the engine has them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.music import Score, SongPlan


@dataclass(frozen=True)
class Composition:
    """A song without its voice. All files are stereo WAV at 44.1 kHz; the stems are as long as the mix and add up to
    it, sample by sample."""

    mix: Path
    seconds: float
    source: str
    """Who made it, for the credits: an engine, or a model by its name."""
    stems: Mapping[str, Path] = field(default_factory=dict)
    score: Score | None = None


class MusicEngine(Engine, Protocol):
    """Makes the music of a song."""

    def compose(self, plan: SongPlan, seed: int, folder: Path, progress: Progress) -> Composition:
        """Write the song's files into ``folder``. Deterministic in ``plan`` and ``seed`` where the engine is local.

        Raises UnknownReference for an instrument that does not exist, EngineUnavailable for an absent program, key or
        weight, EngineFailed when nothing usable came out, ProviderFault when a hosted engine failed.
        """
        ...
