"""Databases of their own on the real server."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.servers import LocalServers
from deploy.migrations import upgrade
from models.store import Store


@pytest.fixture(scope="session")
def new_database(servers: LocalServers) -> Callable[[], str]:
    """Makes an empty database and answers with its URL."""

    def make() -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"

        async def create() -> None:
            maintenance = servers.database_url_of("postgres").replace("+asyncpg", "")
            connection = await asyncpg.connect(maintenance)
            await connection.execute(f'CREATE DATABASE "{name}"')
            await connection.close()

        asyncio.run(create())
        return servers.database_url_of(name)

    return make


@pytest.fixture(scope="session")
def database_url(new_database: Callable[[], str]) -> str:
    """A migrated database."""
    url = new_database()
    upgrade(url)
    return url


@pytest_asyncio.fixture(loop_scope="function")
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store.connect(database_url, pool_size=20)
    yield store
    await store.close()
