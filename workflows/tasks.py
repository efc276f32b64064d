"""Tasks of a workflow that never leak: whoever starts them waits for their end, however it comes."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

Answer = TypeVar("Answer")


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
