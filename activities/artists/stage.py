"""What an artist's workflow asks of the io lane: that the tables are told of it, and how a track ended whose end it
could not hear as its parent."""

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from activities.artists.base import ArtistLedger
from activities.incidents.watch import IncidentWatch
from activities.support.errors import from_failure
from models.artist import ArtistSnapshot, TrackAnswer, TrackQuery
from models.errors import StudioError, TemporalUnavailable
from models.outlook import Outlook, OutlookQuery
from models.track import TrackResult, TrackState


class ArtistRecords:
    """Reads and writes records for artists."""

    def __init__(self, ledger: ArtistLedger, client: Client, watch: IncidentWatch | None = None) -> None:
        self._ledger = ledger
        self._client = client
        self._watch = watch

    @activity.defn(name="artists.record_life")
    async def record_life(self, snapshot: ArtistSnapshot) -> None:
        """Store where an artist stands, and have people told of incidents that have begun or ended with it."""
        await self._ledger.record_life(snapshot)
        if self._watch is not None:
            await self._watch.life(snapshot)

    @activity.defn(name="artists.outlook")
    async def outlook(self, query: OutlookQuery) -> Outlook:
        """What there is for a song that is about to be planned."""
        return await self._ledger.outlook(query)

    @activity.defn(name="artists.track_answer")
    async def track_answer(self, query: TrackQuery) -> TrackAnswer:
        """How the track's workflow ended, if it has."""
        handle = self._client.get_workflow_handle(f"track/{query.track_id}", result_type=TrackResult)
        try:
            status = (await handle.describe()).status
            if status is WorkflowExecutionStatus.RUNNING:
                return TrackAnswer()
            return TrackAnswer(result=await handle.result())
        except WorkflowFailureError as error:
            return broken_off(query, error.cause, cancelled=status is WorkflowExecutionStatus.CANCELED)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise TemporalUnavailable(str(error)) from error
            gone = StudioError(f"the workflow of track {query.track_id} is gone", code="track.gone")
            return TrackAnswer(failure=gone.details())


def broken_off(query: TrackQuery, cause: BaseException, cancelled: bool) -> TrackAnswer:
    """The answer for a track whose workflow gave no result: called off, or a fault of which the artist is innocent."""
    if cancelled:
        state = TrackState.CANCELLED
        called_off = TrackResult(
            track_id=query.track_id, number=query.number, state=state, identity_version=query.version
        )
        return TrackAnswer(result=called_off)
    return TrackAnswer(failure=from_failure(cause))
