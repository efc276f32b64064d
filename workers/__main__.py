"""A worker process: ``python -m workers --lanes cpu,io``. Several lanes may share a process; the studio lane should
have its own, so that workflows stay responsive and small."""

import argparse
import asyncio
import os
import shutil
import signal
import socket
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.support.ledger import EngineRegistry
from deploy.settings import Settings, load_settings
from models.errors import StorageUnavailable
from models.lanes import Lane
from models.plan import EngineRef
from workers.plugin import StudioPlugin
from workflows.enrolment import EnrolmentWorkflow
from workflows.render import RenderWorkflow

log = structlog.get_logger()

ANNOUNCE_SECONDS = 60


async def connect(settings: Settings) -> Client:
    """A client with the studio's plugin. Raises RuntimeError while the frontend is out of reach."""
    temporal = settings.temporal
    return await Client.connect(
        temporal.address,
        namespace=temporal.namespace,
        api_key=temporal.api_key.get_secret_value() if temporal.api_key else None,
        tls=temporal.tls or bool(temporal.api_key),
        plugins=[StudioPlugin()],
    )


async def serve(settings: Settings, lanes: tuple[Lane, ...]) -> None:
    """Serve ``lanes`` until told to stop (SIGTERM, SIGINT)."""
    client = await connect(settings)
    workers = [_studio_worker(client, settings)] if Lane.STUDIO in lanes else []
    beside: list[asyncio.Task[None]] = []
    others = tuple(lane for lane in lanes if lane is not Lane.STUDIO)
    if others:
        more, announcing = _activity_workers(client, settings, others)
        workers += more
        beside.append(asyncio.create_task(announcing))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = [asyncio.create_task(worker.run()) for worker in workers]
    if settings.studio.ready_file:
        settings.studio.ready_file.touch()
    log.info("worker.ready", lanes=[lane.value for lane in lanes])
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, *running}, return_when=asyncio.FIRST_COMPLETED)
    for task in (stopped, *beside):
        task.cancel()
    await asyncio.gather(*(worker.shutdown() for worker in workers))
    await asyncio.gather(*running)


def _studio_worker(client: Client, settings: Settings) -> Worker:
    return Worker(
        client,
        task_queue=Lane.STUDIO.value,
        workflows=[RenderWorkflow, EnrolmentWorkflow],
        max_cached_workflows=settings.lanes.cached_workflows,
    )


def _activity_workers(
    client: Client, settings: Settings, lanes: tuple[Lane, ...]
) -> tuple[list[Worker], Coroutine[None, None, None]]:
    # Imported here, because a process that serves the studio lane alone must stay free of boto3, tables and engines.
    from models.store import Store  # noqa: PLC0415
    from workers import wiring  # noqa: PLC0415

    store = Store.connect(settings.database.url.get_secret_value())
    artifacts = wiring.artifact_store(settings)
    slots = {Lane.CPU: settings.lanes.cpu_slots, Lane.GPU: settings.lanes.gpu_slots, Lane.IO: settings.lanes.io_slots}
    workers = []
    served: dict[Lane, tuple[EngineRef, ...]] = {}
    for lane in lanes:
        if lane is Lane.IO:
            activities = wiring.io_activities(settings, artifacts, store, client)
        else:
            engines = wiring.build_engines(settings, lane)
            scratch = _fresh_scratch(settings, lane)
            activities = wiring.stage_activities(engines, artifacts, store, scratch)
            served[lane] = wiring.ready_engines(engines)
        workers.append(
            Worker(
                client,
                task_queue=lane.value,
                activities=activities,
                max_concurrent_activities=slots[lane],
                graceful_shutdown_timeout=timedelta(seconds=settings.lanes.grace_seconds),
                # A resumed stage learns where it was at most this late.
                max_heartbeat_throttle_interval=timedelta(seconds=5),
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


def _fresh_scratch(settings: Settings, lane: Lane) -> Path:
    """This process's scratch directory. What killed processes left behind is removed."""
    parent = settings.studio.state_dir / "scratch"
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():
        pid = left.name.rpartition("-")[2]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(left, ignore_errors=True)
    mine = parent / f"{lane.value}-{os.getpid()}"
    mine.mkdir(exist_ok=True)
    return mine


def main() -> None:
    """Parse the lanes, serve them."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("--lanes", required=True, help=f"comma separated: {', '.join(lane.value for lane in Lane)}")
    lanes = tuple(Lane(name.strip()) for name in parser.parse_args().lanes.split(","))
    needed = ("TEMPORAL_ADDRESS",) if lanes == (Lane.STUDIO,) else ("TEMPORAL_ADDRESS", "DATABASE_URL")
    asyncio.run(serve(load_settings(*needed), lanes))


if __name__ == "__main__":
    main()
