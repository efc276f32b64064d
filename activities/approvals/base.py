"""The approvals capability: a messenger puts questions before reviewers where they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from models.approval import Question, QuestionState, Reviewer, Verdict

LARGEST: Final = 50_000_000
"""Bytes of the largest film that is sent as it is: what a bot on Telegram may upload (Bot API, "Sending files")."""
PREVIEW_SECONDS: Final = 60
"""How much of a larger film is shown."""


@dataclass(frozen=True)
class Showing:
    """What reviewers get to see and hear. ``video`` is the film or, where it is not ``whole``, its beginning, small;
    ``link`` leads to all of it. ``song`` (MP3) and ``still`` (JPEG of at most 320 pixels) where there is a song."""

    video: Path
    link: str
    whole: bool = True
    song: Path | None = None
    still: Path | None = None


class Previews(Protocol):
    """Makes what is small enough to be sent. Methods block, write ``out`` and raise EngineFailed."""

    def film(self, film: Path, out: Path) -> Path:
        """The film's first ``PREVIEW_SECONDS``, small, as MP4."""
        ...

    def song(self, master: Path, out: Path, *, artist: str, title: str) -> Path:
        """The song as MP3, named."""
        ...

    def still(self, picture: Path, out: Path) -> Path:
        """The picture as a small JPEG."""
        ...


class Messenger(Protocol):
    """A channel to reviewers. Every method is idempotent by question, reviewer and (for reminders) number."""

    def reaches(self, reviewer: Reviewer) -> bool:
        """Whether this channel knows how to reach the reviewer."""
        ...

    async def ask(self, question: Question, reviewer: Reviewer, showing: Showing) -> None:
        """Put the question: what there is to see and hear, the figures, the buttons."""
        ...

    async def remind(self, question: Question, reviewer: Reviewer, number: int) -> None:
        """Say that the question is still open."""
        ...

    async def close(
        self, question: Question, reviewer: Reviewer, state: QuestionState, verdicts: tuple[Verdict, ...]
    ) -> None:
        """Take the buttons away and say how it ended."""
        ...
