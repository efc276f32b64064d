"""A beat for activities that have no unit of work to report. Apart from the stages', which say how far they are."""

import asyncio
from contextvars import ContextVar
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.support.stage import BEAT_SECONDS

_SAID: ContextVar[list[Any]] = ContextVar("said")


def say(word: object) -> None:
    """Have every further beat of this activity tell ``word``: should its worker be killed, the next attempt finds it
    among its heartbeat details. From any thread that carries the activity's context."""
    _SAID.get([])[:] = [word]


class Beating(Interceptor):
    """Says for each activity of a worker that it is at it, so that a killed worker is noticed at once and a slow server
    is waited for. It proves that the process lives, not that the work moves: that is for the client's own time-outs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - temporalio calls it by this name
        """See temporalio."""
        return _Beat(next)


class _Beat(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - as above
        # What an earlier attempt left stays told until there is something newer.
        said = list(activity.info().heartbeat_details)
        _SAID.set(said)
        beating = asyncio.create_task(_beat(said))
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()


async def _beat(said: list[Any]) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        activity.heartbeat(*said)
