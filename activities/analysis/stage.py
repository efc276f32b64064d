"""The analysis stage: music in; what was heard, and the tune to sing over it, out."""

from collections.abc import Mapping

from temporalio import activity

from activities.analysis.base import AnalysisEngine
from activities.analysis.topline import VoiceRange, write_topline
from activities.support.stage import Bench, Stages, choose
from models.music import Score
from models.song_stages import AnalyseSongRequest, AnalyseSongResult


class AnalysisActivities:
    """Listens with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, AnalysisEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="analysis.analyse")
    async def analyse(self, request: AnalyseSongRequest) -> AnalyseSongResult:
        """Listen to ``request.audio`` and write the tune."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> AnalyseSongResult:
            score = bench.read(request.score, Score) if request.score else None
            voice = VoiceRange(request.voice_low, request.voice_high)
            heard = engine.listen(bench.fetch(request.audio), score, request.plan, bench.progress)
            analysis = heard.analysis
            lead = write_topline(
                analysis.grid,
                analysis.key,
                analysis.sections,
                heard.chords,
                voice,
                request.rhyme,
                request.seed,
                heard.swing,
            )
            return AnalyseSongResult(
                analysis=bench.put_text("analysis.json", analysis.model_dump_json()),
                lead=bench.put_text("lead.json", lead.model_dump_json()),
                grid=analysis.grid,
                key=analysis.key,
                duration_ms=analysis.duration_ms,
            )

        return await self._stages.run(request, engine, AnalyseSongResult, work)
