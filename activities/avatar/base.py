"""The avatar capability: mouth curves and speech become a moving person on a transparent ground."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.alignment import Alignment
from models.script import Tone


@dataclass(frozen=True)
class Performance:
    """What the avatar performs: one segment. ``curves`` is the lipsync file (float32 [frames, 52], ARKit order)."""

    curves: Path
    wav: Path
    alignment: Alignment
    tone: Tone
    fps: int
    seed: int


@dataclass(frozen=True)
class Subject:
    """Who performs: a look of the presenter by name, or a photo."""

    look: str
    photo: Path | None = None


@dataclass(frozen=True)
class Clip:
    """An mp4 (H.264, yuv420p, no audio) of ``frames`` frames at ``fps``.

    With ``matte`` the picture is ``height`` rows of colour above ``height`` rows of grey matte (white = opaque), so the
    file is ``2 * height`` rows tall; both halves are straight (not premultiplied).
    """

    path: Path
    width: int
    height: int
    frames: int
    fps: int
    matte: bool


class AvatarEngine(Engine, Protocol):
    """Draws a performance."""

    def looks(self) -> tuple[str, ...]:
        """The looks that are ready, by name; empty for engines that perform photos."""
        ...

    def perform(self, performance: Performance, subject: Subject, height: int, out: Path, progress: Progress) -> Clip:
        """Write ``out``. First and last frame are the neutral pose, so segments join without a jump. Deterministic.

        Raises MediaRejected for a photo that is not one usable face, UnknownReference for an unknown look,
        EngineUnavailable for an absent program or model.
        """
        ...
