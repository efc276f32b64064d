"""Tasks of a workflow that never leak: whoever starts them waits for their end, however it comes."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


@overload
async def together(
    first: Coroutine[Any, Any, A],
    second: Coroutine[Any, Any, B],
    third: Coroutine[Any, Any, C],
    fourth: Coroutine[Any, Any, D],
    /,
) -> tuple[A, B, C, D]: ...
@overload
async def together(
    first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B], third: Coroutine[Any, Any, C], /
) -> tuple[A, B, C]: ...
@overload
async def together(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B], /) -> tuple[A, B]: ...
@overload
async def together(*parts: Coroutine[Any, Any, A]) -> tuple[A, ...]: ...
async def together(*parts: Coroutine[Any, Any, Any]) -> tuple[Any, ...]:
    """All answers, in order. When one raises, or the caller is cancelled, the others are cancelled and waited for.

    Not a TaskGroup: its ExceptionGroup is no Temporal failure, so the workflow's task would be retried for ever.
    """
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        return tuple(await asyncio.gather(*tasks))
    except (Exception, asyncio.CancelledError):
        # Nothing can be waited for in a run that is thrown away (GeneratorExit, eviction).
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
