"""Reviewers: who may decide, and where they are asked."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from api.auth import Admin, Viewer
from api.common import After, Limit, Line, Page
from api.problems import responses
from api.services import Studio
from models.approval import Principal
from models.base import Contract
from models.tables import ReviewerRecord

router = APIRouter(prefix="/reviewers", tags=["reviewers"], responses=responses(401, 403, 422, 503))


class ReviewerBody(Contract):
    """A reviewer as it is written."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Priya Raman", "telegram_chat": 123456789}]})

    name: Line
    telegram_chat: Annotated[int, Field(ge=1, lt=2**52)] | None = None
    """Their private chat with the bot, which tells it to whoever writes to it."""


class ReviewerView(ReviewerBody):
    """A reviewer. ``id`` is the ``sub`` of their token."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "priya", "name": "Priya Raman"}]})

    id: Principal


def _view(row: ReviewerRecord) -> ReviewerView:
    return ReviewerView(id=row.id, name=row.name, telegram_chat=row.telegram_chat)


@router.put("/{reviewer}", responses=responses(409))
async def put_reviewer(reviewer: Principal, body: ReviewerBody, caller: Admin, studio: Studio) -> ReviewerView:
    """List a reviewer, or change one. Questions that are open keep the reviewers they were asked with."""
    await studio.admit(caller.tenant)
    return _view(await studio.store.put(ReviewerRecord(tenant=caller.tenant, id=reviewer, **body.model_dump())))


@router.delete("/{reviewer}", status_code=204, responses=responses(404))
async def remove_reviewer(reviewer: Principal, caller: Admin, studio: Studio) -> None:
    """Take a reviewer off the list, for questions to come."""
    await studio.store.remove(await studio.store.get(ReviewerRecord, caller.tenant, reviewer))


@router.get("")
async def list_reviewers(caller: Viewer, studio: Studio, limit: Limit = 50, after: After = "") -> Page[ReviewerView]:
    """Reviewers by id."""
    rows = await studio.store.page(ReviewerRecord, caller.tenant, after=after, limit=limit)
    return Page(items=tuple(map(_view, rows)), next=rows[-1].id if len(rows) == limit else "")


@router.get("/{reviewer}", responses=responses(404))
async def get_reviewer(reviewer: Principal, caller: Viewer, studio: Studio) -> ReviewerView:
    """One reviewer."""
    return _view(await studio.store.get(ReviewerRecord, caller.tenant, reviewer))
