"""Artifacts as stages see them: fetch to a local file, put from a local file. ``s3.py`` implements it."""

from pathlib import Path
from typing import Protocol

from models.artifacts import Artifact


class ArtifactStore(Protocol):
    """A content-addressed store. All methods block; they are called from worker threads."""

    def fetch(self, artifact: Artifact) -> Path:
        """A local file that holds the artifact's bytes, checked against its sha256. Read only; lives in a cache.

        Raises ArtifactLost when the bytes are gone or changed, StorageUnavailable when the store is out of reach.
        """
        ...

    def put(self, path: Path, media_type: str, duration_ms: int | None = None) -> Artifact:
        """Store the file's bytes under their sha256. Twice is once. Raises StorageUnavailable or StorageFull."""
        ...

    def exists(self, artifact: Artifact) -> bool:
        """Whether the store still holds the artifact's bytes, by size."""
        ...

    def url(self, artifact: Artifact, *, seconds: int, filename: str = "") -> str:
        """A signed URL that serves the bytes for ``seconds``."""
        ...
