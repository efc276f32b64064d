"""A studio of killable processes on shared servers; its namespace, database, bucket and directory are its own."""

import asyncio
import os
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import boto3
import httpx

from deploy.local.process import Child
from deploy.local.servers import LocalServers
from deploy.local.state import find_port
from deploy.settings import ROOT
from tests.durability.gates import Gates

PATIENCE_SECONDS = 400
POLL_SECONDS = 0.05
VIEW_SECONDS = 0.5
"""Between two looks at a render, each of which is work for the studio."""
SENTENCES = 18
SCRIPT = " ".join(f"This is sentence number {number} of the film." for number in range(1, SENTENCES + 1))
WORKERS = ("worker-studio", "worker-io", "worker-cpu")
PROCESSES = ("api", *WORKERS)


@dataclass
class GatedStudio:
    """The studio's own processes; those of the io and cpu lanes stop at gates."""

    name: str
    servers: LocalServers
    root: Path
    more: dict[str, str] = field(default_factory=dict)
    """Settings beside those that point at the servers."""

    def __post_init__(self) -> None:
        self.root.mkdir(mode=0o711)
        self.gates = Gates(self.root / "gates")
        self.makings = self.root / "makings"
        self.makings.touch()
        self.bucket = f"studio-{self.name}"
        self.port = find_port(set())
        self.environment = {
            **os.environ,
            **self.servers.environment,
            "TEMPORAL_NAMESPACE": self.name,
            "DATABASE_URL": self.servers.database_url_of(self.name),
            "S3_BUCKET": self.bucket,
            "GREENROOM_STATE_DIR": str(self.root),
            "GREENROOM_API_PORT": str(self.port),
            "GREENROOM_CPU_SLOTS": str(2 * SENTENCES),
            "DURABILITY_GATES": str(self.root / "gates"),
            "DURABILITY_MAKINGS": str(self.makings),
            "PYTHONUNBUFFERED": "1",
            **self.more,
        }
        self._children = {name: self._child(name) for name in PROCESSES}
        self._tokens = self.servers.state.tokens()
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=15)

    def _child(self, name: str) -> Child:
        lane = name.removeprefix("worker-")
        modules = {"api": ["api"], "worker-studio": ["workers", "--lanes", lane]}
        module = modules.get(name, ["tests.durability.worker", "--lanes", lane])
        environment = {**self.environment, "GREENROOM_READY_FILE": str(self.root / f"{name}.ready")}
        return Child([sys.executable, "-m", *module], environment, ROOT, self.root / f"{name}.log")

    # Processes

    def start(self, *names: str) -> None:
        for name in names:
            (self.root / f"{name}.ready").unlink(missing_ok=True)
            self._children[name].start()

    def kill(self, *names: str) -> None:
        """kill -9."""
        for name in names:
            self._children[name].kill()

    def pid(self, name: str) -> int:
        return self._children[name].pid

    def log(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text()

    async def ready(self, *names: str) -> None:
        await self.until(lambda: all(self._is_ready(name) for name in names), f"{names} to be ready")

    def _is_ready(self, name: str) -> bool:
        assert self._children[name].running, self.log(name)[-2_000:]
        if name != "api":
            return (self.root / f"{name}.ready").exists()
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=6).status_code == 200
        except httpx.TransportError:
            return False

    async def restart(self, *names: str) -> None:
        """kill -9, and start again."""
        self.kill(*names)
        self.start(*names)
        await self.ready(*names)

    async def up(self) -> None:
        """Start all, with a persona who can speak."""
        self.start(*PROCESSES)
        await self.furnished()

    async def furnished(self) -> None:
        """Once all is ready: with a persona who can speak."""
        await self.ready(*PROCESSES)
        chat = {"name": "Rae", "telegram_chat": self.chat}
        await self.call("PUT", "/reviewers/local-reviewer", chat, role="admin")
        await self.call("PUT", "/voices/avery", {"name": "Avery", "engine": "kokoro", "stock": "af_heart"})
        await self.call("PUT", "/personas/avery", {"name": "Avery", "voice": "avery", "look": "avery"})
        await self.call("PUT", "/scripts/film", {"title": "Film", "source": SCRIPT})

    async def down(self) -> None:
        await self._http.aclose()
        self.kill(*PROCESSES)

    @property
    def chat(self) -> int:
        """The reviewer's, on Telegram."""
        return 1 + zlib.crc32(self.name.encode())

    # The API, as a client that tries again uses it

    async def call(self, method: str, path: str, body: object = None, *, role: str = "producer", key: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self._tokens[role]}", **({"Idempotency-Key": key} if key else {})}
        answer: httpx.Response | None = None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while answer is None or answer.status_code == 503:
            assert time.monotonic() < deadline, answer
            try:
                answer = await self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(POLL_SECONDS)
            else:
                assert "Traceback" not in answer.text
                if answer.status_code == 503:
                    assert answer.headers["content-type"] == "application/problem+json"
                    assert answer.json()["action"] and answer.headers["Retry-After"]
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def ask(self, key: str, **more: Any) -> str:
        """Ask for the film; the render's id. The same key is the same render, also after no answer."""
        cards = {"intro": {"title": "Good morning"}, "outro": {"title": "Thank you"}}
        body = {"title": f"Film of {self.name}", "persona": "avery", "script": "film", "seed": 1, "layout": cards}
        body |= more
        return str((await self.call("POST", "/renders", body, key=key))["render_id"])

    async def view(self, render: str) -> dict[str, Any]:
        return dict(await self.call("GET", f"/renders/{render}", role="viewer"))

    async def reached(self, render: str, state: str) -> dict[str, Any]:
        """The render in this state. One that needs a person fails the test at once."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (view := await self.view(render))["state"] != state:
            assert view["state"] not in {"blocked", "failed"}, view["progress"]
            assert time.monotonic() < deadline, view
            await asyncio.sleep(VIEW_SECONDS)
        return view

    async def question(self, render: str) -> dict[str, Any]:
        """The open question of a render, as reviewers find it."""
        await self.reached(render, "awaiting_approval")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            listed = (await self.call("GET", "/approvals", role="viewer"))["items"]
            for question in listed:
                if question["render_id"] == render:
                    return dict(question)
            assert time.monotonic() < deadline
            await asyncio.sleep(VIEW_SECONDS)

    async def decide(self, question: dict[str, Any]) -> None:
        """Approve. Said again, it is the same verdict."""
        verdict = {"sha256": question["sha256"], "decision": "approve"}
        path = f"/approvals/{question['question_id']}/verdict"
        await self.call("POST", path, verdict, role="reviewer", key="yes")

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            await asyncio.sleep(POLL_SECONDS)

    async def held(self, gates: Iterable[str]) -> None:
        """Return when a worker waits at each of the gates."""
        names = tuple(gates)
        await self.until(lambda: all(map(self.gates.held, names)), f"somebody to come to {names}")

    # What is left behind

    async def sql(self, query: str) -> list[Any]:
        connection = await asyncpg.connect(self.environment["DATABASE_URL"].replace("+asyncpg", ""))
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    def made(self) -> Counter[str]:
        """How often an engine began to make each thing, as ``activity.segment``."""
        return Counter(self.makings.read_text().split())

    def litter(self) -> list[Path]:
        """Scratch files, and files of the cache that are not whole."""
        scratch, cache = self.root / "scratch", self.root / "cache"
        return [*(path for path in scratch.rglob("*") if path.is_file()), *cache.glob("partial-*")]

    def stored(self) -> dict[str, bytes]:
        """The objects of the bucket by the sha256 they are named by."""
        s3 = boto3.client(
            "s3",
            endpoint_url=self.servers.s3_endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=self.servers.s3_key_id,
            aws_secret_access_key=self.servers.s3_key,
        )
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="blobs/")
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key.rpartition("/")[2]: s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}
