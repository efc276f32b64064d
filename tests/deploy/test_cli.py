"""The studio from the command line, with real servers: up, status, down, and kill -9 of the supervisor."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import lock
from deploy.local.process import left_behind
from deploy.local.state import StateDirectory
from deploy.settings import ROOT, known_names

ONLY = "postgres,s3"

Studio = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def state(state_root: Path) -> StateDirectory:
    return StateDirectory(state_root / "cli")


@pytest.fixture(scope="module")
def studio(state: StateDirectory) -> Iterator[Studio]:
    clean = {name: value for name, value in os.environ.items() if name not in known_names()}

    def call(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "deploy.local", *arguments],
            cwd=ROOT,
            env={**clean, "GREENROOM_STATE_DIR": str(state.root), **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    yield call
    call("down")
    assert left_behind(state.root) == []


def parts(state: StateDirectory) -> dict[str, dict[str, object]]:
    return {part["name"]: part for part in json.loads(state.status.read_text())["parts"]}


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_up_returns_when_all_is_ready_and_says_where(studio: Studio, state: StateDirectory) -> None:
    done = studio("up", "--only", ONLY)
    assert done.returncode == 0, done.stderr
    for name, report in parts(state).items():
        assert report["state"] == ("done" if name == "prepare" else "ready")
        assert str(report["address"]) in done.stdout


def test_up_again_starts_nothing(studio: Studio, state: StateDirectory) -> None:
    before = parts(state)
    assert studio("up", "--only", ONLY).returncode == 0
    assert parts(state) == before


def test_a_studio_that_has_not_seen_what_was_installed_is_started_anew(studio: Studio, state: StateDirectory) -> None:
    if not list(Path(sys.prefix).glob(".ready-*")):
        pytest.skip("this environment was not set up by make")
    supervisor = lock.holder(state.lock)
    os.utime(state.lock, (1, 1))
    done = studio("up", "--only", ONLY)
    assert done.returncode == 0, done.stderr
    assert "Packages were installed" in done.stdout
    assert lock.holder(state.lock) not in (0, supervisor)


def test_what_is_killed_is_restarted_and_status_says_so(studio: Studio, state: StateDirectory) -> None:
    os.kill(int(str(parts(state)["s3"]["pid"])), signal.SIGKILL)
    eventually(lambda: parts(state)["s3"]["restarts"] == 1 and parts(state)["s3"]["state"] == "ready")
    shown = studio("status")
    assert shown.returncode == 0
    assert "SIGKILL" in shown.stdout
    assert "Memory" in shown.stdout


def test_nothing_outlives_a_killed_supervisor_and_up_mends_it(studio: Studio, state: StateDirectory) -> None:
    supervisor = lock.holder(state.lock)
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: left_behind(state.root) == [])
    assert studio("status").returncode == 3
    before = parts(state)
    assert studio("up", "--only", ONLY).returncode == 0
    assert lock.holder(state.lock) not in (0, supervisor)
    assert {name: part["address"] for name, part in parts(state).items()} == {
        name: part["address"] for name, part in before.items()
    }


def test_down_stops_all(studio: Studio, state: StateDirectory) -> None:
    assert studio("down").returncode == 0
    assert left_behind(state.root) == []
    assert studio("status").returncode == 3
    assert studio("down").returncode == 0


def test_a_setting_that_points_elsewhere_leaves_the_part_out(studio: Studio, state: StateDirectory) -> None:
    done = studio("up", "--only", ONLY, DATABASE_URL="postgresql://user:secret@127.0.0.1:9/elsewhere")
    try:
        assert done.returncode == 0, done.stderr
        assert set(parts(state)) == {"s3", "prepare"}
    finally:
        studio("down")


def test_a_misspelt_setting_is_refused_before_anything_starts(studio: Studio, state: StateDirectory) -> None:
    done = studio("up", "--only", ONLY, S3_ENDPIONT_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "S3_ENDPOINT_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert left_behind(state.root) == []


def test_a_part_that_cannot_start_fails_up_with_the_reason(studio: Studio, state: StateDirectory) -> None:
    data = state.root / "s3"
    aside = data.rename(state.root / "s3.aside")
    data.write_text("not a directory")
    try:
        done = studio("up", "--only", ONLY)
    finally:
        data.unlink()
        aside.rename(data)
    assert done.returncode == 1
    assert "s3" in done.stderr
    assert "Traceback" not in done.stderr
    assert left_behind(state.root) == []
