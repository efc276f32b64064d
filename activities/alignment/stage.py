"""The alignment stage: audio and text in, word and phoneme times out. The workflow tries the aligners in order."""

from collections.abc import Mapping

from temporalio import activity

from activities.alignment.base import AlignmentEngine
from activities.support.stage import Bench, Stages, choose
from models.alignment import Alignment
from models.stages import AlignmentRequest, AlignmentResult


class AlignmentActivities:
    """Aligns with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, AlignmentEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="alignment.align")
    async def align(self, request: AlignmentRequest) -> AlignmentResult:
        """Align ``request.audio`` with ``request.utterance``."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> AlignmentResult:
            known = None
            if request.known is not None:
                known = bench.read(request.known, Alignment)
            alignment = engine.align(bench.fetch(request.audio), request.utterance, known, bench.progress)
            alignment = alignment.model_copy(update={"fell_back_from": request.fell_back_from})
            return AlignmentResult(
                alignment=bench.put_text("alignment.json", alignment.model_dump_json()), source=alignment.source
            )

        return await self._stages.run(request, engine, AlignmentResult, work)
