"""The board: where a render stands, told truthfully to queries, to the Web UI and to the tables."""

import contextlib

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from activities.records.stage import RecordActivities
from models.approval import Decision
from models.errors import FailureDetails
from models.lanes import Lane
from models.plan import Plan
from models.render import Cost, RenderProgress, RenderRequest, RenderResult, RenderState, SegmentFailure, Step
from models.stages import Effort
from models.upkeep import LaneQuery, Snapshot
from workflows import policies

STAGE_ATTRIBUTE = SearchAttributeKey.for_keyword("Stage")
PROJECTION_SECONDS = 10
"""Steps of segments reach the tables at most this often; a change of state at once. Queries are always current."""
LANE_CHECK_SECONDS = (5, 10, 15, 30, 60, 300, 900, 3600)
"""When lanes are looked at: soon at first, then seldom, so that waiting for weeks keeps the history small."""


class Board:
    """Holds the one picture of a render. Changes go through its methods; nothing else is told to the outside."""

    def __init__(self, request: RenderRequest) -> None:
        self._request = request
        self._sequence = 0
        self._projected = -1
        self._urgent = False
        self._closed = False
        self.now = RenderProgress(
            render_id=request.render_id, state=RenderState.QUEUED, steps=(Step.SPEECH,) * len(request.segments)
        )

    def _set(self, **changes: object) -> None:
        self.now = self.now.model_copy(update=changes)
        self._sequence += 1
        workflow.set_current_details(self._words())

    def state(self, state: RenderState, **changes: object) -> None:
        """Move to ``state``."""
        self._urgent = self._urgent or state is not self.now.state
        if state is not self.now.state:
            workflow.upsert_search_attributes([STAGE_ATTRIBUTE.value_set(state.value)])
        self._set(state=state, **changes)

    def step(self, index: int, step: Step) -> None:
        """Segment ``index`` is at ``step``."""
        steps = (*self.now.steps[:index], step, *self.now.steps[index + 1 :])
        text = self._request.segments[index].utterance.text.strip()
        self._set(steps=steps, detail=f"{step.value}: {index + 1}/{len(steps)} “{text[:200]}”")

    def note(self, **changes: object) -> None:
        """Change other parts of the picture."""
        self._set(**changes)

    def revised(self, request: RenderRequest) -> None:
        """From now on the sentences are those of ``request``."""
        self._request = request

    def fell_back(self, index: int, failed: tuple[str, ...], source: str) -> None:
        """Segment ``index`` was aligned by ``source`` because the aligners before it failed."""
        entry = f"segment {index + 1}: {source} instead of {', '.join(failed)}"
        self._set(fell_back=(*self.now.fell_back, entry)[-20:])

    def untold(self, failure: FailureDetails) -> None:
        """Reviewers could not be told of the open question."""
        self._set(detail=f"reviewers were not told, decide over REST: {failure.message}"[:300])

    def spent(self, effort: Effort) -> None:
        """Count a stage's result."""
        cost = self.now.cost
        if effort.cached:
            saved = cost.cpu_seconds_saved + effort.cpu_seconds
            cost = cost.model_copy(update={"stages_reused": cost.stages_reused + 1, "cpu_seconds_saved": saved})
        else:
            cost = Cost(
                stages_made=cost.stages_made + 1,
                stages_reused=cost.stages_reused,
                cpu_seconds=cost.cpu_seconds + effort.cpu_seconds,
                cpu_seconds_saved=cost.cpu_seconds_saved,
                size=cost.size + effort.size,
            )
        self._set(cost=cost)

    def failed(self, segment: int | None, stage: str, failure: FailureDetails) -> None:
        """A person has to mend something. Other segments go on."""
        entry = SegmentFailure(segment=segment, stage=stage, failure=failure)
        others = tuple(f for f in self.now.failures if (f.segment, f.stage) != (segment, stage))
        if segment is not None:
            self.step(segment, Step.FAILED)
        self.state(RenderState.BLOCKED, failures=(*others, entry)[-20:], detail=failure.message[:300])

    def mended(self, segment: int | None, stage: str) -> None:
        """The stage is tried again after a person said so."""
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

    def _words(self) -> str:
        now, total = self.now, len(self.now.steps)
        lines = [f"**{now.state.value}** · {now.done}/{total} segments", now.detail]
        if now.waiting_for_lanes:
            lines.append(f"waiting for a worker on lane {', '.join(now.waiting_for_lanes)}")
        for failure in now.failures:
            where = "film" if failure.segment is None else f"segment {failure.segment + 1}"
            lines.append(f"- {where}, {failure.stage}: {failure.failure.message} → {failure.failure.action}")
        return "\n\n".join(line for line in lines if line)

    async def project(self) -> None:
        """Write the present picture to the tables."""
        self._urgent, self._projected = False, self._sequence
        await workflow.execute_activity_method(
            RecordActivities.project,
            Snapshot(sequence=self._sequence, progress=self.now),
            **policies.upkeep(f"Record: {self.now.state.value}"),
        )

    async def keep_projecting(self) -> None:
        """Until closed: changes of state at once, steps every few seconds."""
        while True:
            await workflow.wait_condition(lambda: self._closed or self._sequence > self._projected)
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._closed or self._urgent, timeout=PROJECTION_SECONDS)
            if self._closed:
                return
            await self.project()

    def close(self, state: RenderState) -> None:
        """The render has come to its end; whoever closes it projects that."""
        self._closed = True
        self.state(state)

    async def watch_lanes(self, plan: Plan) -> None:
        """Until every lane of the plan has been seen served: say which is not, keep looking."""
        for turn in range(10_000):
            idle = await workflow.execute_activity_method(
                RecordActivities.idle_lanes,
                LaneQuery(lanes=plan.lanes()),
                **policies.upkeep("Are the plan's lanes served?"),
            )
            missing: tuple[Lane, ...] = idle.lanes
            if missing != self.now.waiting_for_lanes:
                self._urgent = True
                self.note(waiting_for_lanes=missing)
            if not missing:
                return
            await workflow.sleep(LANE_CHECK_SECONDS[min(turn, len(LANE_CHECK_SECONDS) - 1)])
