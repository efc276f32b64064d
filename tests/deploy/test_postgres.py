"""Postgres under root: it runs as ``nobody``, even where ``nobody`` cannot enter the state directory."""

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import postgres
from deploy.local.process import left_behind
from deploy.local.servers import LocalServers

under_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change the user")


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Path]:
    """A state directory under one that only root can enter."""
    hidden = tmp_path / "private"
    hidden.mkdir(mode=0o700)
    yield hidden / "state"
    link = hidden / "state" / "postgres"
    if link.is_symlink():
        shutil.rmtree(link.resolve())


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@under_root
async def test_it_runs_as_nobody_where_nobody_cannot_enter_and_goes_on_with_its_data(private: Path) -> None:
    for table in ("first", "second"):
        with LocalServers(private, parts=("postgres",)) as servers:
            assert owner_of(servers.pid("postgres")) == pwd.getpwnam("nobody").pw_uid
            connection = await asyncpg.connect(servers.database_url.replace("+asyncpg", ""))
            await connection.execute(f"create table {table} ()")
            tables = await connection.fetch("select relname from pg_class where relname in ('first', 'second')")
            await connection.close()
        assert left_behind(servers.state.root) == []
    assert len(tables) == 2


@under_root
def test_programs_that_nobody_cannot_read_are_copied(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    can = postgres._can
    monkeypatch.setattr(postgres, "_can", lambda user, test, path: test != "-r" and can(user, test, path))
    with LocalServers(private, parts=("postgres",)) as servers:
        program = Path(f"/proc/{servers.pid('postgres')}/exe").readlink()
    assert program.is_relative_to((private / "postgres").resolve())
