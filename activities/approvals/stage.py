"""Questions put before reviewers, over every messenger that reaches them, and their record. REST needs no messenger:
open questions are listed from the tables."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio import activity

from activities.approvals.base import LARGEST, Messenger, Previews, Showing
from activities.support.artifacts import ArtifactStore
from activities.support.ledger import RenderRecords
from activities.support.stage import on_thread, whole_call
from models.approval import Question, Reviewer
from models.errors import ProviderFault
from models.upkeep import QuestionToAsk, QuestionToRecord

_LINK_SECONDS = 7 * 86_400

Message = Callable[[Messenger, Reviewer], Coroutine[Any, Any, None]]


class ApprovalActivities:
    """Records, asks, reminds and takes back."""

    def __init__(
        self,
        records: RenderRecords,
        artifacts: ArtifactStore,
        messengers: tuple[Messenger, ...],
        previews: Previews,
        scratch: Path | None = None,
    ) -> None:
        self._records = records
        self._artifacts = artifacts
        self._messengers = messengers
        self._previews = previews
        self._scratch = scratch

    @activity.defn(name="approvals.record")
    async def record(self, request: QuestionToRecord) -> None:
        """Record how a question stands; an open one can be decided over REST from now on."""
        await self._records.put_question(request.question, request.state, request.verdicts)

    @activity.defn(name="approvals.ask")
    async def ask(self, request: QuestionToAsk) -> None:
        """Send a recorded question, or a reminder of it, to every reviewer a messenger reaches."""
        question = request.question
        if request.reminder:
            number = request.reminder
            await self._tell(request.reviewers, lambda messenger, who: messenger.remind(question, who, number))
            return
        if not any(messenger.reaches(who) for messenger in self._messengers for who in request.reviewers):
            return
        if self._scratch is not None:
            self._scratch.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._scratch) as folder:
            showing = await whole_call(on_thread(self._shown, question, Path(folder)))
            await self._tell(request.reviewers, lambda messenger, who: messenger.ask(question, who, showing))

    def _shown(self, question: Question, folder: Path) -> Showing:
        """What there is to see and hear, small enough to be sent."""
        film = self._artifacts.fetch(question.video)
        link = self._artifacts.url(question.video, seconds=_LINK_SECONDS)
        whole = question.video.size <= LARGEST
        video = film if whole else self._previews.film(film, folder / "preview.mp4")
        if question.audio is None:
            return Showing(video, link, whole)
        artist, _, title = question.title.rpartition(" — ")
        master = self._artifacts.fetch(question.audio)
        song = self._previews.song(master, folder / "song.mp3", artist=artist, title=title)
        picture = self._previews.still(self._artifacts.fetch(question.thumbnail), folder / "still.jpg")
        return Showing(video, link, whole, song, picture)

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
