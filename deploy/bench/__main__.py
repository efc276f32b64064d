"""``python -m deploy.bench``: start the studio, measure every figure, print the table, write ``bench.json``. Nothing it
renders is in the cache: every run has a seed of its own."""

import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from activities.music.composer import ComposerEngine
from deploy.bench.compositors import compare
from deploy.bench.crowd import Doors, crowd, disband, enliven
from deploy.bench.figures import Row, cpu_seconds, from_figures, table
from deploy.bench.genres import measure_genres
from deploy.bench.songs import Room
from deploy.local.__main__ import down, up
from deploy.local.client import StudioClient
from deploy.local.demo import PIECES, RENDER, local_client, prepare, say
from deploy.local.process import proportional_memory
from deploy.local.state import StateDirectory
from deploy.settings import ROOT, load_settings
from deploy.simulate.population import live
from models.lifecycle import LifePolicy
from models.render import RenderRequest
from models.song_stages import SAME_VOICE

SENTENCES = (
    "Welcome to this short report.",
    "Our orders rose by 7% in the last quarter.",
    "Costs fell a little, as we had planned.",
    "The new plant opened in May.",
    "Customers tell us that they are pleased.",
    "We will invest in better tools.",
    "Every region made a profit.",
    "Our people learn faster than before.",
    "Next year we want to grow with care.",
    "Thank you for listening.",
    "The board has approved the budget.",
    "Our partners signed for three more years.",
    "Delivery takes two days on average.",
    "We closed one office and opened two.",
    "Energy use went down by a tenth.",
    "The new system runs day and night.",
    "Nobody was hurt at work this year.",
    "We paid back half of our debt.",
    "Training is open to everybody.",
    "See you again in spring.",
)
PORTRAITS = ROOT / "tests" / "media" / "portraits"


class Bench:
    """A running studio, and what is measured on it."""

    def __init__(self, state: StateDirectory) -> None:
        self.state = state
        self.client: StudioClient = local_client(state)
        self.rows: list[Row] = []

    def add(self, name: str, value: float | None, unit: str, sense: str, reach: float | None, note: str = "") -> None:
        """Record a figure and say it at once."""
        row = Row(name, value, unit, sense, reach, note)
        self.rows.append(row)
        say(f"  {row.line()}")

    def script(self, name: str, sentences: tuple[str, ...]) -> str:
        """Save a script; returns its id."""
        body = {"title": name, "source": " ".join(sentences), "audience": "employees"}
        self.client.call("PUT", f"/scripts/{name}", body)
        return name

    def render(self, route: str = "/renders", **body: Any) -> tuple[dict[str, Any], float]:
        """Render without approval; the final view and the seconds from request to end."""
        began = time.monotonic()
        started = self.client.call("POST", route, body, key=secrets.token_hex(16))
        view: dict[str, Any] = {}
        for view in self.client.watch(started["render_id"]):
            if view["state"] == "blocked":
                raise SystemExit(f"blocked: {view['progress']['failures']}")
        seconds = time.monotonic() - began
        if view.get("state") != "complete":
            raise SystemExit(f"the render ended as {view.get('state')}")
        return view, seconds

    def query(self, sql: str) -> list[asyncpg.Record]:
        """Read the studio's database."""
        # As the API was given it: an embedded database's address is the supervisor's to choose.
        url = psutil.Process(self.parts()["api"]).environ()["DATABASE_URL"].replace("+asyncpg", "")

        async def read() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(url)
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()

        return asyncio.run(read())

    def parts(self) -> dict[str, int]:
        """Process ids by part."""
        return {part["name"]: part["pid"] for part in self.status() if part["pid"]}

    def status(self) -> list[dict[str, Any]]:
        """What the supervisor says of each part."""
        found: list[dict[str, Any]] = json.loads(self.state.status.read_text())["parts"]
        return found


def ask(script: str, seed: int, **more: Any) -> dict[str, Any]:
    """A render's body: the demo's layout, no approval."""
    return {**RENDER, "script": script, "seed": seed, "approval": {"required": False}, **more}


def fresh_seed() -> int:
    """A seed nobody rendered with, so that nothing is in the cache."""
    return secrets.randbelow(2**30)


def memory_at_rest(bench: Bench) -> None:
    """Proportional set size of a studio that has just come up and does nothing."""
    time.sleep(5)
    parts = bench.parts()
    bench.add("memory_workflow_worker", proportional_memory(parts["worker-studio"]) / 1e6, "MB", "<=", 120)
    supervisor = psutil.Process(parts["api"]).ppid()
    bench.add("memory_studio_at_rest", proportional_memory(supervisor) / 1e6, "MB", "<=", 1200)


@contextmanager
def cpu_by_part(bench: Bench) -> Iterator[dict[str, float]]:
    """CPU seconds that each part spends within the block."""
    parts = bench.parts()
    before = {name: cpu_seconds(pid) for name, pid in parts.items()}
    spent: dict[str, float] = {}
    yield spent
    spent.update({name: cpu_seconds(pid) - before[name] for name, pid in parts.items()})


def demo_film(bench: Bench) -> None:
    """The demo's film, made from nothing: quality, speed, where the time goes, what the machinery costs."""
    # One sentence first, so that no engine's first load counts as drawing.
    bench.render(**ask(bench.script("bench-warm", SENTENCES[:1]), fresh_seed()))
    with cpu_by_part(bench) as spent:
        view, seconds = bench.render(**ask("third-quarter", fresh_seed()))
    bench.rows += from_figures(view["figures"])
    for row in bench.rows[-len(view["figures"]) :]:
        say(f"  {row.line()}")
    film = view["progress"]["films"][0]["video"]
    length = film["duration_ms"] / 1000
    bench.add("render_seconds_per_second", seconds / length, "s/s", "<=", 2.0, f"{length:.0f} s of 1080p25")
    total = sum(spent.values())
    machinery = sum(value for name, value in spent.items() if name != "worker-cpu")
    share = ", ".join(f"{name} {value:.1f} s" for name, value in sorted(spent.items(), key=lambda item: -item[1]))
    bench.add("machinery_share_of_cpu", machinery / total, "", "<=", 0.05, share)
    for stage, cpu in stage_costs(bench, length):
        bench.add(f"stage_{stage}", cpu, "s/s", "", None, "worker seconds a second of video")


def stage_costs(bench: Bench, length: float) -> list[tuple[str, float]]:
    """Seconds each stage took for the newest render, a second of video; from the stage table."""
    rows = bench.query(
        "SELECT stage, sum(seconds) AS seconds FROM stage_result WHERE stage <> 'film' AND finished_at > ("
        "SELECT created_at FROM render ORDER BY created_at DESC LIMIT 1) GROUP BY stage"
    )
    return sorted(((row["stage"], row["seconds"] / length) for row in rows), key=lambda row: -row[1])


def against_plain_script(bench: Bench) -> None:
    """Ten segments: the studio's wall time against the same engines in a row."""
    script = bench.script("bench-ten", SENTENCES[:10])
    _, studio = bench.render(**ask(script, fresh_seed()))
    newest = bench.query("SELECT request FROM render ORDER BY created_at DESC LIMIT 1")[0]
    request = RenderRequest.model_validate_json(newest["request"])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "request.json"
        file.write_text(request.model_copy(update={"seed": fresh_seed()}).model_dump_json())
        command = [sys.executable, "-m", "deploy.bench.plain", str(file), str(Path(folder) / "made")]
        plain = float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()[-1])
    bench.add("wall_against_plain_script", studio / plain, "", "<=", 0.75, f"{studio:.1f} s against {plain:.1f} s")


def edits_and_repeats(bench: Bench) -> None:
    """Twenty sentences; one edited; the same again."""
    body = ask(bench.script("bench-twenty", SENTENCES), fresh_seed())
    first, seconds = bench.render(**body)
    edits = [{"segment": 9, "text": "Thank you for your attention."}]
    _, edited = bench.render(f"/renders/{first['render_id']}/rerender", edits=edits)
    bench.add("one_sentence_edited", edited / seconds, "", "<=", 0.20, f"{edited:.1f} s against {seconds:.1f} s")
    again, repeated = bench.render(**body)
    same = again["progress"]["films"][0]["video"]["sha256"] == first["progress"]["films"][0]["video"]["sha256"]
    bench.add("same_request_again", repeated, "s", "<=", 2.0, "same sha256" if same else "ANOTHER sha256")
    bench.add("same_request_same_bytes", float(same), "", ">=", 1.0)


def portraits(bench: Bench) -> None:
    """Photos made by the project, performing."""
    script = bench.script("bench-portrait", SENTENCES[:4])
    tracked, correlations = [], []
    for photo in sorted(PORTRAITS.glob("*.jpg"))[:3]:
        asset = bench.client.upload(photo)
        persona = {**PIECES["personas"], "look": None, "photo": asset["id"]}
        persona.pop("id")
        bench.client.call("PUT", f"/personas/bench-{photo.stem}", persona)
        view, _ = bench.render(**ask(script, fresh_seed(), persona=f"bench-{photo.stem}"))
        measured = {figure["name"]: figure["value"] for figure in view["figures"]}
        tracked.append(measured["face_tracked"])
        correlations.append(measured["lip_correlation"])
    names = ", ".join(f"{value:.2f}" for value in correlations)
    bench.add("portrait_face_tracked", min(tracked), "", ">=", 0.99, f"worst of {len(tracked)} photos")
    bench.add("portrait_lip_correlation", min(correlations), "", ">=", 0.7, names)


def compositor_speed(bench: Bench) -> None:
    """One graph against the same composition in a MoviePy frame loop."""
    with tempfile.TemporaryDirectory() as folder:
        ratio, note = compare(Path(folder))
    bench.add("compositor_against_moviepy", ratio, "x", ">=", 5.0, note)


def voices_and_songs(bench: Bench) -> None:
    """Voices of a house of twenty-four; a song by each of the first five, line by line."""
    with tempfile.TemporaryDirectory() as name:
        folder, room = Path(name), Room(load_settings())
        born = list(room.artists(24, folder))
        nearest = max(likeness for _, likeness in born[1:])
        bench.add("voices_likest_of_24", nearest, "", "<=", SAME_VOICE, "two of the house, cosine similarity")
        songs = room.songs([identity for identity, _ in born[:5]], folder)
    for song in songs:
        say(f"    {song.artist}, {song.genre}, {song.tempo_bpm:.0f} BPM")
        for line in song.report.lines:
            say(f"      {line.errors}/{line.words}  {line.text}  →  {line.heard}")
    errors = sum(line.errors for song in songs for line in song.report.lines)
    words = sum(line.words for song in songs for line in song.report.lines)
    each = ", ".join(
        f"{sum(line.errors for line in song.report.lines) / sum(line.words for line in song.report.lines):.2f}"
        for song in songs
    )
    bench.add("lyric_error_rate", errors / words, "", "<=", 0.25, f"five artists: {each}")
    measured = [{figure.name: figure.value for figure in song.report.figures} for song in songs]

    def all_of(name: str) -> list[float]:
        return [value for figures in measured if (value := figures.get(name)) is not None]

    pitch = all_of("pitch_share")
    bench.add("pitch_share", sum(pitch) / len(pitch), "", ">=", 0.88, ", ".join(f"{value:.2f}" for value in pitch))
    bench.add("tempo_error", max(all_of("tempo_error")), "", "<=", 0.02, "worst of five")
    bench.add("song_loudness_error_lu", max(all_of("loudness_error_lu"), key=abs), "LU", "+-", 0.5, "worst of five")
    bench.add("song_true_peak_dbtp", max(all_of("true_peak_dbtp")), "dBTP", "<=", -1.0, "worst of five")


def genres_apart(bench: Bench) -> None:
    """Five genres, eight seeds each, told apart by a classifier that has not heard the song."""
    found = measure_genres(ComposerEngine(), 8)
    mistakes = ", ".join(f"{sung.value} for {taken.value}" for sung, taken in found.mistakes)
    bench.add("genres_told_apart", found.accuracy, "", ">=", 0.9, mistakes or "none mistaken")


def released_song(bench: Bench) -> None:
    """An artist's first song on the studio, from music to release, with both videos."""
    artist = f"bench-{secrets.token_hex(4)}"
    body = {"id": artist, "autopilot": True, "approval": {"required": False}, "pacing": {"gap_hours": 24 * 30}}
    bench.client.call("POST", "/artists", body)
    sound, began, view = 0.0, 0.0, dict[str, Any]()
    while view.get("state") not in ("released", "blocked"):
        time.sleep(0.5)
        tracks = bench.client.call("GET", f"/tracks?artist={artist}", role="viewer")["items"]
        if not tracks:
            continue
        began = began or time.monotonic()
        view = bench.client.call("GET", f"/tracks/{tracks[0]['track_id']}", role="viewer")
        if not sound and (view["progress"] or {}).get("steps", {}).get("mix") == "done":
            sound = time.monotonic() - began
    if view["state"] == "blocked":
        raise SystemExit(f"blocked: {view['progress']['failures']}")
    whole = time.monotonic() - began
    length = view["progress"]["files"]["master"]["duration_ms"] / 1000
    note = f"{length:.0f} s of song"
    bench.add("song_seconds_per_second", sound / length, "s/s", "<=", 1.0, f"sound alone, {note}")
    bench.add("song_and_videos_per_second", whole / length, "s/s", "<=", 3.0, f"with 16:9 and 9:16, {note}")
    for figure in view["figures"]:
        if figure["name"] == "cut_error_frames":
            bench.add("cut_error_frames", figure["value"], "frames", "<=", 1.0, figure["note"][:80])


def answers(bench: Bench, artists: list[str], rounds: int) -> list[float]:
    """Milliseconds from sending an update over REST until a query after it shows its effect, ascending."""
    spent = []
    for number in range(rounds):
        artist, on = artists[number % len(artists)], number // len(artists) % 2 == 0
        asked = time.monotonic()
        bench.client.call("POST", f"/artists/{artist}/autopilot", {"on": on})
        shown = bench.client.call("GET", f"/artists/{artist}", role="viewer")
        spent.append(1000 * (time.monotonic() - asked))
        assert shown["live"] and shown["life"]["autopilot"] is on, shown
    return sorted(spent)


def a_thousand_artists(bench: Bench) -> None:
    """A few artists alive, then a thousand: what they weigh, and how soon one of them does as it was told."""
    environment = psutil.Process(bench.parts()["api"]).environ()
    doors = Doors(environment["TEMPORAL_ADDRESS"], environment["DATABASE_URL"])
    supervisor = psutil.Process(bench.parts()["api"]).ppid()
    artists = crowd(1_000)
    try:
        asyncio.run(enliven(doors, artists[:10]))
        few = answers(bench, artists[:10], 100)
        bench.add(
            "update_to_effect_p95",
            few[94],
            "ms",
            "<=",
            150,
            f"100 over REST, each seen by a query; median {few[49]:.0f}",
        )
        began = time.monotonic()
        asyncio.run(enliven(doors, artists[10:]))
        born = time.monotonic() - began
        many = answers(bench, artists, 200)
        parts = bench.parts()
        bench.add(
            "thousand_update_p95",
            many[189],
            "ms",
            "",
            None,
            f"200 artists of 1,000; median {many[99]:.0f}; born in {born:.0f} s",
        )
        bench.add("thousand_workflow_worker", proportional_memory(parts["worker-studio"]) / 1e6, "MB", "", None)
        bench.add("thousand_studio", proportional_memory(supervisor) / 1e6, "MB", "", None)
        bench.add("thousand_restarts", sum(part["restarts"] for part in bench.status()), "", "<=", 0)
    finally:
        asyncio.run(disband(doors, artists))


def artist_year(bench: Bench) -> None:
    """Four artists live a year under a skipped clock: a track a week, figures of their audience every day."""
    artists, days = 4, 365.25
    lived = asyncio.run(live(artists, days / 365.25, 1, LifePolicy(), 7, timedelta(days=1)))
    note = f"{artists} artists, {days:.0f} days, {lived.history_events:,} events"
    bench.add("history_events_a_day", lived.history_events / artists / days, "", "<=", 12, note)


MEASURES: tuple[Callable[[Bench], None], ...] = (
    memory_at_rest,
    demo_film,
    against_plain_script,
    edits_and_repeats,
    portraits,
    compositor_speed,
    released_song,
    a_thousand_artists,
    artist_year,
    voices_and_songs,
    genres_apart,
)


def main() -> int:
    """Measure; non-zero when a figure falls short."""
    state = StateDirectory(load_settings().studio.state_dir)
    down(state)
    if up(state, (), gpu=False) != 0:
        return 1
    bench = Bench(state)
    prepare(bench.client)
    for measure in MEASURES:
        say((measure.__doc__ or "").strip())
        measure(bench)
    (state.root / "bench.json").write_text(json.dumps([row.as_json() for row in bench.rows], indent=1))
    say(table(bench.rows))
    return 0 if all(row.holds is not False for row in bench.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
