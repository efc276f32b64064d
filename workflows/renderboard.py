"""The board of a render: its segments, one by one."""

from typing import ClassVar

from temporalio import workflow

from activities.records.stage import RecordActivities
from models.approval import Decision
from models.errors import FailureDetails
from models.render import RenderProgress, RenderRequest, RenderResult, RenderState, SegmentFailure, Step
from models.upkeep import Snapshot
from workflows import policies
from workflows.board import Board


class RenderBoard(Board[RenderProgress, RenderState]):
    """The picture of one render."""

    CANCELLED: ClassVar[RenderState] = RenderState.CANCELLED
    FAILED: ClassVar[RenderState] = RenderState.FAILED

    def __init__(self, request: RenderRequest) -> None:
        steps = (Step.SPEECH,) * len(request.segments)
        super().__init__(
            RenderProgress(render_id=request.render_id, state=RenderState.QUEUED, steps=steps), RenderState.QUEUED
        )
        self._request = request

    def step(self, index: int, step: Step) -> None:
        """Segment ``index`` is at ``step``."""
        steps = (*self.now.steps[:index], step, *self.now.steps[index + 1 :])
        text = self._request.segments[index].utterance.text.strip()
        self.note(steps=steps, detail=f"{step.value}: {index + 1}/{len(steps)} “{text[:200]}”")

    def revised(self, request: RenderRequest) -> None:
        """From now on the sentences are those of ``request``."""
        self._request = request

    def fell_back(self, index: int, failed: tuple[str, ...], source: str) -> None:
        """Segment ``index`` was aligned by ``source`` because the aligners before it failed."""
        self.told_instead(f"segment {index + 1}: {source} instead of {', '.join(failed)}")

    def failed(self, segment: int | None, stage: str, failure: FailureDetails) -> None:
        """See the base. Other segments go on."""
        entry = SegmentFailure(segment=segment, stage=stage, failure=failure)
        others = tuple(f for f in self.now.failures if (f.segment, f.stage) != (segment, stage))
        if segment is not None:
            self.step(segment, Step.FAILED)
        self.state(RenderState.BLOCKED, failures=(*others, entry)[-20:], detail=failure.message[:300])

    def mended(self, segment: int | None, stage: str) -> None:
        """See the base."""
        left = tuple(f for f in self.now.failures if (f.segment, f.stage) != (segment, stage))
        self.state(RenderState.BLOCKED if left else RenderState.RENDERING, failures=left)

    def result(self) -> RenderResult:
        """What the render ends with."""
        now = self.now
        return RenderResult(
            render_id=now.render_id,
            state=now.state,
            films=now.films,
            figures=now.figures,
            report=now.report,
            approved_by=tuple(v.reviewer for v in now.verdicts if v.decision is Decision.APPROVE)[:5],
            cost=now.cost,
        )

    def words(self) -> str:
        """See the base."""
        now, total = self.now, len(self.now.steps)
        lines = [f"**{now.state.value}** · {now.done}/{total} segments", now.detail]
        if now.waiting_for_lanes:
            lines.append(f"waiting for a worker on lane {', '.join(now.waiting_for_lanes)}")
        for failure in now.failures:
            where = "film" if failure.segment is None else f"segment {failure.segment + 1}"
            lines.append(f"- {where}, {failure.stage}: {failure.failure.message} → {failure.failure.action}")
        return "\n\n".join(line for line in lines if line)

    async def record(self, sequence: int) -> None:
        """See the base."""
        await workflow.execute_activity_method(
            RecordActivities.project,
            Snapshot(sequence=sequence, progress=self.now),
            **policies.upkeep(f"Record: {self.now.state.value}"),
        )
