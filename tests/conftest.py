"""Fixtures every room may use: the real servers, once a session."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.servers import LocalServers


@pytest.fixture(scope="session")
def state_root() -> Iterator[Path]:
    """A directory for state, removed afterwards. Under root Postgres is ``nobody``, who cannot enter pytest's own."""
    root = Path(tempfile.mkdtemp(prefix="greenroom-tests-"))
    root.chmod(0o711)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def servers(state_root: Path) -> Iterator[LocalServers]:
    """Temporal, Postgres and S3, prepared. A test that kills a part restarts it before it ends."""
    with LocalServers(state_root / "servers") as running:
        yield running
