"""Verdicts on their way to a render, whoever brings them: REST and Telegram share these steps."""

from typing import Annotated

from pydantic import Field

from api.common import Prose, sentences
from api.planning import standing_request
from api.services import Services
from models.approval import QuestionState, SegmentChange, Verdict
from models.base import Contract
from models.errors import Conflict, InvalidInput, UnknownReference
from models.tables import ApprovalQuestion, Render


class Change(Contract):
    """A note on a sentence; with ``text`` (the scripts' SSML subset) it is replaced, without, performed anew."""

    segment: Annotated[int, Field(ge=0, lt=400)]
    note: Prose = ""
    text: Annotated[str, Field(max_length=4_000)] = ""


async def question_of(studio: Services, tenant: str, question_id: str) -> tuple[ApprovalQuestion, Render]:
    """A question and its render. Raises UnknownReference for any that is not that tenant's."""
    row = await studio.store.find(ApprovalQuestion, question_id)
    render = await studio.store.find(Render, row.render_id) if row else None
    if row is None or render is None or render.tenant != tenant:
        raise UnknownReference(f"no question is called {question_id!r}", field="question")
    return row, render


async def changes_of(studio: Services, render: Render, changes: tuple[Change, ...]) -> tuple[SegmentChange, ...]:
    """Changes with their texts parsed, each one sentence. Raises ScriptRejected or InvalidInput."""
    request = await standing_request(studio, render) if changes else render.request
    script = await studio.store.script(render.tenant, render.script, render.script_version) if render.script else None
    found = []
    for change in changes:
        utterance = None
        if change.text:
            pronunciations = script.pronunciations if script else ()
            spoken = await sentences(change.text, request.language, pronunciations)
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
