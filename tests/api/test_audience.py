"""Figures count for what is out and for its own artist alone; what is wrong with others is said."""

from typing import Any

from tests.api.conftest import Tenant, problem
from tests.api.test_artists import born, ended, row, settled, track_of


def heard(tenant: Tenant, artist: str, *rows: dict[str, Any]) -> Any:
    answer = tenant.producer.post(f"/artists/{artist}/audience", json={"rows": rows})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_figures_of_what_is_not_out_are_named_and_never_count_later(tenant: Tenant) -> None:
    artist = born(tenant)
    track = track_of(tenant, artist)
    assert heard(tenant, artist, row(1, "02", 1_000), row(7, "02", 5)) == {"taken": [], "unknown": [1, 7]}
    question = settled(tenant, "/approvals", lambda page: bool(page["items"]))["items"][0]
    tenant.decide(question, "approve")
    ended(tenant, track, "released")
    settled(tenant, f"/artists/{artist}", lambda view: view["life"]["releases"] == 1)
    assert tenant.viewer.get(f"/artists/{artist}").json()["life"]["audience"] is None
    assert heard(tenant, artist, row(1, "03", 1_000)) == {"taken": [1], "unknown": []}


def test_figures_of_another_tenants_artist_and_wrong_ones_are_refused(tenant: Tenant) -> None:
    artist = born(tenant)
    path = f"/artists/{artist}/audience"
    elsewhere = {"rows": [row(1, "02", 10)]}
    stranger = tenant.house.client("producer", tenant=f"{tenant.name}-other")
    problem(stranger.post(path, json=elsewhere), 404, "reference.unknown")
    problem(tenant.viewer.post(path, json=elsewhere), 403, "access.forbidden")
    problem(tenant.producer.post(path, json={"rows": [{**row(1, "02", 10), "streams": -1}]}), 422, "input.invalid")
    future = {**row(1, "02", 10), "told_at": "2999-01-01T00:00:00Z"}
    problem(tenant.producer.post(path, json={"rows": [future]}), 422, "audience.future")
    utf16 = "platform;day\n".encode("utf-16")
    problem(tenant.producer.post(f"{path}/csv", content=utf16), 422, "audience.encoding")
