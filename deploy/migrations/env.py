"""How Alembic reaches the database: on asyncpg, one transaction for all pending revisions, one migrating process."""

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from deploy.settings import load_settings
from models.store import asyncpg_url
from models.tables import AsJson, metadata

MIGRATION_LOCK = 0x67726E72
"""Any number that nothing else in the database locks."""


def render_type(kind: str, item: object, _: object) -> str | Literal[False]:
    """Revisions know JSONB, not contracts: a contract's class may be gone when an old revision runs."""
    return "postgresql.JSONB()" if kind == "type" and isinstance(item, AsJson) else False


def address() -> str:
    """The database that the caller named, else the one the settings name."""
    given = context.config.get_main_option("sqlalchemy.url")
    return given or asyncpg_url(load_settings("DATABASE_URL").database.url.get_secret_value())


def migrate(connection: Connection) -> None:
    """Run the revisions."""
    context.configure(connection=connection, target_metadata=metadata, render_item=render_type)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        context.run_migrations()


async def online() -> None:
    """Connect and migrate."""
    engine = create_async_engine(address(), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


if context.is_offline_mode():
    context.configure(url=address(), target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(online())
