"""A segment waits for the length of another only where its own picture depends on it."""

import asyncio

import pytest

from models.layout import Brand, Layout, LowerThird, Plate, PlateKind
from models.stages import SpokenSegment
from tests.workflows.studio import artifact
from workflows.timeline import Timeline

STILL = Layout(brand=Brand(name="Acme"))
TITLED = STILL.model_copy(update={"lower_third": LowerThird(name="Avery", start_ms=600, duration_ms=5_000)})
MOVING = STILL.model_copy(update={"plate": Plate(kind=PlateKind.VIDEO)})
FPS = STILL.fps


def spoken(frames: int) -> SpokenSegment:
    return SpokenSegment(audio=artifact("audio"), alignment=artifact("alignment"), frames=frames, text="")


async def known(layout: Layout, seconds: dict[int, int], segments: int = 6) -> list[int | None]:
    """Where each of six segments begins, None for those that have to wait, when these lengths are known."""
    timeline = Timeline(layout, segments)
    waiting = [asyncio.create_task(timeline.offset_ms(index)) for index in range(segments)]
    for index, length in seconds.items():
        timeline.speak(index, spoken(length * FPS))
    await asyncio.sleep(0)
    found = [task.result() if task.done() else None for task in waiting]
    for task in waiting:
        task.cancel()
    return found


async def test_without_a_lower_third_nothing_waits_for_anything() -> None:
    assert await known(STILL, {}) == [0] * 6


async def test_only_those_that_may_begin_within_the_lower_third_wait_for_one_that_is_stuck() -> None:
    """The first is stuck: the second and third may begin before the title has gone (at 5.6 s), the fourth cannot."""
    assert await known(TITLED, {1: 3, 2: 3, 3: 3, 4: 3, 5: 3}) == [0, None, None, 5_600, 5_600, 5_600]


async def test_one_that_is_stuck_later_holds_nobody_who_begins_after_the_lower_third_anyway() -> None:
    assert await known(TITLED, {0: 3, 1: 3, 3: 3, 4: 3, 5: 3}) == [0, 3_000, 5_600, 5_600, 5_600, 5_600]


async def test_behind_a_moving_plate_everything_after_one_that_is_stuck_waits() -> None:
    assert await known(MOVING, {0: 3, 2: 3, 3: 3, 4: 3, 5: 3}) == [0, 3_000, None, None, None, None]


@pytest.mark.parametrize("layout", [STILL, TITLED, MOVING])
@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (3, 0, 5, 1, 4, 2)])
async def test_where_segments_begin_does_not_depend_on_which_was_ready_first(
    layout: Layout, order: tuple[int, ...]
) -> None:
    limit = {STILL: 0, TITLED: 5_600, MOVING: 60_000}[layout]
    lengths = {index: index + 1 for index in order}
    assert await known(layout, lengths) == [min(begin * 1_000, limit) for begin in (0, 1, 3, 6, 10, 15)]
