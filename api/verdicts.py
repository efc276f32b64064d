"""Verdicts on their way to a render or a track, whoever brings them: REST and Telegram share these steps."""

from typing import Annotated

from pydantic import Field

from api.common import Prose, sentences
from api.planning import standing_request
from api.services import Services
from models.approval import QuestionState, SegmentChange, Verdict, WorkKind
from models.base import Contract
from models.errors import Conflict, InvalidInput, UnknownReference
from models.tables import ApprovalQuestion, Render, Track


class Change(Contract):
    """A note on a sentence; with ``text`` (the scripts' SSML subset) it is replaced, without, performed anew."""

    segment: Annotated[int, Field(ge=0, lt=400)]
    note: Prose = ""
    text: Annotated[str, Field(max_length=4_000)] = ""


Work = Render | Track
"""What a question is about."""


async def question_of(studio: Services, tenant: str, question_id: str) -> tuple[ApprovalQuestion, Work]:
    """A question and what it is about. Raises UnknownReference for any that is not that tenant's."""
    row = await studio.store.find(ApprovalQuestion, question_id)
    work: Work | None = None
    if row is not None and row.render_id is not None:
        work = await studio.store.find(Render, row.render_id)
    elif row is not None and row.track_id is not None:
        work = await studio.store.find(Track, row.track_id)
    if row is None or work is None or work.tenant != tenant:
        raise UnknownReference(f"no question is called {question_id!r}", field="question")
    return row, work


async def changes_of(studio: Services, work: Work, changes: tuple[Change, ...]) -> tuple[SegmentChange, ...]:
    """Changes with their texts parsed, each one sentence. Raises ScriptRejected or InvalidInput."""
    if isinstance(work, Track):
        return tuple(map(_of_a_part, changes))
    return await _of_sentences(studio, work, changes)


def _of_a_part(change: Change) -> SegmentChange:
    if change.text:
        raise InvalidInput(
            "a song's parts are made again, not replaced by a text",
            field="changes",
            code="approval.no_text",
            action="Leave the text out and say in the note what should be different.",
        )
    return SegmentChange(segment=change.segment, note=change.note)


async def _of_sentences(studio: Services, render: Render, changes: tuple[Change, ...]) -> tuple[SegmentChange, ...]:
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


async def give(studio: Services, work: Work, verdict: Verdict) -> QuestionState:
    """Give a verdict to the render or track. Given again after that has ended, it is answered as it was then.

    Raises what it refuses it with: Forbidden, Conflict or InvalidInput.
    """
    kind = WorkKind.TRACK if isinstance(work, Track) else WorkKind.RENDER
    try:
        return await studio.renders.decide(work.id, verdict, kind)
    except Conflict as error:
        for given in await studio.store.verdicts(verdict.question_id):
            if given.id == verdict.verdict_id:
                return (await studio.store.get(ApprovalQuestion, verdict.question_id)).state
        raise Conflict(
            f"this question is closed: the {kind.value} has ended", code="approval.closed", action=error.action
        ) from error
