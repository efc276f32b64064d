"""A program that is run for an engine ends with all it started, however its caller ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from activities.support.program import run_program
from deploy.settings import ROOT
from tests.processes import is_gone

FAMILY = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pids = pathlib.Path(sys.argv[1])
pids.with_suffix(".new").write_text(f"{os.getpid()} {child.pid}")
pids.with_suffix(".new").rename(pids)
time.sleep(float(sys.argv[2]))
"""


def family(pids: Path, seconds: float = 600) -> list[str]:
    return [sys.executable, "-c", FAMILY, str(pids), str(seconds)]


def gone(pids: Path) -> bool:
    return all(is_gone(int(pid)) for pid in pids.read_text().split())


def test_its_status_and_words_come_back(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert run_program([sys.executable, "-c", "print('said'); raise SystemExit(3)"], log, lambda: None) == 3
    assert log.read_text() == "said\n"


def test_what_it_left_running_ends_with_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    assert run_program(family(pids, 0), tmp_path / "log", lambda: None) == 0
    assert gone(pids)


def test_its_caller_can_stop_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    def stop() -> None:
        if pids.exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_program(family(pids), tmp_path / "log", stop)
    assert gone(pids)


@pytest.mark.parametrize("group", [False, True], ids=["alone", "with its group"])
def test_it_ends_when_its_caller_is_killed(tmp_path: Path, group: bool) -> None:
    pids = tmp_path / "pids"
    call = (
        f"import pathlib; from activities.support.program import run_program;"
        f"run_program({family(pids)!r}, pathlib.Path({str(tmp_path / 'log')!r}), lambda: None)"
    )
    caller = subprocess.Popen([sys.executable, "-c", call], cwd=ROOT, start_new_session=True)
    while not pids.exists():
        assert caller.poll() is None
    if group:
        os.killpg(caller.pid, signal.SIGKILL)
    else:
        caller.kill()
    caller.wait()
    assert gone(pids)


def test_a_program_that_is_not_there_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_program([str(tmp_path / "nothing")], tmp_path / "log", lambda: None)
