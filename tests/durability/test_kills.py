"""Any process is killed with -9 at any moment of any stage: the film is the same, byte for byte; each stage stands once
and was made once, but for what was in the maker's hands; the reviewer was asked once; nothing is left behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.local.parts import SERVERS
from deploy.local.servers import LocalServers
from tests.durability.conftest import MAKING, OpenStudio
from tests.durability.film import WAVES, Disturbance, Film, as_if_nothing_had_happened, film, half_made
from tests.durability.studio import PROCESSES
from tests.telegram.server import TelegramServer

pytestmark = pytest.mark.timeout(900)
"""Not for the work, which takes seconds of it: for time-outs that are waited for on machines that are busy."""

CUT = ("joining", "checked", "question sent")
"""Waves at which all processes are killed at once."""


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


def test_the_api_is_killed_as_it_takes_a_request_and_a_verdict(films: dict[str, Film], undisturbed: Film) -> None:
    as_if_nothing_had_happened(films["the api"], undisturbed)


async def test_servers_are_killed_under_running_workers_and_the_power_is_cut(
    undisturbed: Film, open_studio: OpenStudio, telegram_of_gates: TelegramServer, servers: LocalServers
) -> None:
    async with open_studio("killed-servers") as studio:

        def killed_servers(*parts: str) -> Disturbance:
            @asynccontextmanager
            async def disturb() -> AsyncIterator[None]:
                for part in parts:
                    servers.restart(part)
                yield

            return disturb

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
        # Workers find Temporal again in some ten seconds, so that it is not killed at every turn.
        disturbances = {
            **dict.fromkeys(WAVES, killed_servers("postgres", "s3")),
            **dict.fromkeys(("segments", "hearing", "kept", "question taken back"), killed_servers(*SERVERS)),
            **dict.fromkeys(CUT, power_cut),
        }
        made = await film(studio, telegram_of_gates, disturbances)
    as_if_nothing_had_happened(made, undisturbed, twice=half_made(*CUT))
