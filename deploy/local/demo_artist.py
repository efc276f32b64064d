"""``make demo-artist``: an artist is born over REST, makes its first song with a video, is approved, leaves a release;
told as it happens, with where to listen, watch and look at the end."""

import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.local.__main__ import up
from deploy.local.client import StudioClient
from deploy.local.demo import figures, local_client, say
from deploy.local.state import StateDirectory
from deploy.settings import load_settings
from models.errors import StudioError

BRIEF = "Songs for driving through a city at night, in the rain: warm, hopeful, blue and violet."
LOOK_SECONDS = 1.0
FINAL = ("released", "rejected", "cancelled", "failed", "lapsed")


def born(client: StudioClient) -> dict[str, Any]:
    """A new artist, as soon as its voice is cast."""
    artist = f"demo-{secrets.token_hex(3)}"
    client.call("PUT", "/reviewers/local-reviewer", {"name": "You, at the command line"}, role="admin")
    body = {"id": artist, "brief": BRIEF, "pacing": {"gap_hours": 24 * 7}}
    view: dict[str, Any] = client.call("POST", "/artists", body)
    say(f"An artist is born: {view['detail']}")
    while view["life"] is None:
        time.sleep(LOOK_SECONDS)
        view = client.call("GET", f"/artists/{artist}", role="viewer")
    identity = view["identity"]
    say(f"{identity['name']} — {identity['biography']}")
    say(f"In the Temporal Web UI: {view['temporal_url']}")
    return view


def first_track(client: StudioClient, artist: str) -> Iterator[dict[str, Any]]:
    """The artist's first track, again and again until it has ended."""
    while not (tracks := client.call("GET", f"/tracks?artist={artist}", role="viewer")["items"]):
        time.sleep(LOOK_SECONDS)
    while True:
        view = client.call("GET", f"/tracks/{tracks[-1]['track_id']}", role="viewer")
        yield view
        if view["state"] in FINAL and not view["live"]:
            return
        time.sleep(LOOK_SECONDS)


def until_released(client: StudioClient, artist: str) -> dict[str, Any]:
    """Follow the track to its release, approving when asked. Raises StudioError when it needs a person or ends
    otherwise."""
    began, told, asked, view = time.monotonic(), "", "", dict[str, Any]()
    for view in first_track(client, artist):
        progress = view["progress"] or {}
        steps = [f"{step} {state}" for step, state in progress.get("steps", {}).items() if state == "running"]
        line = f"{view['state']:<18}{' · '.join([*steps, progress.get('detail', '')])}"
        if line != told:
            told = line
            say(f"{time.monotonic() - began:6.1f} s  {line}"[:150])
        question = progress.get("question")
        if view["state"] == "awaiting_approval" and question and question["question_id"] != asked:
            asked = question["question_id"]
            say(f"          a reviewer is asked about {question['video']['sha256'][:12]}, and approves")
            client.approve(question, below_threshold=not view["passed"])
        if view["state"] == "blocked":
            failure = progress["failures"][0]
            raise StudioError(
                f"{failure['step']}: {failure['failure']['message']}", action=failure["failure"]["action"]
            )
    if view["state"] != "released":
        raise StudioError(f"the track ended as {view['state']}")
    return view


def demo() -> Path:
    """Run it. Returns the directory of the release."""
    settings = load_settings()
    state = StateDirectory(settings.studio.state_dir)
    if up(state, (), gpu=False) != 0:
        raise StudioError("the studio did not start", action="Read what it says above, or 'make status'.")
    client = local_client(state)
    artist = born(client)
    track = until_released(client, artist["id"])
    release = client.call("GET", f"/tracks/{track['track_id']}/release", role="viewer")
    folder: Path = settings.studio.state_dir / "demo" / track["track_id"]
    for file in release["files"]:
        client.download(file["url"], folder / file["name"])
    cost = track["progress"]["cost"]
    say("")
    say(f"“{track['title']}”, ISRC {release['isrc']}, UPC {release['upc']}")
    say(f"Figures ({'all hold' if track['passed'] else 'some are below their thresholds'}):")
    say(figures(track))
    say(f"Stages made {cost['stages_made']}, reused {cost['stages_reused']}; CPU {cost['cpu_seconds']:.0f} s")
    say("")
    say(f"Temporal Web UI: {track['temporal_url']}")
    say("Listen:")
    say(str(next(folder.glob("*.mp3"))))
    say("Watch:")
    say(str(folder / "video-16x9.mp4"))
    say("Look:")
    say(str(folder / "index.html"))
    return folder


def main() -> int:
    """Run the demo; a failure is told in words."""
    try:
        demo()
    except StudioError as error:
        sys.stderr.write(f"\n{error.message}\n{error.action}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
