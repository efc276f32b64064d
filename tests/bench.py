"""A bench for tests of stages: artifacts in a directory, and work that is done at once."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from activities.support.stage import Bench
from models.artifacts import Artifact


class Folder:
    """A store that is a directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, path: Path, media_type: str, duration_ms: int | None = None) -> Artifact:
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        (self.folder / sha256).write_bytes(content)
        return Artifact(
            uri=f"s3://test/{sha256}",
            sha256=sha256,
            media_type=media_type,
            size=len(content),
            duration_ms=duration_ms,
        )

    def fetch(self, artifact: Artifact) -> Path:
        return self.folder / artifact.sha256


class Direct:
    """Stages without a ledger: the work is done at once."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    async def run(self, request: Any, engine: Any, kind: Any, work: Callable[[Bench], Any], **_: Any) -> Any:
        return work(self.bench)
