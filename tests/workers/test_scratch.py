"""A worker's scratch directory: its own, its temporary files' too, and gone with the next start after a kill."""

import signal
import subprocess
import sys
from pathlib import Path

from deploy.settings import ROOT

HOLD = """
import pathlib, sys, tempfile
from workers.scratch import fresh_scratch
mine = fresh_scratch(pathlib.Path(sys.argv[1]), "cpu")
(mine / "half").touch()
kept = tempfile.NamedTemporaryFile(delete=False)
print(mine, flush=True)
sys.stdin.read()
"""


def hold(parent: Path) -> tuple["subprocess.Popen[str]", Path]:
    command = [sys.executable, "-c", HOLD, str(parent)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_and_what_another_holds_is_not(tmp_path: Path) -> None:
    parent = tmp_path / "scratch"
    killed, lost = hold(parent)
    alive, held = hold(parent)
    assert len(list(lost.iterdir())) == 2, "temporary files are made in it too"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    third, fresh = hold(parent)
    assert set(parent.iterdir()) == {held, fresh}
    assert len(list(held.iterdir())) == 2
    for process in (alive, third):
        process.communicate("")
