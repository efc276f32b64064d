"""How a question looks on Telegram, and what its buttons carry. Shared by the messenger that asks and the bot that
listens, so that both always mean the same."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from models.approval import Decision, Question, QuestionState, Verdict
from models.errors import InvalidInput
from models.quality import Figure

CAPTION_LIMIT = 1024
"""Characters of a caption (Bot API, sendVideo)."""
DATA_LIMIT = 64
"""Bytes of a button's data (Bot API, InlineKeyboardButton)."""
SHA_DIGITS = 8
"""Of the film's sha256: enough to tell two takes of one question apart, short enough for a button."""


class Action(StrEnum):
    """What a button does."""

    APPROVE = "ok"
    APPROVE_BELOW = "below"
    """Although figures do not hold."""
    REJECT = "no"
    """Ask for the reason; with a reason, reject."""
    CHANGES = "edit"
    """List the sentences."""
    BACK = "back"
    SEND = "send"
    """The changes that were written."""
    LEAVE = "leave"


REASONS = {
    "factual_error": "A fact is wrong",
    "off_brand": "Off brand",
    "wrong_tone": "Wrong tone",
    "poor_quality": "Poor quality",
    "legal": "Legal concern",
    "other": "Something else",
}
"""Why a film can be rejected with one press; REST takes any code."""

OUTCOMES = {
    QuestionState.APPROVED: "Approved",
    QuestionState.REJECTED: "Rejected",
    QuestionState.CHANGES: "Changes asked for",
    QuestionState.EXPIRED: "Expired: nobody answered in time",
    QuestionState.WITHDRAWN: "Withdrawn",
}


@dataclass(frozen=True)
class Press:
    """What a button carries: an action (with a detail, such as a reason), bound to a question and its bytes."""

    action: Action
    question_id: str
    sha: str
    detail: str = ""

    @classmethod
    def on(cls, question: Question, action: Action, detail: str = "") -> Self:
        """A press on ``question``."""
        return cls(action, question.question_id, question.video.sha256[:SHA_DIGITS], detail)

    @property
    def data(self) -> str:
        """What the button sends. Raises InvalidInput for a question whose id is too long for a button."""
        data = "|".join((self.action, self.detail, self.sha, self.question_id))
        if len(data.encode()) > DATA_LIMIT:
            raise InvalidInput(f"the question id {self.question_id!r} is too long for a Telegram button")
        return data

    @classmethod
    def read(cls, data: str) -> Self | None:
        """The press that sent ``data``; None when it is none of ours."""
        try:
            action, detail, sha, question_id = data.split("|")
            return cls(Action(action), question_id, sha, detail)
        except ValueError:
            return None


def _keyboard(*rows: list[tuple[str, Press]]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(words, callback_data=press.data) for words, press in row] for row in rows]
    )


def decisions(question: Question) -> InlineKeyboardMarkup:
    """Approve, reject, ask for changes."""
    return _keyboard(
        [("Approve", Press.on(question, Action.APPROVE)), ("Reject", Press.on(question, Action.REJECT))],
        [("Ask for changes", Press.on(question, Action.CHANGES))],
    )


def below_threshold(question: Question) -> InlineKeyboardMarkup:
    """A second press for a film that does not reach its thresholds."""
    return _keyboard(
        [("Approve below its thresholds", Press.on(question, Action.APPROVE_BELOW))],
        [("Back", Press.on(question, Action.BACK))],
    )


def reasons(question: Question) -> InlineKeyboardMarkup:
    """Why it is rejected."""
    rows = [[(words, Press.on(question, Action.REJECT, code))] for code, words in REASONS.items()]
    return _keyboard(*rows, [("Back", Press.on(question, Action.BACK))])


def changes(question: Question, digest: str) -> InlineKeyboardMarkup:
    """Send the changes that were written, whose text has this digest, or leave them."""
    return _keyboard(
        [
            ("Send these changes", Press.on(question, Action.SEND, digest)),
            ("Leave it", Press.on(question, Action.LEAVE)),
        ]
    )


def caption(question: Question) -> str:
    """What stands under the film: what it is, and the figures, those that do not hold first."""
    lines = [question.title, f"Round {question.round} · {_extent(question)}"]
    if not question.passed:
        lines.append("⚠️ Below its thresholds")
    ordered = sorted(question.figures, key=lambda figure: figure.holds)
    return _clip([*lines, "", *map(_figure, ordered)])


def _extent(question: Question) -> str:
    return "a song" if question.parts else f"{question.segments} sentences"


def _figure(figure: Figure) -> str:
    value = "not measured" if figure.value is None else f"{figure.value:.4g}"
    unit = f" {figure.unit}" if figure.unit else ""
    return f"{'✓' if figure.holds else '✗'} {figure.name}: {value}{unit} ({figure.sense.value} {figure.reach:.4g})"


def _clip(lines: list[str]) -> str:
    """Whole lines, as many as a caption holds."""
    kept: list[str] = []
    for line in lines:
        if len("\n".join([*kept, line])) > CAPTION_LIMIT - 200:
            break
        kept.append(line)
    return "\n".join(kept)


def outcome(question: Question, state: QuestionState, verdicts: tuple[Verdict, ...]) -> str:
    """The caption once the question is closed: the same, and how it ended and by whom."""
    words = [OUTCOMES.get(state, state.value)]
    for verdict in verdicts:
        why = f" ({REASONS.get(verdict.reason, verdict.reason)})" if verdict.decision is Decision.REJECT else ""
        words.append(f"{verdict.reviewer}: {verdict.decision.value}{why}")
    return f"{caption(question)}\n\n{chr(10).join(words)}"[:CAPTION_LIMIT]
