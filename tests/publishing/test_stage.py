"""Publishing on the real store: what the public gets is there whole or the publication says what lacks, once however
often it is tried; withdrawn it is gone while the package stays; and a killed attempt leaves word for the next."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.publishing.base import Diary, Parcel
from activities.publishing.stage import PublishingActivities
from activities.publishing.store import StorePublisher
from activities.releases.shelf import StoreShelf
from activities.support.s3 import S3ArtifactStore, connect_s3
from deploy.local.servers import LocalServers
from models.errors import ArtifactLost, EngineUnavailable
from models.publication import (
    Place,
    PlaceToConfirm,
    PlaceToWithdraw,
    Publication,
    ReleaseToPublish,
    public_copy,
)
from models.release import PackageToKeep
from models.song_stages import ReleaseFile


class Tables:
    """What was recorded."""

    def __init__(self) -> None:
        self.told: list[Publication] = []

    async def record_publication(self, publication: Publication) -> None:
        self.told.append(publication)


@pytest.fixture(scope="module")
def artifacts(servers: LocalServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3ArtifactStore]:
    client = connect_s3(servers.s3_endpoint_url, servers.s3_key_id, servers.s3_key)
    yield S3ArtifactStore(client, servers.bucket, tmp_path_factory.mktemp("cache"))


@pytest.fixture
def release(artifacts: S3ArtifactStore, tmp_path: Path) -> ReleaseToPublish:
    def file(path: str, text: str, media_type: str) -> ReleaseFile:
        local = tmp_path / path
        local.write_text(text)
        return ReleaseFile(path=path, file=artifacts.put(local, media_type))

    sheet = json.dumps({"title": "Rain Light"})
    package = PackageToKeep(
        tenant="house",
        artist="vela",
        track_id=f"vela-{tmp_path.name[-12:].replace('_', '-').lower()}",
        files=(
            file("release.json", sheet, "application/json"),
            file("track.mp3", tmp_path.name, "audio/mpeg"),
            file("master.wav", f"{tmp_path.name} master", "audio/wav"),
        ),
    )
    kept = StoreShelf(artifacts).keep(package, tmp_path)
    return ReleaseToPublish(package=package, kept=kept, publisher="store")


@pytest.fixture
def activities(artifacts: S3ArtifactStore) -> PublishingActivities:
    publisher = StorePublisher(artifacts, StoreShelf(artifacts), "https://label.example/")
    return PublishingActivities(artifacts, (publisher,), Tables())


async def test_the_public_gets_its_copies_until_they_are_withdrawn(
    activities: PublishingActivities, artifacts: S3ArtifactStore, release: ReleaseToPublish
) -> None:
    environment = ActivityEnvironment()
    place = await environment.run(activities.publish, release)
    assert place == await environment.run(activities.publish, release)
    assert place.url == f"https://label.example/releases/{release.package.track_id}/page"
    assert await environment.run(activities.confirm, PlaceToConfirm(release=release, place=place)) == place
    files = {file.path: file.file for file in release.package.files}
    given = artifacts.url(public_copy(files["track.mp3"], place.external_id, "track.mp3"), seconds=60)
    assert (await asyncio.to_thread(httpx.get, given)).headers["content-type"] == "audio/mpeg"
    assert not artifacts.exists(public_copy(files["master.wav"], place.external_id, "master.wav"))
    for known in (place, None):
        await environment.run(activities.unpublish, PlaceToWithdraw(release=release, place=known))
    assert (await asyncio.to_thread(httpx.get, given)).status_code == 404
    with pytest.raises(ArtifactLost):
        await environment.run(activities.confirm, PlaceToConfirm(release=release, place=place))
    StoreShelf(artifacts).confirm(release.kept, release.package)


async def test_what_nobody_here_publishes_at_says_who_does(
    activities: PublishingActivities, release: ReleaseToPublish
) -> None:
    with pytest.raises(EngineUnavailable, match="store") as caught:
        await ActivityEnvironment().run(activities.publish, release.model_copy(update={"publisher": "radio"}))
    assert caught.value.code == "publisher.not_served"


class Slow:
    """A publisher at work until it is let go on."""

    name = "store"

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.left: list[object] = []

    def check(self) -> None:
        return None

    def publish(self, parcel: Parcel, diary: Diary) -> Place:
        self.left.append(dict(diary.left))
        diary.note({"offset": 1})
        self.begun.set()
        assert self.go_on.wait(20)
        if parcel.sheet["title"] != "out":
            diary.note({"offset": 2})
        return Place(external_id="x", url="", sha256="a" * 64)

    def confirm(self, parcel: Parcel, place: Place) -> Place:
        return place

    def unpublish(self, parcel: Parcel, place: Place | None) -> None:
        return None


@pytest.mark.parametrize("title", ["still under way", "out"])
async def test_called_off_it_stops_at_its_next_note_unless_it_is_out_already(
    artifacts: S3ArtifactStore, release: ReleaseToPublish, tmp_path: Path, title: str
) -> None:
    sheet = tmp_path / "sheet.json"
    sheet.write_text(json.dumps({"title": title}))
    files = (ReleaseFile(path="release.json", file=artifacts.put(sheet, "application/json")),)
    package = release.package.model_copy(update={"files": files})
    slow, environment = Slow(), ActivityEnvironment()
    running = asyncio.create_task(
        environment.run(
            PublishingActivities(artifacts, (slow,), Tables()).publish, release.model_copy(update={"package": package})
        )
    )
    await asyncio.to_thread(slow.begun.wait, 20)
    environment.cancel()
    await asyncio.sleep(0)
    slow.go_on.set()
    if title == "out":
        assert (await running).external_id == "x"
    else:
        with pytest.raises(asyncio.CancelledError):
            await running
