"""YouTube over HTTP, against a local server that speaks its protocol: a release is uploaded once and whole, whatever
happens on the way; what a person has to mend says so."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from activities.publishing.base import Diary, Note, Parcel
from activities.publishing.google import Credentials
from activities.publishing.resumable import QUANTUM
from activities.publishing.youtube import Channel, YouTubePublisher, described
from activities.support.provider import Patience
from models.artifacts import Artifact
from models.errors import ArtifactLost, EngineFailed, EngineUnavailable, ProviderFault, QuotaSpent, StudioError
from models.publication import Place, ReleaseToPublish
from models.release import KeptPackage, PackageToKeep
from models.song_stages import ReleaseFile
from tests.publishing.youtube_server import YouTubeServer, serving

SHEET: dict[str, Any] = {
    "artist": "Vela <Noor>",
    "title": "Rain Light",
    "year": 2026,
    "disclosure": "The performer is not a person.",
    "credits": [{"role": "music", "engine": "composer"}],
    "codes_registered": True,
    "isrc": "XXGRM2600001",
    "upc": "400000000015",
    "genre": "lofi",
    "language": "en",
}
FILM = np.random.default_rng(3).bytes(3 * QUANTUM + 1_000)
CHUNKS = 4


@pytest.fixture
def server() -> Iterator[YouTubeServer]:
    with serving() as server:
        yield server


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    film, cover = tmp_path / "film.mp4", tmp_path / "cover.jpg"
    film.write_bytes(FILM)
    Image.effect_noise((1_000, 1_000), 90).save(cover)
    local: dict[str, Path] = {}

    def stored(path: Path, media_type: str) -> Artifact:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        local[sha256] = path
        return Artifact(uri=f"s3://b/{sha256}", sha256=sha256, media_type=media_type, size=path.stat().st_size)

    files = {"video-16x9.mp4": stored(film, "video/mp4"), "cover.jpg": stored(cover, "image/jpeg")}
    package = PackageToKeep(
        tenant="house",
        artist="vela",
        track_id="vela-0001",
        files=tuple(ReleaseFile(path=path, file=file) for path, file in files.items()),
    )
    kept = KeptPackage(manifest=files["cover.jpg"], folder="s3://b/releases/vela-0001")
    release = ReleaseToPublish(package=package, kept=kept, publisher="youtube")
    return Parcel(release=release, sheet=SHEET, files=files, fetch=lambda artifact: local[artifact.sha256])


def publisher(server: YouTubeServer, chunk: int = QUANTUM, **changes: Any) -> YouTubePublisher:
    values = {
        "client_id": "client-1",
        "client_secret": "secret-1",
        "refresh_token": "refresh-1",
        "token_url": f"{server.url}/token",
    }
    return YouTubePublisher(
        Credentials(**{**values, **changes}),
        api_url=f"{server.url}/api",
        upload_url=f"{server.url}/upload",
        patience=Patience(answer=5, poll=0.001, job=0.01),
        chunk=chunk,
    )


class Killed(Exception):
    """The process is no more."""


def diary(left: Note | None = None, notes: list[Note] | None = None, killed_at: int | None = None) -> Diary:
    def note(note: Note) -> None:
        if notes is not None:
            notes.append(note)
        if killed_at is not None and int(note["offset"]) >= killed_at:
            raise Killed

    return Diary(left=left or {}, note=note)


def test_a_release_is_uploaded_in_chunks_disclosed_and_read_back(server: YouTubeServer, parcel: Parcel) -> None:
    at_work = publisher(server)
    notes: list[Note] = []
    place = at_work.publish(parcel, diary(notes=notes))
    assert at_work.confirm(parcel, place) == place
    video = server.videos[place.external_id]
    assert place.url == f"https://www.youtube.com/watch?v={place.external_id}"
    assert server.films[place.external_id] == FILM and place.sha256 == hashlib.sha256(FILM).hexdigest()
    assert video["status"]["containsSyntheticMedia"] is True and video["status"]["selfDeclaredMadeForKids"] is False
    assert video["snippet"]["title"] == "Vela ‹Noor› — Rain Light"
    assert SHEET["disclosure"] in video["snippet"]["description"] and "XXGRM2600001" in video["snippet"]["description"]
    assert [note["offset"] for note in notes] == [0, QUANTUM, 2 * QUANTUM, 3 * QUANTUM]
    thumbnail = server.thumbnails[place.external_id]
    assert thumbnail[:2] == b"\xff\xd8" and len(thumbnail) < 2_000_000


@pytest.mark.parametrize("fault", ["short", "drop", "500", "expire", "html"])
def test_a_troubled_upload_goes_on_from_what_the_server_has(server: YouTubeServer, parcel: Parcel, fault: str) -> None:
    server.troubles.append(("PUT /upload/session", fault))
    server.troubles.append(("ask PUT /upload/session", "500"))
    place = publisher(server, chunk=2 * QUANTUM).publish(parcel, diary())
    assert server.films[place.external_id] == FILM
    assert len(server.videos) == len(server.sessions) == 1


def test_an_upload_whose_answer_is_lost_is_found_and_not_made_again(server: YouTubeServer, parcel: Parcel) -> None:
    server.troubles += [("PUT /upload/session", "")] * (CHUNKS - 1) + [("PUT /upload/session", "lost")]
    place = publisher(server).publish(parcel, diary())
    assert len(server.videos) == 1 and server.chunks() == CHUNKS
    # Nor by a later attempt that knows of no session, among other videos of the channel.
    server.videos = {"other": {"id": "other", "snippet": {"description": "x"}, "status": {}}, **server.videos}
    assert publisher(server).publish(parcel, diary()) == place
    assert server.chunks() == CHUNKS


def test_a_killed_attempt_is_gone_on_with_where_it_was(server: YouTubeServer, parcel: Parcel) -> None:
    notes: list[Note] = []
    with pytest.raises(Killed):
        publisher(server).publish(parcel, diary(notes=notes, killed_at=2 * QUANTUM))
    place = publisher(server).publish(parcel, diary(left=notes[-1]))
    assert server.films[place.external_id] == FILM
    assert server.chunks() == CHUNKS and len(server.sessions) == 1


def test_a_forgotten_session_is_begun_anew(server: YouTubeServer, parcel: Parcel) -> None:
    left: Note = {"session": f"{server.url}/upload/session/99", "sha256": hashlib.sha256(FILM).hexdigest(), "offset": 5}
    place = publisher(server).publish(parcel, diary(left=left))
    assert server.films[place.external_id] == FILM and len(server.sessions) == 1


def test_a_spent_quota_waits_for_another_day(server: YouTubeServer, parcel: Parcel) -> None:
    server.troubles.append(("POST /upload/videos", "quota"))
    with pytest.raises(QuotaSpent) as caught:
        publisher(server).publish(parcel, diary())
    assert not caught.value.retryable and caught.value.code == "provider.quota"


def test_a_server_that_never_gets_further_is_given_up_for_a_later_attempt(
    server: YouTubeServer, parcel: Parcel
) -> None:
    server.troubles += [("PUT /upload/session", "500")] * 20
    with pytest.raises(ProviderFault) as caught:
        publisher(server).publish(parcel, diary())
    assert caught.value.retryable and not server.videos


@pytest.mark.parametrize(
    ("request_", "fault", "error", "code"),
    [
        ("GET /api/channels", "html", ProviderFault, "provider.not_json"),
        ("POST /upload/videos", "forbidden", EngineUnavailable, "engine.unavailable"),
        ("POST /upload/videos", "bad", EngineFailed, "publication.refused"),
    ],
)
def test_a_refusal_says_what_it_is(
    server: YouTubeServer, parcel: Parcel, request_: str, fault: str, error: type[StudioError], code: str
) -> None:
    server.troubles.append((request_, fault))
    with pytest.raises(error) as caught:
        publisher(server).publish(parcel, diary())
    assert caught.value.code == code


def test_credentials_are_named_where_they_lack_and_where_they_are_refused(
    server: YouTubeServer, parcel: Parcel
) -> None:
    with pytest.raises(EngineUnavailable) as lacking:
        publisher(server, client_secret="").publish(parcel, diary())
    assert lacking.value.field == "YOUTUBE_CLIENT_SECRET"
    with pytest.raises(EngineUnavailable) as refused:
        publisher(server, refresh_token="revoked").publish(parcel, diary())
    assert refused.value.field == "YOUTUBE_REFRESH_TOKEN" and "invalid_grant" in refused.value.message
    assert "revoked" not in refused.value.message


def test_a_cover_that_may_not_be_set_holds_nothing_up(server: YouTubeServer, parcel: Parcel) -> None:
    server.troubles.append(("POST /upload/thumbnails", "forbidden"))
    place = publisher(server).publish(parcel, diary())
    assert place.external_id in server.videos and not server.thumbnails


def test_reading_back_waits_for_processing_and_tells_what_is_not_as_it_must_be(
    server: YouTubeServer, parcel: Parcel
) -> None:
    at_work = publisher(server)
    place = at_work.publish(parcel, diary())
    server.processed_after = 10_000
    with pytest.raises(ProviderFault, match="processing"):
        at_work.confirm(parcel, place)
    server.processed_after, server.privacy = 0, "private"
    with pytest.raises(EngineFailed) as locked:
        at_work.confirm(parcel, place)
    assert locked.value.code == "publication.privacy" and locked.value.field == "YOUTUBE_PRIVACY"
    server.upload_status = "rejected"
    with pytest.raises(EngineFailed, match="rejected"):
        at_work.confirm(parcel, place)
    # One that YouTube does not show counts as none: the next attempt uploads again.
    server.upload_status = "processed"
    server.videos[place.external_id]["status"]["uploadStatus"] = "rejected"
    server.processed_after = 10_000
    assert at_work.publish(parcel, diary()).external_id != place.external_id
    with pytest.raises(ArtifactLost):
        at_work.confirm(parcel, Place(external_id="nothing", url="", sha256=place.sha256))


@pytest.mark.parametrize("known", [True, False])
def test_what_was_published_is_taken_back_once(server: YouTubeServer, parcel: Parcel, known: bool) -> None:
    at_work = publisher(server)
    place = at_work.publish(parcel, diary())
    at_work.unpublish(parcel, place if known else None)
    at_work.unpublish(parcel, place if known else None)
    assert not server.videos and server.requests.count("DELETE /api/videos") == 1


def test_an_upload_address_elsewhere_gets_no_token(server: YouTubeServer, parcel: Parcel) -> None:
    server.sessions_at = "http://elsewhere.invalid"
    with pytest.raises(ProviderFault) as caught:
        publisher(server).publish(parcel, diary())
    assert caught.value.code == "provider.address" and server.chunks() == 0


def test_a_description_of_any_length_fits_and_ends_with_the_key(parcel: Parcel) -> None:
    many = [{"role": "music", "engine": "ü" * 60}] * 100
    long = Parcel(parcel.release, {**SHEET, "credits": many, "codes_registered": False}, parcel.files, parcel.fetch)
    snippet = described(long, Channel(privacy="unlisted"))["snippet"]
    assert len(snippet["description"].encode()) <= 5_000 and "ISRC" not in snippet["description"]
    assert snippet["description"].splitlines()[-1] == parcel.release.key
