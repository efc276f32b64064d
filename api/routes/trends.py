"""Trends: what the label says is in the air, for songs that are planned from now on."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict

from api.auth import Producer, Viewer
from api.common import Page
from api.problems import responses
from api.services import Services, Studio
from models.base import Contract, Slug
from models.birth_words import THEMES
from models.errors import InvalidInput, UnknownReference
from models.outlook import Trend, TrendBody
from models.tables import TrendRecord

router = APIRouter(prefix="/trends", tags=["trends"], responses=responses(401, 403, 422, 503))

EXAMPLE: dict[str, Any] = {
    "genres": ["lofi", "ambient"],
    "themes": ["city rain"],
    "tempo_low": 70,
    "tempo_high": 78,
    "energy": 0.35,
    "words": ["umbrella"],
    "weight": 0.6,
    "valid_until": "2027-03-01T00:00:00Z",
}


class NewTrend(TrendBody):
    """A trend as it is written."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})


class TrendView(Contract):
    """A trend, and whether it is in force this moment."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"trend": {"name": "rain", "set_by": "priya", **EXAMPLE}, "in_force": True, "updated_at": None}
            ]
        }
    )

    trend: Trend
    in_force: bool
    updated_at: datetime | None


def _view(row: TrendRecord) -> TrendView:
    return TrendView(trend=row.trend, in_force=row.trend.holds(datetime.now(UTC)), updated_at=row.updated_at)


@router.put("/{name}", responses=responses(409))
async def put_trend(name: Slug, body: NewTrend, caller: Producer, studio: Studio) -> TrendView:
    """Set a trend, or change it. It leans songs whose turn comes while it is in force; those under way stay as they
    are. An artist follows it within its habits, and beyond them as far as its policy's `openness` allows."""
    unknown = [theme for theme in body.themes if theme not in THEMES]
    if unknown:
        raise InvalidInput(
            f"nobody writes about {', '.join(unknown)}",
            field="themes",
            code="trend.theme_unknown",
            action=f"Use some of these: {', '.join(THEMES)}; other words go into words.",
        )
    await studio.admit(caller.tenant)
    await studio.store.put_trend(caller.tenant, Trend(name=name, set_by=caller.subject, **body.model_dump()))
    return _view(await studio.store.get(TrendRecord, caller.tenant, name))


@router.get("")
async def list_trends(
    caller: Viewer,
    studio: Studio,
    in_force: Annotated[bool, Query(description="Only those in force this moment.")] = False,
) -> Page[TrendView]:
    """Trends by name."""
    views = (_view(row) for row in await studio.store.trends(caller.tenant))
    return Page(items=tuple(view for view in views if view.in_force or not in_force))


@router.get("/{name}", responses=responses(404))
async def get_trend(name: Slug, caller: Viewer, studio: Studio) -> TrendView:
    """One trend, and who set it."""
    return _view(await _known(studio, caller.tenant, name))


@router.delete("/{name}", status_code=204, responses=responses(404))
async def remove_trend(name: Slug, caller: Producer, studio: Studio) -> None:
    """Forget a trend. Songs that it leaned keep its name."""
    await studio.store.remove(await _known(studio, caller.tenant, name))


async def _known(studio: Services, tenant: str, name: str) -> TrendRecord:
    row = await studio.store.find(TrendRecord, tenant, name)
    if row is None:
        raise UnknownReference(f"no trend is called {name!r}", field="name")
    return row
