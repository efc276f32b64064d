"""Where a worker process keeps files while it makes something: a directory of its own, that the next process removes
when this one was killed."""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


def fresh_scratch(parent: Path, prefix: str) -> Path:
    """A new directory for this process, made its directory for temporary files too, those of its programs included.

    Directories under ``parent`` whose process ended are removed. A lock says which are in use: it ends with its process
    however that ends, whereas process ids come again, in containers with every start.
    """
    parent.mkdir(parents=True, exist_ok=True)
    making = os.open(parent, os.O_RDONLY)
    try:
        fcntl.flock(making, fcntl.LOCK_EX)
        for left in parent.iterdir():
            _remove_unless_held(left)
        mine = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=parent))
        # Never closed: the lock lasts as long as this process.
        fcntl.flock(os.open(mine, os.O_RDONLY), fcntl.LOCK_EX)
    finally:
        os.close(making)
    tempfile.tempdir = str(mine)
    os.environ["TMPDIR"] = str(mine)
    return mine


def _remove_unless_held(left: Path) -> None:
    with suppress(OSError):
        held = os.open(left, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(held)
