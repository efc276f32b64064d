"""The lyrics stage: a tune in, words that fit it out. Whoever wrote them, they are held to the same rules."""

from collections.abc import Mapping

from temporalio import activity

from activities.lyrics.base import LyricsBrief, LyricsChecks, LyricsEngine
from activities.support.stage import Bench, Stages, choose
from models.errors import EngineFailed
from models.music import LeadSheet, Lyrics, to_sing
from models.song_stages import LyricsRequest, LyricsResult

STALL_AFTER = 300.0
"""Seconds without a finished section or round: a language model on processors takes minutes for one answer."""


class LyricsActivities:
    """Writes with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, LyricsEngine], checks: LyricsChecks) -> None:
        self._stages = stages
        self._engines = engines
        self._checks = checks

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
            lyrics = self._checked(lead, engine.write(lead, brief, bench.progress), brief)
            return LyricsResult(
                lyrics=bench.put_text("lyrics.json", lyrics.model_dump_json()),
                sections=to_sing(lead, lyrics),
                title=lyrics.title,
                source=lyrics.source,
                explicit=lyrics.explicit,
            )

        return await self._stages.run(request, engine, LyricsResult, work, stall_after=STALL_AFTER)

    def _checked(self, lead: LeadSheet, lyrics: Lyrics, brief: LyricsBrief) -> Lyrics:
        """``lyrics``, explicit if they are. Raises EngineFailed for words that may not be sung or cannot be."""
        if breaches := self._checks.breaches(lead, lyrics, brief):
            first = breaches[0]
            raise EngineFailed(
                f"{lyrics.source} broke {len(breaches)} rules; line {first.line + 1} of section {first.section + 1} "
                f"{first.why}.",
                code="lyrics.unfit",
                action="Name another lyrics engine after this one, or resume to have the words written again.",
            )
        return lyrics.model_copy(update={"explicit": self._checks.explicit(lyrics)})
