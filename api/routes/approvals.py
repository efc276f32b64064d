"""Approvals: the questions that are open, and the verdicts on them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from api.auth import ReviewerCaller, Viewer
from api.common import Limit, Page, Prose, Words
from api.problems import responses
from api.routes.renders import OptionalKey
from api.services import Studio
from api.verdicts import Change, changes_of, give, question_of
from api.views import QuestionView, question_view
from models.approval import Decision, QuestionState, Verdict
from models.base import Contract, Sha256, canonical_sha256

router = APIRouter(prefix="/approvals", tags=["approvals"], responses=responses(401, 403, 422, 503))

EXAMPLE: dict[str, Any] = {
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "decision": "changes",
    "changes": [{"segment": 3, "note": "Slower, please."}, {"segment": 7, "text": "Margins held at 41%."}],
}


class VerdictBody(Contract):
    """A verdict on exactly the bytes whose ``sha256`` it names."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    sha256: Sha256
    decision: Decision
    reason: Annotated[Words, Field(max_length=60)] = ""
    """A reason code, required to reject."""
    comment: Prose = ""
    changes: Annotated[tuple[Change, ...], Field(max_length=40)] = ()
    accepts_below_threshold: bool = False
    """Needed to approve a film whose figures do not all hold."""


class Decided(Contract):
    """What the question has come to with this verdict."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question_id": "3b1f0c9e7a5d42c8b6e0.1", "state": "changes"}]}
    )

    question_id: str
    verdict_id: str
    state: QuestionState


@router.get("")
async def list_approvals(
    caller: Viewer,
    studio: Studio,
    state: Annotated[QuestionState, Query(description="Only questions in this state.")] = QuestionState.OPEN,
    limit: Limit = 50,
) -> Page[QuestionView]:
    """Questions, newest first; the open ones unless others are asked for."""
    rows = await studio.store.questions(caller.tenant, state=state, limit=limit)
    return Page(items=tuple([question_view(studio, row, ()) for row in rows]))


@router.get("/{question}", responses=responses(404))
async def get_approval(question: str, caller: Viewer, studio: Studio) -> QuestionView:
    """One question with its figures, its verdicts, and a link to the film."""
    row, _ = await question_of(studio, caller.tenant, question)
    return question_view(studio, row, tuple(await studio.store.verdicts(row.id)))


@router.post("/{question}/verdict", responses=responses(404, 409))
async def decide(
    question: str, body: VerdictBody, caller: ReviewerCaller, studio: Studio, key: OptionalKey = None
) -> Decided:
    """Decide. Only listed reviewers count, once each; the same verdict sent again is answered the same."""
    row, work = await question_of(studio, caller.tenant, question)
    own = canonical_sha256([caller.subject, row.id, body.model_dump(mode="json")])[:24]
    verdict = Verdict(
        verdict_id=key or f"rest-{own}",
        question_id=row.id,
        sha256=body.sha256,
        reviewer=caller.subject,
        decision=body.decision,
        reason=body.reason,
        comment=body.comment,
        changes=await changes_of(studio, work, body.changes),
        accepts_below_threshold=body.accepts_below_threshold,
    )
    state = await give(studio, work, verdict)
    return Decided(question_id=row.id, verdict_id=verdict.verdict_id, state=state)
