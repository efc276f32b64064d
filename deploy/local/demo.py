"""``make demo``: the main job as a person would do it over REST, told as it happens: a persona, her voice, her brand, a
script, a render, an approval, and where the video lies."""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from deploy.local.__main__ import up
from deploy.local.client import StudioClient
from deploy.local.state import StateDirectory
from deploy.settings import load_settings
from models.errors import StudioError

SCRIPT = """
Good morning, and thank you for joining me. I am Avery Lindqvist, and this is our third quarter in under a minute.

Revenue grew 12% to 48 million dollars, a little ahead of our plan. Our newest product, Lumora, now serves 240 customers
in nine countries. <break time="200ms"/> That is twice as many as in spring.

Margins held steady, because we chose <emphasis level="moderate">fewer</emphasis> projects and finished them. Our CEO
asked every team for one promise, and every team kept it. We shipped on time in July, in August and in September.

There is still work to do. Support takes longer than it should, and we will hire 15 people to change that. By December,
every customer will have an answer within one day.

Thank you for your care and your patience. Let us make the fourth quarter our best one yet.
"""

PIECES: dict[str, dict[str, Any]] = {
    "brands": {"id": "northwind", "name": "Northwind", "primary": "#12395b", "accent": "#f0a83a", "text": "#ffffff"},
    "voices": {"id": "avery", "name": "Avery", "engine": "kokoro", "stock": "af_heart", "language": "en"},
    "plates": {"id": "evening", "name": "Evening blue", "kind": "colour", "colour": "#22384d"},
    "personas": {
        "id": "avery",
        "name": "Avery Lindqvist",
        "title": "Chief Financial Officer",
        "description": "Speaks for the company on results. A synthetic person: nobody's likeness.",
        "style": "Short sentences. Figures before adjectives.",
        "tone": "confident",
        "voice": "avery",
        "look": "avery",
        "brand": "northwind",
    },
    "scripts": {
        "id": "third-quarter",
        "title": "Third quarter",
        "source": SCRIPT.strip(),
        "audience": "employees",
        "pronunciations": [{"word": "Lumora", "ipa": "lumˈɔɹə"}],
    },
}
"""What the demo creates, by route, in an order in which each finds what it refers to."""

RENDER = {
    "title": "Third quarter, in under a minute",
    "persona": "avery",
    "script": "third-quarter",
    "priority": 1,
    "layout": {
        "plate": "evening",
        "captions": "burnt",
        "intro": {"title": "Third quarter", "subtitle": "Northwind, to all employees", "duration_ms": 2000},
        "outro": {"title": "Northwind", "subtitle": "Thank you", "duration_ms": 1600},
    },
}


def prepare(client: StudioClient) -> None:
    """Create, or write again, everything the demo's render refers to."""
    client.call("PUT", "/reviewers/local-reviewer", {"name": "You, at the command line"}, role="admin")
    for route, item in PIECES.items():
        body = {name: value for name, value in item.items() if name != "id"}
        client.call("PUT", f"/{route}/{item['id']}", body)


class Teller:
    """Tells a render's changes: one line that moves on a terminal, a line for each change elsewhere."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._told = ""
        self._live = sys.stdout.isatty()

    def tell(self, view: dict[str, Any]) -> None:
        """Say where the render stands, if that is news."""
        progress = view["progress"] or {}
        steps = Counter(progress.get("steps", ()))
        under_way = [f"{step} {count}" for step, count in steps.items() if step != "done"]
        waiting = [f"waiting for a worker on lane {lane}" for lane in progress.get("waiting_for_lanes", ())]
        parts = [f"{view['done']}/{view['total']} sentences", *under_way, *waiting, progress.get("detail", "")]
        line = f"{view['state']:<18}{' · '.join(part for part in parts if part)}"
        if line == self._told:
            return
        self._told = line
        stamped = f"{time.monotonic() - self._began:6.1f} s  {line}"
        sys.stdout.write(f"\r\x1b[2K{stamped[:150]}" if self._live else f"{stamped}\n")
        sys.stdout.flush()

    def end(self) -> None:
        """Leave the moving line."""
        if self._live:
            sys.stdout.write("\n")


def until_decided(client: StudioClient, render_id: str) -> dict[str, Any]:
    """Follow a render to its end, approving when asked. Raises StudioError when it needs a person or ends otherwise."""
    teller, view, asked = Teller(), {}, ""
    for view in client.watch(render_id):
        teller.tell(view)
        progress = view["progress"] or {}
        question = progress.get("question")
        if view["state"] == "awaiting_approval" and question and question["question_id"] != asked:
            asked = question["question_id"]
            teller.end()
            say(f"          a reviewer is asked about {question['video']['sha256'][:12]}, and approves")
            client.approve(question, below_threshold=not view["passed"])
        if view["state"] == "blocked":
            failure = progress["failures"][0]
            raise StudioError(
                f"{failure['stage']}: {failure['failure']['message']}", action=failure["failure"]["action"]
            )
    teller.end()
    if view.get("state") != "complete":
        raise StudioError(f"the render ended as {view.get('state')}")
    return view


def figures(view: dict[str, Any]) -> str:
    """The quality figures as a table."""
    rows = []
    for figure in view["figures"]:
        value = "not measured" if figure["value"] is None else f"{figure['value']:.3f}".rstrip("0").rstrip(".")
        reach = f"{figure['sense']} {figure['reach']:g} {figure['unit']}"
        rows.append(f"  {'ok ' if figure['holds'] else 'LOW'} {figure['name']:<22}{value:>10}   {reach}")
    return "\n".join(rows)


def say(text: str) -> None:
    """A line for the person."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def local_client(state: StateDirectory) -> StudioClient:
    """A client of the studio that runs on this state directory."""
    parts = json.loads(state.status.read_text())["parts"]
    return StudioClient(next(part["address"] for part in parts if part["name"] == "api"), state.tokens())


def demo() -> Path:
    """Run it. Returns where the video lies."""
    settings = load_settings()
    state = StateDirectory(settings.studio.state_dir)
    if up(state, (), gpu=False) != 0:
        raise StudioError("the studio did not start", action="Read what it says above, or 'make status'.")
    client = local_client(state)
    prepare(client)
    started = client.render(RENDER)
    say(f"Render {started['render_id']}, in the Temporal Web UI: {started['temporal_url']}")
    view = until_decided(client, started["render_id"])
    film = client.call("GET", f"/renders/{started['render_id']}/files", role="viewer")["films"][0]
    video = client.download(film["video"]["url"], settings.studio.state_dir / "demo" / film["video"]["name"])
    for name in ("thumbnail", "srt", "vtt"):
        client.download(film[name]["url"], video.parent / film[name]["name"])
    cost = view["progress"]["cost"]
    say("")
    say(f"Figures of the finished file ({'all hold' if view['passed'] else 'some are below their thresholds'}):")
    say(figures(view))
    say(f"Stages made {cost['stages_made']}, reused {cost['stages_reused']}; CPU {cost['cpu_seconds']:.0f} s")
    say("")
    say(f"Temporal Web UI: {started['temporal_url']}")
    say(f"Plays for six hours: {film['video']['url']}")
    say("The video:")
    say(str(video))
    return video


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
