"""A publication's promises: one place never holds up another, nor the release; what fails waits for a person or another
day; what a person lets go or withdraws is let go or withdrawn."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from models.approval import ApprovalPolicy
from models.engines import resolve_track_plan
from models.errors import EngineUnavailable, QuotaSpent
from models.publication import (
    Publication,
    PublicationRequest,
    PublicationState,
    ReleaseToPublish,
    Skip,
    publication_workflow_id,
)
from models.release import KeptPackage, PackageToKeep
from models.render import Resume
from models.song_stages import ReleaseFile
from models.track import TrackResult, TrackState
from tests.workflows.label import InstantLabel, track
from tests.workflows.recording import keep
from tests.workflows.studio import artifact
from workflows.publication import PublicationWorkflow
from workflows.track import TrackWorkflow

Handle = WorkflowHandle[PublicationWorkflow, Publication]

REVOKED = EngineUnavailable("YouTube refuses the token.", field="YOUTUBE_REFRESH_TOKEN")
SPENT = QuotaSpent("YouTube takes no more today.")
SKIP = Skip(skip_id="s", who="priya", why="Not this one.")
BOTH = resolve_track_plan({}, publishers=("youtube", "store"))


def release(publisher: str = "youtube") -> ReleaseToPublish:
    package = PackageToKeep(
        tenant="house",
        artist="vela",
        track_id="vela-0001",
        files=(ReleaseFile(path="release.json", file=artifact("sheet")),),
    )
    kept = KeptPackage(manifest=artifact("manifest"), folder="s3://studio/releases/house/vela/vela-0001")
    return ReleaseToPublish(package=package, kept=kept, publisher=publisher)


class Desk:
    """An instant label's publications on a server."""

    def __init__(self, environment: WorkflowEnvironment) -> None:
        self.environment = environment
        self.label = InstantLabel()

    async def start(self, *, withdraw: bool = False) -> Handle:
        asked = release()
        return await self.environment.client.start_workflow(
            PublicationWorkflow.run,
            PublicationRequest(release=asked, withdraw=withdraw),
            id=asked.workflow_id,
            task_queue="studio",
        )

    async def released(self) -> tuple[WorkflowHandle[TrackWorkflow, TrackResult], Handle]:
        """A track that publishes at two places, and its publication on YouTube."""
        request = track(plan=BOTH, approval=ApprovalPolicy(required=False))
        client = self.environment.client
        started = await client.start_workflow(TrackWorkflow.run, request, id="track/vela-0001", task_queue="studio")
        return started, client.get_workflow_handle_for(
            PublicationWorkflow.run, publication_workflow_id("vela-0001", "youtube")
        )

    async def until(self, handle: Handle, holds: Callable[[Publication], bool]) -> Publication:
        while not holds(now := await handle.query(PublicationWorkflow.publication)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return now

    async def recorded(self, *states: PublicationState) -> None:
        """Wait until YouTube's publication was last recorded as one of ``states``."""
        while not any(told.state in states for told in self._told()[-1:]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    def _told(self) -> list[Publication]:
        return [told for told in self.label.publications if told.publisher == "youtube"]


@pytest_asyncio.fixture(loop_scope="function")
async def desk(skipping: WorkflowEnvironment) -> AsyncIterator[Desk]:
    desk = Desk(skipping)
    async with AsyncExitStack() as stack:
        workflows = [PublicationWorkflow, TrackWorkflow]
        await stack.enter_async_context(Worker(skipping.client, task_queue="studio", workflows=workflows))
        for lane in ("cpu", "io", "gpu", "knowledge"):
            worker = Worker(
                skipping.client,
                task_queue=lane,
                activities=desk.label.activities(),
                max_heartbeat_throttle_interval=timedelta(seconds=0.2),
            )
            await stack.enter_async_context(worker)
        yield desk


async def test_it_is_put_there_read_back_and_recorded(desk: Desk) -> None:
    result = await (await desk.start()).result()
    assert result.state is PublicationState.PUBLISHED and result.place is not None
    assert [told.state.value for told in desk.label.publications] == ["publishing", "published"]


async def test_a_place_that_fails_holds_up_neither_the_other_nor_the_release(desk: Desk) -> None:
    desk.label.failing["publish youtube"] = REVOKED
    with desk.environment.auto_time_skipping_disabled():
        started, youtube = await desk.released()
        result = await started.result()
        assert result.state is TrackState.RELEASED and result.release is not None
        assert result.release.pages == ("at/store",)
        blocked = await desk.until(youtube, lambda now: now.state is PublicationState.BLOCKED)
        assert blocked.failure is not None and blocked.failure.field == "YOUTUBE_REFRESH_TOKEN"
        assert blocked.retry_at is None
        desk.label.failing.clear()
        await youtube.execute_update(PublicationWorkflow.resume, Resume(resume_id="r", who="priya"))
        assert (await youtube.result()).state is PublicationState.PUBLISHED
    assert desk.label.made["publish store"] == desk.label.made["publish youtube"] == 1


async def test_a_spent_quota_is_tried_again_another_day_by_itself(desk: Desk) -> None:
    desk.label.failing["publish youtube"] = SPENT
    handle = await desk.start()
    await desk.recorded(PublicationState.BLOCKED)
    blocked = desk.label.publications[-1]
    assert blocked.retry_at is not None
    desk.label.failing.clear()
    assert (await handle.result()).state is PublicationState.PUBLISHED


@pytest.mark.parametrize("error", [REVOKED, SPENT])
async def test_what_nobody_mends_is_given_up_after_a_month(desk: Desk, error: EngineUnavailable | QuotaSpent) -> None:
    desk.label.failing["publish youtube"] = error
    result = await (await desk.start()).result()
    assert result.state is PublicationState.FAILED
    assert result.failure is not None and result.failure.code == error.code


async def test_a_track_that_is_published_nowhere_has_failed_of_a_fault(desk: Desk) -> None:
    desk.label.failing |= {"publish youtube": REVOKED, "publish store": REVOKED}
    started, _ = await desk.released()
    assert (await started.result()).state is TrackState.FAILED


async def test_a_person_lets_a_failed_place_go(desk: Desk) -> None:
    desk.label.failing["confirm youtube"] = REVOKED
    with desk.environment.auto_time_skipping_disabled():
        handle = await desk.start()
        await desk.until(handle, lambda now: now.state is PublicationState.BLOCKED)
        await handle.execute_update(PublicationWorkflow.skip, SKIP)
        result = await handle.result()
    assert result.state is PublicationState.SKIPPED
    assert result.failure is not None and result.place is not None


async def test_one_under_way_is_called_off_with_its_track(desk: Desk) -> None:
    desk.label.held = {"youtube", "store"}
    with desk.environment.auto_time_skipping_disabled():
        started, youtube = await desk.released()
        while sum(told.state is PublicationState.PUBLISHING for told in desk.label.publications) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await started.cancel()
        assert (await youtube.result()).state is PublicationState.SKIPPED
    assert desk.label.made["publish youtube"] == 0


async def test_it_is_withdrawn_after_it_was_published_and_while_it_is_under_way(desk: Desk) -> None:
    result = await (await desk.start(withdraw=True)).result()
    assert result.state is PublicationState.WITHDRAWN and desk.label.made["unpublish youtube"] == 1
    desk.label.held = {"youtube"}
    with desk.environment.auto_time_skipping_disabled():
        handle = await desk.start()
        await desk.recorded(PublicationState.PUBLISHING)
        await handle.signal(PublicationWorkflow.withdraw)
        assert (await handle.result()).state is PublicationState.WITHDRAWN
    assert desk.label.made["unpublish youtube"] == 2 and desk.label.made["publish youtube"] == 0


async def test_a_withdrawal_that_fails_waits_and_cannot_be_let_go(desk: Desk) -> None:
    desk.label.failing["unpublish youtube"] = REVOKED
    with desk.environment.auto_time_skipping_disabled():
        handle = await desk.start(withdraw=True)
        await desk.until(handle, lambda now: now.state is PublicationState.BLOCKED)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(PublicationWorkflow.skip, SKIP)
        desk.label.failing.clear()
        await handle.execute_update(PublicationWorkflow.resume, Resume(resume_id="r", who="priya"))
        assert (await handle.result()).state is PublicationState.WITHDRAWN


async def test_a_publication_with_every_turn_replays(desk: Desk) -> None:
    desk.label.failing["publish youtube"] = REVOKED
    with desk.environment.auto_time_skipping_disabled():
        handle = await desk.start()
        await desk.until(handle, lambda now: now.state is PublicationState.BLOCKED)
        desk.label.failing = {"confirm youtube": REVOKED}
        await handle.execute_update(PublicationWorkflow.resume, Resume(resume_id="r", who="priya"), id="r")
        await desk.until(handle, lambda now: now.place is not None and now.state is PublicationState.BLOCKED)
        await handle.signal(PublicationWorkflow.withdraw)
        assert (await handle.result()).state is PublicationState.WITHDRAWN
    await keep(handle, "publication-every-turn")
