"""One reviewer's trouble is nobody else's, and a message that is on its way when its activity is cancelled is noted."""

import asyncio
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.approvals.base import Showing
from activities.approvals.preview import FfmpegPreviews
from activities.approvals.stage import ApprovalActivities
from activities.support.artifacts import ArtifactStore
from models.approval import Question, QuestionState, Reviewer, Verdict
from models.artifacts import Artifact
from models.errors import ProviderFault
from models.upkeep import QuestionToAsk, QuestionToRecord
from tests.workflows.studio import ANA, BEN, artifact


class Records:
    """The tables' part in it."""

    async def project(self, progress: object, sequence: int) -> None:
        raise AssertionError("approvals project nothing")

    async def put_question(self, question: Question, state: QuestionState, verdicts: tuple[Verdict, ...]) -> None:
        raise AssertionError("telling records nothing")


class Files(ArtifactStore):
    """One film."""

    def fetch(self, artifact: Artifact) -> Path:
        return Path("film.mp4")

    def url(self, artifact: Artifact, *, seconds: int, filename: str = "") -> str:
        return "http://link"

    def exists(self, artifact: Artifact) -> bool:
        return True

    def put(self, path: Path, media_type: str, duration_ms: int | None = None) -> Artifact:
        raise AssertionError("approvals store nothing")


class Post:
    """A messenger that takes its time. ``away`` is whom it does not reach today."""

    def __init__(self, away: tuple[Reviewer, ...] = ()) -> None:
        self.away = away
        self.sending = asyncio.Event()
        self.go_on = asyncio.Event()
        self.sent: list[tuple[str, str]] = []

    def reaches(self, reviewer: Reviewer) -> bool:
        return True

    async def ask(self, question: Question, reviewer: Reviewer, showing: Showing) -> None:
        self.sending.set()
        await self.go_on.wait()
        await self._put("ask", reviewer)

    async def remind(self, question: Question, reviewer: Reviewer, number: int) -> None:
        await self._put("remind", reviewer)

    async def close(
        self, question: Question, reviewer: Reviewer, state: QuestionState, verdicts: tuple[Verdict, ...]
    ) -> None:
        await self._put("close", reviewer)

    async def _put(self, what: str, reviewer: Reviewer) -> None:
        if reviewer in self.away:
            raise ProviderFault(f"{reviewer.name} cannot be reached now")
        self.sent.append((what, reviewer.id))


QUESTION = Question(
    question_id="render-1.1",
    work_id="render-1",
    round=1,
    title="Third quarter",
    video=artifact("film", "video/mp4"),
    thumbnail=artifact("still", "image/jpeg"),
    segments=3,
)
ASK = QuestionToAsk(question=QUESTION, reviewers=(ANA, BEN))


def activities(post: Post) -> ApprovalActivities:
    return ApprovalActivities(Records(), Files(), (post,), FfmpegPreviews())


async def test_a_fault_on_the_way_to_one_reviewer_keeps_the_message_from_nobody_else() -> None:
    post = Post(away=(ANA,))
    post.go_on.set()
    environment = ActivityEnvironment()
    closed = QuestionToRecord(question=QUESTION, reviewers=(ANA, BEN), state=QuestionState.EXPIRED, verdicts=())
    reminder = ASK.model_copy(update={"reminder": 1})
    for tell, message in ((activities(post).ask, ASK), (activities(post).ask, reminder)):
        with pytest.raises(ProviderFault, match="Ana"):
            await environment.run(tell, message)
    with pytest.raises(ProviderFault, match="Ana"):
        await environment.run(activities(post).take_back, closed)
    assert post.sent == [("ask", "ben"), ("remind", "ben"), ("close", "ben")]


async def test_a_cancellation_waits_for_the_message_that_is_under_way_and_sends_no_other() -> None:
    post = Post()
    environment = ActivityEnvironment()
    asking = asyncio.create_task(environment.run(activities(post).ask, ASK))
    await post.sending.wait()
    environment.cancel()
    await asyncio.sleep(0)
    assert not asking.done()
    post.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert post.sent == [("ask", "ana")]
