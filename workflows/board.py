"""The board: where a piece of work stands, told truthfully to queries, to the Web UI and to the tables."""

import contextlib
from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from activities.records.stage import RecordActivities
from models.errors import FailureDetails
from models.lanes import Lane
from models.progress import Cost, WorkProgress
from models.stages import Effort
from models.upkeep import LaneQuery
from workflows import policies

STAGE_ATTRIBUTE = SearchAttributeKey.for_keyword("Stage")
ARTIST_ATTRIBUTE = SearchAttributeKey.for_keyword("Artist")
TENANT_ATTRIBUTE = SearchAttributeKey.for_keyword("Tenant")
PROJECTION_SECONDS = 10
"""Steps reach the tables at most this often; a change of state at once. Queries are always current."""
LANE_CHECK_SECONDS = (5, 10, 15, 30, 60, 300, 900, 3600)
"""When lanes are looked at: soon at first, then seldom, so that waiting for weeks keeps the history small."""

Progress = TypeVar("Progress", bound=WorkProgress)
State = TypeVar("State", bound=StrEnum)


class Board(ABC, Generic[Progress, State]):
    """Holds the one picture of a piece of work. Changes go through its methods; nothing else is told to the outside."""

    CANCELLED: ClassVar[Any]
    FAILED: ClassVar[Any]

    def __init__(self, now: Progress, state: State) -> None:
        self._sequence = 0
        self._projected = -1
        self._urgent = False
        self._closed = False
        self._state = state
        self.now = now

    def _set(self, **changes: object) -> None:
        self.now = self.now.model_copy(update=changes)
        self._sequence += 1
        workflow.set_current_details(self.words())

    def state(self, state: State, **changes: object) -> None:
        """Move to ``state``."""
        if state is not self._state:
            self._urgent = True
            self._state = state
            workflow.upsert_search_attributes([STAGE_ATTRIBUTE.value_set(state.value)])
        self._set(state=state, **changes)

    def note(self, **changes: object) -> None:
        """Change other parts of the picture."""
        self._set(**changes)

    def told_instead(self, entry: str) -> None:
        """Something was made in another way than the first one planned."""
        self._set(fell_back=(*self.now.fell_back, entry[:300])[-20:])

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

    @abstractmethod
    def failed(self, segment: int | None, stage: str, failure: FailureDetails) -> None:
        """A person has to mend something. What does not need it goes on."""

    @abstractmethod
    def mended(self, segment: int | None, stage: str) -> None:
        """The stage is tried again after a person said so."""

    @abstractmethod
    def words(self) -> str:
        """The picture as Markdown for the Web UI."""

    @abstractmethod
    async def record(self, sequence: int) -> None:
        """Write the present picture to the tables, unless a later one is there."""

    async def project(self) -> None:
        """Write the present picture to the tables."""
        self._urgent, self._projected = False, self._sequence
        await self.record(self._sequence)

    async def keep_projecting(self) -> None:
        """Until closed: changes of state at once, steps every few seconds."""
        while True:
            await workflow.wait_condition(lambda: self._closed or self._sequence > self._projected)
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._closed or self._urgent, timeout=PROJECTION_SECONDS)
            if self._closed:
                return
            await self.project()

    def close(self, state: State) -> None:
        """The work has come to its end; whoever closes it projects that."""
        self._closed = True
        self.state(state)

    async def watch_lanes(self, lanes: tuple[Lane, ...]) -> None:
        """Until every one of ``lanes`` has been seen served: say which is not, keep looking."""
        for turn in range(10_000):
            idle = await workflow.execute_activity_method(
                RecordActivities.idle_lanes,
                LaneQuery(lanes=lanes),
                **policies.upkeep("Are the plan's lanes served?"),
            )
            missing: tuple[Lane, ...] = idle.lanes
            if missing != self.now.waiting_for_lanes:
                self._urgent = True
                self.note(waiting_for_lanes=missing)
            if not missing:
                return
            await workflow.sleep(LANE_CHECK_SECONDS[min(turn, len(LANE_CHECK_SECONDS) - 1)])
