"""The quality stages: the lips of each composed segment, then the figures of the finished film."""

import json
from collections.abc import Mapping

from temporalio import activity

from activities.quality.base import FinishedSegment, QualityEngine, SegmentLips
from activities.support.stage import Bench, Stages, choose
from models.alignment import Alignment
from models.stages import CheckRequest, CheckResult, MeasureRequest, MeasureResult, SegmentRecord


class QualityActivities:
    """Measures with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, QualityEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="quality.measure")
    async def measure(self, request: MeasureRequest) -> MeasureResult:
        """Measure a segment's lips and close it with its record."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> MeasureResult:
            lips = engine.lips(bench.fetch(request.pictures[0]), bench.fetch(request.curves), bench.progress)
            record = SegmentRecord(
                pictures=request.pictures,
                frames=request.frames,
                audio=request.audio,
                alignment=request.alignment,
                curves=request.curves,
                lips=bench.put_text("lips.json", lips.model_dump_json()),
                text=request.text,
            )
            return MeasureResult(record=bench.put_text("record.json", record.model_dump_json()))

        return await self._stages.run(request, engine, MeasureResult, work)

    @activity.defn(name="quality.check")
    async def check(self, request: CheckRequest) -> CheckResult:
        """Measure the finished film."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> CheckResult:
            starts: list[float] = json.loads(bench.fetch(request.film.cues).read_bytes())
            segments = []
            for start, artifact in zip(starts, request.records, strict=True):
                record = SegmentRecord.model_validate_json(bench.fetch(artifact).read_bytes())
                segments.append(
                    FinishedSegment(
                        start=start,
                        alignment=Alignment.model_validate_json(bench.fetch(record.alignment).read_bytes()),
                        text=record.text,
                        lips=SegmentLips.model_validate_json(bench.fetch(record.lips).read_bytes()),
                    )
                )
            report = engine.report(
                bench.fetch(request.film.video),
                tuple(segments),
                request.layout,
                request.thresholds,
                request.language,
                bench.progress,
            )
            return CheckResult(figures=report.figures, report=bench.put_text("report.json", report.model_dump_json()))

        return await self._stages.run(request, engine, CheckResult, work, stall_after=600)
