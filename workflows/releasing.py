"""How a decided track becomes a release: identifiers, a package that is whole or not there, and its publication."""

from temporalio import workflow

from activities.knowledge.stage import KnowledgeActivities
from activities.releases.stage import ReleaseActivities, ReleaseStages
from activities.tracks.stage import TrackRecordActivities
from models.knowledge import SongToRemember
from models.release import CodesToReserve, PackageToKeep, PackageToPublish, ReleaseToRecord
from models.song_stages import Credit, ReleaseRequest
from models.track import ReleaseRef, Song, StepState, TrackRequest, TrackStep
from workflows import policies
from workflows.stages import StageRunner
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
        published = await workflow.execute_activity_method(
            ReleaseActivities.publish, PackageToPublish(package=package, kept=kept), **policies.upkeep("Publish")
        )
        release = ReleaseRef(
            isrc=codes.isrc, upc=codes.upc, manifest=kept.manifest, folder=kept.folder, pages=published.pages
        )
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
