"""The approvals capability: a messenger puts questions before reviewers where they are."""

from pathlib import Path
from typing import Protocol

from models.approval import Question, QuestionState, Reviewer, Verdict


class Messenger(Protocol):
    """A channel to reviewers. Every method is idempotent by question, reviewer and (for reminders) number."""

    def reaches(self, reviewer: Reviewer) -> bool:
        """Whether this channel knows how to reach the reviewer."""
        ...

    async def ask(self, question: Question, reviewer: Reviewer, video: Path, link: str) -> None:
        """Put the question: the video (or ``link`` where it is too large), the figures, the buttons."""
        ...

    async def remind(self, question: Question, reviewer: Reviewer, number: int) -> None:
        """Say that the question is still open."""
        ...

    async def close(
        self, question: Question, reviewer: Reviewer, state: QuestionState, verdicts: tuple[Verdict, ...]
    ) -> None:
        """Take the buttons away and say how it ended."""
        ...
