"""One studio a state directory: the supervisor holds a lock as long as it lives, and the kernel lets go of it however
it ends. Whoever finds it held may trust the process id written in it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import Conflict


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Hold the lock. Raises Conflict when another process does."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _take(descriptor):
            raise Conflict(f"a studio already runs here (process {holder(file)})", action="Run 'make down' first.")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(file: Path) -> int:
    """The process that holds the lock; 0 when nobody does."""
    if not file.exists():
        return 0
    with file.open("rb") as stream:
        if _take(stream.fileno()):
            return 0
        return int(stream.read() or b"0")


def wait_until_free(file: Path, seconds: float) -> bool:
    """Whether nobody holds the lock any more within ``seconds``."""
    deadline = time.monotonic() + seconds
    while holder(file):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
