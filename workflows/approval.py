"""The approval gate: one question at a time, its verdicts, reminders, escalation, expiry. Composed into workflows.

Waiting for the answer and telling reviewers are two things that go on side by side: a messenger that is away keeps no
verdict, no clock and no render waiting."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.approvals.stage import ApprovalActivities
from activities.support.errors import from_failure, to_failure
from models.approval import ApprovalPolicy, Question, QuestionState, Reviewer, Verdict, check_verdict, outcome
from models.errors import Conflict, FailureDetails, StudioError
from models.upkeep import QuestionToAsk, QuestionToRecord
from workflows import policies


class ApprovalGate:
    """Asks a question until it is decided or expires. Its workflow forwards the ``decide`` update and validator, and
    waits for :meth:`settled` before it ends. ``untold`` hears why reviewers could not be told of a question."""

    def __init__(self, policy: ApprovalPolicy, untold: Callable[[FailureDetails], None]) -> None:
        self.policy = policy
        self.question: Question | None = None
        self.verdicts: tuple[Verdict, ...] = ()
        self._untold = untold
        self._asked_at = workflow.now()
        self._beside: list[asyncio.Task[None]] = []

    @property
    def deciders(self) -> tuple[Reviewer, ...]:
        """Who may decide now."""
        after = self.policy.escalate_after_s
        if after is None or workflow.now() < self._asked_at + timedelta(seconds=after):
            return self.policy.reviewers
        return self.policy.reviewers + self.policy.escalate_to

    @property
    def state(self) -> QuestionState:
        """What the verdicts so far amount to."""
        return outcome(self.policy, self.verdicts)

    def check(self, verdict: Verdict) -> None:
        """The update's validator: refuses, before anything is written, a verdict that must not count."""
        try:
            if self.question is None or self.state is not QuestionState.OPEN:
                raise Conflict("no question is open", code="approval.closed")
            check_verdict(self.question, verdict, self.verdicts, self.deciders)
        except StudioError as error:
            raise to_failure(error) from error

    def record(self, verdict: Verdict) -> QuestionState:
        """The update's handler: count the verdict and say what it amounts to."""
        self.verdicts = (*self.verdicts, verdict)
        return self.state

    async def ask(self, question: Question) -> QuestionState:
        """Put ``question`` and wait for its outcome; EXPIRED when nobody answered in time."""
        self.question, self.verdicts, self._asked_at = question, (), workflow.now()
        messages: asyncio.Task[None] | None = None
        try:
            await self._record(self._standing(question, QuestionState.OPEN))
            messages = asyncio.create_task(self._correspond(question))
            state = await self._answer()
        except BaseException as error:
            # Of a cancelled render alone; anything else (an evicted run among it) must not start an activity here.
            if is_cancelled_exception(error):
                await self._close(question, QuestionState.WITHDRAWN, messages)
            raise
        await self._close(question, state, messages)
        return state

    async def settled(self) -> None:
        """Wait until every closed question was taken back, or given up on after :data:`policies.TAKE_BACK`.

        How the workflow ended is decided by then: cancelling it now only gives up what is left.
        """
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._beside, return_exceptions=True)

    async def _answer(self) -> QuestionState:
        left = self._asked_at + timedelta(seconds=self.policy.expire_after_s) - workflow.now()
        try:
            await workflow.wait_condition(
                lambda: self.state is not QuestionState.OPEN,
                timeout=max(left, timedelta(0)),
                timeout_summary="the question expires",
            )
        except TimeoutError:
            # A verdict that came in the same moment has been answered as counted.
            return QuestionState.EXPIRED if self.state is QuestionState.OPEN else self.state
        return self.state

    async def _correspond(self, question: Question) -> None:
        """Ask, remind and ask those it escalates to, one message after another.

        A reminder that comes due while an earlier message is still on its way is not sent: who has just been asked
        needs none. Escalation is for others and always goes out.
        """
        await self._tell(QuestionToAsk(question=question, reviewers=self.policy.reviewers))
        for after, reminder in self._calendar():
            if self.question is not question:
                # It was closed while the message was on its way, which went out all the same.
                return
            wait = self._asked_at + timedelta(seconds=after) - workflow.now()
            if wait > timedelta(0):
                await workflow.sleep(wait, summary=f"reminder {reminder}" if reminder else "escalation")
            elif reminder:
                continue
            reviewers = self.deciders if reminder else self.policy.escalate_to
            await self._tell(QuestionToAsk(question=question, reviewers=reviewers, reminder=reminder))

    def _calendar(self) -> list[tuple[int, int]]:
        """Seconds after the question at which somebody hears of it again, and the reminder's number: 0 escalates."""
        entries = [(after, number) for number, after in enumerate(self.policy.remind_after_s, start=1)]
        if self.policy.escalate_after_s is not None and self.policy.escalate_to:
            entries.append((self.policy.escalate_after_s, 0))
        return sorted(entry for entry in entries if entry[0] < self.policy.expire_after_s)

    async def _tell(self, message: QuestionToAsk) -> None:
        words = f"Reminder {message.reminder}" if message.reminder else "Ask for approval"
        try:
            await workflow.execute_activity_method(ApprovalActivities.ask, message, **policies.message(words))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if self.question == message.question:
                self._untold(from_failure(error))

    async def _close(self, question: Question, state: QuestionState, messages: "asyncio.Task[None] | None") -> None:
        """Record how it ended. What was sent is taken back beside, once nothing more is on its way."""
        closed = self._standing(question, state)
        self.question = None
        recorded = asyncio.create_task(self._record(closed))
        self._beside = [task for task in self._beside if not task.done()]
        self._beside += [recorded, asyncio.create_task(self._take_back(closed, messages))]
        # A cancellation ends the waiting alone: the record is written all the same.
        await asyncio.shield(recorded)

    def _standing(self, question: Question, state: QuestionState) -> QuestionToRecord:
        return QuestionToRecord(question=question, reviewers=self.deciders, state=state, verdicts=self.verdicts)

    async def _record(self, standing: QuestionToRecord) -> None:
        await workflow.execute_activity_method(
            ApprovalActivities.record, standing, **policies.upkeep(f"Question {standing.state.value}")
        )

    async def _take_back(self, closed: QuestionToRecord, messages: "asyncio.Task[None] | None") -> None:
        if messages is not None:
            messages.cancel()
            await asyncio.gather(messages, return_exceptions=True)
        try:
            await workflow.execute_activity_method(
                ApprovalActivities.take_back, closed, **policies.message("Take the buttons back", policies.TAKE_BACK)
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("the question was not taken back: %s", closed.question.question_id)
