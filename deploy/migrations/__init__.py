"""The history of the database's schema, and the one function that brings a database up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from models.store import asyncpg_url


def config(url: str) -> Config:
    """Alembic's configuration for the database at ``url``."""
    configuration = Config(Path(__file__).parent / "alembic.ini")
    # ConfigParser reads % as interpolation; passwords in URLs are percent-encoded.
    configuration.set_main_option("sqlalchemy.url", asyncpg_url(url).replace("%", "%%"))
    return configuration


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` to ``revision``. Blocks; not to be called on a running event loop.

    Several processes may call it at once: one migrates, the others wait and find nothing to do.
    """
    command.upgrade(config(url), revision)
