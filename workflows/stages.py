"""Running one stage until it is made: what fails waits for a person, who mends the cause and resumes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.support.errors import from_failure
from models.errors import FailureDetails
from models.lanes import Lane, Priority
from models.plan import EngineRef
from models.render import Resume
from models.stages import Effort, StageRequest, StageResult
from workflows import policies

Made = TypeVar("Made", bound=StageResult)


class StageBoard(Protocol):
    """Where it is told how stages go."""

    def failed(self, segment: int | None, stage: str, failure: FailureDetails) -> None:
        """A person has to mend something."""
        ...

    def mended(self, segment: int | None, stage: str) -> None:
        """The stage is tried again after a person said so."""
        ...

    def spent(self, effort: Effort) -> None:
        """Count a stage's result."""
        ...


BEFORE_THE_NEXT = 3
"""How often somebody else's service is asked before the next engine is, where there is one."""
ABANDONED = "work.abandoned"
"""The type of the error that ends what nobody resumed."""
PATIENCE = timedelta(days=30)
"""How long a blocked or expired render or track waits for a person before it ends as failed."""


@dataclass(frozen=True)
class PassedOver:
    """An engine that could not, and what it said."""

    engine: str
    why: str


class StageRunner:
    """Runs the stages of one piece of work and remembers what they made. Its workflow forwards ``resume``."""

    def __init__(self, board: StageBoard, tenant: str, priority: Priority) -> None:
        self._board = board
        self._tenant = tenant
        self._priority = priority
        self._made: dict[str, StageResult] = {}
        self._resumes: dict[str, Resume] = {}

    async def run(
        self,
        activity: Callable[..., Awaitable[Made]],
        request: StageRequest,
        summary: str,
        passed_on: Callable[[ActivityError], bool] = lambda _: False,
        attempts: int = 0,
    ) -> Made:
        """The stage's result: at once when this render has made it before, else from its lane, however often it fails.

        A failure that is to be ``passed_on`` is raised as ActivityError instead of waiting for a person.
        """
        key = request.cache_key("")
        while key not in self._made:
            config = policies.stage(request.engine, self._tenant, summary, self._priority, attempts=attempts)
            seen = len(self._resumes)
            try:
                self._made[key] = await workflow.execute_activity_method(activity, request, **config)
            except ActivityError as error:
                if is_cancelled_exception(error) or passed_on(error):
                    raise
                self._board.failed(request.segment, request.stage, from_failure(error))
                await self.resumed(seen)
                self._board.mended(request.segment, request.stage)
            else:
                self._board.spent(self._made[key].effort)
        return self._made[key]  # type: ignore[return-value]

    async def first(
        self,
        activity: Callable[..., Awaitable[Made]],
        engines: tuple[EngineRef, ...],
        ask: Callable[[EngineRef, tuple[str, ...]], StageRequest],
        summary: Callable[[EngineRef], str],
    ) -> tuple[Made, tuple[PassedOver, ...]]:
        """What the first of ``engines`` makes that can, and those before it, which could not.

        ``ask`` makes the request for an engine, given the names of those that failed before it. What ails the studio
        and not the engine ails the next one too, and waits for a person; so does the failure of the last.
        """
        made, failed = await self._until_one_can(activity, engines, ask, summary, engines[-1])
        assert made is not None, "the last engine either answers or waits to be mended"
        return made, failed

    async def first_if_any(
        self,
        activity: Callable[..., Awaitable[Made]],
        engines: tuple[EngineRef, ...],
        ask: Callable[[EngineRef, tuple[str, ...]], StageRequest],
        summary: Callable[[EngineRef], str],
    ) -> tuple[Made | None, tuple[PassedOver, ...]]:
        """As :meth:`first`, for what can be done without: nothing where none of ``engines`` can."""
        return await self._until_one_can(activity, engines, ask, summary, None)

    async def _until_one_can(
        self,
        activity: Callable[..., Awaitable[Made]],
        engines: tuple[EngineRef, ...],
        ask: Callable[[EngineRef, tuple[str, ...]], StageRequest],
        summary: Callable[[EngineRef], str],
        last: EngineRef | None,
    ) -> tuple[Made | None, tuple[PassedOver, ...]]:
        """What the first that can makes, and who could not. Nobody stands in for ``last``."""
        failed: tuple[PassedOver, ...] = ()
        for engine in engines:

            def passed_on(error: ActivityError, engine: EngineRef = engine) -> bool:
                of_its_own = ("engine.", "provider.", f"{engine.capability.value}.")
                return engine is not last and from_failure(error).code.startswith(of_its_own)

            try:
                hosted = engine.lane is Lane.IO and engine is not last
                attempts = BEFORE_THE_NEXT if hosted else 0
                request = ask(engine, tuple(one.engine for one in failed))
                made = await self.run(activity, request, summary(engine), passed_on, attempts)
                return made, failed
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                failed = (*failed, PassedOver(engine.name, from_failure(error).message))
        return None, failed

    def resume(self, resume: Resume) -> None:
        """The update's handler: all that waits for a person goes on. The same resume twice is once."""
        self._resumes.setdefault(resume.resume_id, resume)

    async def resumed(self, seen: int | None = None) -> None:
        """Wait until there are more than ``seen`` resumes (without it: for the next one).

        Raises ApplicationError when nobody came in time.
        """
        seen = len(self._resumes) if seen is None else seen
        try:
            await workflow.wait_condition(
                lambda: len(self._resumes) > seen, timeout=PATIENCE, timeout_summary="waiting for a person"
            )
        except TimeoutError:
            raise ApplicationError(
                f"nobody resumed it in {PATIENCE.days} days", type=ABANDONED, non_retryable=True
            ) from None
