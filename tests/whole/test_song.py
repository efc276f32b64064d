"""An artist and its first song by real engines, from birth to release: decided on Telegram, made in spite of kills."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from tests.processes import is_gone, members
from tests.whole.conftest import WholeStudio
from tests.whole.test_render import awaiting, message_about, words_of

PATIENCE_SECONDS = 1_200
"""How long a song with its videos may take on a busy machine; alone on two cores it takes three minutes."""


def running(step: str) -> Callable[[dict[str, Any]], bool]:
    return lambda view: (view["progress"] or {}).get("steps", {}).get(step) in ("running", "done")


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_a_song_survives_kills_is_decided_on_telegram_and_released_whole(studio: WholeStudio, tmp_path: Path) -> None:
    call = studio.client.call
    call("POST", "/artists", {"id": "mira-sol", "seed": 5, "pacing": {"gap_hours": 24 * 7}})
    artist = studio.until("mira-sol", lambda view: view["life"] is not None, "artists", PATIENCE_SECONDS)
    assert artist["identity"]["voice"]["styles"]
    studio.until("mira-sol", lambda _: bool(tracks(studio)), "artists", PATIENCE_SECONDS)
    (track,) = tracks(studio)

    def until(holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return studio.until(track, holds, "tracks", PATIENCE_SECONDS)

    # Each is killed in the middle of what it does: the maker as it sings and as it draws.
    for step, parts in {"music": ("worker-studio",), "vocals": ("worker-cpu", "api"), "video": ("worker-cpu",)}.items():
        until(running(step))
        for part in parts:
            killed = studio.kill(part)
            assert all(is_gone(pid) for pid in members(killed)), f"{part} left something running at {step}"

    view = until(awaiting)
    assert view["passed"], [figure for figure in view["figures"] if not figure["holds"]]
    assert {figure["name"] for figure in view["figures"]} >= {"lyric_error_rate", "pitch_share", "loudness_error_lu"}
    message = message_about(studio, view["title"])
    approve = next(words for words in words_of(message) if "pprove" in words)
    studio.telegram.press(message, approve)
    view = until(lambda view: view["state"] == "released" and not view["live"])
    assert [verdict["reviewer"] for verdict in view["progress"]["verdicts"]] == ["local-reviewer"]

    release = call("GET", f"/tracks/{track}/release", role="viewer")
    assert {Path(file["name"]).suffix for file in release["files"]} >= {
        ".wav",
        ".flac",
        ".mp3",
        ".mp4",
        ".lrc",
        ".json",
    }
    for file in release["files"]:
        local = studio.client.download(file["url"], tmp_path / Path(file["name"]).name)
        assert hashlib.sha256(local.read_bytes()).hexdigest() == file["sha256"], file["name"]
    with av.open(str(next(tmp_path.glob("*.mp3")))) as song:
        assert song.duration is not None and song.duration / av.time_base >= 75
    assert studio.psql("SELECT count(*) FROM release WHERE track_id LIKE '%mira-sol%'")[0][0] == 1
    assert studio.psql("SELECT count(*) FROM question WHERE track_id IS NOT NULL")[0][0] == 1
    assert studio.psql("SELECT count(*) FROM stage_result WHERE owner IS NOT NULL")[0][0] == 0
    assert studio.scratch_files() == []
    made_after_the_last_kill = set(re.findall(rf"stage.made .*stage=(\S+) .*work={track}", studio.log("worker-cpu")))
    assert made_after_the_last_kill <= {"musicvideo", "audition", "release"}, "what was made is not made again"


def tracks(studio: WholeStudio) -> list[str]:
    listed = studio.client.call("GET", "/tracks?artist=mira-sol", role="viewer")["items"]
    return [track["track_id"] for track in listed]
