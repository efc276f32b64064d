"""The releases capability: a decided track becomes the files of a release; a shelf is where they are kept together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.artifacts import Artifact
from models.music import Lyrics, SungTiming
from models.release import KeptPackage, PackageToKeep
from models.song_stages import ReleaseRequest


@dataclass(frozen=True)
class Sources:
    """What the release is made from, as local files. ``stems`` and ``videos`` by the names they get in the package."""

    master: Path
    instrumental: Path
    cover: Path
    stems: Mapping[str, Path]
    videos: Mapping[str, Path]
    lyrics: Lyrics
    timing: SungTiming


@dataclass(frozen=True)
class Packed:
    """A file of the package that was made for it, or an artifact that goes in as it is."""

    path: str
    file: Path | Artifact
    media_type: str


class ReleaseEngine(Engine, Protocol):
    """Encodes and describes."""

    def encode(self, request: ReleaseRequest, sources: Sources, folder: Path, progress: Progress) -> tuple[Packed, ...]:
        """Every file of the package but its manifest, those it made lying in ``folder``. Deterministic.

        Raises MediaRejected for a source that cannot be read, EngineFailed when nothing usable came out.
        """
        ...


class Shelf(Protocol):
    """Where packages stand: one directory each, whole as soon as its manifest is there."""

    def keep(self, package: PackageToKeep, folder: Path) -> KeptPackage:
        """Copy every file to its place and write the manifest last. Twice is once. ``folder`` is for scratch."""
        ...

    def confirm(self, package: KeptPackage, files: PackageToKeep) -> None:
        """Read the package back. Raises ArtifactLost for what is not there."""
        ...
