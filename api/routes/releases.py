"""Releases as the public meets them: their page, where they are published, what waits for a person, and taking them
back."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from activities.releases.page import policy, signed, withdrawn_page
from api.auth import Producer, Viewer
from api.common import Prose
from api.problems import responses
from api.routes.renders import OptionalKey, ResumeBody
from api.routes.tracks import track_of
from api.services import Services, Studio
from models.base import Contract, Slug
from models.errors import Conflict, FailureDetails, UnknownReference
from models.publication import (
    STORE,
    Place,
    PublicationRequest,
    PublicationState,
    ReleaseToPublish,
    Skip,
    known_publishers,
    public_copy,
    public_folder,
    public_path,
    publication_workflow_id,
)
from models.release import KeptPackage, Manifest, PackageToKeep
from models.render import Resume
from models.song_stages import ReleaseFile
from models.tables import PublicationRecord, Release, Track

router = APIRouter(tags=["releases"], responses=responses(401, 403, 422, 503))

_GONE = 410
_EXAMPLE: JsonDict = {"publisher": "youtube", "state": "blocked", "url": "", "external_id": ""}


class PublicationView(Contract):
    """A release at one publisher. ``failure`` is what a person has to mend before it can be resumed."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    publisher: str
    state: PublicationState
    url: str
    external_id: str
    sha256: str
    failure: FailureDetails | None
    retry_at: datetime | None
    confirmed_at: datetime | None
    withdrawn_at: datetime | None
    temporal_url: str


class PublicationsView(Contract):
    """Where a release is, or is on its way to."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"track_id": "vela-0001", "publications": [_EXAMPLE]}]})

    track_id: str
    publications: tuple[PublicationView, ...]


class PageLink(Contract):
    """A link to the release's page, for anybody, until it expires or the release is withdrawn."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "https://...", "expires_in_seconds": 86_400}]})

    url: str
    expires_at: datetime
    expires_in_seconds: int


class PublicationBody(Contract):
    """Why, for the record."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "The rights are in dispute."}]})

    why: Annotated[Prose, Field(max_length=2_000)] = ""


@router.get(
    "/releases/{track}/page",
    response_class=HTMLResponse,
    responses={
        **responses(404, 409),
        200: {"content": {"text/html": {"example": "<!doctype html>..."}}},
        _GONE: {"description": "The release was withdrawn.", "content": {"text/html": {}}},
    },
)
async def release_page(track: str, caller: Viewer, studio: Studio) -> HTMLResponse:
    """The release's page: listen, watch, read along. Its media are signed links that live as long as the house says;
    once the release was withdrawn it says just that."""
    row = await track_of(studio, caller.tenant, track)
    if await _withdrawn(studio, row):
        notice = withdrawn_page(row.request.identity.name, row.title)
        return HTMLResponse(notice, _GONE, {"Content-Security-Policy": policy("'none'"), "Cache-Control": "no-store"})
    page, origin = await _page(studio, row)
    headers = {"Content-Security-Policy": policy(origin), "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(page, headers=headers)


@router.post("/releases/{track}/link", status_code=201, responses=responses(404, 409))
async def page_link(track: str, caller: Producer, studio: Studio) -> PageLink:
    """A link to the release's page that needs no token, to be given to the press or a partner. It is over with its
    time, and at once when the release is withdrawn."""
    row = await track_of(studio, caller.tenant, track)
    if await _withdrawn(studio, row):
        raise Conflict("the release was withdrawn", code="release.withdrawn", action="Publish it again first.")
    release = await _release(studio, row)
    page, _ = await _page(studio, row)
    seconds = _seconds(studio)
    key = f"{public_folder(release.package)}/pages/{secrets.token_hex(16)}.html"
    stored = await studio.blobs.place(page.encode(), key, "text/html")
    return PageLink(
        url=studio.blobs.url(stored, seconds=seconds),
        expires_at=datetime.now(UTC) + timedelta(seconds=seconds),
        expires_in_seconds=seconds,
    )


@router.get("/tracks/{track}/publications", responses=responses(404))
async def list_publications(track: str, caller: Viewer, studio: Studio) -> PublicationsView:
    """Where the track's release is published, and what keeps it from where it is not."""
    return await _shown(studio, await track_of(studio, caller.tenant, track))


@router.post("/tracks/{track}/publications/{publisher}", status_code=202, responses=responses(404, 409))
async def publish(track: str, publisher: Slug, caller: Producer, studio: Studio) -> PublicationsView:
    """Publish a release at a place where it is not: a further one, one that was skipped, or after it was withdrawn."""
    row = await track_of(studio, caller.tenant, track)
    known_publishers((publisher,))
    release = await _release(studio, row, publisher)
    await studio.publications.publish(release)
    return await _shown(studio, row)


@router.post("/tracks/{track}/publications/{publisher}/resume", status_code=202, responses=responses(404, 409))
async def resume_publication(
    track: str,
    publisher: Slug,
    caller: Producer,
    studio: Studio,
    body: ResumeBody | None = None,
    key: OptionalKey = None,
) -> PublicationsView:
    """Go on with a publication or withdrawal after the cause of its failure was mended."""
    row = await track_of(studio, caller.tenant, track)
    await _record(studio, row, publisher)
    resume = Resume(resume_id=_id(key), who=caller.subject, note=body.note if body else "")
    await studio.publications.resume(row.id, publisher, resume)
    return await _shown(studio, row)


@router.post("/tracks/{track}/publications/{publisher}/skip", status_code=202, responses=responses(404, 409))
async def skip_publication(
    track: str,
    publisher: Slug,
    caller: Producer,
    studio: Studio,
    body: PublicationBody | None = None,
    key: OptionalKey = None,
) -> PublicationsView:
    """Let a place go that fails or takes too long. The release stays wherever else it is."""
    row = await track_of(studio, caller.tenant, track)
    await _record(studio, row, publisher)
    skip = Skip(skip_id=_id(key), who=caller.subject, why=body.why if body else "")
    await studio.publications.skip(row.id, publisher, skip)
    return await _shown(studio, row)


@router.post("/tracks/{track}/withdraw", status_code=202, responses=responses(404, 409))
async def withdraw(track: str, caller: Producer, studio: Studio) -> PublicationsView:
    """Take a release back from everywhere: links that were given out end, videos are deleted. Once accepted it is
    carried out, however long a place is out of reach; what fails waits for a person. The package stays with the
    house."""
    row = await track_of(studio, caller.tenant, track)
    records = await studio.store.publications(row.id)
    if not records:
        raise Conflict("the track is published nowhere", code="release.unpublished", action="There is nothing to do.")
    for record in records:
        if record.state is not PublicationState.WITHDRAWN:
            release = await _release(studio, row, record.publisher)
            await studio.publications.withdraw(PublicationRequest(release=release, withdraw=True, place=_place(record)))
    return await _shown(studio, row)


async def _shown(studio: Services, row: Track) -> PublicationsView:
    records = await studio.store.publications(row.id)
    names = (
        "publisher",
        "state",
        "url",
        "external_id",
        "sha256",
        "failure",
        "retry_at",
        "confirmed_at",
        "withdrawn_at",
    )
    return PublicationsView(
        track_id=row.id,
        publications=tuple(
            PublicationView(
                **{name: getattr(record, name) for name in names},
                temporal_url=studio.workflow_url(publication_workflow_id(row.id, record.publisher)),
            )
            for record in records
        ),
    )


async def _record(studio: Services, row: Track, publisher: str) -> PublicationRecord:
    record = await studio.store.find(PublicationRecord, row.id, publisher)
    if record is None:
        raise UnknownReference(f"{row.id} has no publication at {publisher!r}", field="publisher")
    return record


def _place(record: PublicationRecord) -> Place | None:
    if not record.external_id:
        return None
    return Place(external_id=record.external_id, url=record.url, sha256=record.sha256)


async def _release(studio: Services, row: Track, publisher: str = STORE) -> ReleaseToPublish:
    """The release as publishers are asked for it. Raises Conflict before there is one."""
    release = await studio.store.find(Release, row.id)
    if release is None or release.package is None:
        raise Conflict(
            f"the track is {row.state}: it is not released",
            code="track.not_released",
            action="Follow its progress and ask again.",
        )
    manifest = Manifest.model_validate_json(await studio.blobs.read(release.package.manifest))
    files = tuple(ReleaseFile(path=path, file=file) for path, file in sorted(manifest.files.items()))
    return ReleaseToPublish(
        package=PackageToKeep(tenant=row.tenant, artist=row.artist, track_id=row.id, files=files),
        kept=KeptPackage(manifest=release.package.manifest, folder=release.package.folder),
        publisher=publisher,
    )


async def _withdrawn(studio: Services, row: Track) -> bool:
    record = await studio.store.find(PublicationRecord, row.id, STORE)
    return record is not None and record.state in {PublicationState.WITHDRAWN, PublicationState.WITHDRAWING}


async def _page(studio: Services, row: Track) -> tuple[str, str]:
    """The page with links that live as long as the house says, and the origin they lead to."""
    release = await _release(studio, row)
    record = await studio.store.find(PublicationRecord, row.id, STORE)
    if record is None or record.state is not PublicationState.PUBLISHED:
        raise Conflict(
            "the release is not published in the house's own store",
            code="release.unpublished",
            action="Publish it there first: POST /tracks/{track}/publications/store.",
        )
    files = {file.path: file.file for file in release.package.files}
    seconds = _seconds(studio)

    def sign(path: str) -> str | None:
        if path not in files or not public_path(path):
            return None
        return studio.blobs.url(
            public_copy(files[path], record.external_id, path), seconds=seconds, filename=path.rpartition("/")[2]
        )

    address = urlsplit(sign("cover.jpg") or "")
    origin = f"{address.scheme}://{address.netloc}"
    return signed((await studio.blobs.read(files["index.html"])).decode(), sign, origin), origin


def _seconds(studio: Services) -> int:
    return studio.settings.label.page_hours * 3_600


def _id(key: str | None) -> str:
    return key or f"rest-{secrets.token_hex(12)}"
