"""Whether two songs are the same one: what is kept of a song, and how alike two are. Apart from what makes the print,
so that whoever compares needs neither sound nor a numeric library."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from models.base import Contract

DIMENSIONS = 128
_UNLIKE = 0.5
"""The cosine that songs of one genre have without being alike."""


class SongPrint(Contract):
    """What is kept of a song to know it again. ``embedding`` has unit length (harmony over time whatever the key,
    rhythm, timbre), ``music`` is that of the song without its voice, which else covers what it sings to: empty where it
    is not known; ``shingles`` are hashes of every three words in a row. Kept as an artifact (JSON)."""

    embedding: Annotated[tuple[float, ...], Field(min_length=DIMENSIONS, max_length=DIMENSIONS)]
    music: Annotated[tuple[float, ...], Field(max_length=DIMENSIONS)] = ()
    shingles: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**32)], ...], Field(max_length=4_000)] = ()

    @property
    def recordings(self) -> tuple[tuple[float, ...], ...]:
        """Its embeddings: of the whole, and of the music alone."""
        return (self.embedding, self.music) if len(self.music) == DIMENSIONS else (self.embedding,)


def likeness(one: SongPrint, other: SongPrint) -> float:
    """How alike two songs are, 0 to 1: as recordings, with the voice or without, or as words, whichever is most. The
    same recording, encoded anew, is above 0.97; so are the same words over other music, and other words and another
    voice over the same music."""
    cosine = max(
        sum(a * b for a, b in zip(mine, yours, strict=True)) for mine in one.recordings for yours in other.recordings
    )
    return max(_surely(cosine), overlap(one.shingles, other.shingles))


def _surely(cosine: float) -> float:
    """A cosine as a likeness: none up to ``_UNLIKE``, then by a smooth step, for re-encoding moves a print a little and
    another song moves it far."""
    part = min(1.0, max(0.0, (cosine - _UNLIKE) / (1 - _UNLIKE)))
    return part * part * (3 - 2 * part)


def overlap(one: Sequence[int], other: Sequence[int]) -> float:
    """Shingles in both over shingles in either (Jaccard); 0 where there are no words."""
    mine, yours = set(one), set(other)
    either = mine | yours
    return len(mine & yours) / len(either) if either else 0.0
