"""Whether a process is gone, for tests of what ends its children."""

import contextlib
import time
from pathlib import Path


def is_gone(pid: int) -> bool:
    """Whether the process ends, within the half minute that a killed one may need on a busy machine to be scheduled."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def members(group: int) -> list[int]:
    """The processes of a process group: a worker, and the programs it runs."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                    found.append(int(entry.name))
    return found
