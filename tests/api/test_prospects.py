"""Trends and experiments over REST: what the label sets leans the songs that are planned next; what is tried is told
apart by no more than its songs can tell."""

import time
from typing import Any

import pytest

from tests.api.conftest import Tenant, problem
from tests.api.test_artists import born, row, settled

QUICK = {"gap_hours": 0.0001, "budget": {"period_days": 30, "tracks": 4}}
RAIN = {"themes": ["city rain"], "tempo_low": 60, "tempo_high": 61, "words": ["umbrella"], "weight": 1}


def songs(tenant: Tenant, artist: str, count: int) -> list[dict[str, Any]]:
    """The artist's first songs, released."""
    page = settled(
        tenant,
        f"/tracks?artist={artist}",
        lambda page: sum(item["state"] == "released" for item in page["items"]) >= count,
    )
    found = [tenant.viewer.get(f"/tracks/{item['track_id']}").json() for item in page["items"]]
    return sorted(found, key=lambda track: int(track["number"]))


def test_a_trend_in_force_leans_the_next_songs_and_each_names_it(tenant: Tenant) -> None:
    put = tenant.producer.put("/trends/rain", json=RAIN)
    assert put.status_code == 200, put.text
    assert (put.json()["trend"]["set_by"], put.json()["in_force"]) == ("a-producer", True)
    over = {**RAIN, "words": ["snow"], "valid_until": "2020-01-01T00:00:00Z"}
    assert tenant.producer.put("/trends/snow", json=over).json()["in_force"] is False
    artist = born(tenant, seed=11, autopilot=True, pacing={**QUICK, "budget": {"tracks": 2}})
    found = songs(tenant, artist, 2)
    assert [track["trends"] for track in found] == [["rain"], ["rain"]]
    identity = tenant.viewer.get(f"/artists/{artist}").json()["identity"]
    span = identity["tempo_high"] - identity["tempo_low"]
    for track in found:
        assert identity["tempo_low"] - 0.25 * span / 2 - 0.1 <= track["tempo_bpm"] <= identity["tempo_high"]
    assert [item["trend"]["name"] for item in tenant.viewer.get("/trends").json()["items"]] == ["rain", "snow"]
    in_force = tenant.viewer.get("/trends?in_force=true").json()["items"]
    assert [item["trend"]["name"] for item in in_force] == ["rain"]
    assert tenant.producer.delete("/trends/rain").status_code == 204
    problem(tenant.viewer.get("/trends/rain"), 404, "reference.unknown")


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({"genres": ["polka"], "words": ["x"]}, "input.invalid", "lofi"),
        ({"themes": ["taxes"]}, "trend.theme_unknown", "city rain"),
        ({"tempo_low": 90}, "input.invalid", "together"),
        ({"tempo_low": 120, "tempo_high": 90}, "input.invalid", "above"),
        ({"weight": 2, "energy": 0.5}, "input.invalid", "less than or equal to 1"),
        ({"genres": ["lofi"]}, "input.invalid", "names a theme"),
        ({"words": ["<script>"]}, "input.invalid", "pattern"),
        (
            {"energy": 0.5, "valid_from": "2030-01-02T00:00:00Z", "valid_until": "2030-01-01T00:00:00Z"},
            "input.invalid",
            "after",
        ),
    ],
)
def test_a_trend_that_says_nothing_sensible_is_named(
    tenant: Tenant, body: dict[str, Any], code: str, says: str
) -> None:
    answer = tenant.producer.put("/trends/odd", json=body)
    problem(answer, 422, code)
    assert says in answer.text


def test_nobody_sees_or_changes_another_house_s_trends(tenant: Tenant) -> None:
    tenant.producer.put("/trends/rain", json=RAIN)
    stranger = tenant.house.client("producer", tenant="somebody-else")
    assert stranger.get("/trends/rain").status_code == 404
    assert stranger.delete("/trends/rain").status_code == 404
    problem(tenant.viewer.put("/trends/rain", json=RAIN), 403, "access.forbidden")


def test_an_experiment_makes_its_variants_in_turn_and_ends_by_its_count(tenant: Tenant) -> None:
    artist = born(tenant, seed=5, autopilot=True, pacing={**QUICK, "on_demand": True})
    body = {
        "name": "faster",
        "artists": [artist],
        "hypothesis": "Faster songs are heard more gladly.",
        "variants": [{"name": "as-ever"}, {"name": "faster", "change": "faster"}],
        "tracks_per_variant": 2,
    }
    begun = tenant.producer.post("/experiments", json=body)
    assert begun.status_code == 201, begun.text
    problem(tenant.producer.post("/experiments", json=body), 409, "experiment.overlaps")
    everybody = {**body, "name": "all", "artists": []}
    problem(tenant.producer.post("/experiments", json=everybody), 409, "experiment.overlaps")
    problem(tenant.producer.post("/experiments", json={**body, "artists": ["nobody"]}), 404, "reference.unknown")
    assert "too little evidence" in begun.json()["result"]["conclusion"]
    pacing = {"pacing": QUICK}
    assert tenant.producer.post(f"/artists/{artist}/pacing", json=pacing).status_code == 200
    found = songs(tenant, artist, 4)
    assert sorted(track["variant"] for track in found) == ["faster/as-ever"] * 2 + ["faster/faster"] * 2
    identity = tenant.viewer.get(f"/artists/{artist}").json()["identity"]
    for track in found:
        if track["variant"] == "faster/as-ever":
            assert identity["tempo_low"] <= track["tempo_bpm"] <= identity["tempo_high"]
        else:
            assert track["tempo_bpm"] >= round(identity["tempo_low"] * 1.1) - 0.1
    told = {"rows": [row(track["number"], "02", 1_000) for track in found]}
    while tenant.producer.post(f"/artists/{artist}/audience", json=told).json()["taken"] != [1, 2, 3, 4]:
        time.sleep(0.1)
    view = tenant.viewer.get("/experiments/faster").json()
    assert [(one["decided"], one["heard"], one["counted"]) for one in view["result"]["variants"]] == [(0, 2, 2)] * 2
    assert view["result"]["complete"] and view["state"] == "running"
    more = {"pacing": {**QUICK, "budget": {"tracks": 5}}}
    tenant.producer.post(f"/artists/{artist}/pacing", json=more)
    assert songs(tenant, artist, 5)[-1]["variant"] == ""
    ended = tenant.viewer.get("/experiments/faster").json()
    assert (ended["state"], ended["ended_by"], ended["result"]["finding"]) == ("ended", "count", None)
    problem(tenant.producer.post("/experiments/faster/end"), 409, "experiment.ended")
    listed = tenant.viewer.get("/experiments?state=ended").json()["items"]
    assert [item["name"] for item in listed] == ["faster"] and listed[0]["conclusion"]
    assert tenant.producer.post("/experiments", json=everybody).status_code == 201
    by_person = tenant.producer.post("/experiments/all/end").json()
    assert (by_person["state"], by_person["ended_by"]) == ("ended", "a-producer")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"variants": [{"name": "one"}]}, "at least 2"),
        ({"variants": [{"name": "a"}, {"name": "b"}]}, "the same"),
        ({"variants": [{"name": "a"}, {"name": "b", "change": "idea"}]}, "an idea"),
        ({"variants": [{"name": "a"}, {"name": "b", "change": "theme"}]}, "subject"),
        ({"variants": [{"name": "a"}, {"name": "b", "change": "louder"}]}, "livelier"),
        ({"hypothesis": ""}, "at least 1"),
    ],
)
def test_an_experiment_that_cannot_tell_anything_is_refused(tenant: Tenant, changes: dict[str, Any], says: str) -> None:
    body = {"name": "odd", "hypothesis": "x", "variants": [{"name": "a"}, {"name": "b", "change": "faster"}], **changes}
    answer = tenant.producer.post("/experiments", json=body)
    problem(answer, 422, "input.invalid")
    assert says in answer.text
