"""Brand kits: colours and a logo."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import ConfigDict

from api.auth import Producer, Viewer
from api.common import After, AssetId, Limit, Line, Page, artifact_of
from api.problems import responses
from api.services import Services, Studio
from models.base import Contract, HexColour, Slug
from models.layout import Brand
from models.tables import AssetKind, BrandKit

router = APIRouter(prefix="/brands", tags=["brands"], responses=responses(401, 403, 422, 503))

EXAMPLE: dict[str, Any] = {"name": "Northwind Analytics", "primary": "#0b3d91", "accent": "#f2b705", "text": "#ffffff"}


class BrandBody(Contract):
    """A brand kit as it is written. ``logo`` is an image asset."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Line
    primary: HexColour = "#0b3d91"
    accent: HexColour = "#f2b705"
    text: HexColour = "#ffffff"
    logo: AssetId | None = None


class NewBrand(BrandBody):
    """A brand kit and the id it is to have."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "house", **EXAMPLE}]})

    id: Slug


class BrandView(NewBrand):
    """A brand kit as it is kept."""

    created_at: datetime | None
    updated_at: datetime | None


def _view(row: BrandKit) -> BrandView:
    return BrandView(**row.model_dump(exclude={"tenant", "logo_asset"}), logo=row.logo_asset)


async def _row(studio: Services, tenant: str, brand_id: str, body: BrandBody) -> BrandKit:
    await studio.admit(tenant)
    if body.logo is not None:
        await artifact_of(studio, tenant, body.logo, AssetKind.IMAGE, "logo")
    return BrandKit(tenant=tenant, id=brand_id, logo_asset=body.logo, **body.model_dump(exclude={"id", "logo"}))


async def brand_of(studio: Services, tenant: str, brand_id: str) -> Brand:
    """The kit as a render carries it. Raises UnknownReference."""
    row = await studio.store.get(BrandKit, tenant, brand_id)
    logo = await artifact_of(studio, tenant, row.logo_asset, AssetKind.IMAGE, "logo") if row.logo_asset else None
    return Brand(name=row.name, primary=row.primary, accent=row.accent, text=row.text, logo=logo)


@router.post("", status_code=201, responses=responses(404, 409))
async def create_brand(body: NewBrand, caller: Producer, studio: Studio) -> BrandView:
    """Create a brand kit."""
    return _view(await studio.store.add(await _row(studio, caller.tenant, body.id, body)))


@router.put("/{brand}", responses=responses(404, 409))
async def replace_brand(brand: Slug, body: BrandBody, caller: Producer, studio: Studio) -> BrandView:
    """Create the brand kit, or replace what is kept of it."""
    return _view(await studio.store.put(await _row(studio, caller.tenant, brand, body)))


@router.get("")
async def list_brands(caller: Viewer, studio: Studio, limit: Limit = 50, after: After = "") -> Page[BrandView]:
    """Brand kits by id."""
    rows = await studio.store.page(BrandKit, caller.tenant, after=after, limit=limit)
    return Page(items=tuple(map(_view, rows)), next=rows[-1].id if len(rows) == limit else "")


@router.get("/{brand}", responses=responses(404))
async def get_brand(brand: Slug, caller: Viewer, studio: Studio) -> BrandView:
    """One brand kit."""
    return _view(await studio.store.get(BrandKit, caller.tenant, brand))
