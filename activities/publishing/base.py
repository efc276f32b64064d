"""The publishing capability: a whole package goes to a place where people find it, once, and can be taken back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from models.artifacts import Artifact
from models.errors import ArtifactLost
from models.publication import Place, ReleaseToPublish

Note = Mapping[str, str | int]


@dataclass(frozen=True)
class Parcel:
    """A package as publishers see it. ``sheet`` is its ``release.json``; ``fetch`` gives a local file of an artifact;
    ``files`` are by their path in the package."""

    release: ReleaseToPublish
    sheet: Mapping[str, Any]
    files: Mapping[str, Artifact]
    fetch: Callable[[Artifact], Path]

    def file(self, path: str) -> Path:
        """The local file at ``path`` of the package. Raises ArtifactLost when the package has none."""
        if path not in self.files:
            raise ArtifactLost(f"the package {self.release.kept.folder} holds no {path}")
        return self.fetch(self.files[path])


@dataclass(frozen=True)
class Diary:
    """What an attempt leaves for the next one, should it be killed. ``left`` is what the one before left; ``note``
    keeps something newer, and raises to stop the work when it was cancelled."""

    left: Note
    note: Callable[[Note], None]


class Publisher(Protocol):
    """A place to publish at. Methods block; they are called from worker threads, several at once."""

    @property
    def name(self) -> str:
        """What plans call it."""
        ...

    def check(self) -> None:
        """Raises EngineUnavailable, naming the setting, when something is missing that it cannot do without."""
        ...

    def publish(self, parcel: Parcel, diary: Diary) -> Place:
        """Put it there, unless it is there already by its key. Raises ProviderFault for what may pass, QuotaSpent when
        it has to wait for another day, EngineUnavailable for credentials that are refused, EngineFailed for a release
        that the place does not take."""
        ...

    def confirm(self, parcel: Parcel, place: Place) -> Place:
        """Read back what is there: the place as it is now. Raises ArtifactLost or EngineFailed when it is not what was
        handed over, ProviderFault while that cannot be told."""
        ...

    def unpublish(self, parcel: Parcel, place: Place | None) -> None:
        """Take it back, and see that it is gone. Without ``place`` it is looked for by its key. Twice is once."""
        ...
