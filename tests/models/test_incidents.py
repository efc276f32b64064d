"""Incidents begin and end once in the tables, whatever order snapshots come in; a song that could not be made is
entered again under its number."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from models.artist import ArtistSnapshot, Incident, RunningTrack
from models.errors import EngineUnavailable
from models.incidents import IncidentChanges, IncidentKind, IncidentState, incidents_of
from models.lifecycle import Cause, LifeState, Standing
from models.roster import Roster
from models.song_stages import VoicePrint
from models.tables import Track
from models.track import StepState, TrackFailure, TrackProgress, TrackState, TrackStep
from tests.workflows.artists import request
from tests.workflows.label import track
from workflows.life import Life

NOW = datetime(2030, 1, 1, tzinfo=UTC)
AWAY = EngineUnavailable("the sound font is gone", field="SOUNDFONT").details()


@pytest_asyncio.fixture(loop_scope="function")
async def roster(database_url: str) -> AsyncIterator[Roster]:
    roster = Roster.connect(database_url)
    yield roster
    await roster.close()


async def housed(roster: Roster) -> Life:
    """The artist vela, in a house of its own."""
    tenant = f"t-{uuid.uuid4().hex[:10]}"
    life = Life(request(tenant=tenant), NOW)
    await roster.ensure_tenant(tenant)
    voice = VoicePrint(artist="vela", embedding=(1.0,) + (0.0,) * 255)
    await roster.enter_artist(tenant, life.state.identity, voice)
    return life


def broken(life: Life, faults: int = 1) -> None:
    incident = Incident(since=NOW, last=NOW, faults=faults, failure=AWAY, try_again_at=NOW + timedelta(hours=1))
    life.state = life.state.model_copy(update={"incident": incident, "sequence": life.state.sequence + 1})


def mended(life: Life) -> None:
    life.state = life.state.model_copy(update={"incident": None, "sequence": life.state.sequence + 1})


async def seen(roster: Roster, snapshot: ArtistSnapshot) -> IncidentChanges:
    await roster.record_life(snapshot)
    return await roster.seen_life(snapshot)


async def test_an_incident_begins_and_ends_once_whatever_comes_again_or_late(roster: Roster) -> None:
    life = await housed(roster)
    tenant = life.snapshot(NOW).life.tenant
    broken(life)
    first = life.snapshot(NOW)
    (standing,) = (await seen(roster, first)).standing
    assert (standing.kind, standing.code, standing.faults) == (IncidentKind.FAULT, AWAY.code, 1)
    broken(life, faults=3)
    (again,) = (await seen(roster, life.snapshot(NOW))).standing
    assert (again.incident_id, again.faults) == (standing.incident_id, 3)
    assert await roster.seen_life(first) == IncidentChanges()
    mended(life)
    changes = await seen(roster, life.snapshot(NOW))
    assert [over.incident_id for over in changes.over] == [standing.incident_id]
    for _ in range(2):
        await roster.close_incident(tenant, standing.incident_id)
    assert (await roster.seen_life(life.snapshot(NOW))).over == ()
    (row,) = await roster.incidents(tenant)
    assert (row.state, row.incident.faults) == (IncidentState.CLOSED, 3)


async def test_open_incidents_come_first(roster: Roster) -> None:
    life = await housed(roster)
    tenant = life.snapshot(NOW).life.tenant
    broken(life)
    (gone,) = (await seen(roster, life.snapshot(NOW))).standing
    await roster.close_incident(tenant, gone.incident_id)
    waits = Standing(
        state=LifeState.PAUSED,
        since=NOW - timedelta(days=9),
        counted_from=NOW,
        cause=Cause.PERSON,
        awaits_provider=True,
    )
    mended(life)
    life.state = life.state.model_copy(update={"standing": waits})
    await seen(roster, life.snapshot(NOW))
    kinds = [(row.incident.kind, row.state) for row in await roster.incidents(tenant)]
    assert kinds == [(IncidentKind.PROVIDER, IncidentState.OPEN), (IncidentKind.FAULT, IncidentState.CLOSED)]


def progress(track_id: str, state: TrackState) -> TrackProgress:
    failed = (TrackFailure(step="music", failure=AWAY),) if state is TrackState.BLOCKED else ()
    return TrackProgress(track_id=track_id, state=state, steps={TrackStep.MUSIC: StepState.FAILED}, failures=failed)


async def test_a_blocked_track_is_seen_long_before_its_artist_hears_of_it(roster: Roster) -> None:
    life = await housed(roster)
    tenant = life.snapshot(NOW).life.tenant
    work = f"vela-{uuid.uuid4().hex[:8]}"
    await roster.enter_track(track(track_id=work, tenant=tenant))

    async def told(state: TrackState, sequence: int) -> IncidentChanges:
        await roster.project_track(progress(work, state), sequence)
        return await roster.seen_track(progress(work, state), sequence)

    (standing,) = (await told(TrackState.BLOCKED, 1)).standing
    assert (standing.kind, standing.subject, standing.code) == (IncidentKind.BLOCKED, work, AWAY.code)
    assert f"POST /tracks/{work}/resume" in standing.action and AWAY.action in standing.action
    (same,) = (await told(TrackState.BLOCKED, 2)).standing
    assert (same.incident_id, same.since) == (standing.incident_id, standing.since)
    assert [over.incident_id for over in (await told(TrackState.MAKING, 3)).over] == [standing.incident_id]
    await roster.close_incident(tenant, standing.incident_id)
    (asked,) = (await told(TrackState.EXPIRED, 4)).standing
    assert asked.kind is IncidentKind.UNANSWERED
    life.begin(NOW)
    running = life.state.running
    assert running is not None
    life.state = life.state.model_copy(update={"running": running.model_copy(update={"track_id": work})})
    assert (await seen(roster, life.snapshot(NOW))).over == ()
    # It was terminated, and said nothing more.
    life.state = life.state.model_copy(update={"running": None, "sequence": life.state.sequence + 1})
    assert [over.subject for over in (await seen(roster, life.snapshot(NOW))).over] == [work]


async def test_a_song_that_could_not_be_made_is_entered_again_under_its_number(roster: Roster) -> None:
    life = await housed(roster)
    tenant = life.snapshot(NOW).life.tenant
    work = f"vela-{uuid.uuid4().hex[:8]}"
    for name in (work, f"{work}-2"):
        await roster.enter_track(track(track_id=name, tenant=tenant, number=1))
        await roster.enter_track(track(track_id=name, tenant=tenant, number=1))
    assert {row.id for row in await roster.tracks(tenant, artist="vela")} == {work, f"{work}-2"}
    assert (await roster.get(Track, f"{work}-2")).number == 1


@pytest.mark.parametrize("running", [True, False])
def test_a_spent_budget_is_an_incident_only_when_a_song_waits_for_it(running: bool) -> None:
    life = Life(request(), NOW)
    work = life.begin(NOW)
    now = life.state.running
    assert isinstance(now, RunningTrack) and work.number == 1
    changes = {"parked": True, "parked_since": NOW, "running": now if running else None}
    life.state = life.state.model_copy(update=changes)
    assert [incident.kind for incident in incidents_of(life.life(NOW))] == ([] if running else [IncidentKind.BUDGET])


def test_who_has_retired_needs_nobody() -> None:
    life = Life(request(), NOW)
    broken(life)
    gone = life.state.standing.model_copy(update={"state": LifeState.RETIRED})
    life.state = life.state.model_copy(update={"standing": gone, "parked": True, "parked_since": NOW})
    assert incidents_of(life.life(NOW)) == ()
