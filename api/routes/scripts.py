"""Scripts: parsed when saved, so that their author hears at once what cannot be spoken; every version is kept."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from api.auth import Producer, Viewer
from api.common import After, Limit, Line, Page, sentences
from api.problems import responses
from api.services import Services, Studio
from models.base import Contract, LanguageTag, Slug
from models.script import MAX_SCRIPT_CHARACTERS, Pronunciation, ScriptAudience, Segment, Tone
from models.tables import Script, ScriptSegment

router = APIRouter(prefix="/scripts", tags=["scripts"], responses=responses(401, 403, 413, 422, 503))

EXAMPLE: dict[str, Any] = {
    "title": "Third quarter",
    "source": 'Good morning. Revenue grew 12% to <emphasis level="strong">$4.1 million</emphasis>.',
    "language": "en",
    "audience": "employees",
    "pronunciations": [{"word": "Quorvane", "ipa": "kwɔɹveɪn"}],
}

Version = Annotated[int | None, Query(ge=1, description="A version; the newest without it.")]


class ScriptBody(Contract):
    """A script as it is written: plain text, or the SSML subset of ``models/ssml.py``."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    title: Line
    source: Annotated[str, Field(max_length=MAX_SCRIPT_CHARACTERS)]
    language: LanguageTag = "en"
    tone: Tone | None = None
    """The persona's own without it."""
    audience: ScriptAudience = ScriptAudience.EMPLOYEES
    pronunciations: Annotated[tuple[Pronunciation, ...], Field(max_length=200)] = ()


class NewScript(ScriptBody):
    """A script and the id it is to have. An id that exists gets a new version."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "q3-results", **EXAMPLE}]})

    id: Slug


class ScriptSummary(Contract):
    """The newest version of a script, for lists."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "q3-results", "version": 2, "title": "Q3"}]})

    id: Slug
    version: int
    title: str
    language: str
    audience: ScriptAudience
    saved_by: str
    created_at: datetime | None


class ScriptView(ScriptSummary):
    """A version of a script with its sentences."""

    source: str
    tone: Tone | None
    pronunciations: tuple[Pronunciation, ...]
    segments: tuple[Segment, ...]


def _view(row: Script, segments: tuple[Segment, ...]) -> ScriptView:
    return ScriptView(**row.model_dump(exclude={"tenant"}), segments=segments)


def segments_of(rows: "list[ScriptSegment]") -> tuple[Segment, ...]:
    """The sentences as a render carries them."""
    return tuple(
        Segment(index=row.index, utterance=row.utterance, start=row.start_offset, end=row.end_offset) for row in rows
    )


async def _save(studio: Services, tenant: str, who: str, script_id: str, body: ScriptBody) -> ScriptView:
    segments = await sentences(body.source, body.language, body.pronunciations)
    await studio.admit(tenant)
    script = Script(
        tenant=tenant,
        id=script_id,
        version=1,
        title=body.title,
        source=body.source,
        language=body.language,
        tone=body.tone,
        audience=body.audience,
        pronunciations=body.pronunciations,
        saved_by=who,
    )
    rows = [
        ScriptSegment(
            tenant=tenant,
            script=script_id,
            version=1,
            index=segment.index,
            utterance=segment.utterance,
            start_offset=segment.start,
            end_offset=segment.end,
        )
        for segment in segments
    ]
    return _view(await studio.store.save_script(script, rows), segments)


@router.post("", status_code=201)
async def create_script(body: NewScript, caller: Producer, studio: Studio) -> ScriptView:
    """Save a script: parsed, cut into sentences, kept as the next version of its id."""
    return await _save(studio, caller.tenant, caller.subject, body.id, body)


@router.put("/{script}")
async def save_script(script: Slug, body: ScriptBody, caller: Producer, studio: Studio) -> ScriptView:
    """Save a new version."""
    return await _save(studio, caller.tenant, caller.subject, script, body)


@router.get("")
async def list_scripts(caller: Viewer, studio: Studio, limit: Limit = 50, after: After = "") -> Page[ScriptSummary]:
    """The newest version of each script, by id."""
    rows = await studio.store.scripts(caller.tenant, after=after, limit=limit)
    items = [
        ScriptSummary.model_validate({name: getattr(row, name) for name in ScriptSummary.model_fields}) for row in rows
    ]
    return Page(items=tuple(items), next=rows[-1].id if len(rows) == limit else "")


@router.get("/{script}", responses=responses(404))
async def get_script(script: Slug, caller: Viewer, studio: Studio, version: Version = None) -> ScriptView:
    """A version of a script."""
    row = await studio.store.script(caller.tenant, script, version)
    return _view(row, segments_of(list(await studio.store.segments(row))))
