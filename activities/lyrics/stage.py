"""The lyrics stage: a tune in, words that fit it out."""

from collections.abc import Mapping

from temporalio import activity

from activities.lyrics.base import LyricsBrief, LyricsEngine
from activities.support.stage import Bench, Stages, choose
from models.music import LeadSheet, to_sing
from models.song_stages import LyricsRequest, LyricsResult


class LyricsActivities:
    """Writes with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, LyricsEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="lyrics.write")
    async def write(self, request: LyricsRequest) -> LyricsResult:
        """Write words for ``request.lead``."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> LyricsResult:
            lead = bench.read(request.lead, LeadSheet)
            brief = LyricsBrief(
                themes=request.themes,
                language=request.language,
                explicit=request.explicit,
                banned=request.banned,
                notes=request.notes,
                seed=request.seed,
            )
            lyrics = engine.write(lead, brief, bench.progress)
            return LyricsResult(
                lyrics=bench.put_text("lyrics.json", lyrics.model_dump_json()),
                sections=to_sing(lead, lyrics),
                title=lyrics.title,
                source=lyrics.source,
            )

        return await self._stages.run(request, engine, LyricsResult, work)
