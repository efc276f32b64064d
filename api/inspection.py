"""Uploads on their way to a verdict: started here, waited for as long as somebody would."""

from datetime import timedelta

import structlog

from api.services import Services
from models.engines import find_engine
from models.errors import TemporalUnavailable
from models.plan import Capability
from models.tables import Asset, AssetState
from models.upkeep import AssetToInspect

log = structlog.get_logger()

PATIENCE = timedelta(seconds=8)
"""How long a request waits for a verdict. A picture takes half a second on a worker that has looked at one before; half
an hour of sound, some seconds. Who gives up here reads the verdict later."""
INSPECTOR = "media"


async def start_inspection(studio: Services, asset: Asset) -> None:
    """Have the upload decoded, once. Raises TemporalUnavailable; the sweep then starts it later."""
    weights = (await studio.store.weights()).get((Capability.INSPECTION, INSPECTOR), "")
    await studio.renders.inspect(
        AssetToInspect(
            tenant=asset.tenant,
            asset=asset.id,
            engine=find_engine(Capability.INSPECTION, INSPECTOR).ref(weights),
            file=asset.artifact(),
            longest_ms=studio.settings.api.max_media_minutes * 60_000,
        )
    )
    await studio.store.inspecting(asset.tenant, asset.id)


async def inspected(studio: Services, asset: Asset) -> Asset:
    """The upload with its verdict; still unchecked when none came in time, because no worker of the cpu lane is free or
    Temporal is out of reach. The upload itself is kept either way."""
    if asset.state is not AssetState.UNCHECKED:
        return asset
    try:
        await start_inspection(studio, asset)
        await studio.renders.inspected(asset.tenant, asset.id, PATIENCE)
    except TemporalUnavailable as error:
        log.warning("asset.uninspected", asset=asset.id, why=error.message)
    return await studio.store.get(Asset, asset.tenant, asset.id)
