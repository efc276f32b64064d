"""A worker that has nothing to do gives back what its models hold, by becoming a fresh process in its own place. Apart
from the engines: allocators keep what a library frees, so that only a new process image returns all of it."""

import asyncio
import os
import sys
from typing import Any, NoReturn

from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Occupation(Interceptor):
    """Sets ``rested`` when this process has worked and then done nothing for ``rest_seconds`` (None: never). Give it to
    each of the process's workers; for one event loop."""

    def __init__(self, rest_seconds: float | None) -> None:
        self.rested = asyncio.Event()
        self._rest_seconds = rest_seconds
        self._busy = 0
        self._timer: asyncio.TimerHandle | None = None

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - temporalio calls it by this name
        """See temporalio."""
        return _Counted(next, self)

    def begin(self) -> None:
        """An activity begins."""
        self._busy += 1
        if self._timer:
            self._timer.cancel()

    def end(self) -> None:
        """An activity ended."""
        self._busy -= 1
        if not self._busy and self._rest_seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._rest_seconds, self.rested.set)


class _Counted(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, occupation: Occupation) -> None:
        super().__init__(inner)
        self._occupation = occupation

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - as above
        self._occupation.begin()
        try:
            return await super().execute_activity(input)
        finally:
            self._occupation.end()


def renew() -> NoReturn:
    """Become a fresh process of the same command, under the same process id, so that whatever supervises it sees no
    death. Every lock and socket of this one is given up; call it when its workers have shut down."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
