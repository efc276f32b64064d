"""The artwork stage: a song's name, palette and analysis in, its cover out."""

from collections.abc import Mapping

from temporalio import activity

from activities.artwork.base import ArtworkEngine, CoverBrief
from activities.support.stage import Bench, Stages, choose
from models.music import SoundAnalysis
from models.song_stages import CoverRequest, CoverResult


class ArtworkActivities:
    """Draws with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, ArtworkEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="artwork.cover")
    async def cover(self, request: CoverRequest) -> CoverResult:
        """Draw the cover of one song."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> CoverResult:
            brief = CoverBrief(
                artist=request.artist,
                title=request.title,
                palette=request.palette,
                motif=request.motif,
                analysis=bench.read(request.analysis, SoundAnalysis),
                seed=request.seed,
            )
            cover = engine.cover(brief, bench.folder, bench.progress)
            return CoverResult(
                cover=bench.put(cover.picture, "image/jpeg"), thumbnail=bench.put(cover.thumbnail, "image/jpeg")
            )

        return await self._stages.run(request, engine, CoverResult, work)
