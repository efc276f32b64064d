"""What segments tell of themselves while they are made: where each begins, as far as pictures depend on it, what is
heard of it, and its pictures; each known as soon as it can be."""

import asyncio

from models.artifacts import Artifact
from models.layout import Layout, PlateKind
from models.stages import SpokenSegment


class Timeline:
    """The segments of one film, in order.

    A beginning is known as soon as the segments before it allow. A moving plate goes on through the whole film: there a
    segment's picture waits for the length of every segment before it. Otherwise only the lower third looks at the
    clock. Beyond its end every beginning is the same, so that a longer sentence does not redraw those after it, and a
    segment is known to be beyond as soon as those before it whose length is known reach that far together, whichever
    they are: one that is stuck holds back only those that may begin before the lower third ends.
    """

    def __init__(self, layout: Layout, segments: int) -> None:
        third = layout.lower_third
        self._fps = layout.fps
        self._moving = layout.plate.kind is PlateKind.VIDEO
        self._limit = third.start_ms + third.duration_ms if third else 0
        self._frames: list[int | None] = [None] * segments
        self._offsets: tuple[asyncio.Future[int], ...] = tuple(asyncio.Future() for _ in range(segments))
        self._spoken: tuple[asyncio.Future[SpokenSegment], ...] = tuple(asyncio.Future() for _ in range(segments))
        self._drawn: tuple[asyncio.Future[tuple[Artifact, ...]], ...] = tuple(asyncio.Future() for _ in range(segments))
        self._settle()

    def speak(self, index: int, spoken: SpokenSegment) -> None:
        """Segment ``index`` will be heard like this."""
        self._spoken[index].set_result(spoken)
        self._frames[index] = spoken.frames
        self._settle()

    def draw(self, index: int, pictures: tuple[Artifact, ...]) -> None:
        """Segment ``index`` looks like this, in each shape."""
        self._drawn[index].set_result(pictures)

    async def spoken(self) -> tuple[SpokenSegment, ...]:
        """What is heard of every segment, in order; waits for the last of them."""
        return tuple([await spoken for spoken in self._spoken])

    async def drawn(self, index: int) -> tuple[Artifact, ...]:
        """The pictures of segment ``index``; waits for them."""
        return await self._drawn[index]

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
