"""One code path for every stage: look the key up, let one worker make it, beat while it is made, store it with its
figures. A stage's own code sees a :class:`Bench` and nothing of Temporal, leases, heartbeats or outages."""

import asyncio
import contextlib
import shutil
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.support.artifacts import ArtifactStore
from activities.support.engine import Engine
from activities.support.ledger import StageLedger
from models.artifacts import Artifact
from models.base import Contract
from models.errors import (
    EngineFailed,
    EngineUnavailable,
    StageStalled,
    StorageFull,
    StorageUnavailable,
    StudioError,
)
from models.stages import Effort, StageRequest, StageResult

log = structlog.get_logger()

LEASE = timedelta(seconds=15)
"""How long a key stays reserved for a worker that has gone silent; renewed four times within it."""
BEAT_SECONDS = 2.0
POLL_SECONDS = 0.25
"""How often a worker looks whether the key it waits for has been made by another."""
PATIENCE_SECONDS = 180.0
"""How long a stage holds on to what it made while the object store or the database is away. A restart takes seconds;
what is given up after this is made anew when they are back."""
RETRY_SECONDS = 1.0
FULL_BELOW = 1_000_000
"""Bytes left on the scratch volume below which it counts as full: libraries report that in many ways, or not at all."""

on_thread = asyncio.to_thread
"""How blocking calls leave the event loop; one name, so that no activity blocks the worker's heartbeats."""

Answer = TypeVar("Answer")
Result = TypeVar("Result", bound=StageResult)
AnEngine = TypeVar("AnEngine", bound=Engine)
AContract = TypeVar("AContract", bound=Contract)


class StageStopped(Exception):
    """Raised inside an engine's thread by ``progress`` to make it stop; never leaves this module."""


@dataclass
class Bench:
    """What a stage works with: a scratch directory of its own, artifacts in and out, and progress to report."""

    folder: Path
    artifacts: ArtifactStore
    _stop: threading.Event = field(default_factory=threading.Event)
    _moved: float = field(default_factory=time.monotonic)
    _done: tuple[int, int] = (0, 0)
    _made: int = 0

    def fetch(self, artifact: Artifact) -> Path:
        """A local, read-only file of the artifact."""
        return self._when_back(lambda: self.artifacts.fetch(artifact))

    def read(self, artifact: Artifact, kind: type[AContract]) -> AContract:
        """The contract that a JSON artifact holds."""
        return kind.model_validate_json(self.fetch(artifact).read_bytes())

    def put(self, path: Path, media_type: str, duration_ms: int | None = None) -> Artifact:
        """Store a file."""
        artifact = self._when_back(lambda: self.artifacts.put(path, media_type, duration_ms))
        self._made += artifact.size
        return artifact

    def put_text(self, name: str, text: str, media_type: str = "application/json") -> Artifact:
        """Store a small text."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return self.put(path, media_type)

    def _when_back(self, call: Callable[[], Answer]) -> Answer:
        """The answer of ``call``, tried again while the object store is away: what was made so far is not thrown away
        for an outage."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return call()
            except StorageUnavailable as error:
                if time.monotonic() > deadline:
                    raise
                log.warning("stage.waiting", why=error.message)
            self._moved = time.monotonic()
            if self._stop.wait(RETRY_SECONDS):
                raise StageStopped

    def progress(self, done: int, total: int) -> None:
        """Report a finished unit of work; raises to stop the stage when it was cancelled or its worker shuts down."""
        if self._stop.is_set():
            raise StageStopped
        self._moved = time.monotonic()
        self._done = (done, total)


class Stages:
    """Runs stages for one worker."""

    def __init__(self, artifacts: ArtifactStore, ledger: StageLedger, scratch: Path) -> None:
        self._artifacts = artifacts
        self._ledger = ledger
        self._scratch = scratch

    async def run(
        self,
        request: StageRequest,
        engine: Engine,
        result_type: type[Result],
        work: Callable[[Bench], Result],
        *,
        stall_after: float = 180.0,
    ) -> Result:
        """The stage's result: the stored one, or the one ``work`` makes now (in a thread, while this beats).

        ``stall_after`` is the no-progress budget in seconds: without a unit finished for so long, the attempt is given
        up with StageStalled. Raises EngineUnavailable when this worker's engine is not the one the plan pinned.
        """
        _check_pin(request, engine)
        key = request.cache_key(engine.ref.weights)
        owner = f"{activity.info().workflow_id}/{uuid.uuid4().hex[:12]}"
        bench = Bench(self._scratch / f"{request.stage}-{uuid.uuid4().hex[:12]}", self._artifacts)
        beating = asyncio.create_task(_beat(bench))
        try:
            found = await self._claim(key, request, owner, result_type)
            if found is not None:
                return found
            started = time.monotonic()
            result, cpu_seconds = await self._make(key, owner, request, bench, work, stall_after)
            seconds = time.monotonic() - started
            device = request.engine.lane.value
            effort = Effort(cpu_seconds=cpu_seconds, seconds=seconds, size=bench._made, device=device)
            answer = result.model_copy(update={"effort": effort}).model_dump(mode="json")
            stored = await _when_back(
                lambda: self._ledger.finish_stage(
                    key,
                    owner,
                    answer,
                    seconds=seconds,
                    cpu_seconds=cpu_seconds,
                    size=effort.size,
                    device=effort.device,
                )
            )
        except BaseException as error:
            with contextlib.suppress(Exception):
                await asyncio.shield(self._ledger.release_stage(key, owner))
            if isinstance(error, asyncio.CancelledError) and activity.is_worker_shutdown():
                # Not a cancellation of the render: another worker takes it up.
                raise ApplicationError("the worker is shutting down", type="worker.stopping") from error
            raise
        finally:
            beating.cancel()
        log.info("stage.made", stage=request.stage, work=request.work_id, segment=request.segment, seconds=seconds)
        return result_type.model_validate(stored)

    async def _claim(self, key: str, request: StageRequest, owner: str, result_type: type[Result]) -> Result | None:
        while True:
            claim = await whole_call(self._ledger.claim_stage(key, request.stage, request.engine, owner, LEASE))
            if claim.granted:
                return None
            if claim.result is not None:
                result = result_type.model_validate(claim.result)
                if await on_thread(self._whole, result):
                    return result.model_copy(update={"effort": result.effort.model_copy(update={"cached": True})})
                log.warning("stage.lost", stage=request.stage, key=key)
                await self._ledger.forget_stage(key)
                continue
            # Another worker makes the same.
            await asyncio.sleep(POLL_SECONDS)

    def _whole(self, result: StageResult) -> bool:
        return all(self._artifacts.exists(artifact) for artifact in artifacts_in(result))

    async def _make(
        self,
        key: str,
        owner: str,
        request: StageRequest,
        bench: Bench,
        work: Callable[[Bench], Result],
        stall_after: float,
    ) -> tuple[Result, float]:
        bench.folder.mkdir(parents=True)
        bench._moved = time.monotonic()

        def timed() -> tuple[Result, float]:
            begun = time.thread_time()
            try:
                result = work(bench)
            except Exception as error:
                if full := self._full(error):
                    raise full from error
                raise
            return result, time.thread_time() - begun

        thread = asyncio.ensure_future(on_thread(timed))
        try:
            renewed = time.monotonic()
            while not thread.done():
                await asyncio.wait({thread}, timeout=BEAT_SECONDS)
                now = time.monotonic()
                if now - renewed >= LEASE.total_seconds() / 4:
                    # A database that is away costs nothing yet: the result may well find it back.
                    with contextlib.suppress(StorageUnavailable):
                        await self._ledger.renew_stage(key, owner, LEASE)
                    renewed = now
                if not thread.done() and now - bench._moved > stall_after:
                    raise StageStalled(
                        f"{request.stage} finished no unit of work for {stall_after:.0f} s "
                        f"(at {bench._done[0]} of {bench._done[1]})"
                    )
            return thread.result()
        finally:
            bench._stop.set()
            if not thread.done():
                # A thread cannot be killed: it stops at its next unit. Waiting for it keeps two attempts from doing
                # the same work side by side; a unit that never ends must not hold the slot for ever.
                with contextlib.suppress(BaseException):
                    await asyncio.wait_for(asyncio.shield(thread), timeout=20)
            shutil.rmtree(bench.folder, ignore_errors=True)

    def _full(self, error: Exception) -> StorageFull | None:
        """What to tell of ``error`` where the scratch volume is full, whatever the library made of it."""
        left = shutil.disk_usage(self._scratch).free
        told = isinstance(error, StudioError) and not isinstance(error, EngineFailed | StorageFull)
        if left >= FULL_BELOW or told or isinstance(error, StageStopped):
            return None
        return StorageFull(f"the disk is full: {left // 1000} kB are left for scratch files in {self._scratch}")


async def _beat(bench: Bench) -> None:
    """Tell Temporal, until cancelled, that this worker lives, and how far the stage is. What takes no time has no beat:
    each costs the server a write."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        activity.heartbeat({"done": bench._done[0], "total": bench._done[1]})


async def _when_back(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of ``call``, tried again while the database is away."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await call()
        except StorageUnavailable as error:
            if time.monotonic() > deadline:
                raise
            log.warning("stage.waiting", why=error.message)
        await asyncio.sleep(RETRY_SECONDS)


async def whole_call(call: Coroutine[Any, Any, Answer]) -> Answer:
    """The answer of ``call``, which a cancellation does not break off: a claim that was sent may have been granted, a
    message may have gone out, and only when the call has ended is it certain what there is to release or take back."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def artifacts_in(value: object) -> list[Artifact]:
    """Every artifact within a contract, however deep."""
    if isinstance(value, Artifact):
        return [value]
    if isinstance(value, Contract):
        return [found for name in type(value).model_fields for found in artifacts_in(getattr(value, name))]
    if isinstance(value, tuple):
        return [found for item in value for found in artifacts_in(item)]
    return []


def choose(engines: Mapping[str, AnEngine], request: StageRequest) -> AnEngine:
    """The engine the plan names, if this worker has it. Raises EngineUnavailable that says what it does have."""
    try:
        return engines[request.engine.name]
    except KeyError:
        raise EngineUnavailable(
            f"this worker serves lane {request.engine.lane} without the {request.engine.capability} engine "
            f"{request.engine.name!r}; it has: {', '.join(sorted(engines)) or 'none'}",
            code="engine.not_served",
            action="Start a worker of this release on that lane, then resume the render.",
        ) from None


def _check_pin(request: StageRequest, engine: Engine) -> None:
    pinned, mine = request.engine, engine.ref
    if pinned.version != mine.version:
        raise EngineUnavailable(
            f"the plan pins {pinned.name} {pinned.version}, this worker has {mine.version}", code="engine.version"
        )
    if pinned.weights and mine.weights != pinned.weights:
        raise EngineUnavailable(
            f"the plan pins other weights of {pinned.name} ({pinned.weights[:12]}) than this worker has "
            f"({mine.weights[:12] or 'none'})",
            code="engine.weights",
            action="Give the worker the pinned weights and resume, or render anew with the present ones.",
        )
