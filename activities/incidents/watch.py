"""Sees incidents begin and end in what lives and tracks tell the tables, and has people told by a workflow of each
one's own: no artist's or track's workflow waits for a messenger, or has a line of history more."""

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.incidents.base import IncidentRecords
from models.artist import ArtistSnapshot
from models.errors import TemporalUnavailable
from models.incidents import IncidentChanges, OpenIncident, incident_workflow_id
from models.lanes import Lane
from models.track import TrackProgress

INCIDENT_WORKFLOW = "IncidentWorkflow"
OVER = "over"
"""The signal that an incident is."""


class IncidentWatch:
    """Looks at every snapshot that is recorded."""

    def __init__(self, records: IncidentRecords, client: Client) -> None:
        self._records = records
        self._client = client

    async def life(self, snapshot: ArtistSnapshot) -> None:
        """An artist's life was recorded. Raises TemporalUnavailable where nobody could be told."""
        await self._act(await self._records.seen_life(snapshot))

    async def track(self, progress: TrackProgress, sequence: int) -> None:
        """A track was recorded."""
        await self._act(await self._records.seen_track(progress, sequence))

    async def _act(self, changes: IncidentChanges) -> None:
        try:
            for incident in changes.standing:
                await self._begin(incident)
            for incident in changes.over:
                # Signalled before it is closed: whoever is interrupted between does both again.
                await self._end(incident)
                await self._records.close_incident(incident.tenant, incident.incident_id)
        except (RPCError, RuntimeError) as error:
            raise TemporalUnavailable(f"nobody could be told of an incident: {error}") from error

    async def _begin(self, incident: OpenIncident) -> None:
        try:
            await self._client.start_workflow(
                INCIDENT_WORKFLOW,
                incident,
                id=incident_workflow_id(incident.tenant, incident.incident_id),
                task_queue=Lane.STUDIO.value,
                static_summary=f"{incident.name}: {incident.code}"[:200],
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            )
        except WorkflowAlreadyStartedError:
            return

    async def _end(self, incident: OpenIncident) -> None:
        handle = self._client.get_workflow_handle(incident_workflow_id(incident.tenant, incident.incident_id))
        try:
            await handle.signal(OVER)
        except RPCError as error:
            # Ended before, or gone: there is nobody left to tell.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
