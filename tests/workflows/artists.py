"""What artists' workflows are tested with: tracks that end as a test says, and tables in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.artists.stage import ArtistRecords
from activities.support.errors import to_failure
from models.artist import ArtistLife, ArtistRequest, ArtistSnapshot, Equipment, LifeEvent, Pacing, artist_workflow_id
from models.birth import conceive
from models.engines import resolve_track_plan
from models.errors import EngineFailed, ProviderFault
from models.identity import SingingVoice, StyleShare
from models.outlook import Outlook, OutlookQuery
from models.track import TrackRequest, TrackResult, TrackState
from workers.plugin import StudioPlugin
from workflows.artist import ArtistWorkflow

VOICE = SingingVoice(styles=(StyleShare(style="af_heart", share=1),), low=55, high=74)


def request(artist: str = "vela", **changes: Any) -> ArtistRequest:
    values: dict[str, Any] = {
        "artist": artist,
        "created_by": "priya",
        "identity": conceive(7, artist).voiced(VOICE),
        "pacing": Pacing(gap_hours=24 * 7),
        "equipment": Equipment(plan=resolve_track_plan({})),
    }
    return ArtistRequest(**{**values, **changes})


@workflow.defn(name="TrackWorkflow", sandboxed=False)
class ScriptedTrack:
    """Ends as ``endings`` says by artist and number (released where it says nothing), after ``lasts``."""

    endings: ClassVar[dict[tuple[str, int], TrackState]] = {}
    lasts: ClassVar[dict[str, timedelta]] = {}
    breaking: ClassVar[set[str]] = set()
    """Tracks, by id, that break off without a result."""

    @workflow.run
    async def run(self, request: TrackRequest) -> TrackResult:
        await workflow.sleep(self.lasts.get(request.artist, timedelta(hours=1)))
        if request.track_id in self.breaking:
            raise to_failure(EngineFailed("it broke"))
        state = self.endings.get((request.artist, request.number), TrackState.RELEASED)
        decided = state in {TrackState.RELEASED, TrackState.REJECTED}
        return TrackResult(
            track_id=request.track_id,
            number=request.number,
            state=state,
            title=f"Song {request.number}",
            identity_version=request.identity.version,
            trial=request.trial,
            decided_by=("ana",) if decided else (),
            reason="other" if state is TrackState.REJECTED else "",
            fault=ProviderFault("the provider is away").details() if state is TrackState.FAILED else None,
        )


@dataclass
class Tables:
    """What was recorded, as a table would keep it: by sequence, so that told twice is once."""

    lives: dict[str, ArtistLife] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    events: dict[str, list[LifeEvent]] = field(default_factory=dict)

    outlooks: dict[int, Outlook] = field(default_factory=dict)
    """What there is for a song, by its number."""
    asked: list[OutlookQuery] = field(default_factory=list)

    async def outlook(self, query: OutlookQuery) -> Outlook:
        self.asked.append(query)
        return self.outlooks.get(query.number, Outlook())

    async def record_life(self, snapshot: ArtistSnapshot) -> None:
        name = snapshot.life.artist
        if snapshot.sequence > self.sequences.get(name, -1):
            self.sequences[name] = snapshot.sequence
            self.lives[name] = snapshot.life
        known = self.events.setdefault(name, [])
        known += (event for event in snapshot.news if not known or event.number > known[-1].number)


STEP = timedelta(hours=1)
Handle = WorkflowHandle[ArtistWorkflow, ArtistLife]


class House:
    """A house of artists on a server."""

    def __init__(self, environment: WorkflowEnvironment) -> None:
        self.environment = environment
        self.client: Client = environment.client
        self.tables = Tables()

    async def start(self, asked: ArtistRequest) -> Handle:
        return await self.client.start_workflow(
            ArtistWorkflow.run, asked, id=artist_workflow_id(asked.tenant, asked.artist), task_queue="studio"
        )

    async def until(self, handle: Handle, holds: Callable[[ArtistLife], bool], step: timedelta = STEP) -> ArtistLife:
        """The first picture that ``holds``, looked for after every ``step`` of the skipped clock.

        The server's clock runs on while a workflow's task is handled, so that no single sleep ends at a sure moment.
        """
        while not holds(life := await handle.query(ArtistWorkflow.life)):
            # Its clock stands still once a child has ended whose parent's run was over: it is not waited for then.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.environment.sleep(step), 3)
        return life

    async def histories(self, handle: Handle) -> list[WorkflowHistory]:
        """The history of each run, from the first to the present one."""
        found, run_id = [], handle.first_execution_run_id
        while run_id:
            history = await self.client.get_workflow_handle(handle.id, run_id=run_id).fetch_history()
            found.append(history)
            run_id = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        return found


async def replay(histories: list[WorkflowHistory]) -> None:
    """Every history replays on today's code."""
    replayer = Replayer(workflows=[ArtistWorkflow], plugins=[StudioPlugin()], workflow_runner=runner())
    for history in histories:
        await replayer.replay_workflow(history)


def runner() -> SandboxedWorkflowRunner:
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules("workflows.life"))


@asynccontextmanager
async def at_work(environment: WorkflowEnvironment) -> AsyncIterator[House]:
    house = House(environment)
    # Not the environment's own client: whoever asks that one for a result lets the clock skip.
    address = environment.client.service_client.config.target_host
    records = ArtistRecords(house.tables, await Client.connect(address, plugins=[StudioPlugin()]))
    async with AsyncExitStack() as stack:
        studio = Worker(
            environment.client,
            task_queue="studio",
            workflows=[ArtistWorkflow, ScriptedTrack],
            workflow_runner=runner(),
        )
        await stack.enter_async_context(studio)
        activities: list[Any] = [records.record_life, records.track_answer, records.outlook]
        await stack.enter_async_context(Worker(environment.client, task_queue="io", activities=activities))
        yield house
