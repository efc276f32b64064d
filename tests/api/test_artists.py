"""Artists over REST and Telegram: born once, with a voice unlike every other; told things once; their tracks decided by
listed people alone, changed part by part, and released as a package that is whole."""

import hashlib
import json
import subprocess
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from models.track import PARTS, TrackPart
from tests.api.conftest import Tenant, problem
from tests.api.songs import TIMING
from tests.telegram.server import TelegramServer, buttons_of, text_of

Start = Callable[..., "subprocess.Popen[str]"]
SLOW = {"pacing": {"gap_hours": 24 * 7}}


def born(tenant: Tenant, **changes: Any) -> str:
    """An artist whose life has begun."""
    artist = f"a-{uuid.uuid4().hex[:8]}"
    body = {"id": artist, **SLOW, **changes}
    response = tenant.producer.post("/artists", json=body)
    assert response.status_code == 201, response.text
    return settled(tenant, f"/artists/{artist}", lambda view: view["life"] is not None)["id"]


def settled(tenant: Tenant, path: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The answer of a route as soon as it ``holds``."""
    while True:
        response = tenant.viewer.get(path)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        if holds(found):
            return found
        time.sleep(0.1)


def track_of(tenant: Tenant, artist: str) -> str:
    """The artist's first track."""
    found = settled(tenant, f"/tracks?artist={artist}", lambda page: bool(page["items"]))
    return str(found["items"][0]["track_id"])


def question_on(tenant: Tenant, track: str, attempt: int = 1) -> dict[str, Any]:
    def holds(page: dict[str, Any]) -> bool:
        return any(item["question_id"] == f"{track}.{attempt}" for item in page["items"])

    page = settled(tenant, "/approvals", holds)
    return next(item for item in page["items"] if item["question_id"] == f"{track}.{attempt}")


def ended(tenant: Tenant, track: str, state: str) -> dict[str, Any]:
    return settled(tenant, f"/tracks/{track}", lambda view: view["state"] == state and not view["live"])


def test_an_artist_is_born_with_an_identity_a_voice_and_a_first_song(tenant: Tenant) -> None:
    artist = born(tenant, brief="Slow ambient songs about the ocean", seed=11)
    view = tenant.viewer.get(f"/artists/{artist}").json()
    assert view["identity"]["genres"][0]["genre"] == "ambient" and "ocean" in view["identity"]["themes"]
    assert httpx.get(view["voice_sample_url"]).content[:4] == b"RIFF"
    assert view["life"]["state"] == "candidate"
    listed = tenant.viewer.get("/artists").json()["items"]
    assert [item["id"] for item in listed] == [artist]
    track = track_of(tenant, artist)
    assert tenant.viewer.get(f"/tracks/{track}").json()["number"] == 1


def test_the_same_name_twice_is_a_conflict(tenant: Tenant) -> None:
    artist = born(tenant)
    problem(tenant.producer.post("/artists", json={"id": artist}), 409, "artist.exists")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"id": "x", "brief": "a" * 100_000}, 413, "artist.brief_long"),
        ({"id": "x", "brief": "雨の夜に走る車のための歌、青くて静かな都会の音楽"}, 422, "artist.brief_language"),
        ({"id": "x", "music": ["nobody"]}, 404, "reference.unknown"),
        ({"id": "x", "lyrics": ["nobody"]}, 404, "reference.unknown"),
        ({"id": "x", "vocals": "nobody"}, 404, "reference.unknown"),
        ({"id": "x", "vocals": "elevenlabs"}, 422, "vocals.speaks_only"),
        ({"id": "x", "pacing": {"gap_hours": -1}}, 422, "input.invalid"),
        ({"id": "Not A Slug"}, 422, "input.invalid"),
    ],
)
def test_what_no_artist_can_be_made_of_is_named(tenant: Tenant, body: dict[str, Any], status: int, code: str) -> None:
    answer = tenant.producer.post("/artists", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_who_writes_and_who_speaks_is_chosen_at_birth(tenant: Tenant) -> None:
    artist = born(tenant, lyrics=["llm", "writer"], vocals="elevenlabs", delivery="spoken")
    view = tenant.viewer.get(f"/artists/{artist}").json()
    assert view["identity"]["delivery"] == "spoken"
    assert httpx.get(view["voice_sample_url"]).content[:4] == b"RIFF", "its voice was cast by the singer"


def test_who_makes_the_next_songs_and_where_they_go_can_change_while_it_lives(tenant: Tenant) -> None:
    artist = born(tenant)
    path = f"/artists/{artist}/equipment"
    problem(tenant.producer.post(path, json={"vocals": "elevenlabs"}), 422, "vocals.speaks_only")
    problem(tenant.producer.post(path, json={"publishers": ["the-moon"]}), 404, "reference.unknown")
    problem(tenant.viewer.post(path, json={}), 403, "access.forbidden")
    taken = tenant.producer.post(path, json={"lyrics": ["llm", "writer"], "publishers": [], "why": "a quiet year"})
    assert taken.json()["repeated"] is False, taken.text
    events = tenant.viewer.get(f"/artists/{artist}/timeline").json()["events"]
    assert "a quiet year" in next(event["text"] for event in events if event["kind"] == "command")


def test_a_track_is_approved_and_its_release_is_whole(tenant: Tenant) -> None:
    track = track_of(tenant, born(tenant))
    question = question_on(tenant, track)
    assert (question["track_id"], question["render_id"], question["parts"]) == (track, None, list(PARTS))
    assert httpx.get(question["audio_url"]).content[:4] == b"RIFF"
    assert tenant.decide(question, "approve").json()["state"] == "approved"
    ended(tenant, track, "released")
    release = tenant.viewer.get(f"/tracks/{track}/release").json()
    files = {file["name"]: file for file in release["files"]}
    assert {"master.wav", "master.flac", "instrumental.wav", "stems/drums.wav", "cover.jpg", "video-16x9.mp4"} <= set(
        files
    )
    assert {"video-9x16.mp4", "lyrics.lrc", "lyrics.json", "credits.txt", "release.json", "index.html"} <= set(files)
    for file in files.values():
        assert hashlib.sha256(httpx.get(file["url"]).content).hexdigest() == file["sha256"], file["name"]
    metadata = json.loads(httpx.get(files["release.json"]["url"]).content)
    assert metadata["isrc"] == release["isrc"] and metadata["approved_by"] == ["ana"] and metadata["synthetic"] is True
    assert metadata["sha256"]["master.flac"] == files["master.flac"]["sha256"]
    words = httpx.get(files["lyrics.lrc"]["url"]).text
    assert f"[00:00.20]<00:00.20>{TIMING.lines[0][0].text}" in words


def test_no_two_releases_share_a_code(tenant: Tenant) -> None:
    codes = []
    for track in [track_of(tenant, born(tenant, autopilot=True)) for _ in range(3)]:
        ended(tenant, track, "released")
        release = tenant.viewer.get(f"/tracks/{track}/release").json()
        assert release["release"]["pages"]
        codes += [release["isrc"], release["upc"]]
    assert len(set(codes)) == 6


def test_only_the_part_asked_for_is_made_again(tenant: Tenant) -> None:
    track = track_of(tenant, born(tenant))
    question = question_on(tenant, track)
    part = PARTS.index(TrackPart.VIDEO)
    refused = tenant.decide(question, "changes", changes=[{"segment": part, "text": "Another text."}])
    problem(refused, 422, "approval.no_text")
    tenant.decide(question, "changes", changes=[{"segment": part, "note": "slower"}])
    again = question_on(tenant, track, 2)
    assert again["sha256"] != question["sha256"]
    assert tenant.decide(again, "reject", reason="off_brand").json()["state"] == "rejected"
    ended(tenant, track, "rejected")


def test_commands_count_once_and_nobody_else_s_artist_is_seen(tenant: Tenant) -> None:
    artist = born(tenant)
    question_on(tenant, track_of(tenant, artist))
    key = {"Idempotency-Key": "rest-before-the-tour"}
    first = tenant.producer.post(f"/artists/{artist}/pause", json={"why": "the tour"}, headers=key).json()
    again = tenant.producer.post(f"/artists/{artist}/pause", json={"why": "the tour"}, headers=key).json()
    assert (first["state"], again["state"]) == ("paused", "paused")
    timeline = tenant.viewer.get(f"/artists/{artist}/timeline").json()["events"]
    assert sum(event["kind"] == "command" for event in timeline) == 1
    problem(tenant.viewer.post(f"/artists/{artist}/resume"), 403, "access.forbidden")
    stranger = tenant.house.client("producer", tenant="somebody-else")
    for path in (f"/artists/{artist}/timeline", f"/artists/{artist}", f"/tracks/{track_of(tenant, artist)}"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"/artists/{artist}/retire", json={"why": "no"}).status_code == 404
    retired = tenant.producer.post(f"/artists/{artist}/retire", json={"why": "The project has come to its end."})
    assert retired.json()["state"] == "retired"


def row(number: int, told_at: str, streams: int, **changes: Any) -> dict[str, Any]:
    told = {"platform": "radio", "day": "2026-11-01", "number": number, "told_at": f"2026-11-{told_at}T06:00:00Z"}
    return {**told, "streams": streams, "listeners": streams // 2, **changes}


def test_figures_count_once_corrected_ones_instead_and_unknown_releases_are_named(tenant: Tenant) -> None:
    artist = born(tenant, autopilot=True)
    ended(tenant, track_of(tenant, artist), "released")
    settled(tenant, f"/artists/{artist}", lambda view: view["life"]["releases"] == 1)

    def told(*rows: dict[str, Any]) -> dict[str, Any]:
        answer = tenant.producer.post(f"/artists/{artist}/audience", json={"rows": rows})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    assert told(row(1, "02", 1_000), row(9, "02", 10)) == {"taken": [1], "unknown": [9]}
    poor = row(1, "04", 1_000, skips=990)
    told(poor)
    assert told(row(1, "03", 1_000_000)) == told(poor)
    score = tenant.viewer.get(f"/artists/{artist}").json()["life"]["audience"]
    assert score is None or score < 0.4


def test_figures_as_csv_say_which_line_is_wrong(tenant: Tenant) -> None:
    artist = born(tenant)
    head = "platform,day,number,told_at,streams,listeners\n"
    wrong = head + "radio,2026-11-01,1,2026-11-02T06:00:00Z,10,5\nradio,2026-11-02,1,2026-11-03T06:00:00Z,10,50\n"
    answer = tenant.producer.post(f"/artists/{artist}/audience/csv", content=wrong)
    assert "line 3" in problem(answer, 422, "audience.row")["title"]
    fine = tenant.producer.post(f"/artists/{artist}/audience/csv", content=wrong.replace(",50", ",5"))
    assert fine.status_code == 200 and fine.json()["unknown"] == [1]


@pytest.fixture(scope="module")
def bot(process: Start, telegram: TelegramServer) -> None:
    telegram.calls.clear()
    process("api.telegram")
    telegram.wait(lambda: "getupdates" in telegram.calls, seconds=120)


def test_artists_are_looked_at_and_told_things_on_telegram(tenant: Tenant, telegram: TelegramServer, bot: None) -> None:
    artist = born(tenant)
    name = tenant.viewer.get(f"/artists/{artist}").json()["life"]["name"]
    question_on(tenant, track_of(tenant, artist))
    telegram.write(tenant.chat, "/artists")
    telegram.said(tenant.chat, f"{name} ({artist}): candidate")
    telegram.write(tenant.chat, "/queue")
    telegram.said(tenant.chat, f"{name} — Rain Light, asked")
    telegram.write(tenant.chat, f"/pause {name}")
    telegram.said(tenant.chat, f"{name} is paused.")
    telegram.write(tenant.chat, f"/autopilot {artist} on")
    telegram.said(tenant.chat, f"{name} is paused. Autopilot on.")
    telegram.write(tenant.chat, f"/artist {artist}")
    telegram.said(tenant.chat, f"{name} is paused: ")
    telegram.write(tenant.chat, "/resume nobody of that name")
    telegram.said(tenant.chat, "No artist is called")
    stranger = tenant.chat + 1
    telegram.write(stranger, f"/resume {artist}")
    telegram.said(stranger, "You are not a reviewer")
    life = tenant.viewer.get(f"/artists/{artist}").json()["life"]
    assert (life["state"], life["autopilot"]) == ("paused", True)


def test_a_song_is_decided_on_telegram(tenant: Tenant, telegram: TelegramServer, bot: None) -> None:
    track = track_of(tenant, born(tenant))
    question = question_on(tenant, track)
    message = telegram.wait(
        lambda: next(
            (
                m
                for m in telegram.messages.values()
                if any(question["question_id"] in b.get("callback_data", "") for row in buttons_of(m) for b in row)
            ),
            None,
        )
    )
    assert "Rain Light" in text_of(message) and "a song" in text_of(message)
    telegram.press(message, "Ask for changes")
    listed = telegram.said(tenant.chat, "1. lyrics")
    assert "4. video" in text_of(listed)
    assert telegram.answer_to(telegram.press(message, "Approve")) == "Approved."
    ended(tenant, track, "released")
