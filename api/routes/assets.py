"""Assets: pictures, videos, sound and documents, streamed into the object store and known by their bytes."""

import secrets
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict, Field

from api.auth import Producer, Viewer
from api.common import After, AssetId, Limit, Page
from api.inspection import inspected
from api.problems import responses
from api.services import Studio
from api.uploads import KIND_LIMITS, MEBIBYTE, at_most, incoming, sniff, take_head, too_large
from models.base import Contract
from models.errors import FailureDetails, MediaRejected
from models.inspection import Findings
from models.tables import Asset, AssetKind, AssetState

router = APIRouter(prefix="/assets", tags=["assets"], responses=responses(401, 403, 413, 422, 503, 507))

URL_SECONDS = 3600
_FORM = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself as the body, or a form with a part called `file`.",
        "content": {
            "multipart/form-data": {"schema": _FORM, "example": {"file": "(the bytes of logo.png)"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}

EXAMPLE: dict[str, Any] = {
    "id": "5f2c9e0b7a1d4c33",
    "kind": "image",
    "media_type": "image/png",
    "size": 18_204,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "width": 512,
    "height": 512,
    "filename": "logo.png",
    "state": "ready",
    "findings": {"width": 512, "height": 512, "faces": 0},
}


class AssetView(Contract):
    """An upload. ``unchecked``: its header was read, and a worker has yet to decode it. ``ready``: it was decoded;
    ``findings`` holds its measures and each use it is unfit for. ``rejected``: ``failure`` says what is wrong."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: AssetId
    kind: AssetKind
    media_type: str
    size: Annotated[int, Field(ge=1)]
    sha256: str
    uri: str
    duration_ms: int | None
    width: int | None
    height: int | None
    filename: str
    state: AssetState
    failure: FailureDetails | None
    findings: Findings | None
    created_by: str
    created_at: datetime | None


_INTERNAL = {"tenant", "dispatched_at"}


class AssetDetail(AssetView):
    """An upload and a signed link that serves it."""

    url: str
    expires_in_seconds: int = URL_SECONDS


def _view(row: Asset) -> AssetView:
    return AssetView.model_validate(row.model_dump(exclude=_INTERNAL))


@router.post("", status_code=201, openapi_extra=_BODY, responses={200: {"description": "The same bytes are kept."}})
async def upload_asset(
    request: Request,
    response: Response,
    caller: Producer,
    studio: Studio,
    filename: Annotated[str, Query(max_length=200, description="A name for people.", examples=["logo.png"])] = "",
) -> AssetView:
    """Upload a file. Its type comes from its bytes; the same bytes again answer with the asset there is.

    The answer waits a few seconds for the file to be decoded. One that nothing can be made of is refused with what is
    wrong; one whose turn did not come in time is kept as `unchecked`, and reading it later tells the verdict.
    """
    limits = studio.settings.api
    most = limits.max_upload_mb * MEBIBYTE
    if int(request.headers.get("content-length", "0")) > most + MEBIBYTE:
        raise too_large(most)
    upload = await incoming(request, filename)
    head, chunks = await take_head(upload.chunks)
    found = sniff(head, upload.declared, upload.filename, max_minutes=limits.max_media_minutes)
    await studio.admit(caller.tenant)
    limited = at_most(chunks, min(most, KIND_LIMITS.get(found.kind, most)))
    blob = await studio.blobs.keep(limited, found.media_type)
    asset = Asset(
        tenant=caller.tenant,
        id=secrets.token_hex(8),
        sha256=blob.sha256,
        uri=blob.uri,
        kind=found.kind,
        media_type=found.media_type,
        size=blob.size,
        duration_ms=found.duration_ms,
        width=found.width,
        height=found.height,
        filename=_tidy(upload.filename),
        created_by=caller.subject,
    )
    kept, new = await studio.store.keep_asset(asset)
    kept = await inspected(studio, kept)
    if kept.failure:
        raise MediaRejected(kept.failure.message, field="file", code=kept.failure.code, action=kept.failure.action)
    response.status_code = 201 if new else 200
    response.headers["Location"] = f"/assets/{kept.id}"
    return _view(kept)


def _tidy(filename: str) -> str:
    """The last part of a name, printable: it is shown to people and never used as a path."""
    name = PurePosixPath(filename.replace("\\", "/")).name
    return "".join(character for character in name if character.isprintable())[:200]


@router.get("")
async def list_assets(caller: Viewer, studio: Studio, limit: Limit = 50, after: After = "") -> Page[AssetView]:
    """Assets by id."""
    rows = await studio.store.page(Asset, caller.tenant, after=after, limit=limit)
    return Page(items=tuple(map(_view, rows)), next=rows[-1].id if len(rows) == limit else "")


@router.get("/{asset}", responses=responses(404))
async def get_asset(asset: AssetId, caller: Viewer, studio: Studio) -> AssetDetail:
    """One asset, with a signed link that serves it."""
    row = await studio.store.get(Asset, caller.tenant, asset)
    url = studio.blobs.url(row.artifact(), seconds=URL_SECONDS)
    return AssetDetail(**row.model_dump(exclude=_INTERNAL), url=url)
