"""Packages in the artifacts' own bucket: every file is a copy that the server makes, the manifest comes last."""

from pathlib import Path
from typing import Protocol

from activities.support.artifacts import ArtifactStore
from models.artifacts import Artifact
from models.errors import ArtifactLost
from models.release import KeptPackage, Manifest, PackageToKeep

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
        local = folder / MANIFEST
        listed = Manifest(track_id=package.track_id, files=dict(sorted(placed.items())))
        local.write_text(listed.model_dump_json(indent=1), encoding="utf-8")
        manifest = self._artifacts.place(self._artifacts.put(local, "application/json"), _key(package, MANIFEST))
        return KeptPackage(manifest=manifest, folder=manifest.uri.removesuffix(f"/{MANIFEST}"))

    def confirm(self, package: KeptPackage, files: PackageToKeep) -> None:
        """See the Protocol."""
        listed = Manifest.model_validate_json(self._artifacts.fetch(package.manifest).read_bytes())
        for file in files.files:
            placed = listed.files.get(file.path)
            if placed is None or placed.sha256 != file.file.sha256 or not self._artifacts.exists(placed):
                raise ArtifactLost(f"{file.path} is not in the package {package.folder}")


def _key(package: PackageToKeep, path: str) -> str:
    return f"releases/{package.tenant}/{package.artist}/{package.track_id}/{path}"
