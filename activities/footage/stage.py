"""The footage stage: a motif, colours and themes in; plates and to whom they are owed out."""

from collections.abc import Mapping

from temporalio import activity

from activities.footage.base import FootageBrief, FootageEngine
from activities.support.stage import Bench, Stages, choose
from models.song_stages import Clip, FootageRequest, FootageResult


class FootageActivities:
    """Looks in the libraries of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, FootageEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="footage.find")
    async def find(self, request: FootageRequest) -> FootageResult:
        """Find the footage of one shape's video."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> FootageResult:
            brief = FootageBrief(
                shape=request.shape,
                fps=request.fps,
                motif=request.motif,
                palette=request.palette,
                themes=request.themes,
                count=request.count,
                seed=request.seed,
            )
            plates = engine.find(brief, bench.folder, bench.progress)
            return FootageResult(
                clips=tuple(
                    Clip(
                        plate=bench.put(plate.video, "video/mp4", round(plate.seconds * 1000)),
                        author=plate.author,
                        page=plate.page,
                        licence=plate.licence,
                    )
                    for plate in plates
                ),
                source=request.engine.name,
            )

        return await self._stages.run(request, engine, FootageResult, work, stall_after=300)
