"""Where each segment begins in the spoken part, as far as its picture depends on it, and how soon that is known."""

import asyncio

from models.layout import Layout, PlateKind


class Timeline:
    """Beginnings of segments, each known as soon as the segments before it allow.

    A moving plate goes on through the whole film: there a segment's picture waits for the length of every segment
    before it. Otherwise only the lower third looks at the clock. Beyond its end every beginning is the same, so that a
    longer sentence does not redraw those after it, and a segment is known to be beyond as soon as those before it whose
    length is known reach that far together, whichever they are: one that is stuck holds back only those that may begin
    before the lower third ends.
    """

    def __init__(self, layout: Layout, segments: int) -> None:
        third = layout.lower_third
        self._fps = layout.fps
        self._moving = layout.plate.kind is PlateKind.VIDEO
        self._limit = third.start_ms + third.duration_ms if third else 0
        self._frames: list[int | None] = [None] * segments
        self._offsets: tuple[asyncio.Future[int], ...] = tuple(asyncio.Future() for _ in range(segments))
        self._settle()

    def know(self, index: int, frames: int) -> None:
        """Segment ``index`` has ``frames`` frames."""
        self._frames[index] = frames
        self._settle()

    async def offset_ms(self, index: int) -> int:
        """Where segment ``index`` begins, in milliseconds; waits until that is known."""
        return await self._offsets[index]

    def _settle(self) -> None:
        known, complete = 0, True
        for frames, offset in zip(self._frames, self._offsets, strict=True):
            begins = known * 1000 // self._fps
            beyond = not self._moving and begins >= self._limit
            if not offset.done() and (complete or beyond):
                offset.set_result(self._limit if beyond else begins)
            known += frames or 0
            complete = complete and frames is not None
