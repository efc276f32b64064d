"""A voice is learnt once, refused in words its owner can act on, and never left half-way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.support.errors import to_failure
from api.temporal import Renders
from models.artifacts import Artifact
from models.engines import find_engine
from models.errors import MediaRejected, StorageUnavailable, StudioError
from models.plan import Capability
from models.stages import EnrolRequest, EnrolResult
from models.upkeep import VoiceOutcome, VoiceToEnrol
from tests.workflows.recording import keep
from tests.workflows.studio import artifact
from workflows.enrolment import EnrolmentWorkflow

XTTS = find_engine(Capability.SPEECH, "xtts").ref()
FIRST, SECOND = artifact("first", "audio/wav"), artifact("second", "audio/wav")
CLIPPED = MediaRejected("sample 2 is clipped", field="samples", action="Record it again, further from the microphone.")
AWAY = StorageUnavailable("the database does not answer")

Handle = WorkflowHandle[EnrolmentWorkflow, VoiceOutcome]


class School:
    """Where voices are learnt at once, unless ``hold`` holds them up. ``failing`` maps activities to errors."""

    def __init__(self, client: Client, environment: WorkflowEnvironment) -> None:
        self.client = client
        self.environment = environment
        self.failing: dict[str, StudioError] = {}
        self.hold: asyncio.Event | None = None
        self.learning = asyncio.Event()
        self.learnt: list[Artifact] = []
        self.stopped: list[Artifact] = []
        self.settled: list[VoiceOutcome] = []

    @activity.defn(name="speech.enrol")
    async def enrol(self, request: EnrolRequest) -> EnrolResult:
        self._fail("enrol")
        self.learning.set()
        try:
            while self.hold is not None and not self.hold.is_set():
                activity.heartbeat()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            self.stopped.append(request.samples[0])
            raise
        self.learnt.append(request.samples[0])
        return EnrolResult(latents=artifact(["latents", request.samples[0].sha256]), seconds=30)

    @activity.defn(name="records.settle_voice")
    async def settle(self, outcome: VoiceOutcome) -> None:
        self._fail("settle")
        self.settled.append(outcome)

    def _fail(self, what: str) -> None:
        if what in self.failing:
            raise to_failure(self.failing[what])

    async def save(self, sample: Artifact = FIRST) -> Handle:
        """The voice as the API has it learnt."""
        await Renders(self.client).enrol(
            VoiceToEnrol(tenant="house", voice="avery", engine=XTTS, samples=(sample, SECOND))
        )
        described = await self.client.get_workflow_handle("voice/house/avery").describe()
        return self.client.get_workflow_handle_for(EnrolmentWorkflow.run, "voice/house/avery", run_id=described.run_id)


@pytest_asyncio.fixture(loop_scope="function")
async def school(skipping: WorkflowEnvironment) -> AsyncIterator[School]:
    school = School(skipping.client, skipping)
    async with AsyncExitStack() as stack:
        for worker in (
            Worker(skipping.client, task_queue="studio", workflows=[EnrolmentWorkflow]),
            Worker(
                skipping.client,
                task_queue=XTTS.lane.value,
                activities=[school.enrol],
                max_heartbeat_throttle_interval=timedelta(seconds=0.2),
            ),
            Worker(skipping.client, task_queue="io", activities=[school.settle]),
        ):
            await stack.enter_async_context(worker)
        yield school


async def test_a_voice_is_learnt_and_recorded(school: School) -> None:
    handle = await school.save()
    outcome = await handle.result()
    assert outcome.latents == artifact(["latents", FIRST.sha256])
    assert outcome.failure is None
    assert school.settled == [outcome]
    await keep(handle, "voice-learnt")


async def test_refused_samples_are_recorded_in_words_their_owner_can_act_on(school: School) -> None:
    school.failing["enrol"] = CLIPPED
    outcome = await (handle := await school.save()).result()
    assert outcome.latents is None
    assert outcome.failure == CLIPPED.details()
    assert school.settled == [outcome]
    await keep(handle, "voice-refused")
    school.failing.clear()
    assert (await (await school.save()).result()).latents is not None


@pytest.mark.parametrize("part", ["enrol", "settle"])
async def test_a_store_that_is_away_for_a_while_is_waited_for(school: School, part: str) -> None:
    school.failing[part] = AWAY
    handle = await school.save()
    await school.environment.sleep(timedelta(minutes=10))
    assert school.settled == []
    school.failing.clear()
    await school.environment.sleep(timedelta(minutes=1))
    assert (await handle.result()).latents is not None
    assert school.learnt == [FIRST]
    assert len(school.settled) == 1


async def test_a_cancelled_voice_stops_its_engine_and_says_so(school: School) -> None:
    school.hold = asyncio.Event()
    with school.environment.auto_time_skipping_disabled():
        handle = await school.save()
        await school.learning.wait()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    (outcome,) = school.settled
    assert outcome.failure is not None
    assert outcome.failure.code == "voice.stopped"
    assert school.stopped == [FIRST]
    assert school.learnt == []
    await keep(handle, "voice-stopped")


async def test_samples_that_replace_others_replace_their_run(school: School) -> None:
    school.hold = asyncio.Event()
    with school.environment.auto_time_skipping_disabled():
        first = await school.save(FIRST)
        await school.learning.wait()
        second = await school.save(SECOND)
        school.hold.set()
        assert (await second.result()).samples == (SECOND, SECOND)
    assert (await first.describe()).status is WorkflowExecutionStatus.TERMINATED
    assert [outcome.samples[0] for outcome in school.settled] == [SECOND]
