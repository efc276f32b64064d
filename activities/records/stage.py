"""What the tables say of renders, voices and uploads: projections, outcomes, finished films by key; and whether lanes
are served."""

import uuid
from datetime import timedelta

from temporalio import activity
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from activities.support.artifacts import ArtifactStore
from activities.support.ledger import AssetRecords, RenderRecords, StageLedger, VoiceRecords
from activities.support.stage import artifacts_in, on_thread
from models.lanes import Lane
from models.plan import Capability, EngineRef
from models.upkeep import (
    AssetOutcome,
    FilmAnswer,
    FilmQuery,
    FilmToKeep,
    FinishedFilms,
    IdleLanes,
    LaneQuery,
    Snapshot,
    VoiceOutcome,
)

_FILM = EngineRef(capability=Capability.COMPOSITING, name="film", version="1", lane=Lane.IO)
"""Finished films live in the stage table beside what they are made of, under a name no engine has."""


class RecordActivities:
    """Reads and writes records for workflows."""

    def __init__(
        self,
        records: RenderRecords,
        voices: VoiceRecords,
        assets: AssetRecords,
        ledger: StageLedger,
        artifacts: ArtifactStore,
        client: Client,
    ) -> None:
        self._records = records
        self._voices = voices
        self._assets = assets
        self._ledger = ledger
        self._artifacts = artifacts
        self._client = client

    @activity.defn(name="records.project")
    async def project(self, snapshot: Snapshot) -> None:
        """Store where a render stands."""
        await self._records.project(snapshot.progress, snapshot.sequence)

    @activity.defn(name="records.settle_voice")
    async def settle_voice(self, outcome: VoiceOutcome) -> None:
        """Store how an enrolment ended."""
        await self._voices.settle_voice(outcome)

    @activity.defn(name="records.settle_asset")
    async def settle_asset(self, outcome: AssetOutcome) -> None:
        """Store how an upload's inspection ended."""
        await self._assets.settle_asset(outcome)

    @activity.defn(name="records.find_film")
    async def find_film(self, query: FilmQuery) -> FilmAnswer:
        """The finished film under this key, if its bytes are still there."""
        owner = uuid.uuid4().hex
        claim = await self._ledger.claim_stage(query.key, "film", _FILM, owner, timedelta(seconds=1))
        if claim.granted:
            await self._ledger.release_stage(query.key, owner)
        if claim.result is None:
            return FilmAnswer(found=None)
        found = FinishedFilms.model_validate(claim.result)
        for artifact in artifacts_in(found):
            if not await on_thread(self._artifacts.exists, artifact):
                await self._ledger.forget_stage(query.key)
                return FilmAnswer(found=None)
        return FilmAnswer(found=found)

    @activity.defn(name="records.keep_film")
    async def keep_film(self, film: FilmToKeep) -> None:
        """Remember a finished film. Twice is once; an equal film that stands already is left."""
        owner = uuid.uuid4().hex
        claim = await self._ledger.claim_stage(film.key, "film", _FILM, owner, timedelta(seconds=10))
        if claim.result is None:
            size = sum(artifact.size for artifact in artifacts_in(film.films))
            await self._ledger.finish_stage(
                film.key, owner, film.films.model_dump(mode="json"), seconds=0, cpu_seconds=0, size=size, device="io"
            )

    @activity.defn(name="records.idle_lanes")
    async def idle_lanes(self, query: LaneQuery) -> IdleLanes:
        """The lanes among ``query.lanes`` that no worker has polled of late."""
        idle = []
        for lane in query.lanes:
            request = DescribeTaskQueueRequest(
                namespace=self._client.namespace,
                task_queue=TaskQueue(name=lane.value),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            )
            answer = await self._client.workflow_service.describe_task_queue(request)
            if not answer.pollers:
                idle.append(lane)
        return IdleLanes(lanes=tuple(idle))
