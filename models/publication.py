"""A publication: a release at one place, from the first try until it is withdrawn. What publishers are asked, what they
answer, and how a publication stands."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from models.approval import Principal, WorkId
from models.artifacts import Artifact
from models.base import Contract, Note, Sha256, Slug
from models.errors import Conflict, FailureDetails, UnknownReference
from models.release import KeptPackage, PackageToKeep

STORE = "store"
"""The publisher that needs nobody else: the package in the house's own store, with its landing page."""
YOUTUBE = "youtube"
PUBLISHERS = (STORE, YOUTUBE)


class PublicationState(StrEnum):
    """How a publication stands."""

    PUBLISHING = "publishing"
    BLOCKED = "blocked"
    """It failed, and waits for a person, who mends the cause and resumes, or skips it."""
    PUBLISHED = "published"
    SKIPPED = "skipped"
    """A person let this place go."""
    FAILED = "failed"
    """Nobody mended it."""
    WITHDRAWING = "withdrawing"
    WITHDRAWN = "withdrawn"

    @property
    def final(self) -> bool:
        """Whether nothing more happens unless a person asks for it."""
        return self not in {PublicationState.PUBLISHING, PublicationState.BLOCKED, PublicationState.WITHDRAWING}


class Place(Contract):
    """Where a release is found at its publisher: by the publisher's own id, and by its address. ``sha256`` is of the
    bytes that were handed over."""

    external_id: Annotated[str, Field(min_length=1, max_length=512)]
    url: Annotated[str, Field(max_length=1_000)]
    sha256: Sha256


class ReleaseToPublish(Contract):
    """A whole package on its way to a publisher."""

    package: PackageToKeep
    kept: KeptPackage
    publisher: Slug

    @property
    def key(self) -> str:
        """What tells this publication from all others, at its publisher too: an attempt looks for it first."""
        return f"greenroom/{self.package.tenant}/{self.package.track_id}"

    @property
    def workflow_id(self) -> str:
        """The id of its workflow: one at a time, so that publishing and withdrawing never cross."""
        return publication_workflow_id(self.package.track_id, self.publisher)


class PlaceToConfirm(Contract):
    """A publication to be read back."""

    release: ReleaseToPublish
    place: Place


class PlaceToWithdraw(Contract):
    """A publication to be taken back. Without ``place`` it is looked for by its key."""

    release: ReleaseToPublish
    place: Place | None = None


class PublicationRequest(Contract):
    """What a publication's workflow is started with. ``withdraw``: to take back what is at ``place``, instead."""

    release: ReleaseToPublish
    withdraw: bool = False
    place: Place | None = None


class Publication(Contract):
    """How a release stands at one publisher."""

    track_id: WorkId
    publisher: Slug
    state: PublicationState
    place: Place | None = None
    failure: FailureDetails | None = None
    """What a person has to mend, or nobody mended."""
    retry_at: AwareDatetime | None = None
    """When it is tried again by itself, where it is."""


class Skip(Contract):
    """A person lets a publication go. Sent again under the same id, it is once."""

    skip_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
    who: Principal
    why: Note = ""


def known_publishers(names: tuple[str, ...]) -> tuple[str, ...]:
    """``names``, each once. Raises UnknownReference for one that nobody publishes at."""
    for name in names:
        if name not in PUBLISHERS:
            raise UnknownReference(
                f"no publisher is called {name!r}; there are: {', '.join(PUBLISHERS)}", field="publishers"
            )
    return tuple(dict.fromkeys(names))


def public_path(path: str) -> bool:
    """Whether the public gets that file of a package: not the masters to work from, nor the studio's own papers."""
    return not path.endswith(".wav")


def public_folder(package: PackageToKeep) -> str:
    """Where in the store the public's copies lie, and nothing else."""
    return f"public/{package.tenant}/{package.artist}/{package.track_id}"


def public_copy(file: Artifact, folder: str, path: str) -> Artifact:
    """The public's copy of a file of the package, in ``folder`` of the same bucket."""
    bucket = file.uri.removeprefix("s3://").partition("/")[0]
    return file.model_copy(update={"uri": f"s3://{bucket}/{folder}/{path}"})


def publication_workflow_id(track_id: str, publisher: str) -> str:
    """The id of the workflow that publishes a track's release there, and withdraws it."""
    return f"publication/{track_id}/{publisher}"


def publication_ended(publisher: str) -> Conflict:
    """Nothing is under way there that could be resumed or let go."""
    return Conflict(
        f"nothing is under way at {publisher}",
        code="publication.ended",
        action="Read the track's publications to see how it ended.",
    )
