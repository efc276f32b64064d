"""A beat for activities that have no unit of work to report. Apart from the stages', which say how far they are."""

import asyncio
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.support.stage import BEAT_SECONDS


class Beating(Interceptor):
    """Says for each activity of a worker that it is at it, so that a killed worker is noticed at once and a slow server
    is waited for. It proves that the process lives, not that the work moves: that is for the client's own time-outs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - temporalio calls it by this name
        """See temporalio."""
        return _Beat(next)


class _Beat(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - as above
        beating = asyncio.create_task(_beat())
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()


async def _beat() -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        activity.heartbeat()
