"""The real servers for tests and scripts: started in a directory of their own, to be killed, frozen and restarted at
will. The same parts and the same supervisor as the studio's, without its processes."""

import signal
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local import lock
from deploy.local.parts import SERVERS, server_parts, wire
from deploy.local.postgres import DATABASE
from deploy.local.state import StateDirectory
from deploy.local.supervisor import Supervisor
from deploy.settings import (
    Api,
    Database,
    Engines,
    Jwt,
    Label,
    Lanes,
    ObjectStore,
    Qdrant,
    Quality,
    Settings,
    Studio,
    Telegram,
    Temporal,
    Youtube,
)


class LocalServers:
    """A context that holds ``parts`` of Temporal, Postgres and S3 ready, prepared and reachable on loopback.

    Call it from the main thread; nothing restarts a part but ``restart``. On leaving, all stop; the data stays in
    ``state_dir``, so that a second context on it goes on where the first ended.
    """

    def __init__(self, state_dir: Path, parts: Sequence[str] = SERVERS) -> None:
        self.state = StateDirectory(state_dir)
        self._parts = tuple(parts)
        self._holding = ExitStack()

    def __enter__(self) -> Self:
        """Raises Conflict when a studio runs in the directory, PartFailed when a server does not start."""
        with ExitStack() as stack:
            # First of all: looking for ports while another studio holds them would move its own.
            stack.enter_context(lock.held(self.state.lock))
            self._wiring = wire(_nothing_elsewhere(), self.state, self._parts)
            self._supervisor = Supervisor(self.state, server_parts(self._wiring))
            stack.callback(self._supervisor.stop)
            self._supervisor.start()
            self._holding = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holding.close()

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point a process at these servers, by environment name."""
        return dict(self._wiring.environment)

    @property
    def temporal_address(self) -> str:
        """host:port of the Temporal frontend."""
        return self.environment["TEMPORAL_ADDRESS"]

    @property
    def temporal_ui_url(self) -> str:
        """The Temporal Web UI."""
        return self.environment["TEMPORAL_UI_URL"]

    @property
    def database_url(self) -> str:
        """SQLAlchemy address (asyncpg) of the studio's own, empty database."""
        return self.database_url_of(DATABASE)

    def database_url_of(self, database: str) -> str:
        """SQLAlchemy address (asyncpg) of another database on the same server, such as ``postgres``."""
        server = self.environment["DATABASE_URL"].rpartition("/")[0].partition("://")[2]
        return f"postgresql+asyncpg://{server}/{database}"

    @property
    def s3_endpoint_url(self) -> str:
        """The S3 service."""
        return self.environment["S3_ENDPOINT_URL"]

    @property
    def s3_key_id(self) -> str:
        """The name of the S3 key."""
        return self.environment["AWS_ACCESS_KEY_ID"]

    @property
    def s3_key(self) -> str:
        """The S3 key."""
        return self.environment["AWS_SECRET_ACCESS_KEY"]

    @property
    def bucket(self) -> str:
        """The bucket that was made."""
        return str(ObjectStore.model_fields["bucket"].default)

    def pid(self, part: str) -> int:
        """The process id of a part."""
        return self._supervisor.pid(part)

    def kill(self, part: str) -> None:
        """kill -9."""
        self._supervisor.kill(part)

    def freeze(self, part: str) -> None:
        """SIGSTOP: it holds its connections and answers nothing."""
        self._supervisor.send(part, signal.SIGSTOP)

    def thaw(self, part: str) -> None:
        """SIGCONT."""
        self._supervisor.send(part, signal.SIGCONT)

    def restart(self, part: str) -> None:
        """Start it again on its data and its port, and return when it is ready. Kills it first where it runs."""
        self._supervisor.restart(part)


def _nothing_elsewhere() -> Settings:
    """Settings as if nothing were set: the servers of a test never depend on the caller's environment."""
    return Settings.model_construct(
        studio=Studio.model_construct(),
        temporal=Temporal.model_construct(),
        database=Database.model_construct(),
        s3=ObjectStore.model_construct(),
        api=Api.model_construct(),
        jwt=Jwt.model_construct(),
        telegram=Telegram.model_construct(),
        engines=Engines.model_construct(),
        lanes=Lanes.model_construct(),
        quality=Quality.model_construct(),
        youtube=Youtube.model_construct(),
        label=Label.model_construct(),
        qdrant=Qdrant.model_construct(),
    )
