"""The house's own store as a publisher: copies of what the public gets, apart from the package, so that a link that was
handed out stops to work the moment they are withdrawn."""

from typing import Protocol

from activities.publishing.base import Diary, Parcel
from activities.releases.base import Shelf
from activities.support.artifacts import ArtifactStore
from models.artifacts import Artifact
from models.errors import ArtifactLost, StorageUnavailable
from models.publication import STORE, Place, public_copy, public_folder, public_path


class PublicStore(ArtifactStore, Protocol):
    """A store that keeps artifacts under names, and forgets them."""

    def place(self, artifact: Artifact, key: str) -> Artifact:
        """A copy of the artifact at ``key``. Twice is once."""
        ...

    def clear(self, prefix: str) -> int:
        """Remove everything whose key begins with ``prefix``; how much that was."""
        ...


class StorePublisher:
    """Implements :class:`activities.publishing.base.Publisher`. ``api_url`` is the address people reach the API by: it
    serves the release's page, whose links it signs."""

    name = STORE

    def __init__(self, artifacts: PublicStore, shelf: Shelf, api_url: str) -> None:
        self._artifacts = artifacts
        self._shelf = shelf
        self._api_url = api_url.rstrip("/")

    def check(self) -> None:
        """See the Protocol: it needs nothing."""

    def publish(self, parcel: Parcel, diary: Diary) -> Place:
        """See the Protocol."""
        package = parcel.release.package
        self._shelf.confirm(parcel.release.kept, package)
        folder = public_folder(package)
        for path, artifact in parcel.files.items():
            if public_path(path):
                self._artifacts.place(artifact, f"{folder}/{path}")
                diary.note({"placed": path})
        return Place(
            external_id=folder,
            url=f"{self._api_url}/releases/{package.track_id}/page",
            sha256=parcel.release.kept.manifest.sha256,
        )

    def confirm(self, parcel: Parcel, place: Place) -> Place:
        """See the Protocol."""
        for path, artifact in parcel.files.items():
            if public_path(path) and not self._artifacts.exists(public_copy(artifact, place.external_id, path)):
                raise ArtifactLost(f"{path} of {parcel.release.package.track_id} is not in {place.external_id}")
        return place

    def unpublish(self, parcel: Parcel, place: Place | None) -> None:
        """See the Protocol. The package stays where it is kept: it belongs to the house, not to the public."""
        folder = place.external_id if place else public_folder(parcel.release.package)
        self._artifacts.clear(f"{folder}/")
        if self._artifacts.clear(f"{folder}/"):
            raise StorageUnavailable(f"the store still lists files in {folder}")
