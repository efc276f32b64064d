"""A track's promises: what is decided and by whom, what another take makes again, and how faults and silence end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest_asyncio
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from models.approval import ApprovalPolicy, Question, SegmentChange
from models.engines import resolve_track_plan
from models.errors import PROVIDER_RESTS, EngineFailed, ProviderFault, ScriptRejected
from models.knowledge import Likest
from models.lanes import Lane
from models.quality import Figure, Sense
from models.render import Resume
from models.track import PARTS, TrackPart, TrackProgress, TrackRequest, TrackResult, TrackState
from tests.workflows.label import InstantLabel, track
from tests.workflows.recording import keep
from tests.workflows.studio import ANA, verdict
from workflows.publication import PublicationWorkflow
from workflows.track import TrackWorkflow

WORKFLOWS = (TrackWorkflow, PublicationWorkflow)
Handle = WorkflowHandle[TrackWorkflow, TrackResult]


class Room:
    """An instant label at work on a server."""

    def __init__(self, environment: WorkflowEnvironment) -> None:
        self.environment = environment
        self.label = InstantLabel()

    async def start(self, **changes: Any) -> Handle:
        request: TrackRequest = track(**changes)
        return await self.environment.client.start_workflow(
            TrackWorkflow.run, request, id=f"track/{request.track_id}", task_queue="studio"
        )

    async def until(self, handle: Handle, holds: Callable[[TrackProgress], bool]) -> TrackProgress:
        while not holds(now := await handle.query(TrackWorkflow.progress)):  # noqa: ASYNC110 - can only be asked again
            await asyncio.sleep(0.05)
        return now

    async def question(self, handle: Handle, attempt: int = 1) -> Question:
        """The open question of that round, once its message has gone out (see ``Stage.question``)."""
        now = await self.until(handle, lambda now: now.question is not None and now.question.round == attempt)
        assert now.question is not None
        while not any(told.question == now.question for told in self.label.asked):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
        while (await handle.describe()).raw_description.pending_activities:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
        return now.question


@pytest_asyncio.fixture(loop_scope="function")
async def room(skipping: WorkflowEnvironment) -> AsyncIterator[Room]:
    room = Room(skipping)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(Worker(skipping.client, task_queue="studio", workflows=WORKFLOWS))
        for lane in ("cpu", "io", "gpu", "knowledge"):
            worker = Worker(skipping.client, task_queue=lane, activities=room.label.activities())
            await stack.enter_async_context(worker)
        yield room


async def test_a_track_is_made_asked_about_and_released(room: Room) -> None:
    handle = await room.start()
    question = await room.question(handle)
    assert question.parts == PARTS and question.audio is not None
    await handle.execute_update(TrackWorkflow.decide, verdict(question, "approve"))
    result = await handle.result()
    assert (result.state, result.decided_by, result.title) == (TrackState.RELEASED, ("ana",), "Rain Light")
    assert result.release is not None and result.release.isrc == "XXGRM2600001"
    assert len(room.label.kept) == len(room.label.released_) == 1
    assert room.label.states[-1] is TrackState.RELEASED


async def test_a_returning_chorus_is_sung_once_and_heard_wherever_it_returns(room: Room) -> None:
    result = await (await room.start(approval=ApprovalPolicy(required=False))).result()
    assert result.state is TrackState.RELEASED
    assert room.label.made["vocals"] == 2


async def test_the_house_decides_on_autopilot_only_where_every_figure_holds(room: Room) -> None:
    result = await (await room.start(autopilot=True)).result()
    assert (result.state, result.decided_by) == (TrackState.RELEASED, ("autopilot",))
    room.label.figures = (Figure(name="lyric_error_rate", value=0.9, sense=Sense.AT_MOST, reach=0.35),)
    handle = await room.start(autopilot=True, track_id="vela-0002", number=2)
    question = await room.question(handle)
    await handle.execute_update(TrackWorkflow.decide, verdict(question, "reject", reason="poor_quality"))
    result = await handle.result()
    assert (result.state, result.reason, result.decided_by) == (TrackState.REJECTED, "poor_quality", ("ana",))


async def test_a_song_that_the_house_has_already_is_made_anew_and_nobody_is_asked_about_it(room: Room) -> None:
    room.label.likest_ = [Likest(track_id="vela-0009", title="Old Song", likeness=0.99), Likest()]
    result = await (await room.start(autopilot=True)).result()
    assert result.state is TrackState.RELEASED
    assert room.label.made["music"] == room.label.made["lyrics"] == room.label.made["mix"] == 2
    assert all(len(room.label.seeds[stage]) == 2 for stage in ("music", "lyrics", "mix"))
    assert next(figure.value for figure in result.figures if figure.name == "likeness") == 0


async def test_a_song_that_is_an_earlier_one_twice_waits_for_a_person_and_reaches_no_reviewer(room: Room) -> None:
    again = Likest(track_id="vela-0009", title="Old Song", likeness=0.99)
    room.label.likest_ = [again, again, again, Likest()]
    handle = await room.start()
    now = await room.until(handle, lambda now: now.state is TrackState.BLOCKED)
    (blocked,) = now.failures
    assert (blocked.step, blocked.failure.code) == ("check", "track.too_alike")
    assert "Old Song" in blocked.failure.message and "made anew" in now.fell_back[-1]
    await handle.execute_update(TrackWorkflow.resume, Resume(resume_id="1", who="ana"))
    await room.until(handle, lambda now: room.label.made["music"] == 3 and now.state is TrackState.BLOCKED)
    assert not room.label.asked
    await handle.execute_update(TrackWorkflow.resume, Resume(resume_id="2", who="ana"))
    question = await room.question(handle)
    await handle.execute_update(TrackWorkflow.decide, verdict(question, "approve"))
    assert (await handle.result()).state is TrackState.RELEASED
    assert room.label.made["remembered"] == 1


async def test_other_words_are_written_and_sung_but_the_music_stays(room: Room) -> None:
    handle = await room.start()
    question = await room.question(handle)
    part = PARTS.index(TrackPart.LYRICS)
    changes = (SegmentChange(segment=part, note="less rain"),)
    await handle.execute_update(TrackWorkflow.decide, verdict(question, "changes", changes=changes))
    again = await room.question(handle, attempt=2)
    assert again.video.sha256 != question.video.sha256
    made = room.label.made
    assert (made["music"], made["analysis"], made["lyrics"], made["vocals"]) == (1, 1, 2, 4)
    assert "less rain" in room.label.notes[-1]
    await handle.execute_update(TrackWorkflow.decide, verdict(again, "approve"))
    assert (await handle.result()).state is TrackState.RELEASED


async def test_another_video_leaves_the_song_as_it_is(room: Room) -> None:
    handle = await room.start()
    question = await room.question(handle)
    changes = (SegmentChange(segment=PARTS.index(TrackPart.VIDEO), note="slower"),)
    await handle.execute_update(TrackWorkflow.decide, verdict(question, "changes", changes=changes))
    again = await room.question(handle, attempt=2)
    assert again.audio == question.audio and again.video != question.video
    await handle.execute_update(TrackWorkflow.decide, verdict(again, "approve"))
    assert (await handle.result()).state is TrackState.RELEASED
    assert (room.label.made["mix"], room.label.made["musicvideo"]) == (1, 4)


async def test_a_provider_that_fails_is_passed_over_and_the_result_says_so(room: Room) -> None:
    composer = resolve_track_plan({}).music[0]
    first = composer.model_copy(update={"name": "elsewhere"})
    plan = resolve_track_plan({}).model_copy(update={"music": (first, composer)})
    room.label.failing["music by elsewhere"] = EngineFailed("no answer")
    handle = await room.start(plan=plan, approval=ApprovalPolicy(required=False))
    assert (await handle.result()).state is TrackState.RELEASED
    now = await handle.query(TrackWorkflow.progress)
    assert now.fell_back == ("music: composer instead of elsewhere (no answer)",)


async def test_a_provider_that_rests_is_passed_over_at_once_and_the_result_says_why(room: Room) -> None:
    composer = resolve_track_plan({}).music[0]
    first = composer.model_copy(update={"name": "elsewhere", "lane": Lane.IO})
    plan = resolve_track_plan({}).model_copy(update={"music": (first, composer)})
    room.label.failing["music by elsewhere"] = ProviderFault(
        "Elsewhere rests until noon: no answer", code=PROVIDER_RESTS
    )
    handle = await room.start(plan=plan, approval=ApprovalPolicy(required=False))
    assert (await handle.result()).state is TrackState.RELEASED
    now = await handle.query(TrackWorkflow.progress)
    assert now.fell_back == ("music: composer instead of elsewhere (Elsewhere rests until noon: no answer)",)
    assert room.label.tried["music by elsewhere"] == 1
    credits_ = {credit.role: credit.engine for credit in room.label.described[0].made_by}
    assert credits_["music"] == "composer"


async def test_a_release_is_explicit_by_its_words_and_not_by_leave(room: Room) -> None:
    rude = track().identity.model_copy(update={"explicit": True})
    for number, found in enumerate((False, True), start=1):
        room.label.explicit = found
        handle = await room.start(
            track_id=f"vela-000{number}",
            number=number,
            identity=rude,
            seed=number,
            approval=ApprovalPolicy(required=False),
        )
        assert (await handle.result()).state is TrackState.RELEASED
    assert [one.explicit for one in room.label.described] == [False, True]


async def test_a_stage_that_fails_waits_for_a_person_and_goes_on_from_there(room: Room) -> None:
    room.label.failing["vocals"] = ScriptRejected("a word that cannot be sung")
    handle = await room.start(approval=ApprovalPolicy(required=False))
    now = await room.until(handle, lambda now: now.state is TrackState.BLOCKED and len(now.failures) == 2)
    assert {failure.step for failure in now.failures} == {"vocals 1", "vocals 2"}
    room.label.failing.clear()
    await handle.execute_update(TrackWorkflow.resume, Resume(resume_id="mended", who="priya"))
    assert (await handle.result()).state is TrackState.RELEASED
    assert room.label.made["music"] == 1


async def test_a_fault_that_nobody_mends_ends_the_track_and_says_what_it_was(room: Room) -> None:
    room.label.failing["mix"] = EngineFailed("the desk is broken")
    handle = await room.start()
    await room.until(handle, lambda now: now.state is TrackState.BLOCKED)
    await room.environment.sleep(timedelta(days=31))
    result = await handle.result()
    assert result.state is TrackState.FAILED
    assert result.fault is not None and "broken" in result.fault.message


async def test_silence_lapses_and_is_no_rejection(room: Room) -> None:
    handle = await room.start(approval=ApprovalPolicy(reviewers=(ANA,), remind_after_s=(), expire_after_s=86_400))
    await room.question(handle)
    await room.environment.sleep(timedelta(days=40))
    result = await handle.result()
    assert (result.state, result.reason, result.decided_by) == (TrackState.LAPSED, "", ())


async def test_a_track_with_every_turn_replays(room: Room) -> None:
    composer = resolve_track_plan({}).music[0]
    plan = resolve_track_plan({}).model_copy(
        update={"music": (composer.model_copy(update={"name": "elsewhere"}), composer)}
    )
    room.label.failing["music by elsewhere"] = EngineFailed("no answer")
    room.label.failing["mix"] = EngineFailed("the desk is broken")
    with room.environment.auto_time_skipping_disabled():
        handle = await room.start(plan=plan)
        await room.until(handle, lambda now: now.state is TrackState.BLOCKED)
        room.label.failing.clear()
        await handle.execute_update(TrackWorkflow.resume, Resume(resume_id="r", who="priya"), id="r")
        question = await room.question(handle)
        changes = (SegmentChange(segment=PARTS.index(TrackPart.VOCALS), note="softer"),)
        await handle.execute_update(TrackWorkflow.decide, verdict(question, "changes", changes=changes), id="c")
        second = await room.question(handle, 2)
        await handle.execute_update(TrackWorkflow.decide, verdict(second, "approve"), id="v")
        assert (await handle.result()).state is TrackState.RELEASED
    await keep(handle, "track-every-turn")
