"""``python -m deploy.local up | down | status | run``: the local studio from the command line."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

from deploy.local import lock
from deploy.local.parts import SERVERS, server_parts, studio_parts, wire
from deploy.local.process import proportional_memory, reap, rotate, tail
from deploy.local.state import StateDirectory, write_private
from deploy.local.supervisor import PartFailed, Report, Supervisor
from deploy.settings import ROOT, load_settings
from models.errors import StudioError
from models.lanes import Lane

log = structlog.get_logger()

LANES = (Lane.STUDIO, Lane.IO, Lane.CPU)

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

UP_WITHIN = 300.0
"""Seconds ``up`` waits for the supervisor, which gives up on a part long before."""

DOWN_WITHIN = 90.0


class Narrator:
    """Tells the log and the status file what happens in the studio."""

    def __init__(self, state: StateDirectory, supervisor: Supervisor) -> None:
        self._file = state.status
        self._supervisor = supervisor
        self._told: dict[str, str] = {}
        self._phase = "starting"
        self._error = ""
        supervisor.changed = self.tell

    def enter(self, phase: str, error: str = "") -> None:
        """Begin a phase: ``starting``, ``ready``, ``stopping`` or ``failed``, the last with its reason."""
        self._phase, self._error = phase, error
        log.info("studio.phase", phase=phase, error=error)
        self.tell()

    def tell(self) -> None:
        """Log what changed and write the status file."""
        reports = self._supervisor.reports
        for report in reports:
            if self._told.get(report.name) != report.state:
                self._told[report.name] = report.state
                log.info("part.changed", part=report.name, state=report.state.value, pid=report.pid, note=report.note)
        content = {"phase": self._phase, "error": self._error, "parts": [vars(report) for report in reports]}
        write_private(self._file, json.dumps(content, indent=1))


def run(state: StateDirectory, only: Sequence[str], *, gpu: bool) -> int:
    """Supervise in the foreground until SIGTERM, SIGINT or SIGHUP. Returns the exit code."""
    # Signals are collected by sigtimedwait: none arrives between two lines of the supervisor's work.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD, *STOPPING))
    with lock.held(state.lock):
        if left := reap(state.root):
            log.warning("studio.reaped", processes=len(left))
        settings = load_settings()
        wiring = wire(settings, state, only or SERVERS)
        lanes = (*LANES, Lane.GPU) if gpu else LANES
        supervisor = Supervisor(state, server_parts(wiring) if only else studio_parts(wiring, settings, lanes))
        narrator = Narrator(state, supervisor)
        try:
            supervisor.start(interrupted=lambda: not signal.sigpending().isdisjoint(STOPPING))
            narrator.enter("ready")
            _supervise(supervisor)
        except PartFailed as error:
            narrator.enter("failed", error.message)
            return 1
        else:
            narrator.enter("stopping")
        finally:
            supervisor.stop()
            reap(state.root)
    return 0


def _supervise(supervisor: Supervisor) -> None:
    """Look after the parts until asked to stop; a child's end wakes it at once."""
    while True:
        received = signal.sigtimedwait((signal.SIGCHLD, *STOPPING), supervisor.look_after())
        if received and received.si_signo in STOPPING:
            return


def up(state: StateDirectory, only: Sequence[str], *, gpu: bool) -> int:
    """Start a supervisor in the background unless one runs, and return when all is ready. One that has not seen what
    was installed since is started anew: its workers lack the engines of it."""
    log_file = state.logs / "studio.log"
    supervisor = None
    # The supervisor writes the lock as it begins, and never again.
    if lock.holder(state.lock) and _installed_at() > state.lock.stat().st_mtime:
        _say("Packages were installed since the studio was started: starting it anew.")
        down(state)
    if not lock.holder(state.lock):
        state.status.unlink(missing_ok=True)
        rotate(log_file)
        with os.fdopen(os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as output:
            options = [*(["--gpu"] if gpu else []), *(["--only", ",".join(only)] if only else [])]
            supervisor = subprocess.Popen(
                [sys.executable, "-m", "deploy.local", "run", *options],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
    deadline = time.monotonic() + UP_WITHIN
    while (status := _status(state)).get("phase") != "ready":
        if status.get("phase") == "failed" or (supervisor and supervisor.poll() is not None):
            lock.wait_until_free(state.lock, DOWN_WITHIN)
            _say(status.get("error") or tail(log_file), sys.stderr)
            return 1
        if time.monotonic() > deadline:
            _say(f"The studio is not ready after {UP_WITHIN:.0f} s; see {log_file}", sys.stderr)
            return 1
        time.sleep(0.05)
    _say(_table(status["parts"]))
    _say(f"API tokens: {state.root / 'tokens.json'}\nLogs: {state.logs}")
    return 0


def _installed_at() -> float:
    """When the environment was last added to, in seconds since the epoch."""
    return max((stamp.stat().st_mtime for stamp in Path(sys.prefix).glob(".ready-*")), default=0.0)


def down(state: StateDirectory) -> int:
    """Stop the studio and wait until everything ended."""
    pid = lock.holder(state.lock)
    if not pid:
        left = reap(state.root)
        _say(f"The studio was not running; ended {len(left)} processes it had left." if left else "Not running.")
        return 0
    os.kill(pid, signal.SIGTERM)
    if not lock.wait_until_free(state.lock, DOWN_WITHIN):
        os.kill(pid, signal.SIGKILL)
        lock.wait_until_free(state.lock, DOWN_WITHIN)
        reap(state.root)
        _say(f"Killed: the supervisor did not stop within {DOWN_WITHIN:.0f} s.", sys.stderr)
        return 1
    _say("Stopped.")
    return 0


def show_status(state: StateDirectory) -> int:
    """Print a row for each part. Returns 3 when the studio does not run, as init scripts do."""
    pid = lock.holder(state.lock)
    if not pid:
        _say("Not running.")
        return 3
    status = _status(state)
    _say(f"Supervisor {pid}: {status.get('phase', 'starting')}. {status.get('error', '')}".rstrip())
    _say(_table(status.get("parts", [])))
    _say(f"Memory, shared pages counted once: {proportional_memory(pid) / 1e6:.0f} MB")
    return 0


def _status(state: StateDirectory) -> dict[str, Any]:
    return dict(json.loads(state.status.read_text())) if state.status.exists() else {}


def _table(parts: Sequence[dict[str, Any]]) -> str:
    header = f"{'part':<14}{'state':<12}{'pid':>8}{'MB':>6}{'restarts':>10}  address"
    rows = [header]
    for report in (Report(**part) for part in parts):
        memory = f"{proportional_memory(report.pid) / 1e6:.0f}" if report.pid else ""
        rows.append(
            f"{report.name:<14}{report.state:<12}{report.pid or '':>8}{memory:>6}{report.restarts:>10}"
            f"  {' '.join(filter(None, (report.address, report.note)))}".rstrip()
        )
    return "\n".join(rows)


def _say(text: str, stream: Any = None) -> None:
    (stream or sys.stdout).write(f"{text}\n")


def _servers(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if unknown := set(names) - set(SERVERS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose from {', '.join(SERVERS)}")
    return names


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command and do it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status", "run"))
    parser.add_argument("--gpu", action="store_true", help="also start a worker on the gpu lane")
    parser.add_argument("--only", type=_servers, default=(), help=f"just these servers, of {', '.join(SERVERS)}")
    options = parser.parse_args(arguments)
    try:
        state = StateDirectory(load_settings().studio.state_dir)
        if options.command == "run":
            return run(state, options.only, gpu=options.gpu)
        if options.command == "up":
            return up(state, options.only, gpu=options.gpu)
        return down(state) if options.command == "down" else show_status(state)
    except StudioError as error:
        _say(f"{error.message}\n{error.action}", sys.stderr)
    except BrokenPipeError:
        # The reader, such as ``head``, has seen enough; the interpreter must not flush into the pipe once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except PermissionError as error:
        _say(f"{error.filename} belongs to another user: run as that user, or set GREENROOM_STATE_DIR.", sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
