"""The API on real HTTP, before real servers and the real render workflow.

Only a render's stages are instant: they draw a second of test picture instead of a person."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import imageio_ffmpeg
import jwt
import pytest
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.inspection.engine import MediaInspector
from activities.inspection.stage import InspectionActivities
from activities.knowledge.qdrant import QdrantMemory
from activities.knowledge.stage import KnowledgeActivities
from activities.support.s3 import S3ArtifactStore, connect_s3
from activities.support.stage import Stages
from api.app import create_app
from deploy.local.servers import LocalServers
from deploy.migrations import upgrade
from deploy.settings import ROOT, Settings, load_settings
from models.layout import Shape
from models.quality import Figure, Sense
from models.render import RenderState
from models.roster import Roster
from models.stages import AssembleRequest, AssembleResult, FilmFiles
from tests.api.songs import SmallSongs
from tests.telegram.server import TOKEN, TelegramServer, telegram_server
from tests.workflows.studio import InstantStudio
from workers import wiring
from workers.plugin import StudioPlugin
from workflows.artist import ArtistWorkflow
from workflows.debut import DebutWorkflow
from workflows.incident import IncidentWorkflow
from workflows.inspection import InspectionWorkflow
from workflows.publication import PublicationWorkflow
from workflows.render import RenderWorkflow
from workflows.track import TrackWorkflow

TRACKS = (TrackWorkflow, PublicationWorkflow)
FINE = (Figure(name="word_error_rate", value=0.01, sense=Sense.AT_MOST, reach=0.05),)
POOR = (*FINE, Figure(name="lip_correlation", value=0.4, sense=Sense.AT_LEAST, reach=0.85))


class SmallFilms(InstantStudio):
    """An instant studio whose films are real files in the object store."""

    artifacts: S3ArtifactStore
    folder: Path

    @activity.defn(name="compositing.assemble")
    async def assemble(self, request: AssembleRequest) -> AssembleResult:
        await self._make(request, "film")
        return await asyncio.to_thread(self._film, " ".join(record.sha256 for record in request.records))

    def _film(self, made_of: str) -> AssembleResult:
        folder = self.folder / uuid.uuid4().hex
        folder.mkdir()
        video, picture = folder / "film.mp4", folder / "still.jpg"
        draw = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x90:rate=25:d=1"]
        subprocess.run([*draw, "-pix_fmt", "yuv420p", "-metadata", f"comment={made_of}", str(video)], check=True)
        subprocess.run([*draw, "-frames:v", "1", str(picture)], check=True)
        words = folder / "film.vtt"
        words.write_text(f"WEBVTT\n\nNOTE {made_of}\n")
        texts = {
            name: self.artifacts.put(words, kind)
            for name, kind in {"srt": "application/x-subrip", "vtt": "text/vtt", "cues": "application/json"}.items()
        }
        film = FilmFiles(
            shape=Shape.WIDE,
            video=self.artifacts.put(video, "video/mp4", 1_000),
            thumbnail=self.artifacts.put(picture, "image/jpeg"),
            **texts,
        )
        return AssembleResult(films=(film,))


@dataclass
class House:
    """The studio under test."""

    url: str
    settings: Settings
    servers: LocalServers
    stages: SmallFilms
    telegram: TelegramServer
    portal: BlockingPortal
    private_key: str
    clients: list[httpx.Client] = field(default_factory=list)

    def token(self, role: str, *, tenant: str = "house", subject: str = "", **changes: Any) -> str:
        now = datetime.now(UTC)
        claims = {
            "sub": subject or f"a-{role}",
            "roles": [role],
            "tenant": tenant,
            "iss": self.settings.jwt.issuer,
            "aud": self.settings.jwt.audience,
            "exp": now + timedelta(minutes=10),
            **changes,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self.private_key, algorithm="EdDSA", headers={"kid": "test"})

    def client(self, role: str, *, tenant: str = "house", subject: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token(role, tenant=tenant, subject=subject)}"}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=30)
        self.clients.append(client)
        return client


@dataclass
class Tenant:
    """An organisation of its own for each test, with a persona that can speak, and callers in every role."""

    house: House
    name: str
    viewer: httpx.Client
    producer: httpx.Client
    reviewer: httpx.Client
    other_reviewer: httpx.Client
    admin: httpx.Client
    chat: int

    def ask(self, key: str = "", **changes: Any) -> httpx.Response:
        """Ask for a render of the script ``q3``."""
        body = {"title": "Third quarter", "persona": "avery", "script": "q3", **changes}
        return self.producer.post("/renders", json=body, headers={"Idempotency-Key": key or uuid.uuid4().hex})

    def started(self, **changes: Any) -> str:
        response = self.ask(**changes)
        assert response.status_code == 201, response.text
        return str(response.json()["render_id"])

    def until(self, render_id: str, state: RenderState, done: int = 0) -> dict[str, Any]:
        """The render once it is in ``state`` with so many segments done, as its events tell."""
        with self.viewer.stream("GET", f"/renders/{render_id}/events", timeout=60) as stream:
            for name, data in events(stream):
                if name == "progress" and data["state"] == state.value and data["done"] >= done:
                    return data
        raise AssertionError(f"{render_id} ended as {data['state']}")

    def question(self, render_id: str) -> dict[str, Any]:
        """The open question of a render."""
        self.until(render_id, RenderState.AWAITING_APPROVAL)
        found: list[dict[str, Any]] = []
        while not found:
            listed = self.viewer.get("/approvals").json()["items"]
            found = [item for item in listed if item["render_id"] == render_id]
        return found[0]

    def decide(self, question: dict[str, Any], decision: str, **more: Any) -> httpx.Response:
        client = more.pop("client", self.reviewer)
        headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
        body = {"sha256": question["sha256"], "decision": decision, **more}
        return client.post(f"/approvals/{question['question_id']}/verdict", json=body, headers=headers)


def events(stream: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    """Server-sent events by name; comments are passed over."""
    name = ""
    for line in stream.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            text = line.removeprefix("data: ")
            yield name, httpx.Response(200, text=text).json() if text.startswith("{") else {"state": text}


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document, after a look at all that every one of them promises."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["title"] and found["action"] and found["type"].endswith(code)
    assert "Traceback" not in response.text
    return found


@pytest.fixture(scope="session")
def telegram() -> Iterator[TelegramServer]:
    with telegram_server() as server:
        yield server


@pytest.fixture(scope="session")
def environment(servers: LocalServers, telegram: TelegramServer) -> dict[str, str]:
    """What points a process of the studio at the servers of the tests."""
    bot = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url}
    return {**servers.environment, **bot, "GREENROOM_API_MAX_UPLOAD_MB": "20"}


@pytest.fixture(scope="session")
def settings(environment: dict[str, str]) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return load_settings(env_file=None)


@contextlib.asynccontextmanager
async def at_work(settings: Settings, studio: SmallFilms, songs: SmallSongs) -> AsyncIterator[None]:
    """Workers of every lane: the real workflows, records, approvals and inspection of uploads; instant stages."""
    client = await Client.connect(settings.temporal.address, plugins=[StudioPlugin()])
    store = Roster.connect(settings.database.url.get_secret_value())
    real = wiring.io_activities(settings, studio.artifacts, store, client)
    stages = Stages(studio.artifacts, store, studio.folder)
    inspection = InspectionActivities(stages, {"media": MediaInspector()})
    # A cancelled stage hears of it with its next heartbeat.
    instant = Worker(
        client,
        task_queue="cpu",
        activities=[*studio.activities()["cpu"], inspection.inspect, *songs.on_the_cpu_lane(stages)],
        max_heartbeat_throttle_interval=timedelta(seconds=0.5),
    )
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(
            Worker(
                client,
                task_queue="studio",
                workflows=[
                    RenderWorkflow,
                    InspectionWorkflow,
                    DebutWorkflow,
                    ArtistWorkflow,
                    IncidentWorkflow,
                    *TRACKS,
                ],
            )
        )
        await stack.enter_async_context(instant)
        await stack.enter_async_context(Worker(client, task_queue="io", activities=real))
        memory = QdrantMemory("", "", studio.folder / "qdrant")
        knowledge = KnowledgeActivities(memory, studio.artifacts)
        remembering = [knowledge.likest, knowledge.remember]
        await stack.enter_async_context(Worker(client, task_queue="knowledge", activities=remembering))
        yield
    await store.close()


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The application behind a real server on a free port; its address."""
    config = uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def house(
    servers: LocalServers, telegram: TelegramServer, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    upgrade(servers.database_url)
    client = connect_s3(servers.s3_endpoint_url, servers.s3_key_id, servers.s3_key)
    studio = SmallFilms(figures=FINE)
    studio.folder = tmp_path_factory.mktemp("films")
    studio.artifacts = S3ArtifactStore(client, servers.bucket, tmp_path_factory.mktemp("cache"))
    songs = SmallSongs()
    songs.folder, songs.artifacts = tmp_path_factory.mktemp("songs"), studio.artifacts
    key_file = settings.jwt.public_key_file
    assert key_file is not None
    private_key = key_file.with_name("private.pem").read_text()
    with (
        pytest.MonkeyPatch.context() as patch,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(at_work(settings, studio, songs)),
        serving(settings) as url,
    ):
        # A busy machine looks at an upload later, and that is no failure.
        patch.setattr("api.inspection.PATIENCE", timedelta(seconds=25))
        house = House(url, settings, servers, studio, telegram, portal, private_key)
        yield house
        for each in house.clients:
            each.close()


@pytest.fixture
def stages(house: House) -> Iterator[SmallFilms]:
    """The instant stages, to make them poor or slow for one test."""
    yield house.stages
    house.stages.figures, house.stages.hold = FINE, None
    house.stages.failing.clear()


@pytest.fixture
def tenant(house: House) -> Tenant:
    name, chat = f"t-{uuid.uuid4().hex[:10]}", uuid.uuid4().int % 2**40 + 1
    callers = {role: house.client(role, tenant=name) for role in ("viewer", "producer", "admin")}
    ana, ben = (house.client("reviewer", tenant=name, subject=who) for who in ("ana", "ben"))
    made = Tenant(house, name, reviewer=ana, other_reviewer=ben, chat=chat, **callers)
    for path, body in {
        "/reviewers/ana": {"name": "Ana", "telegram_chat": chat},
        "/reviewers/ben": {"name": "Ben"},
        "/voices/avery": {"name": "Avery", "stock": "af_heart"},
        "/brands/house": {"name": "Northwind", "primary": "#123456"},
        "/plates/blue": {"name": "Blue", "colour": "#1d2733"},
        "/personas/avery": {"name": "Avery", "title": "CEO", "voice": "avery", "look": "avery", "brand": "house"},
        "/scripts/q3": {"title": "Q3", "source": "Good morning. Revenue grew 12%. Thank you."},
    }.items():
        response = made.admin.put(path, json=body)
        assert response.status_code == 200, response.text
    return made


@pytest.fixture(scope="module")
def process(environment: dict[str, str]) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts processes of the studio, and ends those that are left."""
    running: list[subprocess.Popen[str]] = []

    def start(module: str, **changes: str) -> "subprocess.Popen[str]":
        surroundings = {**os.environ, **environment, "PYTHONUNBUFFERED": "1", **changes}
        begun = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=surroundings,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        running.append(begun)
        return begun

    yield start
    for left in running:
        left.kill()
        left.communicate()
