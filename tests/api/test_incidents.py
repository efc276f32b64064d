"""People see what keeps an artist from its songs: over REST, and on Telegram once, with what helps; and that it is
over. A messenger that is away keeps no artist waiting."""

import asyncio
import time
from typing import Any

from temporalio.client import Client

from tests.api.conftest import Tenant, problem
from tests.api.test_artists import born, bot, ended, question_on, settled, track_of
from tests.telegram.server import Message, Refused, TelegramServer, text_of
from workers.plugin import StudioPlugin

__all__ = ["bot"]


def terminated(tenant: Tenant, track: str) -> None:
    """An operator terminates the track's workflow: of all faults the one that a test can make at once."""

    async def terminate() -> None:
        address = tenant.house.settings.temporal.address
        client = await Client.connect(address, plugins=[StudioPlugin()])
        await client.get_workflow_handle(f"track/{track}").terminate("by mistake")

    asyncio.run(terminate())


def incidents(tenant: Tenant, artist: str, count: int, state: str = "open") -> list[dict[str, Any]]:
    page = settled(
        tenant,
        f"/incidents?artist={artist}",
        lambda page: [item["state"] for item in page["items"]].count(state) == count,
    )
    found: list[dict[str, Any]] = page["items"]
    return found


def about(telegram: TelegramServer, chat: int, words: str) -> list[Message]:
    return [
        message
        for message in list(telegram.messages.values())
        if message["chat"]["id"] == chat and words in text_of(message) and message["from"]["is_bot"]
    ]


def test_a_fault_is_seen_told_once_and_taken_back_when_it_is_mended(
    tenant: Tenant, telegram: TelegramServer, bot: None
) -> None:
    artist = born(tenant)
    name = tenant.viewer.get(f"/artists/{artist}").json()["life"]["name"]
    track = track_of(tenant, artist)
    question_on(tenant, track)
    terminated(tenant, track)
    (found,) = incidents(tenant, artist, 1)
    incident = found["incident"]
    assert (incident["kind"], incident["faults"], incident["name"]) == ("fault", 1, name)
    assert incident["code"] and incident["action"] and incident["since"] and incident["try_again_at"]
    told = telegram.said(tenant.chat, f"{name} makes no songs since")
    assert f"/recovered {artist}" in text_of(told) and incident["message"] in text_of(told)
    telegram.write(tenant.chat, "/incidents")
    telegram.wait(lambda: len(about(telegram, tenant.chat, f"{name} makes no songs")) == 2)
    telegram.write(tenant.chat, f"/recovered {artist}")
    telegram.said(tenant.chat, f"{name} is candidate.")
    telegram.wait(lambda: text_of(telegram.messages[told["message_id"]]).startswith(f"Over: {name}"))
    (closed,) = incidents(tenant, artist, 1, "closed")
    assert closed["closed_at"]
    # Made again under its number, and nothing said twice.
    again = question_on(tenant, f"{track}-2")
    assert tenant.decide(again, "approve").json()["state"] == "approved"
    ended(tenant, f"{track}-2", "released")
    assert len(about(telegram, tenant.chat, f"Over: {name}")) == 1
    problem(tenant.producer.post(f"/artists/{artist}/recovered"), 409, "artist.no_incident")


def test_a_messenger_that_is_away_keeps_nobody_waiting_and_hears_of_what_is_left(
    tenant: Tenant, telegram: TelegramServer
) -> None:
    telegram.refuse["sendmessage"] = Refused(502, "Bad Gateway")
    try:
        mended, broken = born(tenant), born(tenant)
        for artist in (mended, broken):
            track = track_of(tenant, artist)
            question_on(tenant, track)
            terminated(tenant, track)
            incidents(tenant, artist, 1)
        telegram.wait(lambda: telegram.calls.count("sendmessage") > 2)
        assert tenant.producer.post(f"/artists/{mended}/recovered").json()["state"] == "candidate"
        question_on(tenant, f"{track_of(tenant, mended)}")
        incidents(tenant, mended, 1, "closed")
    finally:
        telegram.refuse.clear()
    name = tenant.viewer.get(f"/artists/{broken}").json()["life"]["name"]
    telegram.said(tenant.chat, f"{name} makes no songs since")
    other = tenant.viewer.get(f"/artists/{mended}").json()["life"]["name"]
    assert not about(telegram, tenant.chat, f"{other} makes no songs")
    assert len(about(telegram, tenant.chat, f"{name} makes no songs")) == 1


def test_a_spent_budget_is_an_incident_that_says_until_when(tenant: Tenant, telegram: TelegramServer) -> None:
    pacing = {"gap_hours": 0.0001, "budget": {"period_days": 30, "tracks": 1}}
    artist = born(tenant, autopilot=True, pacing=pacing)
    (found,) = incidents(tenant, artist, 1)
    incident = found["incident"]
    assert (incident["kind"], incident["code"]) == ("budget", "artist.budget_spent")
    assert incident["try_again_at"] > time.strftime("%Y-%m-%d")
    assert f"POST /artists/{artist}/pacing" in incident["action"]
    larger = {"pacing": {**pacing, "gap_hours": 24 * 7, "budget": {"period_days": 30, "tracks": 9}}}
    assert tenant.producer.post(f"/artists/{artist}/pacing", json=larger).status_code == 200
    incidents(tenant, artist, 1, "closed")


def test_an_artist_that_waits_for_a_provider_is_listed_and_recovered(tenant: Tenant) -> None:
    artist = born(tenant)
    body = {"why": "the sound library is away", "awaits_provider": True}
    assert tenant.producer.post(f"/artists/{artist}/pause", json=body).json()["state"] == "paused"
    (found,) = incidents(tenant, artist, 1)
    assert found["incident"]["kind"] == "provider" and "sound library" in found["incident"]["message"]
    assert tenant.producer.post(f"/artists/{artist}/recovered").json()["state"] == "candidate"
    incidents(tenant, artist, 1, "closed")


def test_incidents_are_seen_by_their_own_house_only(tenant: Tenant) -> None:
    artist = born(tenant)
    tenant.producer.post(f"/artists/{artist}/pause", json={"awaits_provider": True})
    incidents(tenant, artist, 1)
    stranger = tenant.house.client("producer", tenant="somebody-else")
    assert stranger.get(f"/incidents?artist={artist}").json()["items"] == []
    assert stranger.post(f"/artists/{artist}/recovered").status_code == 404
