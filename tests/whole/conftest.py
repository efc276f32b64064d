"""One studio a session, brought up as an operator does, with a Bot API server as its Telegram, and with a small disk of
its own for what is made, so that a test can fill it."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.client import RequestRefused, StudioClient
from deploy.local.demo import local_client
from deploy.local.state import StateDirectory
from deploy.settings import ROOT
from tests.telegram.server import TOKEN, TelegramServer, telegram_server

REVIEWER_CHAT = 7001
PATIENCE_SECONDS = 240
"""How long a render of two sentences may take on a busy machine, kills included."""


@dataclass
class WholeStudio:
    """A studio under its supervisor."""

    state: StateDirectory
    telegram: TelegramServer
    environment: dict[str, str]
    client: StudioClient

    def parts(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of each part."""
        return {part["name"]: part for part in json.loads(self.state.status.read_text())["parts"]}

    def kill(self, name: str) -> int:
        """kill -9; the id of the process that was."""
        while not (pid := int(self.parts()[name]["pid"])):
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        return pid

    @property
    def scratch(self) -> Path:
        """Where the cpu worker makes things, as the worker sees it: on the small disk."""
        return Path(f"/proc/{self.parts()['worker-cpu']['pid']}/root{self.state.root}/scratch")

    def scratch_files(self) -> list[Path]:
        """What lies there, but for the hidden marks that libraries leave where temporary files go."""
        return [path for path in self.scratch.rglob("[!.]*") if path.is_file()]

    def log(self, name: str) -> str:
        """What a part said since it was started last."""
        return (self.state.logs / f"{name}.log").read_text()

    def start(self, script: str, seed: int, **more: Any) -> str:
        """Ask for a render; its id."""
        body = {
            "title": "Whole",
            "persona": "avery",
            "script": script,
            "seed": seed,
            "priority": 1,
            "approval": {"required": False},
            **more,
        }
        return str(self.client.render(body)["render_id"])

    def view(self, work_id: str, kind: str = "renders") -> dict[str, Any]:
        """Where a render stands, or a piece of work of another ``kind``; an API that is away for a moment is asked
        again."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return dict(self.client.call("GET", f"/{kind}/{work_id}", role="viewer"))
            except (RequestRefused, httpx.TransportError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def until(
        self,
        work_id: str,
        holds: Callable[[dict[str, Any]], bool],
        kind: str = "renders",
        patience: float = PATIENCE_SECONDS,
    ) -> dict[str, Any]:
        """The first view of it that ``holds``. What needs a person, unless that is waited for, fails the test at
        once."""
        deadline = time.monotonic() + patience
        while not holds(view := self.view(work_id, kind)):
            assert view.get("state") != "blocked", view["progress"]["failures"]
            assert time.monotonic() < deadline, f"still {view.get('state')}: {view}"
            time.sleep(0.1)
        return view

    def psql(self, sql: str) -> list[Any]:
        """Run SQL on the studio's database."""
        url = environment_of(self.parts()["api"]["pid"])["DATABASE_URL"].replace("+asyncpg", "")

        async def run() -> list[Any]:
            connection = await asyncpg.connect(url)
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()

        return asyncio.run(run())


def environment_of(pid: int) -> dict[str, str]:
    """What a running part was started with."""
    raw = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in raw if "=" in entry)


SCRATCH_MB = 1_024


def _on_small_disk(place: Path, command: list[str]) -> list[str]:
    """``command`` where ``place`` is a disk of ``SCRATCH_MB``, in a mount namespace of its own; ``command`` itself on a
    kernel that lets nobody make one. Who is not root is so within a second namespace of users only, for the mount."""
    mount = f'mount -t tmpfs -o size={SCRATCH_MB}m,mode=0700 scratch "$0" && exec "$@"'
    apart, back = ["unshare", "--mount"], []
    if os.geteuid() != 0:
        apart = ["unshare", "--user", "--map-root-user", "--mount"]
        back = ["unshare", "--user", f"--map-user={os.getuid()}", f"--map-group={os.getgid()}"]
    wrapped = [*apart, "/bin/sh", "-c", mount, str(place), *back]
    allowed = subprocess.run([*wrapped, "true"], capture_output=True).returncode == 0
    return [*wrapped, *command] if allowed else command


@pytest.fixture(scope="session")
def telegram_api() -> Iterator[TelegramServer]:
    with telegram_server() as server:
        yield server


@pytest.fixture(scope="session")
def studio(state_root: Path, telegram_api: TelegramServer) -> Iterator[WholeStudio]:
    root = state_root / "whole"
    root.mkdir(mode=0o711)
    # The set-up's weights, as they lie; 90 MB are not copied for a test.
    (root / "weights").symlink_to(ROOT / ".studio" / "weights")
    environment = {
        **os.environ,
        "GREENROOM_STATE_DIR": str(root),
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": telegram_api.url,
    }
    command = [sys.executable, "-m", "deploy.local"]
    (root / "scratch").mkdir(mode=0o700)
    start = _on_small_disk(root / "scratch", [*command, "up"])
    up = subprocess.run(start, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert up.returncode == 0, up.stderr + up.stdout
    state = StateDirectory(root)
    running = WholeStudio(state, telegram_api, environment, local_client(state))
    client = running.client
    client.call("PUT", "/reviewers/local-reviewer", {"name": "Rae", "telegram_chat": REVIEWER_CHAT}, role="admin")
    client.call("PUT", "/voices/avery", {"name": "Avery", "engine": "kokoro", "stock": "af_heart"})
    client.call("PUT", "/personas/avery", {"name": "Avery", "voice": "avery", "look": "avery"})
    client.call("PUT", "/scripts/two", {"title": "Two", "source": "Good morning, everyone. We grew by 12% this year."})
    yield running
    subprocess.run([*command, "down"], cwd=ROOT, env=environment, capture_output=True)
    keep = os.environ.get("KEEP_WHOLE_LOGS")
    if keep:
        shutil.copytree(root / "logs", keep, dirs_exist_ok=True)
