"""What a render promises beyond its stages: nothing made twice, nobody's silence a no, every failure a way on."""

import asyncio

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models.approval import ApprovalPolicy, QuestionState, SegmentChange
from models.errors import EngineFailed, FailureDetails, StorageFull
from models.layout import Brand, Layout, LowerThird
from models.quality import Figure, Sense
from models.render import RenderProgress, RenderState, Resume, Step
from tests.workflows.conftest import Stage
from tests.workflows.studio import ANA, BEN, BROKEN, request, utterance, verdict
from workflows.render import RenderWorkflow

SENTENCES = ("Good morning.", "Revenue grew.", "Thank you.")


def asked(now: RenderProgress) -> bool:
    return now.state is RenderState.AWAITING_APPROVAL and now.question is not None


def refusal(error: WorkflowUpdateFailedError) -> str:
    assert isinstance(error.cause, ApplicationError)
    assert FailureDetails.model_validate(error.cause.details[0]).action
    return error.cause.type or ""


async def test_a_render_is_made_checked_asked_about_and_completed(stage: Stage) -> None:
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        question = await stage.question(handle)
        assert (await stage.progress(handle)).steps == (Step.DONE,) * 3
        answer = await handle.execute_update(RenderWorkflow.decide, verdict(question, "approve"), id="v1")
        assert answer is QuestionState.APPROVED
        result = await handle.result()
    assert result.state is RenderState.COMPLETE
    assert result.approved_by == ("ana",)
    assert result.cost.stages_made == 6 * 3 + 4
    assert stage.studio.states[-1] is RenderState.COMPLETE
    assert stage.studio.closed == stage.studio.taken_back == [QuestionState.APPROVED]


async def test_ninety_silent_days_expire_and_are_never_a_no(stage: Stage) -> None:
    policy = ApprovalPolicy(
        reviewers=(ANA,), remind_after_s=(7 * 86_400, 30 * 86_400), escalate_after_s=60 * 86_400,
        escalate_to=(BEN,), expire_after_s=90 * 86_400,
    )  # fmt: skip
    handle = await stage.start(request(*SENTENCES, approval=policy))
    with pytest.raises(WorkflowFailureError):
        # Nobody resumes the expired question either: the render ends as failed, not as rejected.
        await handle.result()
    assert [ask.reminder for ask in stage.studio.asked] == [0, 1, 2, 0]
    assert stage.studio.asked[-1].reviewers == (BEN,)
    assert stage.studio.closed == [QuestionState.EXPIRED]
    assert RenderState.EXPIRED in stage.studio.states
    assert RenderState.REJECTED not in stage.studio.states


async def test_an_expired_question_is_asked_again_on_resume(stage: Stage) -> None:
    policy = ApprovalPolicy(reviewers=(ANA,), remind_after_s=(), expire_after_s=60)
    handle = await stage.start(request(*SENTENCES, approval=policy))
    await stage.until(handle, asked)
    await stage.environment.sleep(61)
    with stage.environment.auto_time_skipping_disabled():
        await stage.until(handle, lambda now: now.state is RenderState.EXPIRED)
        await handle.execute_update(RenderWorkflow.resume, Resume(resume_id="r1", who="priya"), id="r1")
        question = await stage.question(handle, 2)
        await handle.execute_update(RenderWorkflow.decide, verdict(question, "approve"), id="v1")
        assert (await handle.result()).state is RenderState.COMPLETE
    assert stage.studio.made["assemble:film"] == 1


async def test_only_listed_reviewers_count_once_and_on_these_bytes(stage: Stage) -> None:
    policy = ApprovalPolicy(reviewers=(ANA, BEN), quorum=2)
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES, approval=policy))
        question = await stage.question(handle)
        cases = {
            "approval.stranger": verdict(question, "approve", reviewer="eve"),
            "approval.other_bytes": verdict(question, "approve", sha256="0" * 64),
            "approval.stale": verdict(question, "approve", question_id="render-1.7"),
            "approval.reason_missing": verdict(question, "reject"),
            "approval.changes_missing": verdict(question, "changes"),
            "approval.segment_unknown": verdict(question, "changes", changes=(SegmentChange(segment=3),)),
        }
        for code, bad in cases.items():
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await handle.execute_update(RenderWorkflow.decide, bad, id=code)
            assert refusal(refused.value) == code
        first = verdict(question, "approve")
        for _ in range(2):
            answer = await handle.execute_update(RenderWorkflow.decide, first, id="ana-1")
            assert answer is QuestionState.OPEN
        with pytest.raises(WorkflowUpdateFailedError) as again:
            await handle.execute_update(RenderWorkflow.decide, first, id="ana-2")
        assert refusal(again.value) == "approval.decided"
        assert len((await stage.progress(handle)).verdicts) == 1
        await handle.execute_update(RenderWorkflow.decide, verdict(question, "approve", reviewer="ben"), id="b")
        assert (await handle.result()).approved_by == ("ana", "ben")


async def test_a_film_below_its_thresholds_is_not_approved_unawares(stage: Stage) -> None:
    stage.studio.figures = (Figure(name="word_error_rate", value=0.4, sense=Sense.AT_MOST, reach=0.05),)
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        question = await stage.question(handle)
        assert not question.passed
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(RenderWorkflow.decide, verdict(question, "approve"), id="v1")
        assert refusal(refused.value) == "approval.below_threshold"
        knowing = verdict(question, "approve", accepts_below_threshold=True)
        await handle.execute_update(RenderWorkflow.decide, knowing, id="v2")
        assert (await handle.result()).state is RenderState.COMPLETE


async def test_changes_make_just_those_segments_again(stage: Stage) -> None:
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        question = await stage.question(handle)
        changes = (SegmentChange(segment=1, note="say grew", utterance=utterance("Revenue grew by a tenth.")),)
        await handle.execute_update(RenderWorkflow.decide, verdict(question, "changes", changes=changes), id="v1")
        second = await stage.question(handle, 2)
        assert second.video != question.video
        await handle.execute_update(RenderWorkflow.decide, verdict(second, "approve"), id="v2")
        await handle.result()
    assert stage.studio.made["speech:Good morning."] == 1
    assert stage.studio.made["speech:Revenue grew."] == 1
    assert stage.studio.made["speech:Revenue grew by a tenth."] == 1
    assert stage.studio.made["assemble:film"] == 2


async def test_a_note_without_words_performs_the_segment_anew(stage: Stage) -> None:
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        question = await stage.question(handle)
        changes = (SegmentChange(segment=2, note="warmer, please"),)
        await handle.execute_update(RenderWorkflow.decide, verdict(question, "changes", changes=changes), id="v1")
        await stage.question(handle, 2)
    assert stage.studio.made["speech:Thank you."] == 2
    assert stage.studio.made["speech:Good morning."] == 1


async def test_a_failed_segment_says_who_must_act_and_resumes_with_nothing_made_twice(stage: Stage) -> None:
    stage.studio.failing["speech", "Revenue grew."] = BROKEN
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        now = await stage.until(handle, lambda now: now.steps == (Step.DONE, Step.FAILED, Step.DONE))
        assert now.state is RenderState.BLOCKED
        (failure,) = now.failures
        assert (failure.segment, failure.stage) == (1, "speech")
        assert failure.failure.code == "engine.failed"
        assert failure.failure.action
        stage.studio.failing.clear()
        for _ in range(2):
            await handle.execute_update(RenderWorkflow.resume, Resume(resume_id="r", who="priya"), id="same")
        now = await stage.until(handle, asked)
        assert now.failures == ()
    assert stage.studio.made["speech:Revenue grew."] == 2
    assert stage.studio.made["speech:Good morning."] == 1
    assert stage.studio.made["measure:Thank you."] == 1


async def test_a_segment_that_is_stuck_holds_back_only_what_depends_on_its_length(stage: Stage) -> None:
    """Each sentence lasts a second, the title goes at three: behind the one that is stuck, those that may begin before
    it goes wait, performed, for their picture. One that is stuck when its length is known holds back nobody."""
    titled = Layout(brand=Brand(name="Acme"), lower_third=LowerThird(name="Avery", start_ms=500, duration_ms=2_500))
    texts = tuple(f"Sentence {number}." for number in range(6))
    stage.studio.failing["speech", texts[0]] = BROKEN
    stage.studio.failing["measure", texts[1]] = BROKEN
    composing, done = Step.COMPOSING, Step.DONE
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*texts, layout=titled))
        waiting = (Step.FAILED, composing, composing, composing, done, done)
        await stage.until(handle, lambda now: now.steps == waiting)
        stage.studio.failing.pop(("speech", texts[0]))
        await handle.execute_update(RenderWorkflow.resume, Resume(resume_id="r", who="priya"), id="r")
        await stage.until(handle, lambda now: now.steps == (done, Step.FAILED, done, done, done, done))


@pytest.mark.parametrize("code", ["engine.failed", "engine.not_served", "alignment.timings_unfit"])
async def test_the_next_aligner_stands_in_and_the_result_says_so(stage: Stage, code: str) -> None:
    stage.studio.failing["alignment", "timings"] = EngineFailed("no", code=code)
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        now = await stage.until(handle, asked)
    assert sorted(now.fell_back) == [f"segment {n}: pocketsphinx instead of timings" for n in (1, 2, 3)]


async def test_a_studio_that_ails_under_an_aligner_is_mended_and_no_other_aligner_asked(stage: Stage) -> None:
    stage.studio.failing["alignment", "timings"] = StorageFull("the disk is full")
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        now = await stage.until(handle, lambda now: now.steps == (Step.FAILED,) * 3)
        assert {failure.failure.code for failure in now.failures} == {"storage.full"}
        stage.studio.failing.clear()
        await handle.execute_update(RenderWorkflow.resume, Resume(resume_id="r", who="priya"), id="r")
        now = await stage.until(handle, asked)
    assert now.fell_back == ()


async def test_cancel_leaves_nothing_open(stage: Stage) -> None:
    stage.studio.hold = asyncio.Event()
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        # All that is held up is under way, and nothing else: the time-skipping server loses a workflow's task that
        # cancels what has just completed.
        await stage.until(handle, lambda now: now.steps == (Step.AVATAR,) * 3 and now.cost.stages_made == 3 * 3 + 2)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert stage.studio.states[-1] is RenderState.CANCELLED


async def test_cancel_takes_an_open_question_back(stage: Stage) -> None:
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        await stage.question(handle)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert stage.studio.closed == stage.studio.taken_back == [QuestionState.WITHDRAWN]
    assert stage.studio.states[-1] is RenderState.CANCELLED


async def test_a_lane_nobody_serves_is_named_and_waited_for(stage: Stage) -> None:
    stage.studio.idle = ("cpu",)
    stage.studio.hold = asyncio.Event()
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        now = await stage.until(handle, lambda now: bool(now.waiting_for_lanes))
        assert now.waiting_for_lanes == ("cpu",)
        stage.studio.idle = ()
        stage.studio.hold.set()
        now = await stage.until(handle, lambda now: asked(now) and not now.waiting_for_lanes)


async def test_the_same_request_again_is_found_whole(stage: Stage) -> None:
    with stage.environment.auto_time_skipping_disabled():
        first = await stage.question(await stage.start(request(*SENTENCES)))
        made = stage.studio.made.total()
        second = await stage.question(await stage.start(request(*SENTENCES, render_id="render-2")))
    assert second.video == first.video
    assert stage.studio.made.total() == made
