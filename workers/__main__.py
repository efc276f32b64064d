"""A worker process: ``python -m workers --lanes cpu,io``. Several lanes may share a process; the studio lane should
have its own, so that workflows stay responsive and small."""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from activities.support.beat import Beating
from activities.support.engine import Engine
from activities.support.ledger import EngineRegistry
from deploy.settings import Settings, Temporal, load_settings
from models.errors import StorageUnavailable, StudioError
from models.lanes import Lane
from models.plan import Capability, EngineRef
from workers.plugin import connect
from workers.renewal import Occupation, renew
from workers.scratch import fresh_scratch
from workflows.artist import ArtistWorkflow
from workflows.debut import DebutWorkflow
from workflows.enrolment import EnrolmentWorkflow
from workflows.incident import IncidentWorkflow
from workflows.inspection import InspectionWorkflow
from workflows.publication import PublicationWorkflow
from workflows.render import RenderWorkflow
from workflows.track import TrackWorkflow

log = structlog.get_logger()

ANNOUNCE_SECONDS = 60
CONNECT_AGAIN_SECONDS = 2
KNOWLEDGE_SLOTS = 4
"""The memory answers one question after another; more only wait."""

EngineBuilder = Callable[[Settings, Lane], dict[Capability, dict[str, Engine]]]


async def connected(temporal: Temporal) -> Client:
    """A client, as soon as the frontend answers."""
    while True:
        try:
            return await connect(temporal)
        except RuntimeError as error:
            log.warning("worker.waiting", server="temporal", address=temporal.address, why=str(error)[:300])
            await asyncio.sleep(CONNECT_AGAIN_SECONDS)


async def serve(
    settings: Settings,
    lanes: tuple[Lane, ...],
    *,
    build: EngineBuilder | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> bool:
    """Serve ``lanes`` until told to stop (SIGTERM, SIGINT): False. Or until it has worked and rested so long that a
    fresh process should take its place: True.

    ``build`` makes the engines of a lane; the studio's own (``workers/wiring.py``) without it.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    connecting = asyncio.create_task(connected(settings.temporal))
    await asyncio.wait({stopped, connecting}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        connecting.cancel()
        return False
    client, occupation = await connecting, Occupation(_rest_seconds(settings, lanes))
    workers = [_studio_worker(client, settings)] if Lane.STUDIO in lanes else []
    beside: list[asyncio.Task[None]] = []
    others = tuple(lane for lane in lanes if lane is not Lane.STUDIO)
    if others:
        more, announcing = _activity_workers(client, settings, others, build, (occupation, *interceptors))
        workers += more
        beside.append(asyncio.create_task(announcing))
    running = [asyncio.create_task(worker.run()) for worker in workers]
    rested = asyncio.create_task(occupation.rested.wait())
    if settings.studio.ready_file:
        settings.studio.ready_file.touch()
    log.info("worker.ready", lanes=[lane.value for lane in lanes])
    await asyncio.wait({stopped, rested, *running}, return_when=asyncio.FIRST_COMPLETED)
    for task in (stopped, rested, *beside):
        task.cancel()
    await asyncio.gather(*(worker.shutdown() for worker in workers))
    await asyncio.gather(*running)
    return occupation.rested.is_set() and not stop.is_set()


def _rest_seconds(settings: Settings, lanes: tuple[Lane, ...]) -> float | None:
    """After how much rest the process is renewed; None where it holds no models, or never should be."""
    minutes = settings.lanes.renew_minutes
    return None if {Lane.CPU, Lane.GPU}.isdisjoint(lanes) or not minutes else minutes * 60


def _studio_worker(client: Client, settings: Settings) -> Worker:
    return Worker(
        client,
        task_queue=Lane.STUDIO.value,
        workflows=[
            RenderWorkflow,
            EnrolmentWorkflow,
            InspectionWorkflow,
            DebutWorkflow,
            ArtistWorkflow,
            IncidentWorkflow,
            TrackWorkflow,
            PublicationWorkflow,
        ],
        max_cached_workflows=settings.lanes.cached_workflows,
    )


def _activity_workers(
    client: Client,
    settings: Settings,
    lanes: tuple[Lane, ...],
    build: EngineBuilder | None,
    interceptors: Sequence[Interceptor],
) -> tuple[list[Worker], Coroutine[None, None, None]]:
    # Imported here, because a process that serves the studio lane alone must stay free of boto3, tables and engines.
    from models.roster import Roster  # noqa: PLC0415
    from workers import wiring  # noqa: PLC0415

    store = Roster.connect(settings.database.url.get_secret_value())
    artifacts = wiring.artifact_store(settings)
    slots = {Lane.CPU: settings.lanes.cpu_slots, Lane.GPU: settings.lanes.gpu_slots, Lane.IO: settings.lanes.io_slots}
    slots[Lane.KNOWLEDGE] = KNOWLEDGE_SLOTS
    # A thread for what each slot makes, and a few for its calls to the object store; they start when needed.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(sum(slots[lane] for lane in lanes) + 8))
    workers = []
    served: dict[Lane, tuple[EngineRef, ...]] = {}
    scratch = settings.studio.state_dir / "scratch"
    if not {Lane.CPU, Lane.GPU}.isdisjoint(lanes):
        scratch = fresh_scratch(scratch, "-".join(lanes))
    for lane in lanes:
        engines = (build or wiring.build_engines)(settings, lane)
        served[lane] = wiring.ready_engines(engines)
        if lane is Lane.KNOWLEDGE:
            activities = wiring.knowledge_activities(settings, artifacts)
        elif lane is Lane.IO:
            activities = wiring.io_activities(settings, artifacts, store, client, engines)
        else:
            activities = wiring.stage_activities(engines, artifacts, store, scratch)
        workers.append(
            Worker(
                client,
                task_queue=lane.value,
                activities=activities,
                max_concurrent_activities=slots[lane],
                graceful_shutdown_timeout=timedelta(seconds=settings.lanes.grace_seconds),
                # A resumed stage learns where it was at most this late.
                max_heartbeat_throttle_interval=timedelta(seconds=5),
                interceptors=[*([Beating()] if lane in (Lane.IO, Lane.KNOWLEDGE) else []), *interceptors],
            )
        )
    return workers, _announce(store, served)


async def _announce(registry: EngineRegistry, served: dict[Lane, tuple[EngineRef, ...]]) -> None:
    """Say again and again what this process serves: an announcement is forgotten after a few minutes."""
    while True:
        for lane, refs in served.items():
            try:
                await registry.announce(f"{lane.value}@{socket.gethostname()}:{os.getpid()}", refs)
            except StorageUnavailable as error:
                log.warning("worker.unannounced", lane=lane.value, why=error.message)
        await asyncio.sleep(ANNOUNCE_SECONDS)


def main() -> int:
    """Parse the lanes, serve them."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("--lanes", required=True, help=f"comma separated: {', '.join(lane.value for lane in Lane)}")
    lanes = tuple(Lane(name.strip()) for name in parser.parse_args().lanes.split(","))
    needed = ("TEMPORAL_ADDRESS",) if lanes == (Lane.STUDIO,) else ("TEMPORAL_ADDRESS", "DATABASE_URL")
    try:
        settings = load_settings(*needed)
    except StudioError as error:
        sys.stderr.write(f"{error.message}\n{error.action}\n")
        return 2
    if asyncio.run(serve(settings, lanes)):
        log.info("worker.renewed", lanes=[lane.value for lane in lanes], idle_minutes=settings.lanes.renew_minutes)
        renew()
    return 0


if __name__ == "__main__":
    sys.exit(main())
