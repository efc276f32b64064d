"""Packages in the artifacts' own bucket: every file is a copy that the server makes, the manifest comes last."""

import json
from pathlib import Path
from typing import Protocol

from activities.support.artifacts import ArtifactStore
from models.artifacts import Artifact
from models.errors import ArtifactLost
from models.release import KeptPackage, PackageToKeep

MANIFEST = "manifest.json"


class PlacingStore(ArtifactStore, Protocol):
    """A store that can also keep an artifact under a name."""

    def place(self, artifact: Artifact, key: str) -> Artifact:
        """A copy of the artifact at ``key``. Twice is once."""
        ...


class StoreShelf:
    """Implements :class:`activities.releases.base.Shelf`."""

    def __init__(self, artifacts: PlacingStore) -> None:
        self._artifacts = artifacts

    def keep(self, package: PackageToKeep, folder: Path) -> KeptPackage:
        """See the Protocol."""
        placed = {file.path: self._artifacts.place(file.file, _key(package, file.path)) for file in package.files}
        listing = {
            path: {"sha256": file.sha256, "size": file.size, "media_type": file.media_type}
            for path, file in sorted(placed.items())
        }
        local = folder / MANIFEST
        local.write_text(json.dumps({"track": package.track_id, "files": listing}, indent=1), encoding="utf-8")
        manifest = self._artifacts.place(self._artifacts.put(local, "application/json"), _key(package, MANIFEST))
        return KeptPackage(manifest=manifest, folder=manifest.uri.removesuffix(f"/{MANIFEST}"))

    def confirm(self, package: KeptPackage, files: PackageToKeep) -> tuple[str, ...]:
        """See the Protocol."""
        listing = json.loads(self._artifacts.fetch(package.manifest).read_text("utf-8"))["files"]
        for file in files.files:
            placed = file.file.model_copy(update={"uri": f"{package.folder}/{file.path}"})
            if listing.get(file.path, {}).get("sha256") != file.file.sha256 or not self._artifacts.exists(placed):
                raise ArtifactLost(f"{file.path} is not in the package {package.folder}")
        return (f"{package.folder}/index.html",)


def _key(package: PackageToKeep, path: str) -> str:
    return f"releases/{package.tenant}/{package.artist}/{package.track_id}/{path}"
