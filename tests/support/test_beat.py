"""A beat tells what the activity said last, and until then what an earlier attempt left."""

import asyncio
import dataclasses
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.support import beat


class Work(ActivityInboundInterceptor):
    """An activity that waits for its first beats, says something from a thread, and waits for the next."""

    def __init__(self, beats: list[tuple[Any, ...]]) -> None:
        self.beats = beats

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - temporalio calls it by this name
        await self._another()
        await asyncio.to_thread(beat.say, {"offset": 2})
        await self._another()
        return self.beats[-1]

    async def _another(self) -> None:
        seen = len(self.beats)
        while len(self.beats) <= seen + 1:  # noqa: ASYNC110 - beats come by the clock
            await asyncio.sleep(0.005)


async def test_what_an_earlier_attempt_left_is_told_until_there_is_something_newer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(beat, "BEAT_SECONDS", 0.01)
    beats: list[tuple[Any, ...]] = []
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_details=[{"offset": 1}])
    environment.on_heartbeat = lambda *details: beats.append(details)
    worked = beat.Beating().intercept_activity(Work(beats))
    asked = ExecuteActivityInput(fn=print, args=(), executor=None, headers={})
    assert await environment.run(worked.execute_activity, asked) == ({"offset": 2},)
    assert beats[0] == ({"offset": 1},)
