"""Helpers of the render: what a segment's picture depends on, how a verdict changes a request."""

import asyncio
import zlib
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.support.errors import from_failure
from models.approval import Verdict
from models.engines import find_engine
from models.layout import Layout, PlateKind
from models.plan import Capability, EngineRef, Plan
from models.render import RenderRequest
from models.script import Segment

Answer = TypeVar("Answer")

FRAME_ENGINES = frozenset({"wav2lip"})
"""Lipsync engines that redraw a finished clip; the avatar is then driven by the default curves first."""


def speaks_curves(plan: Plan) -> EngineRef:
    """The lipsync engine that drives the avatar: the plan's, or the default one when the plan's redraws frames."""
    if plan.lipsync.name in FRAME_ENGINES:
        return find_engine(Capability.LIPSYNC, "visemes").ref()
    return plan.lipsync


def segment_seed(request: RenderRequest, segment: Segment) -> int:
    """A seed by what is said and which take it is, not by its place: a sentence put before it changes nothing here."""
    said = zlib.crc32(segment.utterance.text.encode())
    return (request.seed * 1_000_003 + said + segment.take * 7_919) % 2**31


def picture_index(layout: Layout, index: int) -> int:
    """A picture depends on its place in the script only where slides change with it."""
    return index if layout.plate.kind is PlateKind.SLIDES else 0


async def picture_offset_ms(layout: Layout, index: int, frames: Mapping[int, "asyncio.Future[int]"]) -> int:
    """Where the segment begins in the spoken part, as far as its picture depends on it.

    A moving plate goes on through the whole film; otherwise only the lower third looks at the clock, so that beyond its
    end every offset is the same and a longer sentence does not redraw those after it.
    """
    moving = layout.plate.kind is PlateKind.VIDEO
    third = layout.lower_third
    limit = (third.start_ms + third.duration_ms) if third else 0
    total = 0
    for earlier in range(index):
        if not moving and total * 1000 // layout.fps >= limit:
            return limit
        total += await frames[earlier]
    offset = total * 1000 // layout.fps
    return offset if moving else min(offset, limit)


async def together(parts: Sequence[Coroutine[Any, Any, Answer]]) -> tuple[Answer, ...]:
    """All answers, in order. When one raises, or the caller is cancelled, the others are cancelled and waited for.

    Not a TaskGroup: its ExceptionGroup is no Temporal failure, so the workflow's task would be retried for ever.
    """
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        return tuple(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def aligner_fails_over(error: ActivityError) -> bool:
    """Whether the next aligner may try: yes for an engine's own failure, no for cancellation or storage faults."""
    return not is_cancelled_exception(error) and from_failure(error).code.startswith("engine.")


def revise(request: RenderRequest, verdict: Verdict) -> RenderRequest:
    """The request with a reviewer's changes: a new sentence where one is given, another take where not."""
    segments = list(request.segments)
    for change in verdict.changes:
        old = segments[change.segment]
        if change.utterance is not None:
            segments[change.segment] = old.model_copy(update={"utterance": change.utterance})
        else:
            segments[change.segment] = old.model_copy(update={"take": old.take + 1})
    return request.model_copy(update={"segments": tuple(segments)})
