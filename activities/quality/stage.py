"""The quality stages: what is seen of each composed segment, what is heard in the finished sound, then the figures of
the finished film."""

import json
from collections.abc import Mapping, Sequence

from temporalio import activity

from activities.quality.base import FinishedSegment, Hearing, QualityEngine, SegmentSight, SpokenPart
from activities.support.stage import Bench, Stages, choose
from models.alignment import Alignment
from models.stages import (
    CheckRequest,
    CheckResult,
    HearRequest,
    HearResult,
    MeasureRequest,
    MeasureResult,
    SegmentRecord,
)


class QualityActivities:
    """Measures with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, QualityEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="quality.measure")
    async def measure(self, request: MeasureRequest) -> MeasureResult:
        """Measure a segment's picture and close it with its record."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> MeasureResult:
            sight = engine.see(bench.fetch(request.pictures[0]), bench.fetch(request.curves), bench.progress)
            record = SegmentRecord(
                pictures=request.pictures,
                frames=request.frames,
                audio=request.audio,
                alignment=request.alignment,
                curves=request.curves,
                sight=bench.put_text("sight.json", sight.model_dump_json()),
                text=request.text,
            )
            return MeasureResult(record=bench.put_text("record.json", record.model_dump_json()))

        return await self._stages.run(request, engine, MeasureResult, work)

    @activity.defn(name="quality.hear")
    async def hear(self, request: HearRequest) -> HearResult:
        """Measure the finished sound."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> HearResult:
            starts = request.layout.starts([segment.frames for segment in request.segments])
            parts = tuple(
                SpokenPart(start / request.layout.fps, bench.read(segment.alignment, Alignment), segment.text)
                for start, segment in zip(starts, request.segments, strict=False)
            )
            hearing = engine.hear(bench.fetch(request.sound), parts, request.language, bench.progress)
            return HearResult(hearing=bench.put_text("hearing.json", hearing.model_dump_json()))

        return await self._stages.run(request, engine, HearResult, work, stall_after=600)

    @activity.defn(name="quality.check")
    async def check(self, request: CheckRequest) -> CheckResult:
        """Measure the finished film."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> CheckResult:
            report = engine.report(
                bench.fetch(request.film.video),
                _finished(bench, request),
                bench.read(request.hearing, Hearing),
                request.layout,
                request.thresholds,
                request.language,
                bench.progress,
            )
            return CheckResult(figures=report.figures, report=bench.put_text("report.json", report.model_dump_json()))

        return await self._stages.run(request, engine, CheckResult, work, stall_after=600)


def _finished(bench: Bench, request: CheckRequest) -> tuple[FinishedSegment, ...]:
    starts: Sequence[float] = json.loads(bench.fetch(request.film.cues).read_bytes())
    records = [bench.read(record, SegmentRecord) for record in request.records]
    return tuple(
        FinishedSegment(
            start=start,
            alignment=bench.read(record.alignment, Alignment),
            text=record.text,
            sight=bench.read(record.sight, SegmentSight),
        )
        for start, record in zip(starts, records, strict=True)
    )
