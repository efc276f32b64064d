"""A thousand artists of one house, brought to life on a running studio without casting a thousand voices, which would
take the voice's engine hours: what is measured is what it costs that they live."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.client import Client

from models.artist import ArtistRequest, Equipment, Pacing, artist_workflow_id
from models.birth import conceive
from models.engines import resolve_track_plan
from models.identity import SingingVoice, StyleShare
from models.lanes import Lane
from models.roster import Roster
from models.song_stages import VoicePrint
from workers.plugin import StudioPlugin

TENANT, PREFIX = "house", "crowd-"
AT_ONCE = 20
VOICE = SingingVoice(styles=(StyleShare(style="af_heart", share=1),), low=55, high=74)


@dataclass(frozen=True)
class Doors:
    """Where a studio's servers are."""

    temporal: str
    database: str


def crowd(count: int) -> list[str]:
    """Their ids."""
    return [f"{PREFIX}{number:04d}" for number in range(count)]


async def enliven(doors: Doors, artists: list[str]) -> None:
    """Every one is in the tables and alive, waiting for somebody's idea; returns when each has told its life."""
    async with _studio(doors) as (client, roster):
        gate = asyncio.Semaphore(AT_ONCE)

        async def live(artist: str) -> None:
            async with gate:
                identity = conceive(int(artist.removeprefix(PREFIX)), artist).voiced(VOICE)
                await roster.enter_artist(TENANT, identity, _unlike_all(artist))
                asked = ArtistRequest(
                    artist=artist,
                    tenant=TENANT,
                    created_by="bench",
                    identity=identity,
                    pacing=Pacing(on_demand=True),
                    equipment=Equipment(plan=resolve_track_plan({})),
                )
                handle = await client.start_workflow(
                    "ArtistWorkflow", asked, id=artist_workflow_id(TENANT, artist), task_queue=Lane.STUDIO.value
                )
                await handle.query("life")

        await asyncio.gather(*map(live, artists))


async def disband(doors: Doors, artists: list[str]) -> None:
    """As if they had never been."""
    async with _studio(doors) as (client, _):
        for artist in artists:
            await client.get_workflow_handle(artist_workflow_id(TENANT, artist)).terminate("measured")
    engine = create_async_engine(doors.database)
    async with engine.begin() as connection:
        named = {"tenant": TENANT, "prefix": f"{PREFIX}%"}
        await connection.execute(text("DELETE FROM life_event WHERE tenant = :tenant AND artist LIKE :prefix"), named)
        await connection.execute(text("DELETE FROM artist WHERE tenant = :tenant AND id LIKE :prefix"), named)
    await engine.dispose()


@asynccontextmanager
async def _studio(doors: Doors) -> AsyncIterator[tuple[Client, Roster]]:
    roster = Roster.connect(doors.database)
    try:
        yield await Client.connect(doors.temporal, plugins=[StudioPlugin()]), roster
    finally:
        await roster.close()


def _unlike_all(artist: str) -> VoicePrint:
    """A direction of its own: two random ones of 256 numbers are all but at right angles."""
    draw = random.Random(artist)
    drawn = [draw.gauss(0, 1) for _ in range(256)]
    length = sum(value * value for value in drawn) ** 0.5
    return VoicePrint(artist=artist, embedding=tuple(value / length for value in drawn))
