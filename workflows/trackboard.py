"""The board of a track: its parts, from music to release."""

from typing import ClassVar

from temporalio import workflow

from activities.tracks.stage import TrackRecordActivities
from models.approval import Decision
from models.errors import FailureDetails
from models.track import (
    StepState,
    TrackFailure,
    TrackProgress,
    TrackRequest,
    TrackResult,
    TrackSnapshot,
    TrackState,
    TrackStep,
)
from workflows import policies
from workflows.board import Board

AUTOPILOT = "autopilot"
"""Who decided where the house did."""


class TrackBoard(Board[TrackProgress, TrackState]):
    """The picture of one track."""

    CANCELLED: ClassVar[TrackState] = TrackState.CANCELLED
    FAILED: ClassVar[TrackState] = TrackState.FAILED

    def __init__(self, request: TrackRequest) -> None:
        steps = dict.fromkeys(TrackStep, StepState.WAITING)
        super().__init__(
            TrackProgress(track_id=request.track_id, state=TrackState.QUEUED, steps=steps), TrackState.QUEUED
        )
        self._request = request

    def step(self, step: TrackStep, state: StepState, detail: str = "") -> None:
        """``step`` is at ``state``."""
        self.note(steps={**self.now.steps, step: state}, detail=(detail or f"{step.value}: {state.value}")[:300])

    def again(self, *steps: TrackStep) -> None:
        """``steps`` are to be made anew."""
        self.note(steps={**self.now.steps, **dict.fromkeys(steps, StepState.WAITING)})

    def failed(self, segment: int | None, stage: str, failure: FailureDetails) -> None:
        """See the base. ``segment`` is the place of a sung section."""
        step = stage if segment is None else f"{stage} {segment + 1}"
        others = tuple(f for f in self.now.failures if f.step != step)
        entry = TrackFailure(step=step, failure=failure)
        self.state(TrackState.BLOCKED, failures=(*others, entry)[-20:], detail=failure.message[:300])

    def mended(self, segment: int | None, stage: str) -> None:
        """See the base."""
        step = stage if segment is None else f"{stage} {segment + 1}"
        left = tuple(f for f in self.now.failures if f.step != step)
        self.state(TrackState.BLOCKED if left else TrackState.MAKING, failures=left)

    def result(self, decided_by: tuple[str, ...]) -> TrackResult:
        """What the track ends with."""
        now, request = self.now, self._request
        rejections = [v for v in now.verdicts if v.decision is Decision.REJECT]
        return TrackResult(
            track_id=request.track_id,
            number=request.number,
            state=now.state,
            title=now.files.title if now.files else "",
            identity_version=request.identity.version,
            trial=request.trial,
            decided_by=decided_by,
            reason=rejections[-1].reason if rejections else "",
            fault=now.failures[-1].failure if now.failures and now.state is TrackState.FAILED else None,
            release=now.release,
            figures=now.figures,
            cost=now.cost,
        )

    def words(self) -> str:
        """See the base."""
        now = self.now
        done = sum(state is StepState.DONE for state in now.steps.values())
        lines = [f"**{now.state.value}** · {done}/{len(now.steps)} parts", now.detail]
        if now.waiting_for_lanes:
            lines.append(f"waiting for a worker on lane {', '.join(now.waiting_for_lanes)}")
        lines += [f"- {f.step}: {f.failure.message} → {f.failure.action}" for f in now.failures]
        return "\n\n".join(line for line in lines if line)

    async def record(self, sequence: int) -> None:
        """See the base."""
        await workflow.execute_activity_method(
            TrackRecordActivities.project_track,
            TrackSnapshot(sequence=sequence, progress=self.now),
            **policies.upkeep(f"Record: {self.now.state.value}"),
        )
