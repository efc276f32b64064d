"""Background plates: a colour, an image, a video, or slides."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator

from api.auth import Producer, Viewer
from api.common import After, AssetId, Limit, Line, Page, artifact_of
from api.problems import responses
from api.services import Services, Studio
from models.base import Contract, HexColour, Slug
from models.layout import Plate, PlateKind, Slide
from models.tables import AssetKind, BackgroundPlate

router = APIRouter(prefix="/plates", tags=["plates"], responses=responses(401, 403, 422, 503))

EXAMPLE: dict[str, Any] = {"name": "Deep blue", "kind": "colour", "colour": "#1d2733"}
_HOLDS = {PlateKind.IMAGE: AssetKind.IMAGE, PlateKind.VIDEO: AssetKind.VIDEO}


class SlideBody(Contract):
    """An image asset shown from ``from_segment`` on."""

    asset: AssetId
    from_segment: Annotated[int, Field(ge=0, lt=400)]


class PlateBody(Contract):
    """A plate as it is written. ``asset`` goes with image and video, ``slides`` with slides."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Line
    kind: PlateKind = PlateKind.COLOUR
    colour: HexColour = "#1d2733"
    asset: AssetId | None = None
    slides: Annotated[tuple[SlideBody, ...], Field(max_length=60)] = ()

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.kind in _HOLDS) != (self.asset is not None):
            raise ValueError("asset goes with the kinds image and video, and they need one")
        if (self.kind is PlateKind.SLIDES) != bool(self.slides):
            raise ValueError("slides go with the kind slides, and it needs at least one")
        starts = [slide.from_segment for slide in self.slides]
        if starts != sorted(set(starts)):
            raise ValueError("slides are in order, each from a later segment")
        return self


class NewPlate(PlateBody):
    """A plate and the id it is to have."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "deep-blue", **EXAMPLE}]})

    id: Slug


class PlateView(NewPlate):
    """A plate as it is kept."""

    created_at: datetime | None
    updated_at: datetime | None


def _view(row: BackgroundPlate) -> PlateView:
    slides = tuple(SlideBody(asset=asset, from_segment=start) for asset, start in row.slides)
    return PlateView(**row.model_dump(exclude={"tenant", "slides"}), slides=slides)


async def _contract(studio: Services, tenant: str, row: BackgroundPlate) -> Plate:
    """The plate with its assets' bytes. Raises UnknownReference or MediaRejected."""
    asset = await artifact_of(studio, tenant, row.asset, _HOLDS[row.kind], "asset") if row.asset else None
    slides = [
        Slide(picture=await artifact_of(studio, tenant, slide, AssetKind.IMAGE, "slides"), from_segment=start)
        for slide, start in row.slides
    ]
    return Plate(kind=row.kind, colour=row.colour, asset=asset, slides=tuple(slides))


async def _row(studio: Services, tenant: str, plate_id: str, body: PlateBody) -> BackgroundPlate:
    await studio.admit(tenant)
    slides = tuple((slide.asset, slide.from_segment) for slide in body.slides)
    given = body.model_dump(exclude={"id", "slides"})
    row = BackgroundPlate(tenant=tenant, id=plate_id, slides=slides, **given)
    await _contract(studio, tenant, row)
    return row


async def plate_of(studio: Services, tenant: str, plate_id: str) -> Plate:
    """The plate as a render carries it. Raises UnknownReference."""
    return await _contract(studio, tenant, await studio.store.get(BackgroundPlate, tenant, plate_id))


@router.post("", status_code=201, responses=responses(404, 409))
async def create_plate(body: NewPlate, caller: Producer, studio: Studio) -> PlateView:
    """Create a plate."""
    return _view(await studio.store.add(await _row(studio, caller.tenant, body.id, body)))


@router.put("/{plate}", responses=responses(404, 409))
async def replace_plate(plate: Slug, body: PlateBody, caller: Producer, studio: Studio) -> PlateView:
    """Create the plate, or replace what is kept of it."""
    return _view(await studio.store.put(await _row(studio, caller.tenant, plate, body)))


@router.get("")
async def list_plates(caller: Viewer, studio: Studio, limit: Limit = 50, after: After = "") -> Page[PlateView]:
    """Plates by id."""
    rows = await studio.store.page(BackgroundPlate, caller.tenant, after=after, limit=limit)
    return Page(items=tuple(map(_view, rows)), next=rows[-1].id if len(rows) == limit else "")


@router.get("/{plate}", responses=responses(404))
async def get_plate(plate: Slug, caller: Viewer, studio: Studio) -> PlateView:
    """One plate."""
    return _view(await studio.store.get(BackgroundPlate, caller.tenant, plate))
