"""Any process is killed with -9 at any moment of any stage: the film is the same, byte for byte; each stage stands once
and was made once, but for what was in the maker's hands; the reviewer was asked once; nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.local.parts import SERVERS
from deploy.local.servers import LocalServers
from tests.durability.conftest import MAKING, OpenStudio
from tests.durability.film import WAVES, Film, as_if_nothing_had_happened, film, half_made
from tests.durability.studio import PROCESSES, GatedStudio
from tests.telegram.server import TelegramServer


def test_nobody_is_killed(undisturbed: Film) -> None:
    as_if_nothing_had_happened(undisturbed, undisturbed)
    assert undisturbed.stages["speech"] == undisturbed.stages["measure"] > undisturbed.stages["assemble"] == 1


def test_the_maker_is_killed_in_the_middle_of_every_stage(films: dict[str, Film], undisturbed: Film) -> None:
    as_if_nothing_had_happened(films["the maker"], undisturbed, twice=half_made(*MAKING))


@pytest.mark.parametrize("who", ["the maker who had stored", "the clerk", "the director"])
def test_whoever_was_not_making_can_be_killed_at_every_turn(
    films: dict[str, Film], undisturbed: Film, who: str
) -> None:
    as_if_nothing_had_happened(films[who], undisturbed)


async def test_every_server_and_the_api_are_killed_at_every_turn(
    undisturbed: Film, open_studio: OpenStudio, telegram_of_gates: TelegramServer, servers: LocalServers
) -> None:
    async with open_studio("killed-servers") as studio:

        @asynccontextmanager
        async def one_after_the_other() -> AsyncIterator[None]:
            for part in SERVERS:
                servers.restart(part)
            await studio.restart("api")
            yield

        await studio.up()
        made = await film(studio, telegram_of_gates, dict.fromkeys(WAVES, one_after_the_other))
    as_if_nothing_had_happened(made, undisturbed)


async def test_the_power_is_cut(
    undisturbed: Film, open_studio: OpenStudio, telegram_of_gates: TelegramServer, servers: LocalServers
) -> None:
    cut = ("segments", "checked", "question sent")
    async with open_studio("killed-all") as studio:

        @asynccontextmanager
        async def power_cut() -> AsyncIterator[None]:
            studio.kill(*PROCESSES)
            for part in SERVERS:
                servers.kill(part)
            for part in reversed(SERVERS):
                servers.restart(part)
            yield
            studio.start(*PROCESSES)
            await studio.ready(*PROCESSES)

        await studio.up()
        made = await film(studio, telegram_of_gates, dict.fromkeys(cut, power_cut))
    as_if_nothing_had_happened(made, undisturbed, twice=half_made(*cut))


async def test_the_api_is_killed_as_it_takes_a_request_and_a_verdict(
    undisturbed: Film, open_studio: OpenStudio, telegram_of_gates: TelegramServer
) -> None:
    async with open_studio("killed-api") as studio:
        await studio.up()
        async with _api_killed_when(studio, "SELECT 1 FROM render"):
            asked = asyncio.create_task(studio.ask("film", approval={"required": True}))
        question = await studio.question(await asked)
        async with _api_killed_when(studio, "SELECT 1 FROM verdict"):
            decided = asyncio.create_task(studio.decide(question))
        await decided
        made = await film(studio, telegram_of_gates)
    as_if_nothing_had_happened(made, undisturbed)


@asynccontextmanager
async def _api_killed_when(studio: GatedStudio, trace: str) -> AsyncIterator[None]:
    """The API is killed as soon as a request that is sent within has left its trace in the tables, answered or not."""
    yield
    while not await studio.sql(trace):
        pass
    await studio.restart("api")
