"""One child process of the local studio and everything the kernel knows about it. Apart from what is run (parts) and
from when it is run again (supervisor)."""

import ctypes
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

OWNER_MARK = "STUDIO_CHILD_OF"
"""Environment name that every child carries with the state directory as its value, and hands on to its own children:
how a later start finds what an earlier one left behind."""

LOG_BYTES = 20_000_000
OLD_LOGS = 3

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class User:
    """The account a child runs as, when that is not the caller's."""

    uid: int
    gid: int


@dataclass
class Child:
    """A process in its own session, that the kernel kills when the thread that started it dies.

    The signal follows the *thread*, so children are started from the main thread only; anything else raises
    RuntimeError.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    user: User | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Run it. Its output is appended to ``log``, after the previous log was put aside."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started from the main thread, or they would end with the thread")
        rotate(self.log)
        parent = os.getpid()
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as output:
            self._process = subprocess.Popen(
                self.argv,
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=self.user.uid if self.user else None,
                group=self.user.gid if self.user else None,
                extra_groups=[] if self.user else None,
                umask=0o077,
                # Runs after the change of user, which would clear the setting.
                preexec_fn=lambda: _die_with(parent),
            )

    @property
    def pid(self) -> int:
        """Of the process last started; 0 before the first start."""
        return self._process.pid if self._process else 0

    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs or before the first start."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Signal the process itself, not what it started."""
        if self._process:
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL the process and its whole group, and wait until it is gone."""
        if self._process:
            _kill_group(self._process.pid)
            self._process.wait()

    def wait(self, seconds: float) -> bool:
        """Whether it ended within ``seconds``."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def sweep(self) -> None:
        """Kill what an ended process left in its group."""
        if self._process and not self.running:
            _kill_group(self._process.pid)


def _die_with(parent: int) -> None:
    """In the child before exec: end with the parent, and take signals although the supervisor blocks them."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def rotate(log: Path) -> None:
    """Put ``log`` aside as ``log.1``, ``log.1`` as ``log.2`` and so on; the oldest goes."""
    if not log.exists():
        return
    for number in range(OLD_LOGS - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    log.replace(log.with_name(f"{log.name}.1"))


def bound(log: Path, limit: int = LOG_BYTES) -> None:
    """Empty a running process's log once it is larger than ``limit`` bytes, keeping what was in it as ``log.1``.

    The process keeps its open file: it appends, so it goes on at the new end.
    """
    if log.exists() and log.stat().st_size > limit:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of ``log``."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 8_000))
        return "\n".join(stream.read().decode(errors="replace").splitlines()[-lines:])


def left_behind(owner: Path) -> list[int]:
    """Processes that carry the mark of the studio in ``owner``, except the caller."""
    mark = f"{OWNER_MARK}={owner}".encode()
    return [pid for pid in _pids() if pid != os.getpid() and mark in _environment(pid)]


def reap(owner: Path) -> list[int]:
    """Kill what a studio in ``owner`` left behind when it was itself killed. Returns what was found."""
    found = left_behind(owner)
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    until = time.monotonic() + 5
    while left_behind(owner) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def proportional_memory(pid: int) -> int:
    """Bytes of memory of a process and its descendants, each shared page counted once in proportion (PSS)."""
    parents = {child: _parent(child) for child in _pids()}
    family = {pid}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(map(_pss, family))


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _pss(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)
