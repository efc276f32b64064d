"""What routes share: bounded words, pages, and the way to assets."""

import asyncio
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import AfterValidator, ConfigDict, Field

from activities.speech.normalise import speakable
from api.inspection import inspected
from api.services import Services
from models.artifacts import Artifact
from models.base import Contract
from models.errors import Conflict, MediaRejected, ScriptRejected, UnknownReference
from models.inspection import Use
from models.script import Pronunciation, Segment
from models.ssml import parse_script
from models.tables import Asset, AssetKind, AssetState

Item = TypeVar("Item")


def _printable(words: str) -> str:
    hidden = next((character for character in words if not character.isprintable() and character not in "\n\t"), None)
    if hidden is not None:
        raise ValueError(f"holds the control character U+{ord(hidden):04X}")
    return words


Words = Annotated[str, AfterValidator(_printable)]
"""Text people read: no control characters, which neither captions nor the database can hold."""
Line = Annotated[Words, Field(min_length=1, max_length=120)]
Prose = Annotated[Words, Field(max_length=2_000)]
AssetId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", examples=["5f2c9e0b7a1d4c33"])]
IdempotencyToken = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$", examples=["q3-results-2026-11-22"])]

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]
After = Annotated[str, Query(max_length=200, description="The `next` of the page before.")]


class Page(Contract, Generic[Item]):
    """Some items, and where the next begin; ``next`` is empty on the last page."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    items: tuple[Item, ...]
    next: Annotated[str, Field(examples=[""])] = ""


async def artifact_of(
    services: Services, tenant: str, asset_id: str, kind: AssetKind, field: str, use: Use | None = None
) -> Artifact:
    """The bytes of an upload that is used as ``field``; what ``use`` asks of it was looked at when it was decoded.

    Raises UnknownReference when there is none, MediaRejected when it is something else than ``kind`` or unfit for
    ``use``, Conflict while it has not been decoded.
    """
    asset = await services.store.find(Asset, tenant, asset_id)
    if asset is None:
        raise UnknownReference(f"no asset has the id {asset_id}", field=field)
    if asset.kind is not kind:
        raise MediaRejected(
            f"asset {asset_id} is {asset.media_type}; {field} needs {kind.value}", field=field, code="asset.kind"
        )
    asset = await inspected(services, asset)
    if asset.state is AssetState.UNCHECKED:
        raise Conflict(
            f"asset {asset_id} is still being looked at",
            field=field,
            code="asset.unchecked",
            action="Send the request again in a moment. If it lasts, the operator starts a worker of the cpu lane.",
        )
    refusal = asset.failure or (asset.findings.refusal(use) if use and asset.findings else None)
    if refusal:
        raise MediaRejected(refusal.message, field=field, code=refusal.code, action=refusal.action)
    return asset.artifact()


async def sentences(source: str, language: str, pronunciations: tuple[Pronunciation, ...]) -> tuple[Segment, ...]:
    """``source`` parsed and tried: its author hears now, not in a render, what no voice can say.

    Raises ScriptRejected that names the place.
    """

    def read() -> tuple[Segment, ...]:
        segments = parse_script(source, language, pronunciations)
        for segment in segments:
            try:
                speakable(segment.utterance)
            except ScriptRejected as error:
                error.field = f"sentence {segment.index + 1}, {error.field}"
                raise
        return segments

    return await asyncio.to_thread(read)
