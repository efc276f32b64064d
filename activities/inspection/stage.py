"""The inspection stage: an upload in, its findings out. A refusal leaves it as the MediaRejected it is."""

from collections.abc import Mapping

from temporalio import activity

from activities.inspection.base import Inspector
from activities.support.stage import Bench, Stages, choose
from models.stages import InspectRequest, InspectResult


class InspectionActivities:
    """Inspects with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, Inspector]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="inspection.inspect")
    async def inspect(self, request: InspectRequest) -> InspectResult:
        """Decode ``request.file``."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> InspectResult:
            file, longest = bench.fetch(request.file), request.longest_ms / 1000
            return InspectResult(findings=engine.inspect(file, request.file.media_type, longest, bench.progress))

        return await self._stages.run(request, engine, InspectResult, work)
