"""The time-skipping server, and an instant studio that works on it."""

import asyncio
import functools
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from models.approval import Question
from models.render import RenderProgress, RenderRequest, RenderResult
from tests.workflows.studio import InstantStudio
from workers.plugin import StudioPlugin
from workflows.render import RenderWorkflow

STALLED_SECONDS = 60
"""Several times what the longest of them takes on a busy machine."""
STOPPED = ("TimeoutError", "RPCError")
"""How a server that goes on no more shows itself."""


@pytest_asyncio.fixture(loop_scope="function")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    beside_python = Path(sys.executable).parent / "temporal-test-server"
    server = str(beside_python) if beside_python.exists() else shutil.which("temporal-test-server")
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=server, plugins=[StudioPlugin()]
    ) as environment:
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        names = ("Stage", "Artist", "Persona", "Channel", "Tenant", "Lane")
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace="default", search_attributes=dict.fromkeys(names, keyword))
        )
        yield environment
    # A client's native threads need a moment before the interpreter may end (temporalio/sdk-python#300).
    await asyncio.sleep(0.2)


class Stage:
    """An instant studio at work on a server."""

    def __init__(self, client: Client, environment: WorkflowEnvironment) -> None:
        self.client = client
        self.environment = environment
        self.studio = InstantStudio()

    async def start(self, request: RenderRequest) -> WorkflowHandle[RenderWorkflow, RenderResult]:
        return await self.client.start_workflow(
            RenderWorkflow.run, request, id=f"render/{request.render_id}", task_queue="studio"
        )

    async def progress(self, handle: WorkflowHandle[RenderWorkflow, RenderResult]) -> RenderProgress:
        return await handle.query(RenderWorkflow.progress)

    async def until(
        self, handle: WorkflowHandle[RenderWorkflow, RenderResult], holds: Callable[[RenderProgress], bool]
    ) -> RenderProgress:
        """The first progress that ``holds``; the test's own time-out ends a wait in vain."""
        while not holds(now := await self.progress(handle)):  # noqa: ASYNC110 - a query can only be asked again
            await asyncio.sleep(0.05)
        return now

    async def question(self, handle: WorkflowHandle[RenderWorkflow, RenderResult], attempt: int = 1) -> Question:
        """The open question of that round, once reviewers were told of it.

        The time-skipping server, unlike a real one, loses the workflow's task when it asks to cancel an activity that
        has just completed; so a verdict waits here until the message has gone out.
        """
        now = await self.until(handle, lambda now: now.question is not None and now.question.round == attempt)
        assert now.question is not None
        while not await self._told(handle, now.question):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
        return now.question

    async def _told(self, handle: WorkflowHandle[RenderWorkflow, RenderResult], question: Question) -> bool:
        pending = (await handle.describe()).raw_description.pending_activities
        telling = any(activity.activity_type.name == "approvals.ask" for activity in pending)
        return not telling and any(told.question == question for told in self.studio.asked)


@pytest_asyncio.fixture(loop_scope="function")
async def stage(skipping: WorkflowEnvironment) -> AsyncIterator[Stage]:
    stage = Stage(skipping.client, skipping)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(Worker(skipping.client, task_queue="studio", workflows=[RenderWorkflow]))
        for lane, activities in stage.studio.activities().items():
            await stack.enter_async_context(Worker(skipping.client, task_queue=lane, activities=activities))
        yield stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that the time-skipping server stops, or answers no more, is lived again on a new server.

    That server now and then loses a workflow's task for good, above all when an activity is cancelled or a child ends
    while its parent is told of something else; a real one does not.
    """
    for item in items:
        if isinstance(item, pytest.Function) and "skipping" in item.fixturenames:
            item.obj = _within(STALLED_SECONDS, item.obj)
            item.add_marker(
                pytest.mark.flaky(reruns=4, only_rerun=["TimeoutError", "RPCError", "RPCTimeoutOrCancelled"])
            )


def _within(seconds: float, test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def lived(*args: object, **fixtures: object) -> None:
        await asyncio.wait_for(test(*args, **fixtures), seconds)

    return lived
