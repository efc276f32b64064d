"""What the API and the bot ask of Temporal: start a render, look at it, tell it something; learn a voice, decode an
upload.

The client connects when first needed and again after an outage; every fault comes back as a typed error."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio.client import (
    Client,
    RPCError,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCStatusCode

from activities.support.errors import from_failure
from models.approval import QuestionState, Verdict, WorkKind
from models.errors import Conflict, FailureDetails, StudioError, TemporalUnavailable
from models.lanes import Lane
from models.render import RenderProgress, RenderRequest, Resume
from models.upkeep import AssetToInspect, VoiceToEnrol

Answer = TypeVar("Answer")

_PATIENCE = timedelta(seconds=10)
WORK_ENDED = "render.ended"
"""The code of the Conflict with work that has ended."""
"""How long a caller waits for a workflow's answer; a studio worker that lives answers in milliseconds."""
_QUERY_PATIENCE = timedelta(seconds=3)
"""Less for a query, because the tables can answer in its stead."""
_PERSONA = SearchAttributeKey.for_keyword("Persona")
_CHANNEL = SearchAttributeKey.for_keyword("Channel")
_TENANT = SearchAttributeKey.for_keyword("Tenant")
_OUT_OF_REACH = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.UNKNOWN,
    RPCStatusCode.INTERNAL,
}


class WorkflowRefused(StudioError):
    """A workflow answered with a failure of its own; it is passed on as it is."""

    def __init__(self, failure: FailureDetails) -> None:
        super().__init__(failure.message, field=failure.field, code=failure.code, action=failure.action)
        self._failure = failure

    def details(self) -> FailureDetails:
        """The workflow's own words."""
        return self._failure


class Renders:
    """The render workflows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def check(self) -> None:
        """Raise TemporalUnavailable unless the frontend answers."""
        await reach(lambda: self._client.service_client.check_health(timeout=_QUERY_PATIENCE))

    async def start(self, request: RenderRequest) -> None:
        """Start the render's workflow; twice is once, also after it has ended."""
        attributes = TypedSearchAttributes(
            [
                SearchAttributePair(_PERSONA, request.persona),
                SearchAttributePair(_CHANNEL, request.channel),
                SearchAttributePair(_TENANT, request.tenant),
            ]
        )
        try:
            await reach(
                lambda: self._client.start_workflow(
                    "RenderWorkflow",
                    request,
                    id=workflow_id(request.render_id),
                    task_queue=Lane.STUDIO.value,
                    static_summary=f"{request.title} · {request.persona}"[:200],
                    search_attributes=attributes,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    priority=Priority(priority_key=int(request.priority), fairness_key=request.tenant),
                    rpc_timeout=_PATIENCE,
                )
            )
        except WorkflowAlreadyStartedError:
            return

    async def enrol(self, voice: VoiceToEnrol) -> None:
        """Start learning a voice; samples that replace others replace their run too."""
        await reach(
            lambda: self._client.start_workflow(
                "EnrolmentWorkflow",
                voice,
                id=f"voice/{voice.tenant}/{voice.voice}",
                task_queue=Lane.STUDIO.value,
                static_summary=f"Learn the voice {voice.voice}",
                id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
                rpc_timeout=_PATIENCE,
            )
        )

    async def inspect(self, asset: AssetToInspect) -> None:
        """Start decoding an upload; while it is under way, twice is once."""
        await reach(
            lambda: self._client.start_workflow(
                "InspectionWorkflow",
                asset,
                id=_inspection_id(asset.tenant, asset.asset),
                task_queue=Lane.STUDIO.value,
                static_summary=f"Decode the upload {asset.asset}",
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                rpc_timeout=_PATIENCE,
            )
        )

    async def inspected(self, tenant: str, asset: str, patience: timedelta) -> None:
        """Return when the upload's inspection has ended, however it did, or when ``patience`` has run out."""
        handle = self._client.get_workflow_handle(_inspection_id(tenant, asset))
        with contextlib.suppress(TimeoutError, WorkflowFailureError):
            await reach(lambda: asyncio.wait_for(handle.result(), patience.total_seconds()))

    async def progress(self, render_id: str) -> RenderProgress:
        """Where the render stands this moment. Raises TemporalUnavailable when no worker can say."""
        handle = self._client.get_workflow_handle(workflow_id(render_id))
        return await reach(lambda: handle.query("progress", result_type=RenderProgress, rpc_timeout=_QUERY_PATIENCE))

    async def decide(self, work_id: str, verdict: Verdict, kind: WorkKind = WorkKind.RENDER) -> QuestionState:
        """Give a verdict; its id makes giving it twice the same as once. Raises what the workflow refuses it with."""
        handle = self._client.get_workflow_handle(workflow_id(work_id, kind))
        return await reach(
            lambda: handle.execute_update(
                "decide", verdict, id=verdict.verdict_id, result_type=QuestionState, rpc_timeout=_PATIENCE
            )
        )

    async def resume(self, work_id: str, resume: Resume, kind: WorkKind = WorkKind.RENDER) -> None:
        """Say that the cause is mended."""
        handle = self._client.get_workflow_handle(workflow_id(work_id, kind))
        await reach(lambda: handle.execute_update("resume", resume, id=resume.resume_id, rpc_timeout=_PATIENCE))

    async def cancel(self, work_id: str, kind: WorkKind = WorkKind.RENDER) -> None:
        """Ask the render or track to stop."""
        handle = self._client.get_workflow_handle(workflow_id(work_id, kind))
        await reach(lambda: handle.cancel(rpc_timeout=_PATIENCE))


def _inspection_id(tenant: str, asset: str) -> str:
    return f"asset/{tenant}/{asset}"


def workflow_id(work_id: str, kind: WorkKind = WorkKind.RENDER) -> str:
    """The id of a render's or a track's workflow."""
    return f"{kind.value}/{work_id}"


async def reach(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of ``call`` to Temporal. Raises what a workflow refuses it with, Conflict for one that has ended,
    TemporalUnavailable when nobody answers."""
    try:
        return await call()
    except WorkflowUpdateFailedError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.details:
            raise WorkflowRefused(from_failure(error.cause)) from error
        # The update was under way when its workflow ended.
        raise _ended() from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise TemporalUnavailable("it does not answer: is a worker of the studio lane running?") from error
    except WorkflowQueryFailedError as error:
        raise TemporalUnavailable(f"it could not say where it stands: {error}") from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise _ended() from error
        if error.status is RPCStatusCode.FAILED_PRECONDITION:
            raise TemporalUnavailable("no worker of the studio lane is running") from error
        if error.status in _OUT_OF_REACH:
            raise TemporalUnavailable("Temporal does not answer") from error
        raise StudioError(f"Temporal refuses: {error.message}", code="temporal.refused") from error
    except RuntimeError as error:
        # The first connection of a lazy client failed; the next call tries again.
        raise TemporalUnavailable("Temporal is out of reach") from error


def _ended() -> Conflict:
    return Conflict("this work has ended", code=WORK_ENDED, action="Read it to see how it ended.")
