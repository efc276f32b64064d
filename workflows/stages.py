"""Running one stage until it is made: what fails waits for a person, who mends the cause and resumes."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.support.errors import from_failure
from models.render import RenderRequest, Resume
from models.stages import StageRequest, StageResult
from workflows import policies
from workflows.board import Board

Made = TypeVar("Made", bound=StageResult)

PATIENCE = timedelta(days=30)
"""How long a blocked or expired render waits for a person before it ends as failed."""


class StageRunner:
    """Runs the stages of one render and remembers what they made. Its workflow forwards the ``resume`` update."""

    def __init__(self, board: Board, request: RenderRequest) -> None:
        self._board = board
        self._request = request
        self._made: dict[str, StageResult] = {}
        self._resumes: dict[str, Resume] = {}

    async def run(
        self,
        activity: Callable[..., Awaitable[Made]],
        request: StageRequest,
        summary: str,
        passed_on: Callable[[ActivityError], bool] = lambda _: False,
    ) -> Made:
        """The stage's result: at once when this render has made it before, else from its lane, however often it fails.

        A failure that is to be ``passed_on`` is raised as ActivityError instead of waiting for a person.
        """
        key = request.cache_key("")
        while key not in self._made:
            config = policies.stage(request.engine, self._request.tenant, summary, self._request.priority)
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
                f"nobody resumed this render in {PATIENCE.days} days", type="render.abandoned", non_retryable=True
            ) from None
