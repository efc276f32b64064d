"""The inspection capability: a file as it was uploaded becomes findings, or is refused."""

from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.inspection import Findings


class Inspector(Engine, Protocol):
    """Decodes uploads."""

    def inspect(self, path: Path, media_type: str, longest: float, progress: Progress) -> Findings:
        """What is in ``path``, which was taken for ``media_type``; sound and video of at most ``longest`` seconds.

        Raises MediaRejected for a file that nothing can be made of: not decodable, truncated, too long, too large, or
        unfit for every use of its kind. Raises EngineUnavailable when a model it looks with is absent.
        """
        ...
