"""The audition stage: a finished song in; figures, a report and the song's print out."""

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError
from temporalio import activity

from activities.audition.base import AuditionEngine, FinishedSong
from activities.support.stage import Bench, Stages, choose
from models.artifacts import Artifact
from models.errors import InvalidInput
from models.music import Lyrics, Score, SoundAnalysis, SungTiming
from models.song_stages import AuditionRequest, AuditionResult

_CUTS: TypeAdapter[list[int]] = TypeAdapter(list[int])


class AuditionActivities:
    """Listens with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, AuditionEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="audition.audition")
    async def audition(self, request: AuditionRequest) -> AuditionResult:
        """Measure the finished song."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> AuditionResult:
            song = FinishedSong(
                master=bench.fetch(request.master),
                vocal=bench.fetch(request.vocal),
                melody=bench.fetch(request.melody),
                timing=bench.read(request.timing, SungTiming),
                lyrics=bench.read(request.lyrics, Lyrics),
                plan=request.plan,
                analysis=bench.read(request.analysis, SoundAnalysis),
                videos=tuple(bench.fetch(video) for video in request.videos),
                cuts=tuple(_cuts(bench, cuts) for cuts in request.cuts),
                language=request.language,
                delivery=request.delivery,
                thresholds=request.thresholds,
                stems={stem.name: bench.fetch(stem.audio) for stem in request.stems},
                score=bench.read(request.score, Score) if request.score else None,
            )
            report, print_ = engine.audition(song, bench.progress)
            return AuditionResult(
                figures=report.figures,
                report=bench.put_text("report.json", report.model_dump_json()),
                print=bench.put_text("print.json", print_.model_dump_json()),
            )

        return await self._stages.run(request, engine, AuditionResult, work, stall_after=600)


def _cuts(bench: Bench, artifact: Artifact) -> list[int]:
    try:
        return _CUTS.validate_json(bench.fetch(artifact).read_bytes())
    except ValidationError as error:
        raise InvalidInput("The cuts of a video are no list of frame numbers.", field="cuts") from error
