"""A server that is away, at the start or half way, costs time and nothing else; nor does a worker that starts itself
anew when it has nothing to do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from deploy.local.parts import SERVERS
from deploy.local.servers import LocalServers
from tests.durability.conftest import OpenStudio
from tests.durability.film import Disturbance, Film, as_if_nothing_had_happened, film
from tests.durability.studio import PROCESSES, WORKERS, GatedStudio
from tests.telegram.server import TelegramServer

pytestmark = pytest.mark.timeout(900)
"""Not for the work, which takes seconds of it: for time-outs that are waited for on machines that are busy."""

REST_MINUTES = 0.02


async def test_servers_are_away_at_the_start_and_half_way(
    undisturbed: Film, open_studio: OpenStudio, telegram_of_gates: TelegramServer, servers: LocalServers
) -> None:
    async with open_studio("outages", GREENROOM_RENEW_MINUTES=str(REST_MINUTES)) as studio:
        for part in SERVERS:
            servers.kill(part)
        studio.start(*PROCESSES)
        await studio.until(lambda: away(studio) == set(SERVERS), "the API to say what is away")
        await studio.until(lambda: all("worker.waiting" in studio.log(name) for name in WORKERS), "workers to wait")
        started = {name: studio.pid(name) for name in PROCESSES}
        for number, part in enumerate(SERVERS, start=1):
            servers.restart(part)
            await studio.until(lambda left=set(SERVERS[number:]): away(studio) == left, f"the API to find {part}")  # type: ignore[misc]
        await studio.furnished()

        def without(part: str, noticed: Callable[[], Awaitable[bool]]) -> Disturbance:
            @asynccontextmanager
            async def disturb() -> AsyncIterator[None]:
                servers.kill(part)
                yield
                while not await noticed():
                    pass
                servers.restart(part)

            return disturb

        async def store_is_missed() -> bool:
            return "object store does not answer" in studio.log("worker-cpu")

        async def database_is_missed() -> bool:
            return "database does not answer" in studio.log("worker-cpu")

        async def check_is_stored() -> bool:
            return bool(await studio.sql("SELECT 1 FROM stage_result WHERE stage = 'check' AND result IS NOT NULL"))

        made = await film(
            studio,
            telegram_of_gates,
            {
                "segments": without("s3", store_is_missed),
                "joining": without("postgres", database_is_missed),
                "checking": without("temporal", check_is_stored),
            },
        )
        as_if_nothing_had_happened(made, undisturbed)

        # Having rested, the maker has begun a new life in its old place; it makes the next film as it made this one.
        lives = studio.log("worker-cpu").count("worker.ready")
        await studio.until(lambda: studio.log("worker-cpu").count("worker.ready") > lives, "the worker to renew itself")
        other = await studio.ask("other", seed=2, approval={"required": False})
        assert (await studio.reached(other, "complete"))["progress"]["cost"]["stages_reused"] == 0
        assert {name: studio.pid(name) for name in PROCESSES} == started
        assert "Traceback" not in studio.log("worker-cpu") + studio.log("worker-studio") + studio.log("api")


def away(studio: GatedStudio) -> set[str]:
    """What the API misses, as it says itself."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{studio.port}/readyz", timeout=10).json()
    except httpx.TransportError:
        return set()
    return {part for part in SERVERS if not answer[part]["ok"]}
