"""Renders: asked for, watched, cancelled, resumed, made again with edits, and fetched."""

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import chain, repeat
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import ConfigDict
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.auth import Caller, Producer, Viewer
from api.common import IdempotencyToken, Limit, Page, Prose
from api.dispatch import dispatch
from api.planning import NewRender, Rerender, plan_render, plan_rerender, standing_request
from api.problems import responses
from api.services import Services, Studio
from api.temporal import WORK_ENDED
from api.views import LINK_SECONDS, RenderSummary, RenderView, look, render_summary
from models.artifacts import Artifact
from models.base import Contract, Slug, canonical_sha256
from models.errors import Conflict, InvalidInput, UnknownReference
from models.layout import Shape
from models.render import RenderRequest, RenderState, Resume
from models.tables import Render

router = APIRouter(prefix="/renders", tags=["renders"], responses=responses(401, 403, 422, 503))

WATCH_SECONDS = (0.25, 0.5, 1.0, 2.0)
"""Pauses between looks at a watched render: short at first, as it may be found finished, then as its segments move."""
PING_SECONDS = 15

Key = Annotated[
    IdempotencyToken,
    Header(alias="Idempotency-Key", description="Your name for this request: sending it again answers the same."),
]
OptionalKey = Annotated[
    IdempotencyToken | None,
    Header(alias="Idempotency-Key", description="Your name for this request; made up for you without it."),
]


class Started(Contract):
    """The render that was asked for; the same answer for the same Idempotency-Key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "render_id": "3b1f0c9e7a5d42c8b6e0",
                    "state": "queued",
                    "self": "/renders/3b1f0c9e7a5d42c8b6e0",
                    "events": "/renders/3b1f0c9e7a5d42c8b6e0/events",
                }
            ]
        }
    )

    render_id: str
    state: RenderState
    self: str
    events: str
    temporal_url: str


class ResumeBody(Contract):
    """What was mended, for the record."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "The weights are in place."}]})

    note: Prose = ""


class Accepted(Contract):
    """It was asked of the render; its state will tell."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"render_id": "3b1f0c9e7a5d42c8b6e0"}]})

    render_id: str


class SegmentView(Contract):
    """A sentence as the render speaks it now, with its reviewers' changes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"index": 0, "text": "Good morning.", "take": 0}]})

    index: int
    text: str
    take: int


class FileView(Contract):
    """A finished file and a link that serves it."""

    name: str
    media_type: str
    size: int
    sha256: str
    duration_ms: int | None
    url: str


class FilmView(Contract):
    """The finished files of one shape."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"shape": "16:9", "video": {"name": "third-quarter-16x9.mp4"}}]}
    )

    shape: Shape
    video: FileView
    thumbnail: FileView
    srt: FileView
    vtt: FileView


class Files(Contract):
    """All finished files; links live for ``expires_in_seconds``."""

    films: tuple[FilmView, ...]
    expires_in_seconds: int = LINK_SECONDS


async def render_of(studio: Services, tenant: str, render_id: str) -> Render:
    """A render of that tenant. Raises UnknownReference for any other."""
    row = await studio.store.find(Render, render_id)
    if row is None or row.tenant != tenant:
        raise UnknownReference(f"no render is called {render_id!r}", field="render")
    return row


def _render_id(tenant: str, key: str) -> str:
    """Follows from the key, so that not even two studios on one Temporal make two renders of one request."""
    return hashlib.sha256(f"{tenant}/{key}".encode()).hexdigest()[:20]


async def _start(studio: Services, key: str, print_: str, request: RenderRequest, **origin: Any) -> Render:
    row = Render(
        id=request.render_id,
        tenant=request.tenant,
        persona=request.persona,
        title=request.title,
        channel=request.channel,
        requested_by=request.requested_by,
        request=request,
        **origin,
    )
    kept, _ = await studio.store.add_render(row, key, print_)
    return kept


async def _started(studio: Services, response: Response, render: Render) -> Started:
    await dispatch(studio, render)
    place = f"/renders/{render.id}"
    response.headers["Location"] = place
    return Started(
        render_id=render.id,
        state=RenderState.QUEUED,
        self=place,
        events=f"{place}/events",
        temporal_url=studio.temporal_url(render.id),
    )


@router.post("", status_code=201, responses=responses(404, 409))
async def create_render(body: NewRender, key: Key, caller: Producer, studio: Studio, response: Response) -> Started:
    """Start a render. The same Idempotency-Key with the same body is the same render, however often it is sent.

    With 503 the request may have been kept: it then starts by itself, and sending it again is safe.
    """
    print_ = canonical_sha256({"route": "renders", "body": body.model_dump(mode="json")})
    render = await studio.store.render_of(caller.tenant, key, print_)
    if render is None:
        await studio.admit(caller.tenant)
        render_id = _render_id(caller.tenant, key)
        request, script = await plan_render(studio, caller.tenant, caller.subject, render_id, body)
        render = await _start(studio, key, print_, request, script=script.id, script_version=script.version)
    return await _started(studio, response, render)


@router.post("/{render}/rerender", status_code=201, responses=responses(404, 409))
async def rerender(
    render: str, body: Rerender, key: Key, caller: Producer, studio: Studio, response: Response
) -> Started:
    """Start a render that differs from this one in some sentences or in its layout; only what changes is made."""
    parent = await render_of(studio, caller.tenant, render)
    print_ = canonical_sha256({"route": f"rerender/{render}", "body": body.model_dump(mode="json", exclude_unset=True)})
    child = await studio.store.render_of(caller.tenant, key, print_)
    if child is None:
        request = await plan_rerender(studio, caller.subject, _render_id(caller.tenant, key), parent, body)
        origin = {"parent": parent.id, "script": parent.script, "script_version": parent.script_version}
        child = await _start(studio, key, print_, request, **origin)
    return await _started(studio, response, child)


@router.get("")
async def list_renders(
    caller: Viewer,
    studio: Studio,
    state: Annotated[RenderState | None, Query(description="Only renders in this state.")] = None,
    persona: Annotated[Slug | None, Query(description="Only renders of this persona.")] = None,
    limit: Limit = 50,
    after: Annotated[str, Query(max_length=200, description="The `next` of the page before.")] = "",
) -> Page[RenderSummary]:
    """Renders, newest first."""
    rows = await studio.store.renders(
        caller.tenant, state=state, persona=persona, before=_place(after) if after else None, limit=limit
    )
    last = f"{rows[-1].created_at:%Y-%m-%dT%H:%M:%S.%f%z}/{rows[-1].id}" if len(rows) == limit else ""
    return Page(
        items=tuple(map(render_summary, rows)), next=base64.urlsafe_b64encode(last.encode()).decode() if last else ""
    )


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        time, _, render_id = base64.urlsafe_b64decode(cursor).decode().partition("/")
        return datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%f%z"), render_id
    except (binascii.Error, ValueError):
        raise InvalidInput("this is no cursor of ours", field="after", code="page.cursor") from None


@router.get("/{render}", responses=responses(404))
async def get_render(render: str, caller: Viewer, studio: Studio) -> RenderView:
    """Where a render stands, its figures, its cost, and what a person has to mend."""
    return await look(studio, await render_of(studio, caller.tenant, render))


@router.get("/{render}/segments", responses=responses(404))
async def get_segments(render: str, caller: Viewer, studio: Studio) -> Page[SegmentView]:
    """The sentences of a render, as they stand."""
    request = await standing_request(studio, await render_of(studio, caller.tenant, render))
    return Page(items=tuple(SegmentView(index=s.index, text=s.utterance.text, take=s.take) for s in request.segments))


@router.get(
    "/{render}/events",
    response_class=EventSourceResponse,
    responses={
        **responses(404),
        200: {
            "description": "Server-sent events: `progress` with a RenderView at each change, `end` after the last.",
            "content": {
                "text/event-stream": {"example": 'event: progress\ndata: {"state": "rendering", "done": 4}\n\n'}
            },
        },
    },
)
async def watch_render(render: str, caller: Viewer, studio: Studio, request: Request) -> EventSourceResponse:
    """Follow a render until it ends. Comment lines keep the connection alive."""
    await render_of(studio, caller.tenant, render)
    return EventSourceResponse(_events(studio, caller, render, request), ping=PING_SECONDS)


async def _events(studio: Services, caller: Caller, render_id: str, request: Request) -> AsyncIterator[ServerSentEvent]:
    sent, number, asked = "", 0, False
    pauses = chain(WATCH_SECONDS, repeat(WATCH_SECONDS[-1]))
    while not await request.is_disconnected():
        view = await look(studio, await render_of(studio, caller.tenant, render_id))
        # A snapshot may be older than what the render itself said: it must not turn the picture back.
        if view.live or view.state.final or not asked:
            asked = asked or view.live
            data = view.model_dump_json(exclude={"updated_at"})
            if data != sent:
                sent, number = data, number + 1
                yield ServerSentEvent(data=data, event="progress", id=str(number))
        if view.state.final:
            yield ServerSentEvent(data=view.state.value, event="end", id=str(number + 1))
            return
        await asyncio.sleep(next(pauses))


def _running(row: Render) -> Render:
    """The render, which has not ended. Its workflow may still be tidying up after it when it has: Conflict."""
    if row.state.final:
        raise Conflict(f"this render is {row.state} already", code=WORK_ENDED)
    return row


@router.post("/{render}/cancel", status_code=202, responses=responses(404, 409))
async def cancel_render(render: str, caller: Producer, studio: Studio) -> Accepted:
    """Stop a render; what it has finished stays for others to use."""
    row = _running(await render_of(studio, caller.tenant, render))
    await dispatch(studio, row)
    await studio.renders.cancel(row.id)
    return Accepted(render_id=row.id)


@router.post("/{render}/resume", status_code=202, responses=responses(404, 409))
async def resume_render(
    render: str, caller: Producer, studio: Studio, body: ResumeBody | None = None, key: OptionalKey = None
) -> Accepted:
    """Go on after the cause of a failure was mended, or ask again after nobody answered. Nothing is made twice."""
    row = _running(await render_of(studio, caller.tenant, render))
    note = body.note if body else ""
    resume = Resume(resume_id=key or f"rest-{secrets.token_hex(12)}", who=caller.subject, note=note)
    await dispatch(studio, row)
    await studio.renders.resume(row.id, resume)
    return Accepted(render_id=row.id)


@router.get("/{render}/files", responses=responses(404, 409))
async def get_files(render: str, caller: Viewer, studio: Studio) -> Files:
    """Links to the finished files: they play in a browser and carry no secret but their signature."""
    row = await render_of(studio, caller.tenant, render)
    view = await look(studio, row)
    films = view.progress.films if view.progress else ()
    if not films:
        raise Conflict(
            f"the render is {view.state}: there are no files yet",
            code="render.not_finished",
            action="Follow its progress and ask again.",
        )
    stem = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in row.title.lower()).split()) or row.id

    def file(artifact: Artifact, shape: Shape, suffix: str) -> FileView:
        name = f"{stem[:60]}-{shape.value.replace(':', 'x')}.{suffix}"
        return FileView(
            name=name,
            media_type=artifact.media_type,
            size=artifact.size,
            sha256=artifact.sha256,
            duration_ms=artifact.duration_ms,
            url=studio.blobs.url(artifact, seconds=LINK_SECONDS, filename=name),
        )

    return Files(
        films=tuple(
            FilmView(
                shape=film.shape,
                video=file(film.video, film.shape, "mp4"),
                thumbnail=file(film.thumbnail, film.shape, film.thumbnail.media_type.rpartition("/")[2]),
                srt=file(film.srt, film.shape, "srt"),
                vtt=file(film.vtt, film.shape, "vtt"),
            )
            for film in films
        )
    )
