"""How a decided track becomes a release: identifiers, a package that is whole or not there, and its publications."""

import asyncio

from temporalio import workflow
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError

from activities.knowledge.stage import KnowledgeActivities
from activities.releases.stage import ReleaseActivities, ReleaseStages
from activities.tracks.stage import TrackRecordActivities
from models.knowledge import SongToRemember
from models.publication import Publication, PublicationRequest, PublicationState, ReleaseToPublish, Skip
from models.release import CodesToReserve, KeptPackage, PackageToKeep, ReleaseToRecord
from models.song_stages import Credit, ReleaseRequest
from models.track import ReleaseRef, Song, StepState, TrackRequest, TrackStep
from workflows import policies
from workflows.board import ARTIST_ATTRIBUTE, TENANT_ATTRIBUTE
from workflows.stages import ABANDONED, StageRunner
from workflows.trackboard import TrackBoard


class Releasing:
    """The release of one track."""

    def __init__(self, request: TrackRequest, stages: StageRunner, board: TrackBoard) -> None:
        self._request = request
        self._stages = stages
        self._board = board

    async def released(self, song: Song, approved_by: tuple[str, ...]) -> ReleaseRef:
        """Reserve its codes, make the package, keep it, publish it. Each is once, however often it is tried."""
        self._board.step(TrackStep.RELEASE, StepState.RUNNING)
        request, identity = self._request, self._request.identity
        codes = await workflow.execute_activity_method(
            TrackRecordActivities.reserve_codes,
            CodesToReserve(track_id=request.track_id, year=workflow.now().year),
            **policies.upkeep("Reserve ISRC and UPC"),
        )
        ask = ReleaseRequest(
            work_id=request.track_id,
            engine=request.plan.releases,
            track_id=request.track_id,
            artist=identity.name,
            title=song.words.title,
            number=request.number,
            year=codes.year,
            genre=request.song.genres[0].genre,
            language=identity.language,
            explicit=song.words.explicit,
            isrc=codes.isrc,
            upc=codes.upc,
            registered=codes.registered,
            master=song.mix.master,
            instrumental=song.mix.instrumental,
            stems=song.mix.stems,
            cover=song.cover.cover,
            videos=song.videos,
            lyrics=song.words.lyrics,
            timing=song.mix.timing,
            grid=song.analysis.grid,
            key=song.analysis.key,
            figures=song.check.figures,
            made_by=self._credits(song),
            approved_by=approved_by,
        )
        made = await self._stages.run(ReleaseStages.encode, ask, "Encode and describe the release")
        package = PackageToKeep(
            tenant=request.tenant, artist=request.artist, track_id=request.track_id, files=made.files
        )
        kept = await workflow.execute_activity_method(
            ReleaseActivities.keep, package, **policies.upkeep("Put the package together")
        )
        pages = await self._out(package, kept)
        release = ReleaseRef(isrc=codes.isrc, upc=codes.upc, manifest=kept.manifest, folder=kept.folder, pages=pages)
        await workflow.execute_activity_method(
            TrackRecordActivities.released,
            ReleaseToRecord(track_id=request.track_id, release=release),
            **policies.upkeep("Record the release"),
        )
        await workflow.execute_activity_method(
            KnowledgeActivities.remember,
            SongToRemember(
                tenant=request.tenant, track_id=request.track_id, print=song.check.print, title=song.words.title
            ),
            **policies.knowledge("Remember the song"),
        )
        self._board.step(TrackStep.RELEASE, StepState.DONE)
        self._board.note(release=release, detail=f"released as {release.isrc}")
        return release

    async def _out(self, package: PackageToKeep, kept: KeptPackage) -> tuple[str, ...]:
        """Begin all publications and wait until it is out somewhere; where it is then. The others go on by themselves,
        and tell the tables. Raises ApplicationError when each of them was given up."""
        places = self._request.plan.publishers
        self._board.note(detail=f"publishing: {', '.join(places)}"[:300])
        begun = [await self._begun(ReleaseToPublish(package=package, kept=kept, publisher=name)) for name in places]
        ended: list[Publication] = []
        try:
            for following in workflow.as_completed(begun):
                ended.append(await following)
                if ended[-1].state is PublicationState.PUBLISHED:
                    break
        except asyncio.CancelledError:
            skip = Skip(skip_id="track-cancelled", who="studio", why="The track was cancelled.")
            for publication in begun:
                if not publication.done():
                    await publication.signal("call_off", skip)
            raise
        if places and all(publication.state is PublicationState.FAILED for publication in ended):
            raise ApplicationError("it was published nowhere: nobody mended it", type=ABANDONED, non_retryable=True)
        return tuple(p.place.url for p in ended if p.place and p.state is PublicationState.PUBLISHED)

    async def _begun(self, release: ReleaseToPublish) -> "workflow.ChildWorkflowHandle[object, Publication]":
        request = self._request
        return await workflow.start_child_workflow(
            "PublicationWorkflow",
            PublicationRequest(release=release),
            id=release.workflow_id,
            result_type=Publication,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            priority=Priority(fairness_key=request.tenant),
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(ARTIST_ATTRIBUTE, request.artist),
                    SearchAttributePair(TENANT_ATTRIBUTE, request.tenant),
                ]
            ),
            static_summary=f"{request.identity.name}, track {request.number}, at {release.publisher}"[:200],
        )

    def _credits(self, song: Song) -> tuple[Credit, ...]:
        plan = self._request.plan
        made = {
            "music": song.music.source,
            "lyrics": song.words.source,
            "vocals": plan.vocals.name,
            "mix and master": plan.mixing.name,
            "cover": plan.artwork.name,
            "video": plan.musicvideo.name,
        }
        footage = (
            Credit(role="footage", engine=clip.author, page=clip.page, licence=clip.licence) for clip in song.footage
        )
        # Who gave several clips, or one to both shapes, is named once a page.
        return (*(Credit(role=role, engine=engine) for role, engine in made.items()), *dict.fromkeys(footage))
