"""Servers that may be killed, and studios on them that share nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from google.protobuf.duration_pb2 import Duration
from pydantic import SecretStr
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from deploy.local.prepare import prepare_bucket, prepare_temporal
from deploy.local.servers import LocalServers
from deploy.migrations import upgrade
from deploy.settings import ObjectStore, Temporal
from tests.durability.film import Film, api_killed_when, asked, film, killed, outcome
from tests.durability.studio import GatedStudio
from tests.telegram.server import TOKEN, TelegramServer, telegram_server

OpenStudio = Callable[..., AbstractAsyncContextManager[GatedStudio]]


@pytest.fixture(scope="session")
def telegram_of_gates() -> Iterator[TelegramServer]:
    with telegram_server() as server:
        yield server


@pytest.fixture(scope="session")
def open_studio(servers: LocalServers, state_root: Path, telegram_of_gates: TelegramServer) -> OpenStudio:
    """Opens a studio by its name, with everything it needs of the servers; its processes end with the block."""
    template = "gated_template"
    asyncio.run(_database(servers, template))
    upgrade(servers.database_url_of(template))
    root = state_root / "gated"
    root.mkdir(mode=0o711)
    bot = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram_of_gates.url}

    @asynccontextmanager
    async def open_(name: str, **more: str) -> AsyncIterator[GatedStudio]:
        studio = GatedStudio(name, servers, root / name, {**bot, **more})
        await _namespace(servers, name)
        await _database(servers, name, template)
        await asyncio.to_thread(prepare_bucket, _bucket(servers, studio.bucket))
        try:
            yield studio
        finally:
            await studio.down()

    return open_


async def _namespace(servers: LocalServers, name: str) -> None:
    client = await Client.connect(servers.temporal_address)
    kept = Duration()
    kept.FromSeconds(86_400)
    request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=kept)
    await client.workflow_service.register_namespace(request)
    temporal = Temporal.model_construct(address=servers.temporal_address, namespace=name, api_key=None, tls=False)
    deadline = time.monotonic() + 60
    while True:
        try:
            return await prepare_temporal(temporal, own=False)
        except RPCError:
            # It is known a moment after it was registered.
            if time.monotonic() > deadline:
                raise


async def _database(servers: LocalServers, name: str, template: str = "template1") -> None:
    connection = await asyncpg.connect(servers.database_url_of("postgres").replace("+asyncpg", ""))
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {template}')
    finally:
        await connection.close()


def _bucket(servers: LocalServers, name: str) -> ObjectStore:
    return ObjectStore.model_construct(
        endpoint_url=servers.s3_endpoint_url,
        bucket=name,
        region="us-east-1",
        access_key_id=servers.s3_key_id,
        secret_access_key=SecretStr(servers.s3_key),
    )


MAKING = ("segments", "mixing", "hearing", "joining", "checking")
STORING = ("mixed", "heard", "joined", "checked")
CLERK = ("looked up", "kept", "question recorded", "question sent", "verdict recorded", "question taken back")
DIRECTOR = ("looked up", "segments", "mixing", "joining", "kept", "question sent", "question taken back")

SIDE_BY_SIDE: dict[str, tuple[str, tuple[str, ...]]] = {
    "nobody": ("", ()),
    "the maker": ("worker-cpu", MAKING),
    "the maker who had stored": ("worker-cpu", STORING),
    "the clerk": ("worker-io", CLERK),
    "the director": ("worker-studio", DIRECTOR),
}
"""Who is killed, and at which waves. A film waits for time-outs nearly all the time, so they are made side by side."""


@pytest.fixture(scope="session")
def films(open_studio: OpenStudio, telegram_of_gates: TelegramServer) -> dict[str, Film]:
    """The film of each studio, by whom was killed in it."""

    async def make(who: str) -> Film:
        part, waves = SIDE_BY_SIDE[who]
        async with open_studio(f"killed-{who.replace(' ', '-')}") as studio:
            await studio.up()
            return await film(studio, telegram_of_gates, {wave: killed(studio, part) for wave in waves})

    async def make_by_a_killed_api() -> Film:
        async with open_studio("killed-the-api") as studio:
            await studio.up()
            async with api_killed_when(studio, "SELECT 1 FROM render"):
                sent = asyncio.create_task(studio.ask("film", approval={"required": True}))
            render = await sent
            question = await asked(studio, telegram_of_gates, render)
            async with api_killed_when(studio, "SELECT 1 FROM verdict"):
                decided = asyncio.create_task(studio.decide(question))
            await decided
            assert await studio.ask("film", approval={"required": True}) == render
            return await outcome(studio, telegram_of_gates, await studio.reached(render, "complete"))

    async def make_all() -> list[Film]:
        return list(await asyncio.gather(*map(make, SIDE_BY_SIDE), make_by_a_killed_api()))

    return dict(zip((*SIDE_BY_SIDE, "the api"), asyncio.run(make_all()), strict=True))


@pytest.fixture(scope="session")
def undisturbed(films: dict[str, Film]) -> Film:
    """The film as nobody's death made it."""
    return films["nobody"]
