"""An artist's songs are planned with what is in the air and what is tried; what harms the house harms no artist."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from activities.support.errors import from_failure
from models.artist import Budget, EventKind, Pacing, Pause, Resume, TrackAnswer
from models.lifecycle import Cause, Heard, LifeState, Standing
from models.outlook import Assignment, Outlook, Trend, Variant
from models.performance import AudienceReport
from models.reflection import Change, Proposal
from models.track import TrackRequest, TrackResult, TrackState
from tests.workflows.artists import House, ScriptedTrack, at_work, replay, request
from workflows.artist import ArtistWorkflow
from workflows.life import Life

DAY = timedelta(days=1)
NOW = datetime(2030, 1, 1, tzinfo=UTC)
RAIN = Trend(name="rain", words=("umbrella",), energy=1.0, weight=1, set_by="priya")
FASTER = Assignment(experiment="e", variant=Variant(name="faster", change=Change.FASTER))


@pytest_asyncio.fixture(loop_scope="function")
async def house(skipping: WorkflowEnvironment) -> AsyncIterator[House]:
    ScriptedTrack.endings.clear()
    ScriptedTrack.lasts.clear()
    ScriptedTrack.breaking.clear()
    async with at_work(skipping) as house:
        yield house


async def made(house: House, track_id: str) -> TrackRequest:
    history = await house.client.get_workflow_handle(f"track/{track_id}").fetch_history()
    payload = history.events[0].workflow_execution_started_event_attributes.input.payloads[0]
    return TrackRequest.model_validate_json(payload.data)


async def test_each_song_is_planned_with_what_there_is_when_it_is_due_and_the_history_replays(house: House) -> None:
    house.tables.outlooks = {2: Outlook(trends=(RAIN,)), 3: Outlook(assignment=FASTER)}
    handle = await house.start(request())
    life = await house.until(handle, lambda life: life.releases == 3, DAY)
    plain, leaned, tried = [await made(house, release.track_id) for release in life.catalogue]
    assert (plain.trends, plain.variant, plain.brief) == ((), "", "")
    assert (leaned.trends, leaned.variant) == (("rain",), "")
    assert "umbrella" in leaned.brief and "umbrella" in leaned.song.prompt
    assert (tried.trends, tried.variant) == ((), "e/faster")
    assert tried.identity.version == plain.identity.version
    assert tried.song.tempo_bpm > 1.05 * tried.identity.tempo_low / 1.1
    assert [query.number for query in house.tables.asked] == [1, 2, 3]
    await replay(await house.histories(handle))


async def test_a_song_that_is_tried_again_is_planned_as_it_was(house: House) -> None:
    ScriptedTrack.endings["vela", 1] = TrackState.FAILED
    house.tables.outlooks = {1: Outlook(trends=(RAIN,), assignment=FASTER)}
    handle = await house.start(request())
    await house.until(handle, lambda life: life.incident is not None and life.incident.faults == 2)
    house.tables.outlooks = {}
    ScriptedTrack.endings.clear()
    life = await house.until(handle, lambda life: life.releases == 1)
    again = await made(house, life.catalogue[0].track_id)
    assert (again.trends, again.variant) == (("rain",), "e/faster")
    assert [query.number for query in house.tables.asked] == [1]


async def test_what_an_experiment_found_out_is_taken_up_once_as_it_was_tried(house: House) -> None:
    found = Proposal(
        change=Change.SOUND, reason="experiment e: it did better", songs=24, effect=0.4, experiment="e/sound"
    )
    house.tables.outlooks = {number: Outlook(findings=(found,)) for number in range(1, 40)}
    for number in (1, 3, 4, 5, 6, 8, 9, 10):
        ScriptedTrack.endings["vela", number] = TrackState.REJECTED
    handle = await house.start(request())
    life = await house.until(handle, lambda life: life.state is LifeState.EVOLVING, DAY)
    assert life.identity.version == 2
    assert found not in life.proposals
    timeline = await handle.query(ArtistWorkflow.timeline)
    (evolved,) = [event for event in timeline.events if event.kind is EventKind.EVOLVED]
    assert "experiment e" in evolved.text


async def test_an_id_that_was_another_command_s_is_refused(house: House) -> None:
    handle = await house.start(request(pacing=Pacing(on_demand=True)))
    await handle.execute_update(ArtistWorkflow.pause, Pause(command_id="k", who="ben"), id="one")
    again = await handle.execute_update(ArtistWorkflow.pause, Pause(command_id="k", who="ben"), id="two")
    assert again.repeated
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(ArtistWorkflow.resume, Resume(command_id="k", who="ben"), id="three")
    assert from_failure(refused.value).code == "artist.command_reused"
    assert (await handle.query(ArtistWorkflow.life)).state is LifeState.PAUSED


def living(**changes: Any) -> Life:
    return Life(request(**changes), NOW)


def ended(life: Life, at: datetime, state: TrackState = TrackState.RELEASED) -> None:
    running = life.state.running
    assert running is not None
    result = TrackResult(
        track_id=running.track_id,
        number=running.number,
        state=state,
        title="x",
        identity_version=running.version,
        decided_by=("ana",),
    )
    life.ended(TrackAnswer(result=result), at)


@pytest.mark.parametrize("days", [46, 400, 4_000])
def test_a_house_that_was_down_for_long_or_a_clock_that_jumped_ahead_pauses_nobody(days: int) -> None:
    life = living()
    life.begin(NOW)
    ended(life, NOW)
    later = NOW + timedelta(days=days)
    life.review(later)
    assert life.state.standing.state is LifeState.CANDIDATE
    assert life.next_track_at(later) == later


def test_who_is_idle_of_its_own_accord_is_paused_all_the_same() -> None:
    life = living(pacing=Pacing(on_demand=True))
    life.review(NOW + 46 * DAY)
    assert life.state.standing.cause is Cause.INACTIVE


def test_a_rest_that_the_house_slept_through_counts_no_more_than_it_was_to_take() -> None:
    life = living()
    rest = Standing(
        state=LifeState.PAUSED, since=NOW, cause=Cause.REFUSED, counted_from=NOW, until=NOW + 30 * DAY, rested_days=30
    )
    life.state = life.state.model_copy(update={"standing": rest})
    life.review(NOW + 400 * DAY)
    assert life.state.standing.state is LifeState.EVOLVING


def test_a_clock_that_was_ahead_and_is_put_right_keeps_nothing_waiting() -> None:
    ahead = NOW + 3_000 * DAY
    life = living()
    life.begin(ahead)
    ended(life, ahead, TrackState.FAILED)
    life.review(NOW)
    assert life.state.incident is not None
    retry = life.next_track_at(NOW)
    assert retry is not None and retry <= NOW + 7 * DAY
    life.begin(NOW)
    ended(life, NOW)
    life.review(NOW)
    after = life.next_track_at(NOW)
    assert after is not None and after <= NOW + life.state.pacing.gap
    assert life.state.facts.last_active <= NOW


def test_figures_from_the_future_do_not_keep_later_ones_from_counting() -> None:
    life = living()
    life.begin(NOW)
    ended(life, NOW)

    def told(as_of: datetime, score: float) -> None:
        heard = Heard(number=1, as_of=as_of, listeners=500, score=score)
        life.hear(AudienceReport(report_id="r", heard=(heard,)), NOW + DAY)

    told(NOW + 9_000 * DAY, 0.1)
    life.hear(
        AudienceReport(report_id="s", heard=(Heard(number=1, as_of=NOW + 2 * DAY, listeners=600, score=0.9),)),
        NOW + 2 * DAY,
    )
    assert life.state.facts.heard[0].score == 0.9


def test_figures_of_what_was_never_released_count_for_nothing() -> None:
    life = living()
    taken = life.hear(AudienceReport(report_id="r", heard=(Heard(number=7, as_of=NOW, listeners=500, score=0.9),)), NOW)
    assert (taken.taken, taken.unknown, life.state.facts.heard) == ((), (7,), ())


def test_a_spent_budget_says_since_when_and_when_it_is_there_again() -> None:
    life = living(pacing=Pacing(gap_hours=24, budget=Budget(period_days=30, tracks=1)))
    life.begin(NOW)
    ended(life, NOW)
    life.review(NOW)
    assert life.life(NOW).parked_since == NOW
    later = NOW + 31 * DAY
    life.review(later)
    assert (life.life(later).parked, life.life(later).parked_since) == (False, None)
    assert [event.kind for event in life.timeline.events][-2:] == [EventKind.PARKED, EventKind.RECOVERED]
