"""Programs that an operator supplies (aligners, renderers), run apart from the studio's own code. They have one home,
because what they start, and what becomes of it when this process is killed, must be right for each of them."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.25
"""How often the caller is asked whether to go on."""

_GUARD: Final = ("/bin/sh", "-c", 'read -r _; kill -s KILL -- "-$0"')
"""Reads until its pipe closes, then ends the program's session."""


def run_program(words: Sequence[str], log: Path, beat: Callable[[], None]) -> int:
    """Run ``words``, without a shell, until the program ends; its exit status. What it says goes to ``log``.

    ``beat`` is called several times a second and may raise to stop it. The program has a session of its own, so that
    whatever it starts ends with it: when it ends, when ``beat`` raises, and also when this process is killed. Raises
    OSError when it cannot be started.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    with _ending(process):
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(POLL_SECONDS)
            beat()


@contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """The program's whole session ends with the block, or with this process.

    Not PR_SET_PDEATHSIG: it reaches the program alone and not what that started, and setting it between fork and exec
    is unsafe in a process of many threads. The guard has a session too, because a supervisor ends this process's group.
    """
    try:
        guard = subprocess.Popen([*_GUARD, str(process.pid)], stdin=subprocess.PIPE, start_new_session=True)
    except BaseException:
        _end(process)
        raise
    try:
        yield
    finally:
        # First of all, so that it never sees its pipe close: the number it holds may soon be another's.
        guard.kill()
        guard.communicate()
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
