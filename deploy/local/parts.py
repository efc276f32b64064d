"""The table of what the local studio runs: for each part its command, its environment and how to tell that it is ready.
Adding a part is adding a function here."""

import json
import os
import shutil
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path

from deploy.local import postgres
from deploy.local.process import OWNER_MARK, User
from deploy.local.state import AUDIENCE, DERIVED_PORT_DISTANCE, ISSUER, LOOPBACK, StateDirectory
from deploy.settings import ROOT, Settings
from models.lanes import Lane

SERVERS = ("temporal", "postgres", "s3")

_PORTS = (
    *("temporal", "temporal-ui", "temporal-http", "temporal-metrics", "postgres", "api"),
    *("s3", "s3-grpc", "s3-master", "s3-master-grpc", "s3-volume", "s3-volume-grpc", "s3-filer", "s3-filer-grpc"),
    "s3-admin",
)

_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""Nothing is fetched at run time; libraries that would try fail at once instead."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
_ONE_THREAD = dict.fromkeys(_THREADS, "1")
"""Segments run side by side on all cores; threads inside each would only get in each other's way."""


class Stage(IntEnum):
    """When a part starts: all of a stage at once, when the stage before is ready."""

    SERVERS = 0
    MIGRATIONS = 1
    PROCESSES = 2


@dataclass(frozen=True)
class Part:
    """One row of the table."""

    name: str
    stage: Stage
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    ready: Callable[[int], bool] = field(default=lambda _: True, repr=False)
    """Whether the process with this id is ready: asked repeatedly, answers within a second or so."""
    once: bool = False
    """It has to end with 0 instead of staying."""
    stop: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    """Seconds between the signal to stop and SIGKILL."""
    cwd: Path = ROOT
    user: User | None = None
    address: str = ""
    """Where people reach it."""
    leftovers: tuple[Path, ...] = ()
    """Files outside the state directory that a killed process leaves behind."""


@dataclass(frozen=True)
class Wiring:
    """The addresses and credentials of one studio, and the settings that point its processes at them."""

    state: StateDirectory
    ports: Mapping[str, int]
    embedded: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    """Settings by environment name, for processes of the studio."""

    def url(self, port: str) -> str:
        """The http address of a named port."""
        return f"http://{LOOPBACK}:{self.ports[port]}"


def wire(settings: Settings, state: StateDirectory, servers: Sequence[str] = SERVERS) -> Wiring:
    """Decide which servers are embedded (no setting points elsewhere) and write down how to reach everything."""
    elsewhere = {
        "temporal": settings.temporal.address,
        "postgres": settings.database.url.get_secret_value(),
        "s3": settings.s3.endpoint_url,
    }
    embedded = tuple(name for name in servers if not elsewhere[name])
    ports = state.ports(_PORTS)
    secrets = state.secrets()
    environment = {
        "GREENROOM_STATE_DIR": str(state.root),
        "GREENROOM_API_HOST": LOOPBACK,
        "GREENROOM_API_PORT": str(ports["api"]),
        "GREENROOM_API_PUBLIC_URL": settings.api.public_url or f"http://{LOOPBACK}:{ports['api']}",
    }
    if "temporal" in embedded:
        environment["TEMPORAL_ADDRESS"] = f"{LOOPBACK}:{ports['temporal']}"
        environment["TEMPORAL_UI_URL"] = f"http://{LOOPBACK}:{ports['temporal-ui']}"
    if "postgres" in embedded:
        account = f"{postgres.SUPERUSER}:{secrets.database_password}"
        environment["DATABASE_URL"] = f"postgresql://{account}@{LOOPBACK}:{ports['postgres']}/{postgres.DATABASE}"
    if "s3" in embedded:
        environment["S3_ENDPOINT_URL"] = f"http://{LOOPBACK}:{ports['s3']}"
        environment["AWS_ACCESS_KEY_ID"] = secrets.s3_key_id
        environment["AWS_SECRET_ACCESS_KEY"] = secrets.s3_key
    if settings.jwt.public_key_file is None:
        state.tokens()
        environment["JWT_PUBLIC_KEY_FILE"] = str(state.public_key())
        environment["JWT_ISSUER"] = ISSUER
        environment["JWT_AUDIENCE"] = AUDIENCE
    return Wiring(state, ports, embedded, environment)


def server_parts(wiring: Wiring) -> list[Part]:
    """The embedded servers and their preparation."""
    makers = {"temporal": _temporal, "postgres": _postgres, "s3": _s3}
    return [*(makers[name](wiring) for name in wiring.embedded), _preparation(wiring)]


def studio_parts(wiring: Wiring, settings: Settings, lanes: Sequence[Lane]) -> list[Part]:
    """The servers, the migrations, the API, the bot when it has a token, and a worker for each of ``lanes``."""
    parts = [*server_parts(wiring), _migrations(wiring), _api(wiring)]
    if settings.telegram.bot_token:
        parts.append(_process(wiring, "telegram", "api.telegram"))
    return parts + [_worker(wiring, lane, settings.lanes.grace_seconds) for lane in lanes]


def _temporal(wiring: Wiring) -> Part:
    ports = wiring.ports
    return Part(
        name="temporal",
        stage=Stage.SERVERS,
        argv=(
            _program("temporal"),
            *("server", "start-dev", "--ip", LOOPBACK, "--ui-disable-news-fetch"),
            *("--port", str(ports["temporal"]), "--ui-port", str(ports["temporal-ui"])),
            *("--http-port", str(ports["temporal-http"]), "--metrics-port", str(ports["temporal-metrics"])),
            *("--db-filename", str(wiring.state.root / "temporal.db")),
            # Ten times the throughput of the plain file, and still whole after kill -9.
            *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1"),
            # A tenant's backlog must not hold up the others; the server has it off by default.
            *("--dynamic-config-value", "matching.enableFairness=true"),
            # One machine has nothing to spread a queue over, and partitions pass what waits to and fro: seven attempts
            # an activity were counted.
            *("--dynamic-config-value", "matching.numTaskqueueReadPartitions=1"),
            *("--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"),
            *("--log-level", "warn", "--log-format", "json"),
        ),
        env=_server_environment(wiring, GOMEMLIMIT="220MiB"),
        ready=lambda _: _status(f"{wiring.url('temporal-http')}/api/v1/namespaces/default") == 200,
        address=wiring.url("temporal-ui"),
    )


def _postgres(wiring: Wiring) -> Part:
    cluster = postgres.prepare(wiring.state.root / "postgres", wiring.state.secrets().database_password)
    port = wiring.ports["postgres"]
    options = {
        "listen_addresses": LOOPBACK,
        "unix_socket_directories": "",
        "port": str(port),
        "shared_buffers": "32MB",
        "max_connections": "100",
    }
    return Part(
        name="postgres",
        stage=Stage.SERVERS,
        argv=(
            str(cluster.programs / "postgres"),
            *("-D", str(cluster.data)),
            *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
        ),
        env={**_server_environment(wiring), **postgres.environment()},
        ready=lambda pid: postgres.is_ready(cluster, pid),
        # SIGTERM would wait for clients to leave by themselves; SIGINT ends their sessions.
        stop=signal.SIGINT,
        cwd=Path("/"),
        user=cluster.user,
        address=f"{LOOPBACK}:{port}",
    )


def _s3(wiring: Wiring) -> Part:
    ports, secrets = wiring.ports, wiring.state.secrets()
    data = wiring.state.root / "s3"
    # Options of the last start would be read back, with ports that may since be somebody else's.
    (data / "mini.options").unlink(missing_ok=True)
    # The volumes tell the master all it knows; where it reads back what it wrote, its raft loop spins for ever.
    shutil.rmtree(data / f"m{ports['s3-master']}", ignore_errors=True)
    components = {"master": "s3-master", "volume": "s3-volume", "filer": "s3-filer", "s3": "s3"}
    listening = [f"-{name}.port={ports[port]}" for name, port in components.items()]
    listening += [f"-{name}.port.grpc={ports[f'{port}-grpc']}" for name, port in components.items()]
    return Part(
        name="s3",
        stage=Stage.SERVERS,
        argv=(
            *(_program("weed"), "mini", f"-dir={data}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"),
            *(*listening, f"-admin.port={ports['s3-admin']}", "-s3.port.iceberg=0", "-s3.port.lance=0"),
            *("-webdav=false", "-admin.ui=false", "-master.telemetry=false", "-master.volumeSizeLimitMB=512"),
            *("-s3.autoCreateBucket=false", "-filer.disableDirListing"),
        ),
        # Without a key in its environment the server would take requests from anyone.
        # Left to itself its collector takes three quarters of the work of an upload: it runs when there is much to do.
        env=_server_environment(
            wiring,
            GOMEMLIMIT="320MiB",
            GOGC="400",
            AWS_ACCESS_KEY_ID=secrets.s3_key_id,
            AWS_SECRET_ACCESS_KEY=secrets.s3_key,
        ),
        ready=lambda _: _writable(wiring.url("s3-master")) and _status(f"{wiring.url('s3')}/") == 403,
        address=wiring.url("s3"),
        leftovers=_sockets(ports),
    )


def _sockets(ports: Mapping[str, int]) -> tuple[Path, ...]:
    """The sockets the object store makes beside its ports, in /tmp whatever TMPDIR says."""
    plain = {"s3": ports["s3"], "filer": ports["s3-filer"]}
    grpc = {name: ports[f"s3-{name}-grpc"] for name in ("master", "volume", "filer")}
    grpc |= {"s3": ports["s3-grpc"], "admin": ports["s3-admin"] + DERIVED_PORT_DISTANCE}
    names = [f"{name}-{port}" for name, port in plain.items()] + [f"{name}-grpc-{port}" for name, port in grpc.items()]
    return tuple(Path("/tmp") / f"seaweedfs-{name}.sock" for name in names)


def _preparation(wiring: Wiring) -> Part:
    part = _process(wiring, "prepare", "deploy.local.prepare", "--embedded", *wiring.embedded)
    return replace(part, stage=Stage.SERVERS, once=True)


def _migrations(wiring: Wiring) -> Part:
    ini = str(ROOT / "deploy" / "migrations" / "alembic.ini")
    part = _process(wiring, "migrate", "alembic", "-c", ini, "upgrade", "head")
    return replace(part, stage=Stage.MIGRATIONS, once=True)


def _api(wiring: Wiring) -> Part:
    part = _process(wiring, "api", "api")
    return replace(part, ready=lambda _: _status(f"{wiring.url('api')}/readyz") == 200, address=wiring.url("api"))


def _worker(wiring: Wiring, lane: Lane, grace: float) -> Part:
    name = f"worker-{lane.value}"
    ready_file = wiring.state.root / "ready" / name
    ready_file.parent.mkdir(exist_ok=True)
    # What the house remembers is files here, which one process may open: it shares the io lane's.
    lanes = f"{lane.value},{Lane.KNOWLEDGE.value}" if lane is Lane.IO else lane.value
    part = _process(wiring, name, "workers", "--lanes", lanes)
    return replace(
        part,
        env={**part.env, "GREENROOM_READY_FILE": str(ready_file)},
        ready=lambda _: ready_file.exists(),
        grace=grace + 5,
        leftovers=(ready_file,),
    )


def _process(wiring: Wiring, name: str, module: str, *arguments: str) -> Part:
    """A Python process of the studio. It inherits the caller's environment, under the studio's own settings."""
    return Part(
        name=name,
        stage=Stage.PROCESSES,
        argv=(sys.executable, "-m", module, *arguments),
        env={**os.environ, **_OFFLINE, **_ONE_THREAD, **wiring.environment, **_mark(wiring), "PYTHONUNBUFFERED": "1"},
    )


def _server_environment(wiring: Wiring, **extra: str) -> dict[str, str]:
    """Next to nothing: servers get no secret that is not theirs."""
    home = {"HOME": str(wiring.state.root), "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
    return {**home, **_mark(wiring), **extra}


def _mark(wiring: Wiring) -> dict[str, str]:
    return {OWNER_MARK: str(wiring.state.root)}


def _program(name: str) -> str:
    """A program that a package put beside the interpreter."""
    return str(Path(sys.executable).with_name(name))


def _status(url: str) -> int:
    """The HTTP status of a GET; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _writable(master: str) -> bool:
    """Whether the object store can place a new file, which it cannot until its volume has reported to its master."""
    try:
        with urllib.request.urlopen(f"{master}/dir/assign", timeout=1) as response:
            return "fid" in json.load(response)
    except (OSError, ValueError):
        return False
