"""What the API asks of publications: mend, let go, withdraw, publish where a release is not yet."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from api.temporal import WORK_ENDED, reach
from models.errors import Conflict
from models.lanes import Lane
from models.publication import (
    PublicationRequest,
    ReleaseToPublish,
    Skip,
    publication_ended,
    publication_workflow_id,
)
from models.render import Resume

_PATIENCE = timedelta(seconds=10)


class Publications:
    """The publications' workflows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def publish(self, release: ReleaseToPublish) -> None:
        """Begin a publication; one that is under way goes on. Raises TemporalUnavailable."""
        await self._start(PublicationRequest(release=release))

    async def withdraw(self, request: PublicationRequest) -> None:
        """Have it withdrawn: by the publication under way, or by one begun for that. Once asked, it is carried out
        however long the place is out of reach."""
        await self._start(request, signal="withdraw")

    async def resume(self, track_id: str, publisher: str, resume: Resume) -> None:
        """Say that the cause is mended. Raises Conflict when nothing is under way."""
        await self._tell(track_id, publisher, "resume", resume, resume.resume_id)

    async def skip(self, track_id: str, publisher: str, skip: Skip) -> None:
        """Let a place go. Raises Conflict when nothing is under way, or it is being withdrawn."""
        await self._tell(track_id, publisher, "skip", skip, skip.skip_id)

    async def _tell(self, track_id: str, publisher: str, update: str, what: Resume | Skip, update_id: str) -> None:
        handle = self._client.get_workflow_handle(publication_workflow_id(track_id, publisher))
        try:
            await reach(lambda: handle.execute_update(update, what, id=update_id, rpc_timeout=_PATIENCE))
        except Conflict as error:
            if error.code != WORK_ENDED:
                raise
            raise publication_ended(publisher) from None

    async def _start(self, request: PublicationRequest, signal: str | None = None) -> None:
        await reach(
            lambda: self._client.start_workflow(
                "PublicationWorkflow",
                request,
                id=request.release.workflow_id,
                task_queue=Lane.STUDIO.value,
                static_summary=f"{request.release.package.track_id} at {request.release.publisher}"[:200],
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal=signal,
                rpc_timeout=_PATIENCE,
            )
        )
