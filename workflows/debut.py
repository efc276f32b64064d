"""An artist's debut: a voice unlike every other of the house is cast, the artist is entered, and its life begins."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

from activities.artists.debut import DebutActivities
from activities.support.errors import from_failure
from activities.vocals.stage import VocalActivities
from models.artist import ArtistRequest, artist_workflow_id
from models.debut import ArtistToEnter, DebutProgress, DebutRequest, VoiceQuery
from models.engines import casting_engine
from models.identity import Identity
from models.plan import Capability
from models.song_stages import CastRequest
from workflows import policies
from workflows.board import ARTIST_ATTRIBUTE, TENANT_ATTRIBUTE

ARTIST_WORKFLOW = "ArtistWorkflow"
AGAIN_MINUTES = 10
"""How soon a debut that something keeps from its voice is tried again."""


@workflow.defn
class DebutWorkflow:
    """One debut. Its id is ``debut/<tenant>/<slug>``."""

    @workflow.init
    def __init__(self, request: DebutRequest) -> None:
        self._now = DebutProgress(detail=f"casting a voice for {request.draft.silent.name}")

    @workflow.run
    async def run(self, request: DebutRequest) -> Identity:
        """Cast, enter, begin. A voice that somebody else has got meanwhile is cast anew."""
        while True:
            identity = await self._voiced(request)
            if identity is not None:
                break
        self._now = DebutProgress(detail="born", identity=identity)
        born = ArtistRequest(
            artist=request.artist,
            tenant=request.tenant,
            created_by=request.created_by,
            identity=identity,
            policy=request.policy,
            pacing=request.pacing,
            autopilot=request.autopilot,
            equipment=request.equipment,
        )
        try:
            await workflow.start_child_workflow(
                ARTIST_WORKFLOW,
                born,
                id=artist_workflow_id(request.tenant, request.artist),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=f"{identity.name}, {', '.join(share.genre.value for share in identity.genres)}",
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(ARTIST_ATTRIBUTE, request.artist),
                        SearchAttributePair(TENANT_ATTRIBUTE, request.tenant),
                    ]
                ),
            )
        except WorkflowAlreadyStartedError:
            # It was born by an earlier attempt.
            workflow.logger.info("the artist lives already")
        return identity

    async def _voiced(self, request: DebutRequest) -> Identity | None:
        """The identity with a voice of its own, entered; None when another came first or no voice could be cast yet."""
        house = await workflow.execute_activity_method(
            DebutActivities.voices, VoiceQuery(tenant=request.tenant), **policies.upkeep("Which voices are there?")
        )
        draft = request.draft.silent
        ask = CastRequest(
            work_id="debut",
            engine=casting_engine(request.equipment.plan),
            others=house.prints,
            name=request.artist,
            seed=draft.seed,
        )
        try:
            cast = await workflow.execute_activity_method(
                VocalActivities.cast,
                ask,
                **policies.stage(ask.engine, request.tenant, f"Cast a voice for {draft.name}"),
            )
        except ActivityError as error:
            failure = from_failure(error)
            if failure.code.startswith(f"{Capability.VOCALS.value}.") or not failure.code.startswith("engine."):
                raise
            self._now = DebutProgress(detail=f"{failure.message} {failure.action}"[:300])
            workflow.set_current_details(self._now.detail)
            await workflow.sleep(timedelta(minutes=AGAIN_MINUTES), summary="then the voice is cast again")
            return None
        identity = request.draft.voiced(cast.voice, cast.sample)
        entered = await workflow.execute_activity_method(
            DebutActivities.enter,
            ArtistToEnter(tenant=request.tenant, identity=identity, print=cast.print),
            **policies.upkeep(f"Enter {identity.name}"),
        )
        return identity if entered.entered else None

    @workflow.query
    def progress(self) -> DebutProgress:
        """Where it stands."""
        return self._now
