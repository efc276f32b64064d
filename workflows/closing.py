"""How a render's or track's life ends: whatever ends it is told to the tables before the workflow is over."""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from models.lanes import Lane
from workflows.board import Board, Progress, State


async def told(
    board: Board[Progress, State],
    lanes: tuple[Lane, ...],
    life: Awaitable[State],
    settled: Callable[[], Awaitable[None]],
) -> None:
    """Keep the outside told while ``life`` goes on, tell the state it ends in, and wait until all else has ``settled``.

    Raises what ``life`` raises.
    """
    projecting = asyncio.create_task(board.keep_projecting())
    watching = asyncio.create_task(board.watch_lanes(lanes))

    async def close(state: State) -> None:
        board.close(state)
        watching.cancel()
        # A snapshot that is on its way is not called back: the last one needs the same tables, and comes after it.
        await asyncio.gather(projecting, watching, return_exceptions=True)
        await board.project()
        await workflow.wait_condition(workflow.all_handlers_finished)

    try:
        await close(await life)
    except BaseException as error:
        # Only an ending is recorded; a defect in this code raises something else and must fail the task as it is.
        if is_cancelled_exception(error):
            await close(board.CANCELLED)
        elif isinstance(error, FailureError):
            await close(board.FAILED)
        else:
            raise
        await settled()
        raise
    await settled()
