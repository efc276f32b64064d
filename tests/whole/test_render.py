"""One render from script to decided film, with the reviewer on Telegram, and what a requester can do meanwhile."""

import time
from pathlib import Path
from typing import Any

import av
import httpx

from tests.telegram.server import Message
from tests.whole.conftest import REVIEWER_CHAT, WholeStudio


def message_about(studio: WholeStudio, title: str) -> Message:
    """The film the bot sent to the reviewer, once it can be pressed."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for message in list(studio.telegram.messages.values()):
            if message["chat"]["id"] == REVIEWER_CHAT and title in message.get("caption", "") and words_of(message):
                return message
        time.sleep(0.1)
    raise AssertionError(f"nothing about {title!r} was sent: {studio.telegram.messages}")


def words_of(message: Message) -> list[str]:
    keyboard = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return [button["text"] for row in keyboard for button in row]


def awaiting(view: dict[str, Any]) -> bool:
    return view["state"] == "awaiting_approval" and view["progress"]["question"] is not None


def test_a_render_is_decided_on_telegram(studio: WholeStudio, tmp_path: Path) -> None:
    render = studio.start("two", 21, title="Asked on Telegram", approval={"required": True})
    view = studio.until(render, awaiting)
    assert {figure["name"] for figure in view["figures"]} >= {"word_error_rate", "lip_correlation", "loudness_error_lu"}
    assert view["passed"], [figure for figure in view["figures"] if not figure["holds"]]
    message = message_about(studio, "Asked on Telegram")
    approve = next(words for words in words_of(message) if "pprove" in words)
    studio.telegram.press(message, approve)
    view = studio.until(render, lambda view: view["state"] == "complete")
    assert [verdict["reviewer"] for verdict in view["progress"]["verdicts"]] == ["local-reviewer"]
    sent = [m for m in studio.telegram.messages.values() if "Asked on Telegram" in m.get("caption", "")]
    assert len(sent) == 1, "asked once"

    film = studio.client.call("GET", f"/renders/{render}/files", role="viewer")["films"][0]
    video = studio.client.download(film["video"]["url"], tmp_path / "film.mp4")
    with av.open(str(video)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (1920, 1080)
        assert container.streams.audio[0].rate == 48_000
    assert "-->" in httpx.get(film["vtt"]["url"]).text


def test_the_same_request_again_has_the_same_bytes_and_makes_nothing(studio: WholeStudio) -> None:
    first = studio.until(studio.start("two", 31), lambda view: view["state"] == "complete")
    again = studio.until(studio.start("two", 31), lambda view: view["state"] == "complete")
    assert again["progress"]["films"] == first["progress"]["films"]
    assert again["progress"]["cost"]["stages_made"] == 0


def test_an_edit_makes_only_what_changed(studio: WholeStudio) -> None:
    first = studio.until(studio.start("two", 41), lambda view: view["state"] == "complete")
    edits = [{"segment": 1, "text": "We grew by 15% this year."}]
    body = {"edits": edits}
    child = studio.client.call("POST", f"/renders/{first['render_id']}/rerender", body, key="edit-41")["render_id"]
    view = studio.until(child, lambda view: view["state"] == "complete")
    cost = view["progress"]["cost"]
    assert (cost["stages_made"], cost["stages_reused"]) == (6 + 4, 6)


def test_cancel_leaves_no_lease_and_no_scratch(studio: WholeStudio) -> None:
    render = studio.start("two", 51)
    studio.until(render, lambda view: "avatar" in (view["progress"] or {}).get("steps", ()))
    studio.client.call("POST", f"/renders/{render}/cancel")
    studio.until(render, lambda view: view["state"] == "cancelled")
    assert studio.psql("SELECT count(*) FROM stage_result WHERE owner IS NOT NULL")[0][0] == 0
    assert studio.scratch_files() == []
