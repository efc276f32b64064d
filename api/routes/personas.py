"""Personas: who speaks, how, with which voice and face."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator

from api.auth import Producer, Viewer
from api.common import After, AssetId, Limit, Line, Page, Prose, Words, artifact_of
from api.problems import responses
from api.services import Services, Studio
from models.base import Contract, Slug
from models.inspection import Use
from models.script import Tone
from models.stock import require_look
from models.tables import Argumentation, AssetKind, BrandKit, Persona, RiskPosture, Voice

router = APIRouter(prefix="/personas", tags=["personas"], responses=responses(401, 403, 422, 503))

EXAMPLE: dict[str, Any] = {
    "name": "Avery Lindqvist",
    "title": "Chief Executive Officer",
    "description": "Speaks for the company on results and direction.",
    "style": "Short sentences. Figures before adjectives.",
    "argumentation": "medium",
    "risk_posture": "balanced",
    "tone": "confident",
    "voice": "avery",
    "look": "avery",
    "brand": "house",
}


class PersonaBody(Contract):
    """A persona as it is written. Exactly one of ``look`` (of the 3D presenter) and ``photo`` (an asset) is given."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Line
    title: Annotated[Words, Field(max_length=120)] = ""
    description: Prose = ""
    style: Prose = ""
    """How the persona phrases things."""
    argumentation: Argumentation = Argumentation.MEDIUM
    risk_posture: RiskPosture = RiskPosture.BALANCED
    tone: Tone = Tone.CONFIDENT
    voice: Slug
    look: Slug | None = None
    photo: AssetId | None = None
    brand: Slug | None = None

    @model_validator(mode="after")
    def _one_face(self) -> Self:
        if (self.look is None) == (self.photo is None):
            raise ValueError("give either look or photo")
        return self


class NewPersona(PersonaBody):
    """A persona and the id it is to have."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "avery", **EXAMPLE}]})

    id: Slug


class PersonaView(NewPersona):
    """A persona as it is kept."""

    created_at: datetime | None
    updated_at: datetime | None


def _view(row: Persona) -> PersonaView:
    kept = row.model_dump(exclude={"tenant", "photo_asset"})
    return PersonaView(**kept, photo=row.photo_asset)


async def _row(studio: Services, tenant: str, persona_id: str, body: PersonaBody) -> Persona:
    """The row, after a look at what it refers to, so that the answer names the field."""
    await studio.admit(tenant)
    if body.look is not None:
        require_look(body.look)
    await studio.store.get(Voice, tenant, body.voice)
    if body.brand is not None:
        await studio.store.get(BrandKit, tenant, body.brand)
    if body.photo is not None:
        await artifact_of(studio, tenant, body.photo, AssetKind.IMAGE, "photo", Use.PORTRAIT)
    given = body.model_dump(exclude={"id", "photo"})
    return Persona(tenant=tenant, id=persona_id, photo_asset=body.photo, **given)


@router.post("", status_code=201, responses=responses(404, 409))
async def create_persona(body: NewPersona, caller: Producer, studio: Studio) -> PersonaView:
    """Create a persona."""
    return _view(await studio.store.add(await _row(studio, caller.tenant, body.id, body)))


@router.put("/{persona}", responses=responses(404, 409))
async def replace_persona(persona: Slug, body: PersonaBody, caller: Producer, studio: Studio) -> PersonaView:
    """Create the persona, or replace what is kept of it. Renders made before keep what they were made of."""
    return _view(await studio.store.put(await _row(studio, caller.tenant, persona, body)))


@router.get("")
async def list_personas(caller: Viewer, studio: Studio, limit: Limit = 50, after: After = "") -> Page[PersonaView]:
    """Personas by id."""
    rows = await studio.store.page(Persona, caller.tenant, after=after, limit=limit)
    return Page(items=tuple(map(_view, rows)), next=rows[-1].id if len(rows) == limit else "")


@router.get("/{persona}", responses=responses(404))
async def get_persona(persona: Slug, caller: Viewer, studio: Studio) -> PersonaView:
    """One persona."""
    return _view(await studio.store.get(Persona, caller.tenant, persona))
