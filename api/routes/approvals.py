"""Approvals: the questions that are open, and the verdicts on them."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from api.auth import ReviewerCaller, Viewer
from api.common import Limit, Page, Prose, Words
from api.planning import standing_request
from api.problems import responses
from api.routes.renders import OptionalKey, render_of
from api.services import Services, Studio
from api.views import QuestionView, question_view
from models.approval import Decision, QuestionState, SegmentChange, Verdict
from models.base import Contract, Sha256, canonical_sha256
from models.errors import Conflict, InvalidInput, UnknownReference
from models.ssml import parse_script
from models.tables import ApprovalQuestion, Render

router = APIRouter(prefix="/approvals", tags=["approvals"], responses=responses(401, 403, 422, 503))

EXAMPLE: dict[str, Any] = {
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "decision": "changes",
    "changes": [{"segment": 3, "note": "Slower, please."}, {"segment": 7, "text": "Margins held at 41%."}],
}


class Change(Contract):
    """A note on a sentence; with ``text`` (the scripts' SSML subset) it is replaced, without, performed anew."""

    segment: Annotated[int, Field(ge=0, lt=400)]
    note: Prose = ""
    text: Annotated[str, Field(max_length=4_000)] = ""


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


async def question_of(studio: Services, tenant: str, question_id: str) -> tuple[ApprovalQuestion, Render]:
    """A question and its render. Raises UnknownReference for any that is not that tenant's."""
    row = await studio.store.find(ApprovalQuestion, question_id)
    if row is None:
        raise UnknownReference(f"no question is called {question_id!r}", field="question")
    return row, await render_of(studio, tenant, row.render_id)


async def changes_of(studio: Services, render: Render, changes: tuple[Change, ...]) -> tuple[SegmentChange, ...]:
    """Changes with their texts parsed, each one sentence. Raises ScriptRejected or InvalidInput."""
    request = await standing_request(studio, render) if changes else render.request
    script = await studio.store.script(render.tenant, render.script, render.script_version) if render.script else None
    found = []
    for change in changes:
        utterance = None
        if change.text:
            pronunciations = script.pronunciations if script else ()
            spoken = await asyncio.to_thread(parse_script, change.text, request.language, pronunciations)
            if len(spoken) != 1:
                raise InvalidInput(
                    f"the text for segment {change.segment} is {len(spoken)} sentences; a segment is one",
                    field="changes",
                    code="approval.one_sentence",
                    action="Write one sentence, or re-render with edits, where one may become several.",
                )
            utterance = spoken[0].utterance
        found.append(SegmentChange(segment=change.segment, note=change.note, utterance=utterance))
    return tuple(found)


async def give(studio: Services, render: Render, verdict: Verdict) -> QuestionState:
    """Give a verdict to the render. Given again after the render has ended, it is answered as it was then.

    Raises what the render refuses it with: Forbidden, Conflict or InvalidInput.
    """
    try:
        return await studio.renders.decide(render.id, verdict)
    except Conflict as error:
        for given in await studio.store.verdicts(verdict.question_id):
            if given.id == verdict.verdict_id:
                return (await studio.store.get(ApprovalQuestion, verdict.question_id)).state
        raise Conflict(
            "this question is closed: the render has ended", code="approval.closed", action=error.action
        ) from error


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
    row, render = await question_of(studio, caller.tenant, question)
    own = canonical_sha256([caller.subject, row.id, body.model_dump(mode="json")])[:24]
    verdict = Verdict(
        verdict_id=key or f"rest-{own}",
        question_id=row.id,
        sha256=body.sha256,
        reviewer=caller.subject,
        decision=body.decision,
        reason=body.reason,
        comment=body.comment,
        changes=await changes_of(studio, render, body.changes),
        accepts_below_threshold=body.accepts_below_threshold,
    )
    state = await give(studio, render, verdict)
    return Decided(question_id=row.id, verdict_id=verdict.verdict_id, state=state)
