"""An upload is settled once somebody could look at it, and only the file itself is held against it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.support.errors import from_failure, to_failure
from api.temporal import Renders
from models.engines import find_engine
from models.errors import EngineUnavailable, MediaRejected, StorageUnavailable, StudioError
from models.inspection import Findings
from models.lanes import Lane
from models.plan import Capability
from models.stages import InspectRequest, InspectResult
from models.upkeep import AssetOutcome, AssetToInspect
from tests.workflows.recording import keep
from tests.workflows.studio import artifact
from workflows.inspection import InspectionWorkflow

UPLOAD = AssetToInspect(
    tenant="house",
    asset="0" * 16,
    engine=find_engine(Capability.INSPECTION, "media").ref(),
    file=artifact("logo", "image/png"),
    longest_ms=60_000,
)
FOUND = Findings(width=4, height=3, faces=0)
DAMAGED = MediaRejected("the picture is damaged", field="file", code="picture.damaged")


class Desk:
    """Where uploads are looked at, at once; ``failing`` is what every look ends in."""

    def __init__(self, client: Client, environment: WorkflowEnvironment) -> None:
        self.client = client
        self.environment = environment
        self.failing: StudioError | None = None
        self.looks = 0
        self.settled: list[AssetOutcome] = []

    @activity.defn(name="inspection.inspect")
    async def inspect(self, request: InspectRequest) -> InspectResult:
        self.looks += 1
        if self.failing is not None:
            raise to_failure(self.failing)
        return InspectResult(findings=FOUND)

    @activity.defn(name="records.settle_asset")
    async def settle(self, outcome: AssetOutcome) -> None:
        self.settled.append(outcome)

    async def send(self) -> WorkflowHandle[InspectionWorkflow, AssetOutcome]:
        """The upload as the API has it inspected."""
        await Renders(self.client).inspect(UPLOAD)
        return self.client.get_workflow_handle_for(InspectionWorkflow.run, f"asset/house/{UPLOAD.asset}")

    def worker(self) -> Worker:
        """One that looks."""
        return Worker(self.client, task_queue=Lane.CPU.value, activities=[self.inspect])


@pytest_asyncio.fixture(loop_scope="function")
async def desk(skipping: WorkflowEnvironment) -> AsyncIterator[Desk]:
    desk = Desk(skipping.client, skipping)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            Worker(skipping.client, task_queue=Lane.STUDIO.value, workflows=[InspectionWorkflow])
        )
        await stack.enter_async_context(Worker(skipping.client, task_queue=Lane.IO.value, activities=[desk.settle]))
        yield desk


async def test_an_upload_waits_for_a_worker_and_is_settled_once_however_often_it_is_sent(desk: Desk) -> None:
    handle = await desk.send()
    waiting = (await handle.describe()).raw_description.pending_activities
    assert [pending.activity_type.name for pending in waiting] in ([], ["inspection.inspect"])
    assert desk.settled == []
    async with desk.worker():
        await desk.send()
        outcome = await handle.result()
    assert (outcome.findings, outcome.failure, desk.looks) == (FOUND, None, 1)
    assert desk.settled == [outcome]
    await keep(handle, "upload-decoded")


async def test_a_bad_file_is_settled_with_what_is_wrong_with_it(desk: Desk) -> None:
    desk.failing = DAMAGED
    async with desk.worker():
        outcome = await (handle := await desk.send()).result()
    assert (outcome.findings, outcome.failure) == (None, DAMAGED.details())
    assert desk.settled == [outcome]
    await keep(handle, "upload-refused")


async def test_what_the_operator_has_to_mend_is_no_verdict_and_the_next_sending_looks_again(desk: Desk) -> None:
    desk.failing = EngineUnavailable("mediapipe cannot be imported", field="mediapipe")
    async with desk.worker():
        with pytest.raises(WorkflowFailureError) as failed:
            await (await desk.send()).result()
        assert from_failure(failed.value).field == "mediapipe"
        assert desk.settled == []
        desk.failing = None
        assert (await (await desk.send()).result()).findings == FOUND


async def test_an_outage_is_waited_out(desk: Desk) -> None:
    desk.failing = StorageUnavailable("the object store does not answer")
    async with desk.worker():
        handle = await desk.send()
        await desk.environment.sleep(timedelta(minutes=3))
        assert desk.settled == []
        desk.failing = None
        assert (await handle.result()).findings == FOUND
