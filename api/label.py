"""What the API and the bot ask of artists: have one born, look at its life, tell it something."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.temporal import reach, workflow_id
from models.approval import WorkKind
from models.artist import ArtistLife, Command, CommandTaken, Timeline, artist_workflow_id
from models.debut import DebutProgress, DebutRequest
from models.errors import Conflict
from models.lanes import Lane
from models.performance import AudienceReport, ReportTaken
from models.track import TrackProgress

_PATIENCE = timedelta(seconds=10)
_QUERY_PATIENCE = timedelta(seconds=3)


class Label:
    """The artists' workflows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def debut(self, request: DebutRequest) -> None:
        """Begin a debut. Raises Conflict when there was one of that name."""
        try:
            await reach(
                lambda: self._client.start_workflow(
                    "DebutWorkflow",
                    request,
                    id=_debut_id(request.tenant, request.artist),
                    task_queue=Lane.STUDIO.value,
                    static_summary=f"The debut of {request.draft.silent.name}",
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    rpc_timeout=_PATIENCE,
                )
            )
        except WorkflowAlreadyStartedError:
            raise Conflict(
                f"an artist is called {request.artist!r} already",
                field="id",
                code="artist.exists",
                action="Choose another id.",
            ) from None

    async def debut_progress(self, tenant: str, artist: str) -> DebutProgress:
        """Where a debut stands. Raises Conflict when there is none."""
        handle = self._client.get_workflow_handle(_debut_id(tenant, artist))
        return await reach(lambda: handle.query("progress", result_type=DebutProgress, rpc_timeout=_QUERY_PATIENCE))

    async def life(self, tenant: str, artist: str) -> ArtistLife:
        """Where an artist stands this moment. Raises TemporalUnavailable when no worker can say."""
        handle = self._client.get_workflow_handle(artist_workflow_id(tenant, artist))
        return await reach(lambda: handle.query("life", result_type=ArtistLife, rpc_timeout=_QUERY_PATIENCE))

    async def timeline(self, tenant: str, artist: str) -> Timeline:
        """All that happened to an artist."""
        handle = self._client.get_workflow_handle(artist_workflow_id(tenant, artist))
        return await reach(lambda: handle.query("timeline", result_type=Timeline, rpc_timeout=_QUERY_PATIENCE))

    async def tell(self, tenant: str, artist: str, update: str, command: Command) -> CommandTaken:
        """Give a command, whose id makes giving it twice the same as once. Raises what the artist refuses it with,
        Conflict where the id was another command's."""
        handle = self._client.get_workflow_handle(artist_workflow_id(tenant, artist))
        return await reach(
            lambda: handle.execute_update(
                # Not the command's id alone: Temporal would answer another command under it as it answered the first.
                update,
                command,
                id=f"{command.command_id}.{command.content}",
                result_type=CommandTaken,
                rpc_timeout=_PATIENCE,
            )
        )

    async def hear(self, tenant: str, artist: str, report: AudienceReport) -> ReportTaken:
        """Tell an artist of its audience."""
        handle = self._client.get_workflow_handle(artist_workflow_id(tenant, artist))
        return await reach(
            lambda: handle.execute_update(
                "hear", report, id=report.report_id, result_type=ReportTaken, rpc_timeout=_PATIENCE
            )
        )

    async def track(self, track_id: str) -> TrackProgress:
        """Where a track stands this moment."""
        handle = self._client.get_workflow_handle(workflow_id(track_id, WorkKind.TRACK))
        return await reach(lambda: handle.query("progress", result_type=TrackProgress, rpc_timeout=_QUERY_PATIENCE))


def _debut_id(tenant: str, artist: str) -> str:
    return f"debut/{tenant}/{artist}"
