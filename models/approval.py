"""Approval: the question put before reviewers, the verdict that answers it, and the rules both obey. Pure."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from models.artifacts import Artifact
from models.base import Contract, Name, Note, Sha256
from models.errors import Conflict, Forbidden, InvalidInput
from models.quality import Figure
from models.script import Utterance

WorkId = Annotated[str, Field(pattern=r"^[0-9a-z][0-9a-z-]{3,63}$")]
"""The id of a render or a track."""
Principal = Annotated[str, Field(pattern=r"^[A-Za-z0-9._@:-]{1,80}$")]
"""Who acts: the ``sub`` of a token."""


class Reviewer(Contract):
    """Somebody who may decide. ``telegram_chat`` is their private chat with the bot, if they use it."""

    id: Principal
    name: Name
    telegram_chat: int | None = None


class ApprovalPolicy(Contract):
    """Who is asked, how many have to agree, and what happens while nobody answers. Silence is never a no."""

    required: bool = True
    reviewers: Annotated[tuple[Reviewer, ...], Field(max_length=20)] = ()
    quorum: Annotated[int, Field(ge=1, le=5)] = 1
    remind_after_s: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=10)] = (86_400, 604_800)
    """Seconds after the question at which reviewers are reminded, ascending."""
    escalate_after_s: Annotated[int, Field(ge=1)] | None = None
    escalate_to: Annotated[tuple[Reviewer, ...], Field(max_length=20)] = ()
    """Asked as well, and allowed to decide, once ``escalate_after_s`` has passed."""
    expire_after_s: Annotated[int, Field(ge=1, le=366 * 86_400)] = 30 * 86_400


class Decision(StrEnum):
    """What a reviewer can say."""

    APPROVE = "approve"
    REJECT = "reject"
    CHANGES = "changes"


class SegmentChange(Contract):
    """A note on one segment. With ``utterance`` the sentence is replaced; without, it is performed anew."""

    segment: Annotated[int, Field(ge=0, lt=400)]
    note: Note = ""
    utterance: Utterance | None = None


class Verdict(Contract):
    """One reviewer's answer, bound to the bytes it is about."""

    verdict_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
    question_id: Annotated[str, Field(max_length=80)]
    sha256: Sha256
    reviewer: Principal
    decision: Decision
    reason: Annotated[str, Field(max_length=60)] = ""
    """A reason code; required to reject."""
    comment: Note = ""
    changes: Annotated[tuple[SegmentChange, ...], Field(max_length=40)] = ()
    accepts_below_threshold: bool = False
    """Must be set to approve a film whose quality figures do not all hold."""


class WorkKind(StrEnum):
    """What a question can be about; also how its workflow's id begins."""

    RENDER = "render"
    TRACK = "track"


class Question(Contract):
    """What reviewers are asked: these bytes, with these figures. ``round`` counts from 1."""

    question_id: Annotated[str, Field(max_length=80)]
    kind: WorkKind = WorkKind.RENDER
    work_id: WorkId
    round: Annotated[int, Field(ge=1, le=100)]
    title: Name
    video: Artifact
    audio: Artifact | None = None
    """What is to be listened to without the picture, where there is such a thing."""
    thumbnail: Artifact
    figures: Annotated[tuple[Figure, ...], Field(max_length=40)] = ()
    segments: Annotated[int, Field(ge=1, le=400)]
    parts: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=20)] = ()
    """What can be made again, by name, where it is not sentences; as many as ``segments``."""

    @property
    def passed(self) -> bool:
        """Whether every quality figure holds."""
        return all(figure.holds for figure in self.figures)


class QuestionState(StrEnum):
    """Where a question stands."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CHANGES = "changes"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


def check_verdict(
    question: Question, verdict: Verdict, given: tuple[Verdict, ...], allowed: tuple[Reviewer, ...]
) -> None:
    """Refuse a verdict that must not count.

    Raises Forbidden for a stranger; Conflict for another question, other bytes, or a reviewer who has answered;
    InvalidInput for a rejection without reason, changes without a segment, or a segment that does not exist.
    """
    if verdict.reviewer not in {reviewer.id for reviewer in allowed}:
        raise Forbidden(
            f"{verdict.reviewer} is not a reviewer of this question",
            code="approval.stranger",
            action="Ask one of the listed reviewers to decide.",
        )
    if verdict.question_id != question.question_id:
        raise Conflict(f"question {verdict.question_id} is not the one that is open", code="approval.stale")
    if verdict.sha256 != question.video.sha256:
        raise Conflict("the verdict is about other bytes than those asked about", code="approval.other_bytes")
    if any(other.reviewer == verdict.reviewer for other in given):
        raise Conflict(f"{verdict.reviewer} has answered already", code="approval.decided")
    if verdict.decision is Decision.REJECT and not verdict.reason:
        raise InvalidInput("a rejection needs a reason code", field="reason", code="approval.reason_missing")
    if verdict.decision is Decision.APPROVE and not question.passed and not verdict.accepts_below_threshold:
        names = ", ".join(figure.name for figure in question.figures if not figure.holds)
        raise Conflict(
            f"the film is below its thresholds: {names}",
            code="approval.below_threshold",
            action="Ask for changes, reject, or approve with accepts_below_threshold.",
        )
    if verdict.decision is Decision.CHANGES:
        if not verdict.changes:
            raise InvalidInput("changes name at least one segment", field="changes", code="approval.changes_missing")
        for change in verdict.changes:
            if change.segment >= question.segments:
                raise InvalidInput(
                    f"segment {change.segment} does not exist: the last is {question.segments - 1}",
                    field="changes",
                    code="approval.segment_unknown",
                )


def outcome(policy: ApprovalPolicy, given: tuple[Verdict, ...]) -> QuestionState:
    """What the verdicts so far amount to: one rejection or request for changes decides, approvals need the quorum."""
    for verdict in given:
        if verdict.decision is Decision.REJECT:
            return QuestionState.REJECTED
        if verdict.decision is Decision.CHANGES:
            return QuestionState.CHANGES
    approvals = sum(verdict.decision is Decision.APPROVE for verdict in given)
    return QuestionState.APPROVED if approvals >= policy.quorum else QuestionState.OPEN
