"""The approval gate: one question at a time, its verdicts, reminders, escalation, expiry. Composed into workflows."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

from activities.approvals.stage import ApprovalActivities
from activities.support.errors import to_failure
from models.approval import ApprovalPolicy, Question, QuestionState, Reviewer, Verdict, check_verdict, outcome
from models.errors import Conflict, StudioError
from models.upkeep import QuestionToAsk, QuestionToRecord
from workflows import policies


class ApprovalGate:
    """Asks a question until it is decided or expires. Its workflow forwards the ``decide`` update and validator."""

    def __init__(self, policy: ApprovalPolicy) -> None:
        self.policy = policy
        self.question: Question | None = None
        self.verdicts: tuple[Verdict, ...] = ()
        self._escalated = False

    @property
    def asked(self) -> tuple[Reviewer, ...]:
        """Who may decide now."""
        return self.policy.reviewers + (self.policy.escalate_to if self._escalated else ())

    def check(self, verdict: Verdict) -> None:
        """The update's validator: refuses, before anything is written, a verdict that must not count."""
        try:
            if self.question is None or outcome(self.policy, self.verdicts) is not QuestionState.OPEN:
                raise Conflict("no question is open", code="approval.closed")
            check_verdict(self.question, verdict, self.verdicts, self.asked)
        except StudioError as error:
            raise to_failure(error) from error

    def record(self, verdict: Verdict) -> QuestionState:
        """The update's handler: count the verdict and say what it amounts to."""
        self.verdicts = (*self.verdicts, verdict)
        return outcome(self.policy, self.verdicts)

    async def ask(self, question: Question) -> QuestionState:
        """Put ``question`` and wait for its outcome; EXPIRED when nobody answered in time."""
        self.question, self.verdicts, self._escalated = question, (), False
        try:
            await self._put(self.policy.reviewers, 0)
            state = await self._answer()
        except BaseException as error:
            # Of a cancelled render alone; anything else (an evicted run among it) must not start an activity here.
            if is_cancelled_exception(error):
                await self._close(question, QuestionState.WITHDRAWN)
            raise
        await self._close(question, state)
        return state

    async def _answer(self) -> QuestionState:
        asked_at = workflow.now()
        expires = asked_at + timedelta(seconds=self.policy.expire_after_s)
        for at, action in self._calendar(asked_at, expires):
            if await self._decided_by(at):
                return outcome(self.policy, self.verdicts)
            if action == "escalate":
                self._escalated = True
                await self._put(self.policy.escalate_to, 0)
            else:
                await self._put(self.asked, int(action))
        return outcome(self.policy, self.verdicts) if await self._decided_by(expires) else QuestionState.EXPIRED

    def _calendar(self, asked_at: datetime, expires: datetime) -> list[tuple[datetime, str]]:
        entries = [(after, str(number)) for number, after in enumerate(self.policy.remind_after_s, start=1)]
        if self.policy.escalate_after_s is not None and self.policy.escalate_to:
            entries.append((self.policy.escalate_after_s, "escalate"))
        dated = sorted((asked_at + timedelta(seconds=after), action) for after, action in entries)
        return [(at, action) for at, action in dated if at < expires]

    async def _decided_by(self, deadline: datetime) -> bool:
        seen = len(self.verdicts)
        while outcome(self.policy, self.verdicts) is QuestionState.OPEN:
            left = deadline - workflow.now()
            if left <= timedelta(0):
                return False
            try:
                await workflow.wait_condition(
                    lambda known=seen: len(self.verdicts) > known,  # type: ignore[misc]
                    timeout=left,
                    timeout_summary="approval",
                )
            except TimeoutError:
                return False
            seen = len(self.verdicts)
        return True

    async def _put(self, reviewers: tuple[Reviewer, ...], reminder: int) -> None:
        assert self.question is not None
        await workflow.execute_activity_method(
            ApprovalActivities.ask,
            QuestionToAsk(question=self.question, reviewers=reviewers, reminder=reminder),
            **policies.upkeep(f"Reminder {reminder}" if reminder else "Ask for approval"),
        )

    async def _close(self, question: Question, state: QuestionState) -> None:
        self.question = None
        await workflow.execute_activity_method(
            ApprovalActivities.record,
            QuestionToRecord(question=question, reviewers=self.asked, state=state, verdicts=self.verdicts),
            **policies.upkeep(f"Question {state.value}"),
        )
