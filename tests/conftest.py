"""Fixtures every room may use: the real servers, once a session."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from deploy.local import state
from deploy.local.servers import LocalServers

# A busy machine is slow, and that is no failure. In CI the examples are the same for every run of the same code; new
# ones are searched for where somebody is there to read them.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


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


# Rooms run side by side: each process looks for ports where no other does.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    state.PORTS = state.PORTS[int(worker.removeprefix("gw")) :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])]

LONGEST_FIRST = ("durability", "whole", "workflows", "api")
"""Rooms that wait for time-outs and servers more than they compute. Begun first, they never run on alone at the end."""


class RoomByRoom(LoadScopeScheduling):
    """A room's tests run one after another in one process, which starts its servers and makes its media once."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("/")[1]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> RoomByRoom:
    return RoomByRoom(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (*LONGEST_FIRST, _room(item)).index(_room(item)))


def _room(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]
