"""Voices: a stock voice of an engine, or samples of somebody who agreed to be enrolled."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator

from api.auth import Producer, Viewer
from api.common import After, AssetId, Limit, Line, Page, artifact_of
from api.problems import responses
from api.services import Services, Studio
from models.artifacts import Artifact
from models.base import Contract, LanguageTag, Slug
from models.engines import RECORDING, find_engine
from models.errors import FailureDetails, InvalidInput
from models.inspection import Use
from models.plan import Capability
from models.stock import require_stock_voice
from models.tables import AssetKind, Voice, VoiceState
from models.upkeep import VoiceToEnrol

router = APIRouter(prefix="/voices", tags=["voices"], responses=responses(401, 403, 422, 503))

EXAMPLE: dict[str, Any] = {"name": "Avery", "engine": "kokoro", "stock": "af_heart", "language": "en-US"}


class VoiceBody(Contract):
    """A voice as it is written. Exactly one of ``stock`` (the engine's own name for it) and ``samples`` is given."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Line
    engine: Slug = "kokoro"
    stock: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,80}$")] | None = None
    samples: Annotated[tuple[AssetId, ...], Field(max_length=20)] = ()
    """Audio assets of one speaker."""
    language: LanguageTag = "en"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.stock is None) == (not self.samples):
            raise ValueError("give either stock or samples")
        return self


class NewVoice(VoiceBody):
    """A voice and the id it is to have."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "avery", **EXAMPLE}]})

    id: Slug


class VoiceView(Contract):
    """A voice as it is kept. It can speak once its state is ``ready``; ``failure`` says why it cannot."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "avery", **EXAMPLE, "state": "ready"}]})

    id: Slug
    name: str
    engine: str
    stock: str | None
    samples: tuple[Artifact, ...]
    latents: Artifact | None
    language: str
    state: VoiceState
    failure: FailureDetails | None
    created_at: datetime | None
    updated_at: datetime | None


def _view(row: Voice) -> VoiceView:
    return VoiceView.model_validate(row.model_dump(exclude={"tenant"}))


async def _row(studio: Services, tenant: str, voice_id: str, body: VoiceBody) -> Voice:
    await studio.admit(tenant)
    find_engine(Capability.SPEECH, body.engine)
    if body.engine == RECORDING:
        raise InvalidInput(
            "the engine 'recording' has no voice",
            field="engine",
            code="voice.engine",
            action="Name an engine that speaks; a recording of a script is given to the render.",
        )
    if body.stock:
        require_stock_voice(body.engine, body.stock)
    samples = [
        await artifact_of(studio, tenant, asset, AssetKind.AUDIO, "samples", Use.VOICE_SAMPLE) for asset in body.samples
    ]
    return Voice(
        tenant=tenant,
        id=voice_id,
        name=body.name,
        engine=body.engine,
        stock=body.stock,
        samples=tuple(samples),
        language=body.language,
        state=VoiceState.ENROLLING if samples else VoiceState.READY,
    )


async def _learnt(studio: Services, voice: Voice) -> VoiceView:
    """The voice, on its way to be learnt if it has samples. After a 503 it is kept; saving it again starts that."""
    if voice.samples:
        weights = (await studio.store.weights()).get((Capability.SPEECH, voice.engine), "")
        engine = find_engine(Capability.SPEECH, voice.engine).ref(weights)
        await studio.renders.enrol(
            VoiceToEnrol(tenant=voice.tenant, voice=voice.id, engine=engine, samples=voice.samples)
        )
    return _view(voice)


@router.post("", status_code=201, responses=responses(404, 409))
async def create_voice(body: NewVoice, caller: Producer, studio: Studio) -> VoiceView:
    """Create a voice."""
    voice = await studio.store.add(await _row(studio, caller.tenant, body.id, body))
    return await _learnt(studio, voice)


@router.put("/{voice}", responses=responses(404, 409))
async def replace_voice(voice: Slug, body: VoiceBody, caller: Producer, studio: Studio) -> VoiceView:
    """Create the voice, or replace what is kept of it. Renders made before keep what they were made of."""
    row = await studio.store.put(await _row(studio, caller.tenant, voice, body))
    return await _learnt(studio, row)


@router.get("")
async def list_voices(caller: Viewer, studio: Studio, limit: Limit = 50, after: After = "") -> Page[VoiceView]:
    """Voices by id."""
    rows = await studio.store.page(Voice, caller.tenant, after=after, limit=limit)
    return Page(items=tuple(map(_view, rows)), next=rows[-1].id if len(rows) == limit else "")


@router.get("/{voice}", responses=responses(404))
async def get_voice(voice: Slug, caller: Viewer, studio: Studio) -> VoiceView:
    """One voice."""
    return _view(await studio.store.get(Voice, caller.tenant, voice))
