"""The publishing activities: put a release somewhere, read it back, take it away, record how it stands."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from temporalio import activity

from activities.publishing.base import Diary, Note, Parcel, Publisher
from activities.support.artifacts import ArtifactStore
from activities.support.beat import say
from activities.support.stage import on_thread
from models.errors import ArtifactLost, EngineUnavailable
from models.publication import Place, PlaceToConfirm, PlaceToWithdraw, Publication, ReleaseToPublish

Answer = TypeVar("Answer")

SHEET = "release.json"


class PublicationRecords(Protocol):
    """What publishing needs from the tables; ``models.roster`` implements it."""

    async def record_publication(self, publication: Publication) -> None:
        """Store how a publication stands. Twice is once."""
        ...


class _Stopped(Exception):
    """Raised inside a publisher's thread to make it stop; never leaves this module."""


class PublishingActivities:
    """Publishes with the publishers of its worker."""

    def __init__(
        self, artifacts: ArtifactStore, publishers: tuple[Publisher, ...], records: PublicationRecords
    ) -> None:
        self._artifacts = artifacts
        self._publishers: Mapping[str, Publisher] = {publisher.name: publisher for publisher in publishers}
        self._records = records

    @activity.defn(name="publishing.publish")
    async def publish(self, release: ReleaseToPublish) -> Place:
        """Put the release there, once. Where it is already, that is found; where a killed attempt was at it, that is
        gone on with. Called off, it still says where the release is if that came first."""
        publisher = self._publisher(release)
        details = activity.info().heartbeat_details
        left = details[0] if details and isinstance(details[0], dict) else {}
        stop = threading.Event()

        def note(word: Note) -> None:
            if stop.is_set():
                raise _Stopped
            say(dict(word))

        return await _called_off(stop, lambda: publisher.publish(self._parcel(release), Diary(left, note)))

    @activity.defn(name="publishing.confirm")
    async def confirm(self, placed: PlaceToConfirm) -> Place:
        """Read the publication back."""
        publisher = self._publisher(placed.release)
        return await on_thread(lambda: publisher.confirm(self._parcel(placed.release), placed.place))

    @activity.defn(name="publishing.unpublish")
    async def unpublish(self, placed: PlaceToWithdraw) -> None:
        """Take the publication back, and see that it is gone."""
        publisher = self._publisher(placed.release)
        await on_thread(lambda: publisher.unpublish(self._parcel(placed.release), placed.place))

    @activity.defn(name="publishing.record")
    async def record(self, publication: Publication) -> None:
        """Store how a publication stands."""
        await self._records.record_publication(publication)

    def _publisher(self, release: ReleaseToPublish) -> Publisher:
        try:
            return self._publishers[release.publisher]
        except KeyError:
            raise EngineUnavailable(
                f"this worker publishes at {', '.join(self._publishers) or 'no place'}, not at {release.publisher}",
                code="publisher.not_served",
                action="Start an io worker of this release, then resume; or skip this publication.",
            ) from None

    def _parcel(self, release: ReleaseToPublish) -> Parcel:
        files = {file.path: file.file for file in release.package.files}
        if SHEET not in files:
            raise ArtifactLost(f"the package {release.kept.folder} holds no {SHEET}")
        sheet = json.loads(self._artifacts.fetch(files[SHEET]).read_bytes())
        return Parcel(release, sheet, files, self._artifacts.fetch)


async def _called_off(stop: threading.Event, work: Callable[[], Answer]) -> Answer:
    """The answer of ``work``. A cancellation makes it stop at its next note, and is over when it has; an answer that
    came all the same is given, for it tells of something that is out in the world."""
    task = asyncio.ensure_future(on_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait({task})
        if task.exception() is None:
            return task.result()
        raise
