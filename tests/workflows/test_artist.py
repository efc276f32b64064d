"""An artist lives for years: nothing it was told is lost or doubled, whatever its history is cut into."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.support.errors import from_failure
from models.artist import (
    Budget,
    ChangePacing,
    ChangePolicy,
    EventKind,
    Idea,
    Pacing,
    Pause,
    Recovered,
    Resume,
    Retire,
    SetAutopilot,
    track_id,
)
from models.lifecycle import Cause, Heard, LifePolicy, LifeState
from models.performance import AudienceReport
from models.track import TrackRequest, TrackState
from tests.workflows.artists import House, ScriptedTrack, at_work, replay, request
from workflows.artist import ArtistWorkflow

DAY = timedelta(days=1)


@pytest_asyncio.fixture(loop_scope="function")
async def house(skipping: WorkflowEnvironment) -> AsyncIterator[House]:
    ScriptedTrack.endings.clear()
    ScriptedTrack.lasts.clear()
    ScriptedTrack.breaking.clear()
    async with at_work(skipping) as house:
        yield house


async def test_ten_years_in_many_histories_are_one_life_and_each_history_replays(house: House) -> None:
    handle = await house.start(request(pacing=Pacing(gap_hours=24 * 21), max_history=400))
    await house.environment.sleep(timedelta(days=3_653))
    life = await handle.query(ArtistWorkflow.life)
    histories = await house.histories(handle)
    assert len(histories) > 5
    assert life.releases == pytest.approx(3_653 / 21, abs=2)
    assert life.state is LifeState.ACTIVE
    assert [release.number for release in life.catalogue] == list(
        range(life.releases - len(life.catalogue) + 1, life.releases + 1)
    )
    released = [event for event in house.tables.events["vela"] if event.kind is EventKind.RELEASED]
    assert len(released) == life.releases
    assert max(len(history.events) for history in histories) < 450
    await replay(histories[:2] + histories[-2:])
    timeline = await handle.query(ArtistWorkflow.timeline)
    assert (
        timeline.earlier.counts[EventKind.RELEASED] + sum(event.kind is EventKind.RELEASED for event in timeline.events)
        == life.releases
    )


async def test_commands_while_histories_are_cut_are_carried_out_once(house: House) -> None:
    handle = await house.start(request(pacing=Pacing(on_demand=True), max_history=25))
    commands = [SetAutopilot(command_id=f"c-{index}", who="ben", on=index % 2 == 0) for index in range(40)]
    for batch in range(0, 40, 4):
        sent = [
            handle.execute_update(ArtistWorkflow.set_autopilot, command, id=f"{command.command_id}-{time}")
            for command in commands[batch : batch + 4]
            for time in (1, 2)
        ]
        answers = await asyncio.gather(*sent)
        assert sum(answer.repeated for answer in answers) == 4
    assert len(await house.histories(handle)) > 3
    again = await handle.execute_update(ArtistWorkflow.set_autopilot, commands[0], id="long after")
    assert again.repeated
    timeline = await handle.query(ArtistWorkflow.timeline)
    assert sum(event.kind is EventKind.COMMAND for event in timeline.events) == 40
    await replay(await house.histories(handle))


async def test_a_track_that_outlives_the_history_is_heard_of_once(house: House) -> None:
    ScriptedTrack.lasts["vela"] = 40 * DAY
    handle = await house.start(request(max_history=30, drain_days=0))
    for index in range(30):
        await house.environment.sleep(DAY)
        command = SetAutopilot(command_id=f"c-{index}", who="ben", on=True)
        await handle.execute_update(ArtistWorkflow.set_autopilot, command, id=command.command_id)
    assert len(await house.histories(handle)) > 2
    life = await handle.query(ArtistWorkflow.life)
    assert life.running is not None
    assert life.running.number == 1
    life = await house.until(handle, lambda life: life.releases > 0, DAY)
    assert [release.number for release in life.catalogue] == [1]
    assert life.incident is None
    await replay(await house.histories(handle))


async def test_continuing_as_new_waits_for_the_track_under_way(house: House) -> None:
    ScriptedTrack.lasts["vela"] = 40 * DAY
    handle = await house.start(request(max_history=30))
    for index in range(30):
        await house.environment.sleep(DAY)
        command = SetAutopilot(command_id=f"c-{index}", who="ben", on=True)
        await handle.execute_update(ArtistWorkflow.set_autopilot, command, id=command.command_id)
    assert len(await house.histories(handle)) == 1
    await house.environment.sleep(11 * DAY)
    histories = await house.histories(handle)
    assert len(histories) == 2
    assert (await handle.query(ArtistWorkflow.life)).releases == 1
    await replay(histories)


async def test_a_track_that_breaks_off_is_an_incident_and_made_again(house: House) -> None:
    ScriptedTrack.breaking.add(track_id("house", "vela", 1))
    handle = await house.start(request())
    life = await house.until(handle, lambda life: life.incident is not None)
    assert life.incident is not None
    assert (life.state, life.incident.faults, life.incident.failure.code) == (LifeState.CANDIDATE, 1, "engine.failed")
    life = await house.until(handle, lambda life: life.releases > 0)
    assert (life.incident, [release.number for release in life.catalogue]) == (None, [1])
    assert life.catalogue[0].track_id == track_id("house", "vela", 1, attempt=2)


async def test_a_track_that_an_operator_terminates_is_missed_even_by_a_later_history(house: House) -> None:
    ScriptedTrack.lasts["vela"] = 20 * DAY
    handle = await house.start(request(max_history=20, drain_days=0))
    life = await house.until(handle, lambda life: life.running is not None)
    for index in range(6):
        command = SetAutopilot(command_id=f"c-{index}", who="ben", on=True)
        await handle.execute_update(ArtistWorkflow.set_autopilot, command, id=command.command_id)
    assert len(await house.histories(handle)) > 1
    await house.client.get_workflow_handle(f"track/{track_id('house', 'vela', 1)}").terminate("by mistake")
    life = await house.until(handle, lambda life: life.incident is not None)
    assert life.state is LifeState.CANDIDATE


async def test_a_year_of_outage_harms_nobody_and_a_recovery_goes_on_at_once(house: House) -> None:
    for number in range(1, 3):
        ScriptedTrack.endings["vela", number] = TrackState.FAILED
    handle = await house.start(request())
    await house.environment.sleep(365 * DAY)
    life = await handle.query(ArtistWorkflow.life)
    assert life.state is LifeState.CANDIDATE
    assert life.incident is not None
    assert life.incident.failure.code == "provider.fault"
    assert (await handle.describe()).raw_description.workflow_execution_info.history_length < 1_500
    ScriptedTrack.endings.clear()
    await handle.execute_update(
        ArtistWorkflow.recovered, Recovered(command_id="r", who="ops", why="paid the bill"), id="r"
    )
    await house.environment.sleep(DAY)
    life = await handle.query(ArtistWorkflow.life)
    assert (life.incident, life.releases) == (None, 1)


async def test_questions_that_lapse_for_a_year_harm_nobody(house: House) -> None:
    for number in range(1, 60):
        ScriptedTrack.endings["vela", number] = TrackState.LAPSED
    handle = await house.start(request())
    await house.environment.sleep(365 * DAY)
    life = await handle.query(ArtistWorkflow.life)
    assert (life.state, life.incident, life.releases) == (LifeState.CANDIDATE, None, 0)


async def test_rejections_in_a_row_retire_for_good_and_keep_the_reason_and_the_catalogue(house: House) -> None:
    for number in range(4, 9):
        ScriptedTrack.endings["vela", number] = TrackState.REJECTED
    handle = await house.start(request())
    life = await handle.result()
    assert (life.state, life.standing.cause) == (LifeState.RETIRED, Cause.REJECTED_IN_A_ROW)
    assert [release.number for release in life.catalogue] == [1, 2, 3]
    assert house.tables.lives["vela"].standing == life.standing
    with pytest.raises(RPCError):
        await handle.execute_update(ArtistWorkflow.resume, Resume(command_id="r", who="ben"), id="r")


async def test_evolving_makes_trial_tracks_with_another_identity_and_proves_itself(house: House) -> None:
    for number in (1, 3, 4, 5, 6, 8, 9, 10):
        ScriptedTrack.endings["vela", number] = TrackState.REJECTED
    handle = await house.start(request())
    await house.environment.sleep(7 * 10 * DAY)
    life = await handle.query(ArtistWorkflow.life)
    assert life.state is LifeState.EVOLVING
    assert life.identity.version == 2
    await house.environment.sleep(7 * 5 * DAY)
    life = await handle.query(ArtistWorkflow.life)
    assert (life.state, life.standing.cause, life.identity.version) == (LifeState.CANDIDATE, Cause.PROVED, 2)
    assert {release.version for release in life.catalogue} == {1, 2}
    await replay(await house.histories(handle))


async def test_commands_the_state_forbids_are_refused_before_they_are_written_down(house: House) -> None:
    handle = await house.start(request())

    async def refused(update: object, command: object) -> str:
        with pytest.raises(WorkflowUpdateFailedError) as error:
            await handle.execute_update(update, command, id=f"{type(command).__name__}-x")  # type: ignore[call-overload]
        return from_failure(error.value).code

    who = {"command_id": "x", "who": "ben"}
    assert await refused(ArtistWorkflow.resume, Resume(**who)) == "artist.not_paused"
    assert await refused(ArtistWorkflow.recovered, Recovered(**who)) == "artist.no_incident"
    upside_down = LifePolicy(pause_below=0.5, evolve_below=0.4)
    assert await refused(ArtistWorkflow.change_policy, ChangePolicy(**who, policy=upside_down)) == "artist.policy"
    too_slow = Pacing(gap_hours=24 * 60)
    assert await refused(ArtistWorkflow.change_pacing, ChangePacing(**who, pacing=too_slow)) == "artist.policy"
    await handle.execute_update(ArtistWorkflow.pause, Pause(command_id="p", who="ben"), id="p")
    assert await refused(ArtistWorkflow.pause, Pause(**who)) == "artist.paused"
    timeline = await handle.query(ArtistWorkflow.timeline)
    assert sum(event.kind is EventKind.COMMAND for event in timeline.events) == 1


async def test_who_a_person_paused_waits_for_a_person_and_an_idea_becomes_the_next_song(house: House) -> None:
    handle = await house.start(request())
    await house.environment.sleep(DAY)
    await handle.execute_update(ArtistWorkflow.pause, Pause(command_id="p", who="ben", why="holidays"), id="p")
    await house.environment.sleep(400 * DAY)
    life = await handle.query(ArtistWorkflow.life)
    assert (life.state, life.releases, life.standing.reason) == (LifeState.PAUSED, 1, "holidays")
    idea = Idea(command_id="i", who="ana", text="a slow song about winter")
    await handle.execute_update(ArtistWorkflow.suggest, idea, id="i")
    await handle.execute_update(ArtistWorkflow.resume, Resume(command_id="r", who="ben"), id="r")
    await house.environment.sleep(DAY)
    life = await handle.query(ArtistWorkflow.life)
    assert (life.state, life.releases) == (LifeState.CANDIDATE, 2)
    asked = await _asked(house, life.catalogue[-1].track_id)
    assert asked.endswith("slow song about winter")


async def _asked(house: House, track_id: str) -> str:
    history = await house.client.get_workflow_handle(f"track/{track_id}").fetch_history()
    payload = history.events[0].workflow_execution_started_event_attributes.input.payloads[0]
    return TrackRequest.model_validate_json(payload.data).brief


async def test_retiring_calls_off_the_track_under_way(house: House) -> None:
    ScriptedTrack.lasts["vela"] = 90 * DAY
    handle = await house.start(request())
    await house.environment.sleep(DAY)
    life = await handle.query(ArtistWorkflow.life)
    assert life.running is not None
    await handle.execute_update(ArtistWorkflow.retire, Retire(command_id="q", who="ben", why="said it all"), id="q")
    ended = await handle.result()
    assert (ended.state, ended.standing.reason, ended.running) == (LifeState.RETIRED, "said it all", None)
    counts = Counter(event.kind for event in house.tables.events["vela"])
    assert counts[EventKind.WITHDRAWN] == 1
    assert counts[EventKind.FAULT] == 0


async def test_a_spent_budget_parks_and_the_next_period_goes_on(house: House) -> None:
    pacing = Pacing(gap_hours=24 * 2, budget=Budget(period_days=60, tracks=3))
    handle = await house.start(request(pacing=pacing))
    await house.environment.sleep(59 * DAY)
    life = await handle.query(ArtistWorkflow.life)
    assert (life.releases, life.parked, life.state) == (3, True, LifeState.CANDIDATE)
    life = await house.until(handle, lambda life: life.releases > 3)
    assert (life.releases, life.parked) == (4, False)
    assert life.catalogue[-1].at - life.born > 60 * DAY


async def test_a_year_with_a_track_a_week_and_figures_every_day_costs_at_most_twelve_events_a_day(
    house: House, record_property: pytest.FixtureRequest
) -> None:
    handle = await house.start(request())
    for day in range(365):
        await house.environment.sleep(DAY)
        now = await house.environment.get_current_time()
        heard = tuple(Heard(number=day // 7 + 1, as_of=now, listeners=500 + day, score=0.6) for _ in range(1))
        report = AudienceReport(report_id=f"day-{day}", heard=heard)
        await handle.execute_update(ArtistWorkflow.hear, report, id=report.report_id)
    histories = await house.histories(handle)
    a_day = sum(len(history.events) for history in histories) / 365
    record_property("history_events_a_day", round(a_day, 2))  # type: ignore[operator]
    life = await handle.query(ArtistWorkflow.life)
    assert life.releases == pytest.approx(52, abs=1)
    assert a_day <= 12
