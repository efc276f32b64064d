"""Questions put before reviewers, over every messenger that reaches them, and their record. REST needs no messenger:
open questions are listed from the tables."""

from temporalio import activity

from activities.approvals.base import Messenger
from activities.support.artifacts import ArtifactStore
from activities.support.ledger import RenderRecords
from activities.support.stage import on_thread
from models.approval import QuestionState
from models.upkeep import QuestionToAsk, QuestionToRecord

_LINK_SECONDS = 7 * 86_400


class ApprovalActivities:
    """Asks, reminds and records."""

    def __init__(self, records: RenderRecords, artifacts: ArtifactStore, messengers: tuple[Messenger, ...]) -> None:
        self._records = records
        self._artifacts = artifacts
        self._messengers = messengers

    @activity.defn(name="approvals.ask")
    async def ask(self, request: QuestionToAsk) -> None:
        """Record the question as open and send it to every reviewer a messenger reaches."""
        question = request.question
        await self._records.put_question(question, QuestionState.OPEN, ())
        for reviewer in request.reviewers:
            for messenger in self._messengers:
                if not messenger.reaches(reviewer):
                    continue
                if request.reminder:
                    await messenger.remind(question, reviewer, request.reminder)
                else:
                    video = await on_thread(self._artifacts.fetch, question.video)
                    await messenger.ask(
                        question, reviewer, video, self._artifacts.url(question.video, seconds=_LINK_SECONDS)
                    )
                activity.heartbeat(reviewer.id)

    @activity.defn(name="approvals.record")
    async def record(self, request: QuestionToRecord) -> None:
        """Record verdicts and state; once the question is closed, tell those who were asked."""
        await self._records.put_question(request.question, request.state, request.verdicts)
        if request.state is QuestionState.OPEN:
            return
        for reviewer in request.reviewers:
            for messenger in self._messengers:
                if messenger.reaches(reviewer):
                    await messenger.close(request.question, reviewer, request.state, request.verdicts)
                    activity.heartbeat(reviewer.id)
