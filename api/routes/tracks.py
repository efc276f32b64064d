"""Tracks and their releases: followed, resumed, called off, listened to."""

import contextlib
import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict

from api.auth import Producer, Viewer
from api.common import Limit, Page
from api.problems import responses
from api.routes.renders import FileView, OptionalKey, ResumeBody
from api.services import Services, Studio
from api.temporal import workflow_id
from api.views import LINK_SECONDS, FigureView, figures_of
from models.approval import WorkKind
from models.base import Contract, Slug
from models.errors import Conflict, TemporalUnavailable, UnknownReference
from models.publication import PublicationState
from models.release import Manifest
from models.render import Resume
from models.tables import Release, Track
from models.track import ReleaseRef, TrackProgress, TrackState

router = APIRouter(prefix="/tracks", tags=["tracks"], responses=responses(401, 403, 422, 503))


class TrackSummary(Contract):
    """A track in a list."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"track_id": "vela-noor-1f3a9c-0001", "state": "making", "title": ""}]}
    )

    track_id: str
    artist: str
    number: int
    title: str
    state: TrackState
    created_at: datetime | None
    updated_at: datetime | None


class TrackView(TrackSummary):
    """A track and where it stands. ``live`` says whether the track itself was asked."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"track_id": "vela-noor-1f3a9c-0001", "state": "making", "live": True}]}
    )

    live: bool
    tempo_bpm: float
    theme: str
    trends: tuple[str, ...]
    """Those that leaned it."""
    variant: str
    """Of an experiment, as ``experiment/variant``; empty outside of one."""
    passed: bool | None
    figures: tuple[FigureView, ...]
    progress: TrackProgress | None
    temporal_url: str


class ReleaseView(Contract):
    """A release: its identifiers and links to every file of its package."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"isrc": "XXGRM2600001", "upc": "400000000015"}]})

    track_id: str
    isrc: str
    upc: str
    release: ReleaseRef
    released_at: datetime | None
    files: tuple[FileView, ...]
    expires_in_seconds: int = LINK_SECONDS


class TrackAccepted(Contract):
    """It was asked of the track; its state will tell."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"track_id": "vela-noor-1f3a9c-0001"}]})

    track_id: str


async def track_of(studio: Services, tenant: str, track_id: str) -> Track:
    """A track of that tenant. Raises UnknownReference for any other."""
    row = await studio.store.find(Track, track_id)
    if row is None or row.tenant != tenant:
        raise UnknownReference(f"no track is called {track_id!r}", field="track")
    return row


@router.get("")
async def list_tracks(
    caller: Viewer,
    studio: Studio,
    artist: Annotated[Slug | None, Query(description="Only tracks of this artist.")] = None,
    limit: Limit = 50,
) -> Page[TrackSummary]:
    """Tracks, newest first."""
    rows = await studio.store.tracks(caller.tenant, artist=artist, limit=limit)
    return Page(items=tuple(TrackSummary(**_common(row), state=row.state) for row in rows))


@router.get("/{track}", responses=responses(404))
async def get_track(track: str, caller: Viewer, studio: Studio) -> TrackView:
    """Where a track stands, its figures, its cost, and what a person has to mend."""
    row = await track_of(studio, caller.tenant, track)
    progress, live = row.progress, False
    if not row.state.final:
        with contextlib.suppress(TemporalUnavailable, Conflict):
            progress, live = await studio.label.track(row.id), True
    figures = progress.figures if progress else ()
    return TrackView(
        **_common(row),
        state=progress.state if progress else row.state,
        live=live,
        tempo_bpm=row.request.song.tempo_bpm,
        theme=row.request.identity.themes[0],
        trends=row.request.trends,
        variant=row.request.variant,
        passed=all(figure.holds for figure in figures) if figures else None,
        figures=figures_of(figures),
        progress=progress,
        temporal_url=studio.workflow_url(workflow_id(row.id, WorkKind.TRACK)),
    )


def _common(row: Track) -> dict[str, object]:
    names = ("artist", "number", "title", "created_at", "updated_at")
    return {"track_id": row.id, **{name: getattr(row, name) for name in names}}


@router.post("/{track}/resume", status_code=202, responses=responses(404, 409))
async def resume_track(
    track: str, caller: Producer, studio: Studio, body: ResumeBody | None = None, key: OptionalKey = None
) -> TrackAccepted:
    """Go on after the cause of a failure was mended, or ask again after nobody answered."""
    row = _running(await track_of(studio, caller.tenant, track))
    note = body.note if body else ""
    resume = Resume(resume_id=key or f"rest-{secrets.token_hex(12)}", who=caller.subject, note=note)
    await studio.renders.resume(row.id, resume, WorkKind.TRACK)
    for publication in await studio.store.publications(row.id):
        if publication.state is PublicationState.BLOCKED:
            # It may have ended in this very moment.
            with contextlib.suppress(Conflict):
                await studio.publications.resume(row.id, publication.publisher, resume)
    return TrackAccepted(track_id=row.id)


@router.post("/{track}/cancel", status_code=202, responses=responses(404, 409))
async def cancel_track(track: str, caller: Producer, studio: Studio) -> TrackAccepted:
    """Call a track off. It counts neither for nor against its artist."""
    row = _running(await track_of(studio, caller.tenant, track))
    await studio.renders.cancel(row.id, WorkKind.TRACK)
    return TrackAccepted(track_id=row.id)


def _running(row: Track) -> Track:
    if row.state.final:
        raise Conflict(f"this track is {row.state} already", code="track.ended")
    return row


@router.get("/{track}/release", responses=responses(404, 409))
async def get_release(track: str, caller: Viewer, studio: Studio) -> ReleaseView:
    """The release of a track, with a link to each of its files."""
    row = await track_of(studio, caller.tenant, track)
    release = await studio.store.find(Release, row.id)
    if release is None or release.package is None:
        raise Conflict(
            f"the track is {row.state}: it is not released",
            code="track.not_released",
            action="Follow its progress and ask again.",
        )
    manifest = Manifest.model_validate_json(await studio.blobs.read(release.package.manifest))
    files = tuple(
        FileView(
            name=path,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            duration_ms=file.duration_ms,
            url=studio.blobs.url(file, seconds=LINK_SECONDS, filename=path.rsplit("/", 1)[-1]),
        )
        for path, file in sorted(manifest.files.items())
    )
    return ReleaseView(
        track_id=row.id,
        isrc=release.isrc,
        upc=release.upc,
        release=release.package,
        released_at=release.released_at,
        files=files,
    )
