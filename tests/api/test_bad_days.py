"""Bad input and bad days over REST: an answer says what is wrong and what to do, and no artist is the worse for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.track import PARTS, TrackPart
from tests.api.conftest import Tenant, problem
from tests.api.test_artists import born, question_on, row, track_of


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        ({"brief": "A polka artist, please"}, 422, "artist.genre_unknown", "hyperpop"),
        ({"policy": {"pause_below": 0.6, "promote_above": 0.3}}, 422, "artist.policy", "evolve_below"),
        ({"policy": {"openness": 1.5}}, 422, "input.invalid", "openness"),
        ({"pacing": {"gap_hours": 24 * 60}}, 422, "artist.policy", "min_decisions"),
        ({"brief": "Eine Sängerin, die über den Winter und das Meer singt."}, 422, "artist.brief_language", "English"),
        ({"brief": "a song " * 15_000}, 413, "artist.brief_long", "2,000"),
        ({"name": "V\u0000la"}, 422, "input.invalid", "control character"),
    ],
)
def test_an_artist_that_cannot_be_is_refused_and_none_is_born(
    tenant: Tenant, body: dict[str, Any], status: int, code: str, says: str
) -> None:
    answer = tenant.producer.post("/artists", json={"id": "vela", **body})
    problem(answer, status, code)
    assert says in answer.text
    assert tenant.viewer.get("/artists/vela").status_code == 404


def test_a_decision_about_an_earlier_round_or_other_bytes_decides_nothing(tenant: Tenant) -> None:
    track = track_of(tenant, born(tenant))
    first = question_on(tenant, track)
    problem(tenant.decide({**first, "sha256": "0" * 64}, "approve"), 409, "approval.other_bytes")
    tenant.decide(first, "changes", changes=[{"segment": PARTS.index(TrackPart.VIDEO), "note": "slower"}])
    second = question_on(tenant, track, 2)
    late = tenant.decide(first, "reject", client=tenant.other_reviewer, reason="off_brand")
    assert late.status_code == 409, late.text
    assert late.json()["action"]
    assert tenant.viewer.get(f"/tracks/{track}").json()["state"] == "awaiting_approval"
    assert tenant.decide(second, "approve").json()["state"] == "approved"


def test_a_key_that_was_another_command_s_is_a_conflict_and_changes_nothing(tenant: Tenant) -> None:
    artist = born(tenant)
    key = {"Idempotency-Key": "k-1"}
    assert tenant.producer.post(f"/artists/{artist}/pause", headers=key).json()["state"] == "paused"
    again = tenant.producer.post(f"/artists/{artist}/resume", headers=key)
    problem(again, 409, "artist.command_reused")
    assert tenant.producer.post(f"/artists/{artist}/pause", headers=key).json()["state"] == "paused"
    assert tenant.viewer.get(f"/artists/{artist}").json()["life"]["state"] == "paused"


def test_figures_from_the_future_are_refused_by_row_and_those_of_no_release_are_named(tenant: Tenant) -> None:
    artist = born(tenant)
    ahead = (datetime.now(UTC) + timedelta(days=400)).isoformat()
    rows = [row(1, "02", 100), {**row(1, "02", 100), "told_at": ahead}]
    refused = tenant.producer.post(f"/artists/{artist}/audience", json={"rows": rows})
    assert problem(refused, 422, "audience.future")["title"].startswith("row 2 is from the future")
    unknown = tenant.producer.post(f"/artists/{artist}/audience", json={"rows": [row(9, "02", 100)]})
    assert unknown.json() == {"taken": [], "unknown": [9]}
    life = tenant.viewer.get(f"/artists/{artist}").json()["life"]
    assert (life["state"], life["audience"], life["incident"]) == ("candidate", None, None)


def test_nobody_commands_another_house_s_artist(tenant: Tenant) -> None:
    artist = born(tenant)
    stranger = tenant.house.client("producer", tenant="somebody-else")
    for command, body in {
        "pause": {},
        "resume": {},
        "recovered": {},
        "retire": {"why": "mine now"},
        "autopilot": {"on": True},
        "policy": {"policy": {}},
        "pacing": {"pacing": {}},
        "ideas": {"text": "a song about me"},
        "audience": {"rows": [row(1, "02", 100)]},
    }.items():
        problem(stranger.post(f"/artists/{artist}/{command}", json=body), 404, "reference.unknown")
    events = tenant.viewer.get(f"/artists/{artist}/timeline").json()["events"]
    assert not any(event["kind"] == "command" for event in events)


def test_a_pause_has_one_way_out(tenant: Tenant) -> None:
    artist = born(tenant)
    both = {"until": "2030-01-01T00:00:00Z", "awaits_provider": True}
    problem(tenant.producer.post(f"/artists/{artist}/pause", json=both), 422, "input.invalid")
