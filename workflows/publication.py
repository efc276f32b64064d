"""A release at one publisher: put there, read back, recorded; tried again when a person has mended what failed, let go
when a person says so, and withdrawn. Apart from the track, so that one place never holds up another, nor the artist."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.publishing.stage import PublishingActivities
from activities.support.errors import from_failure, to_failure
from models.errors import Conflict, FailureDetails, QuotaSpent
from models.publication import (
    Place,
    PlaceToConfirm,
    PlaceToWithdraw,
    Publication,
    PublicationRequest,
    PublicationState,
    Skip,
    publication_ended,
)
from models.render import Resume
from workflows import policies
from workflows.board import STAGE_ATTRIBUTE
from workflows.stages import PATIENCE

Answer = TypeVar("Answer")

ANOTHER_DAY = timedelta(days=1)
"""How long a spent quota is waited for: providers count by the day, each in a time zone of its own."""


class _LetGo(Exception):
    """A person let the publication go, or wants it withdrawn."""


class _GivenUp(Exception):
    """Nobody mended what failed."""


@workflow.defn
class PublicationWorkflow:
    """Its id is ``publication/<track>/<publisher>``: whoever wants it withdrawn signals it, or starts it to do that."""

    @workflow.init
    def __init__(self, request: PublicationRequest) -> None:
        self._release = request.release
        self._withdraw = request.withdraw
        self._skip: Skip | None = None
        self._resumes: dict[str, Resume] = {}
        self._now = Publication(
            track_id=request.release.package.track_id,
            publisher=request.release.publisher,
            state=PublicationState.WITHDRAWING if request.withdraw else PublicationState.PUBLISHING,
            place=request.place,
        )

    @workflow.run
    async def run(self, request: PublicationRequest) -> Publication:
        """Publish, or withdraw; how it stands then."""
        try:
            if not (request.withdraw or self._withdraw):
                await self._publish()
            if self._withdraw:
                await self._unpublish()
        except BaseException as error:
            if is_cancelled_exception(error):
                await self._tell(PublicationState.SKIPPED, failure=self._now.failure)
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._now

    async def _publish(self) -> None:
        await self._tell(PublicationState.PUBLISHING)
        try:
            place = await self._until_done(self._put, lambda: self._withdraw or self._skip is not None)
        except _LetGo:
            if not self._withdraw:
                await self._tell(PublicationState.SKIPPED, failure=self._now.failure)
        except _GivenUp:
            await self._tell(PublicationState.FAILED, failure=self._now.failure)
        else:
            await self._tell(PublicationState.PUBLISHED, place=place)

    async def _put(self) -> Place:
        where = self._now.publisher
        place: Place = await workflow.execute_activity_method(
            PublishingActivities.publish, self._release, **policies.publishing(f"Publish at {where}")
        )
        # Known from now on: what is read back wrong may have to be withdrawn.
        self._now = self._now.model_copy(update={"place": place})
        confirmed: Place = await workflow.execute_activity_method(
            PublishingActivities.confirm,
            PlaceToConfirm(release=self._release, place=place),
            **policies.publishing(f"Read it back from {where}"),
        )
        return confirmed

    async def _unpublish(self) -> None:
        await self._tell(PublicationState.WITHDRAWING)
        try:
            await self._until_done(self._take_back, lambda: False)
        except _GivenUp:
            await self._tell(PublicationState.FAILED, failure=self._now.failure)
        else:
            await self._tell(PublicationState.WITHDRAWN)

    async def _take_back(self) -> None:
        await workflow.execute_activity_method(
            PublishingActivities.unpublish,
            PlaceToWithdraw(release=self._release, place=self._now.place),
            **policies.publishing(f"Withdraw from {self._now.publisher}"),
        )

    async def _until_done(self, attempt: Callable[[], Awaitable[Answer]], let_go: Callable[[], bool]) -> Answer:
        """The answer of ``attempt``, tried again whenever a person has resumed or a quota may be fresh. Raises _LetGo
        once ``let_go`` holds and the attempt under way has ended without an answer; _GivenUp after ``PATIENCE``."""
        blocked_since: datetime | None = None
        while True:
            seen = len(self._resumes)
            task = asyncio.ensure_future(attempt())
            try:
                await workflow.wait_condition(lambda task=task: task.done() or let_go())  # type: ignore[misc]
            finally:
                if not task.done():
                    task.cancel()
                    await workflow.wait([task])
            error = None if task.cancelled() else task.exception()
            if not task.cancelled() and error is None:
                return task.result()
            if let_go():
                raise _LetGo
            if not isinstance(error, ActivityError) or is_cancelled_exception(error):
                return task.result()
            blocked_since = blocked_since or workflow.now()
            await self._mended(from_failure(error), seen, blocked_since + PATIENCE, let_go)

    async def _mended(self, failure: FailureDetails, seen: int, deadline: datetime, let_go: Callable[[], bool]) -> None:
        """Wait until it may be tried again."""
        before, now = self._now.state, workflow.now()
        another_day = min(deadline, now + ANOTHER_DAY) if failure.code == QuotaSpent.code else None
        await self._tell(PublicationState.BLOCKED, failure=failure, retry_at=another_day)
        try:
            await workflow.wait_condition(
                lambda: len(self._resumes) > seen or let_go(),
                timeout=max((another_day or deadline) - now, timedelta(0)),
                timeout_summary="waiting for a person" if another_day is None else "waiting for another day",
            )
        except TimeoutError:
            if workflow.now() >= deadline:
                raise _GivenUp from None
        if let_go():
            raise _LetGo
        await self._tell(before)

    async def _tell(self, state: PublicationState, **more: object) -> None:
        """Have queries, the Web UI and the tables know."""
        changes = {"failure": None, "retry_at": None, **more, "state": state}
        self._now = self._now.model_copy(update=changes)
        workflow.upsert_search_attributes([STAGE_ATTRIBUTE.value_set(state.value)])
        failure = self._now.failure
        workflow.set_current_details(
            f"**{self._now.publisher}**: {state.value}"
            + (f"\n\n{failure.message} → {failure.action}" if failure else "")
        )
        await workflow.execute_activity_method(
            PublishingActivities.record, self._now, **policies.upkeep(f"Record: {state.value}")
        )

    @workflow.query
    def publication(self) -> Publication:
        """How it stands."""
        return self._now

    @workflow.signal
    def withdraw(self) -> None:
        """Take it back, or do not put it there."""
        self._withdraw = True

    @workflow.signal
    def call_off(self, skip: Skip) -> None:
        """Let this place go: what wanted it published is no more."""
        self._skip = self._skip or skip

    @workflow.update
    def resume(self, resume: Resume) -> None:
        """A person has mended what failed. Sent again, it is once."""
        self._resumes.setdefault(resume.resume_id, resume)

    @resume.validator
    def _check_resume(self, resume: Resume) -> None:  # noqa: ARG002 - Temporal wants the update's own signature
        self._check_under_way()

    @workflow.update
    def skip(self, skip: Skip) -> None:
        """A person lets this place go. Sent again, it is once."""
        self._skip = self._skip or skip

    @skip.validator
    def _check_skip(self, skip: Skip) -> None:
        self._check_under_way()
        if self._withdraw:
            raise to_failure(
                Conflict(
                    f"the release is being withdrawn from {self._now.publisher}: {skip.who} cannot let that go",
                    code="publication.withdrawing",
                    action="Mend what keeps it there, then resume.",
                )
            )

    def _check_under_way(self) -> None:
        """The table tells of the end a moment before this workflow has ended."""
        if self._now.state.final:
            raise to_failure(publication_ended(self._now.publisher))
