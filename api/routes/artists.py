"""Artists: born with or without a brief, looked at, told what people want of them and how they are heard."""

import contextlib
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, ConfigDict, Field

from api.auth import Caller, Producer, Viewer
from api.common import After, Limit, Line, Page, Prose, Words
from api.equipment import EquipmentChoices, equipment
from api.problems import responses
from api.routes.renders import OptionalKey
from api.services import Services, Studio
from api.views import LINK_SECONDS
from models.artist import (
    ArtistLife,
    ArtistRequest,
    ChangePacing,
    ChangePolicy,
    Command,
    CommandTaken,
    Equip,
    Idea,
    Pacing,
    Pause,
    Recovered,
    Resume,
    Retire,
    SetAutopilot,
    Timeline,
    artist_workflow_id,
)
from models.base import Contract, Seed, Slug
from models.birth import Draft, conceive
from models.debut import DebutRequest
from models.errors import Conflict, InvalidInput, TemporalUnavailable, TooLarge, UnknownReference
from models.identity import Delivery, Identity
from models.lifecycle import LifePolicy
from models.performance import AudienceRow, ReportTaken, check_told, read_csv, report
from models.tables import Artist

MAX_ROWS = 5_000
CSV_EXAMPLE = "platform,day,number,told_at,streams,listeners\nradio,2026-11-01,1,2026-11-02T06:00:00Z,9,7\n"

router = APIRouter(prefix="/artists", tags=["artists"], responses=responses(401, 403, 422, 503))

EXAMPLE: dict[str, Any] = {
    "id": "vela-noor",
    "brief": "Slow night music for a city in the rain, blue and violet, with warm keys.",
    "autopilot": False,
}


def _shown(*refusals: int, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """Responses of a route that answers with a contract of the models, which carry no examples."""
    return {**responses(*refusals), 200: {"content": {"application/json": {"example": example}}}}


_TAKEN = _shown(404, 409, example={"state": "paused", "repeated": False})
_HEARD = _shown(404, 409, 413, example={"taken": [1, 2], "unknown": []})


class NewArtist(EquipmentChoices):
    """An artist to be born. What is left out is drawn by ``seed``."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: Slug
    name: Annotated[Words, Field(max_length=60)] = ""
    brief: Annotated[str, Field(max_length=120_000)] = ""
    """English, up to 2,000 characters."""
    seed: Seed | None = None
    """The same seed and brief are the same artist."""
    autopilot: bool = False
    policy: LifePolicy = LifePolicy()
    pacing: Pacing = Pacing()
    delivery: Delivery = Delivery.SUNG
    """How the artist performs its words."""


class ArtistSummary(Contract):
    """An artist in a list."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": "vela-noor", "name": "Vela Noor", "state": "active"}]}
    )

    id: str
    name: str
    state: str
    releases: int
    updated_at: datetime | None


class ArtistView(Contract):
    """An artist, as it is now.

    ``live`` says whether the artist itself was asked; else this is the last snapshot it wrote to the tables. An artist
    whose debut is not over has an identity only when its voice is cast.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": "vela-noor", "live": True, "detail": "is active", "life": None}]}
    )

    id: str
    live: bool
    detail: str
    identity: Identity | None
    life: ArtistLife | None
    voice_sample_url: str
    temporal_url: str


class CommandBody(Contract):
    """Why, for the record."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "A pause before the festival."}]})

    why: Prose = ""


class PauseBody(CommandBody):
    """Why, and until when: without either, until somebody says otherwise."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"why": "The sound library is away.", "awaits_provider": True}]}
    )

    until: AwareDatetime | None = None
    awaits_provider: bool = False


class RetireBody(Contract):
    """The reason, which is kept with the catalogue."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "The project has come to its end."}]})

    why: Annotated[Words, Field(min_length=1, max_length=2_000)]


class AutopilotBody(CommandBody):
    """Who decides from now on: the house within policy, or people."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"on": True}]})

    on: bool


class PolicyBody(CommandBody):
    """Other thresholds."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"policy": {"window_days": 30}}]})

    policy: LifePolicy


class PacingBody(CommandBody):
    """Another pace."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"pacing": {"gap_hours": 168}}]})

    pacing: Pacing


class EquipmentBody(CommandBody, EquipmentChoices):
    """Other engines, places and reviewers, whole: what is left out is the house's own again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "On YouTube too.", "publishers": ["store"]}]})


class IdeaBody(CommandBody):
    """A wish for the next song."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "A song about the last tram."}]})

    text: Line


class AudienceBody(Contract):
    """Figures of some days."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rows": [
                        {
                            "platform": "radio",
                            "day": "2026-11-01",
                            "number": 1,
                            "told_at": "2026-11-02T06:00:00Z",
                            "streams": 900,
                            "listeners": 700,
                        }
                    ]
                }
            ]
        }
    )

    rows: Annotated[tuple[AudienceRow, ...], Field(min_length=1, max_length=5_000)]


@router.post("", status_code=201, responses=responses(404, 409))
async def create_artist(body: NewArtist, caller: Producer, studio: Studio) -> ArtistView:
    """Have an artist born: its voice is cast, unlike every other of the house, and then its life begins."""
    await studio.admit(caller.tenant)
    seed = body.seed if body.seed is not None else secrets.randbelow(2**31)
    known = studio.settings.label.known_artists()
    born = conceive(seed, body.id, body.brief, name=body.name, known=known).silent
    draft = Draft(silent=born.model_copy(update={"delivery": body.delivery}))
    request = DebutRequest(
        tenant=caller.tenant,
        artist=body.id,
        created_by=caller.subject,
        draft=draft,
        policy=body.policy,
        pacing=body.pacing,
        autopilot=body.autopilot,
        equipment=await equipment(studio, caller.tenant, body, body.delivery),
    )
    ArtistRequest(
        artist=body.id,
        tenant=caller.tenant,
        created_by=caller.subject,
        identity=draft.silent,
        policy=body.policy,
        pacing=body.pacing,
        equipment=request.equipment,
    ).check()
    await studio.label.debut(request)
    return await view(studio, caller.tenant, body.id)


@router.get("")
async def list_artists(caller: Viewer, studio: Studio, limit: Limit = 50, after: After = "") -> Page[ArtistSummary]:
    """Artists by id."""
    rows = await studio.store.page(Artist, caller.tenant, after=after, limit=limit)
    items = tuple(
        ArtistSummary(
            id=row.id,
            name=row.name,
            state=row.state,
            releases=row.life.releases if row.life else 0,
            updated_at=row.updated_at,
        )
        for row in rows
    )
    return Page(items=items, next=rows[-1].id if len(rows) == limit else "")


@router.get("/{artist}", responses=responses(404))
async def get_artist(artist: Slug, caller: Viewer, studio: Studio) -> ArtistView:
    """An artist: identity, state and why, what is next."""
    return await view(studio, caller.tenant, artist)


async def view(studio: Services, tenant: str, artist: str) -> ArtistView:
    """The artist as its workflow tells it, else as the tables have it, else as its debut stands.

    Raises UnknownReference where there is none of these.
    """
    row = await studio.store.find(Artist, tenant, artist)
    if row is None:
        try:
            debut = await studio.label.debut_progress(tenant, artist)
        except Conflict:
            raise UnknownReference(f"no artist is called {artist!r}", field="artist") from None
        url = studio.workflow_url(f"debut/{tenant}/{artist}")
        return _view(studio, artist, debut.identity, None, live=True, detail=debut.detail, url=url)
    life, live = row.life, False
    with contextlib.suppress(TemporalUnavailable, Conflict):
        life, live = await studio.label.life(tenant, artist), True
    detail = f"{life.state.value}: {life.standing.reason}" if life else "about to begin"
    url = studio.workflow_url(artist_workflow_id(tenant, artist))
    return _view(studio, artist, life.identity if life else row.identity, life, live=live, detail=detail, url=url)


def _view(
    studio: Services,
    artist: str,
    identity: Identity | None,
    life: ArtistLife | None,
    *,
    live: bool,
    detail: str,
    url: str,
) -> ArtistView:
    sample = identity.voice_sample if identity else None
    return ArtistView(
        id=artist,
        live=live,
        detail=detail,
        identity=identity,
        life=life,
        voice_sample_url=studio.blobs.url(sample, seconds=LINK_SECONDS, filename=f"{artist}.wav") if sample else "",
        temporal_url=url,
    )


@router.get(
    "/{artist}/timeline",
    responses=_shown(
        404,
        example={
            "earlier": {"counts": {}, "first": None, "last": None},
            "events": [{"at": "2026-11-01T06:00:00Z", "kind": "born", "text": "Vela Noor is born", "who": "house"}],
        },
    ),
)
async def get_timeline(artist: Slug, caller: Viewer, studio: Studio) -> Timeline:
    """The whole life, to read."""
    await _known(studio, caller, artist)
    return await studio.label.timeline(caller.tenant, artist)


@router.post("/{artist}/pause", responses=_TAKEN)
async def pause(
    artist: Slug, caller: Producer, studio: Studio, body: PauseBody | None = None, key: OptionalKey = None
) -> CommandTaken:
    """Rest until somebody says otherwise, until a day, or until a provider has recovered."""
    asked = body or PauseBody()
    if asked.until is not None and asked.awaits_provider:
        raise InvalidInput("a pause ends on a day or when a provider has recovered, not both", field="until")
    command = Pause(command_id=_id(key), who=caller.subject, **asked.model_dump())
    return await _tell(studio, caller, artist, "pause", command)


@router.post("/{artist}/resume", responses=_TAKEN)
async def resume(
    artist: Slug, caller: Producer, studio: Studio, body: CommandBody | None = None, key: OptionalKey = None
) -> CommandTaken:
    """Go on."""
    command = Resume(command_id=_id(key), who=caller.subject, why=body.why if body else "")
    return await _tell(studio, caller, artist, "resume", command)


@router.post("/{artist}/recovered", responses=_TAKEN)
async def recovered(
    artist: Slug, caller: Producer, studio: Studio, body: CommandBody | None = None, key: OptionalKey = None
) -> CommandTaken:
    """Say that what kept the artist from its songs works again: its incident is closed, and it goes on at once."""
    command = Recovered(command_id=_id(key), who=caller.subject, why=body.why if body else "")
    return await _tell(studio, caller, artist, "recovered", command)


@router.post("/{artist}/retire", responses=_TAKEN)
async def retire(
    artist: Slug, caller: Producer, studio: Studio, body: RetireBody, key: OptionalKey = None
) -> CommandTaken:
    """End the career for good."""
    command = Retire(command_id=_id(key), who=caller.subject, why=body.why)
    return await _tell(studio, caller, artist, "retire", command)


@router.post("/{artist}/autopilot", responses=_TAKEN)
async def autopilot(
    artist: Slug, caller: Producer, studio: Studio, body: AutopilotBody, key: OptionalKey = None
) -> CommandTaken:
    """Let the house decide within policy, or people."""
    command = SetAutopilot(command_id=_id(key), who=caller.subject, why=body.why, on=body.on)
    return await _tell(studio, caller, artist, "set_autopilot", command)


@router.post("/{artist}/policy", responses=_TAKEN)
async def change_policy(
    artist: Slug, caller: Producer, studio: Studio, body: PolicyBody, key: OptionalKey = None
) -> CommandTaken:
    """Judge by other thresholds from now on."""
    command = ChangePolicy(command_id=_id(key), who=caller.subject, why=body.why, policy=body.policy)
    return await _tell(studio, caller, artist, "change_policy", command)


@router.post("/{artist}/pacing", responses=_TAKEN)
async def change_pacing(
    artist: Slug, caller: Producer, studio: Studio, body: PacingBody, key: OptionalKey = None
) -> CommandTaken:
    """Work at another pace from now on."""
    command = ChangePacing(command_id=_id(key), who=caller.subject, why=body.why, pacing=body.pacing)
    return await _tell(studio, caller, artist, "change_pacing", command)


@router.post("/{artist}/equipment", responses=_TAKEN)
async def equip(
    artist: Slug, caller: Producer, studio: Studio, body: EquipmentBody, key: OptionalKey = None
) -> CommandTaken:
    """Make tracks with other engines, publish them elsewhere, have others decide, from the next track on."""
    row = await _known(studio, caller, artist)
    identity = row.life.identity if row.life else row.identity
    chosen = await equipment(studio, caller.tenant, body, identity.delivery)
    command = Equip(command_id=_id(key), who=caller.subject, why=body.why, equipment=chosen)
    return await _tell(studio, caller, artist, "equip", command)


@router.post("/{artist}/ideas", responses=_TAKEN)
async def suggest(
    artist: Slug, caller: Producer, studio: Studio, body: IdeaBody, key: OptionalKey = None
) -> CommandTaken:
    """Suggest a song; it is the brief of the next one, and what an evolution takes up first."""
    command = Idea(command_id=_id(key), who=caller.subject, why=body.why, text=body.text)
    return await _tell(studio, caller, artist, "suggest", command)


@router.post("/{artist}/audience", responses=_HEARD)
async def hear_rows(artist: Slug, body: AudienceBody, caller: Producer, studio: Studio) -> ReportTaken:
    """Figures by platform, day and release. Late, doubled and corrected rows are welcome: of each day the later telling
    stands."""
    return await _heard(studio, caller, artist, body.rows)


@router.post(
    "/{artist}/audience/csv",
    responses=_HEARD,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": CSV_EXAMPLE,
                }
            },
        }
    },
)
async def hear_csv(artist: Slug, request: Request, caller: Producer, studio: Studio) -> ReportTaken:
    """The same as CSV, with the names of the fields in its first line."""
    try:
        text = (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("the file is not text in UTF-8", field="csv", code="audience.encoding") from None
    return await _heard(studio, caller, artist, read_csv(text))


async def _heard(studio: Services, caller: Caller, artist: str, rows: tuple[AudienceRow, ...]) -> ReportTaken:
    await _known(studio, caller, artist)
    if len(rows) > MAX_ROWS:
        raise TooLarge(f"{len(rows)} rows at once; at most {MAX_ROWS}", field="rows", code="audience.too_many")
    check_told(rows, datetime.now(UTC))
    numbers = {row.number for row in rows}
    out = await studio.store.released_numbers(caller.tenant, artist, numbers)
    # Figures of what is not out are somebody's mistake: kept, they would count for whatever gets that number.
    unknown = tuple(sorted(numbers - out))
    told = tuple(row for row in rows if row.number in out)
    if not told:
        return ReportTaken(taken=(), unknown=unknown[:60])
    known = await studio.store.keep_audience(caller.tenant, artist, told)
    taken = await studio.label.hear(caller.tenant, artist, report(known))
    return taken.model_copy(update={"unknown": tuple(sorted({*taken.unknown, *unknown}))[:60]})


async def _tell(studio: Services, caller: Caller, artist: str, update: str, command: Command) -> CommandTaken:
    await _known(studio, caller, artist)
    return await studio.label.tell(caller.tenant, artist, update, command)


async def _known(studio: Services, caller: Caller, artist: str) -> Artist:
    row = await studio.store.find(Artist, caller.tenant, artist)
    if row is None:
        raise UnknownReference(f"no artist is called {artist!r}", field="artist")
    return row


def _id(key: str | None) -> str:
    return key or f"rest-{secrets.token_hex(12)}"
