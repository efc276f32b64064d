"""Questions put before reviewers, over every messenger that reaches them, and their record. REST needs no messenger:
open questions are listed from the tables."""

from collections.abc import Callable, Coroutine
from typing import Any

from temporalio import activity

from activities.approvals.base import Messenger
from activities.support.artifacts import ArtifactStore
from activities.support.ledger import RenderRecords
from activities.support.stage import on_thread, whole_call
from models.approval import Reviewer
from models.errors import ProviderFault
from models.upkeep import QuestionToAsk, QuestionToRecord

_LINK_SECONDS = 7 * 86_400

Message = Callable[[Messenger, Reviewer], Coroutine[Any, Any, None]]


class ApprovalActivities:
    """Records, asks, reminds and takes back."""

    def __init__(self, records: RenderRecords, artifacts: ArtifactStore, messengers: tuple[Messenger, ...]) -> None:
        self._records = records
        self._artifacts = artifacts
        self._messengers = messengers

    @activity.defn(name="approvals.record")
    async def record(self, request: QuestionToRecord) -> None:
        """Record how a question stands; an open one can be decided over REST from now on."""
        await self._records.put_question(request.question, request.state, request.verdicts)

    @activity.defn(name="approvals.ask")
    async def ask(self, request: QuestionToAsk) -> None:
        """Send a recorded question, or a reminder of it, to every reviewer a messenger reaches."""
        question = request.question

        async def put(messenger: Messenger, reviewer: Reviewer) -> None:
            if request.reminder:
                await messenger.remind(question, reviewer, request.reminder)
                return
            video = await on_thread(self._artifacts.fetch, question.video)
            link = self._artifacts.url(question.video, seconds=_LINK_SECONDS)
            await messenger.ask(question, reviewer, video, link)

        await self._tell(request.reviewers, put)

    @activity.defn(name="approvals.take_back")
    async def take_back(self, request: QuestionToRecord) -> None:
        """Tell those who were asked how it ended, and take their buttons away."""

        async def close(messenger: Messenger, reviewer: Reviewer) -> None:
            await messenger.close(request.question, reviewer, request.state, request.verdicts)

        await self._tell(request.reviewers, close)

    async def _tell(self, reviewers: tuple[Reviewer, ...], message: Message) -> None:
        """One message to each. An outage on the way to one keeps nobody else waiting: it is raised when all were tried.

        A cancellation takes effect between two messages, so that what went out is always noted.
        """
        fault: ProviderFault | None = None
        for reviewer in reviewers:
            for messenger in self._messengers:
                if not messenger.reaches(reviewer):
                    continue
                try:
                    await whole_call(message(messenger, reviewer))
                except ProviderFault as error:
                    fault = fault or error
        if fault is not None:
            raise fault
