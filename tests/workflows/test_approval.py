"""Questions while a messenger is away: a verdict over REST is heard at once, and every clock goes on."""

from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError

from models.approval import ApprovalPolicy, Question, QuestionState, SegmentChange
from models.errors import InvalidInput, ProviderFault
from models.render import RenderProgress, RenderRequest, RenderResult, RenderState, Resume
from tests.workflows.conftest import Stage
from tests.workflows.recording import keep
from tests.workflows.studio import ANA, BEN, request, verdict
from workflows.render import RenderWorkflow

AWAY = ProviderFault("Telegram does not answer")
DAY = 86_400

Handle = WorkflowHandle[RenderWorkflow, RenderResult]


async def unanswered(stage: Stage, asked: RenderRequest) -> tuple[Handle, Question]:
    """A render whose question is open and on its way to a Telegram that is away."""
    stage.studio.telegram = AWAY
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(asked)
        now = await stage.until(handle, lambda now: now.question is not None)
    return handle, question_of(now)


def question_of(now: RenderProgress) -> Question:
    assert now.question is not None
    return now.question


async def between(handle: Handle, accepted: str, activity: str) -> list[int]:
    """Types of the events between that update's acceptance and the next activity of that name."""
    events = [event async for event in handle.fetch_history_events()]
    first = next(
        number
        for number, event in enumerate(events)
        if event.workflow_execution_update_accepted_event_attributes.accepted_request.meta.update_id == accepted
    )
    following = events[first + 1 :]
    last = next(
        number
        for number, event in enumerate(following)
        if event.activity_task_scheduled_event_attributes.activity_type.name == activity
    )
    return [event.event_type for event in following[:last]]


async def test_a_verdict_goes_on_within_its_own_workflow_task_while_telegram_is_away(stage: Stage) -> None:
    handle, question = await unanswered(stage, request("Good morning."))
    await stage.environment.sleep(timedelta(days=3))
    answer = await handle.execute_update(RenderWorkflow.decide, verdict(question, "approve"), id="v")
    assert answer is QuestionState.APPROVED
    await stage.until(handle, lambda now: now.state is RenderState.COMPLETE)
    assert stage.studio.closed == [QuestionState.APPROVED]
    passed = await between(handle, "v", "approvals.record")
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED not in passed
    stage.studio.telegram = None
    assert (await handle.result()).state is RenderState.COMPLETE
    assert stage.studio.asked == []
    assert stage.studio.taken_back == [QuestionState.APPROVED]
    await keep(handle, "messenger-away")


async def test_changes_are_made_and_asked_about_while_telegram_is_away(stage: Stage) -> None:
    handle, question = await unanswered(stage, request("Good morning.", "Thank you."))
    changes = (SegmentChange(segment=1, note="warmer"),)
    with stage.environment.auto_time_skipping_disabled():
        await handle.execute_update(RenderWorkflow.decide, verdict(question, "changes", changes=changes), id="v1")
        now = await stage.until(handle, lambda now: now.question is not None and now.question.round == 2)
    stage.studio.telegram = None
    await stage.environment.sleep(timedelta(hours=7))
    second = await stage.question(handle, 2)
    assert second == now.question
    await handle.execute_update(RenderWorkflow.decide, verdict(second, "approve"), id="v2")
    assert (await handle.result()).state is RenderState.COMPLETE
    assert [told.question.round for told in stage.studio.asked] == [2]
    assert sorted(stage.studio.taken_back) == [QuestionState.APPROVED, QuestionState.CHANGES]


async def test_a_render_ends_although_its_messages_cannot_be_taken_back(stage: Stage) -> None:
    handle = await stage.start(request("Good morning."))
    question = await stage.question(handle)
    stage.studio.telegram = AWAY
    await handle.execute_update(RenderWorkflow.decide, verdict(question, "approve"), id="v")
    assert (await handle.result()).state is RenderState.COMPLETE
    assert stage.studio.taken_back == []


async def test_cancelling_a_render_that_is_decided_only_gives_up_taking_back(stage: Stage) -> None:
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request("Good morning."))
        question = await stage.question(handle)
        stage.studio.telegram = AWAY
        await handle.execute_update(RenderWorkflow.decide, verdict(question, "approve"), id="v")
        await stage.until(handle, lambda now: now.state is RenderState.COMPLETE)
        await handle.cancel()
        assert (await handle.result()).state is RenderState.COMPLETE
    assert stage.studio.states[-1] is RenderState.COMPLETE


async def test_who_has_just_been_asked_is_not_reminded_and_later_reminders_keep_their_day(stage: Stage) -> None:
    policy = ApprovalPolicy(
        reviewers=(ANA,), remind_after_s=(1 * DAY, 7 * DAY, 30 * DAY), escalate_after_s=2 * DAY, escalate_to=(BEN,),
        expire_after_s=40 * DAY,
    )  # fmt: skip
    handle, _ = await unanswered(stage, request("Good morning.", approval=policy))
    await stage.environment.sleep(timedelta(days=10))
    stage.studio.telegram = None
    await stage.environment.sleep(timedelta(days=29))
    assert [(told.reminder, len(told.reviewers)) for told in stage.studio.asked] == [(0, 1), (0, 1), (3, 2)]
    assert [told.reviewers[0] for told in stage.studio.asked] == [ANA, BEN, ANA]
    assert (await stage.progress(handle)).question is not None
    await stage.environment.sleep(timedelta(days=2))
    assert stage.studio.closed == stage.studio.taken_back == [QuestionState.EXPIRED]
    await keep(handle, "expired")


async def test_escalation_and_expiry_keep_their_time_without_telegram(stage: Stage) -> None:
    policy = ApprovalPolicy(
        reviewers=(ANA,), remind_after_s=(DAY,), escalate_after_s=5 * DAY, escalate_to=(BEN,), expire_after_s=9 * DAY
    )
    handle, question = await unanswered(stage, request("Good morning.", approval=policy))
    await stage.environment.sleep(timedelta(days=4))
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(RenderWorkflow.decide, verdict(question, "approve", reviewer="ben"), id="early")
    await stage.environment.sleep(timedelta(days=6))
    await stage.until(handle, lambda now: now.state is RenderState.EXPIRED)
    await handle.execute_update(RenderWorkflow.resume, Resume(resume_id="r", who="priya"), id="r")
    await stage.until(handle, lambda now: now.question is not None)
    await stage.environment.sleep(timedelta(days=6))
    second = question_of(await stage.progress(handle))
    answer = await handle.execute_update(RenderWorkflow.decide, verdict(second, "approve", reviewer="ben"), id="v")
    assert answer is QuestionState.APPROVED
    assert stage.studio.asked == []


async def test_a_question_that_cannot_be_sent_at_all_says_so_and_is_decided_over_rest(stage: Stage) -> None:
    stage.studio.telegram = InvalidInput("the question's id is too long for a button")
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request("Good morning."))
        now = await stage.until(handle, lambda now: "too long for a button" in now.detail)
        assert now.state is RenderState.AWAITING_APPROVAL
        await handle.execute_update(RenderWorkflow.decide, verdict(question_of(now), "approve"), id="v")
        assert (await handle.result()).state is RenderState.COMPLETE


async def test_a_question_on_its_way_is_withdrawn_with_its_render(stage: Stage) -> None:
    handle, _ = await unanswered(stage, request("Good morning."))
    await handle.cancel()
    await stage.until(handle, lambda now: now.state is RenderState.CANCELLED)
    assert stage.studio.closed == [QuestionState.WITHDRAWN]
    stage.studio.telegram = None
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert stage.studio.asked == []
    assert stage.studio.taken_back == [QuestionState.WITHDRAWN]
