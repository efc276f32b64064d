"""The knowledge capability: songs are remembered, and the nearest to a new one is found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from activities.audition.likeness import SongPrint


@dataclass(frozen=True)
class KnownSong:
    """A song that was released, and its print."""

    track_id: str
    title: str
    print: SongPrint


class SongMemory(Protocol):
    """All released songs of all tenants. Calls block."""

    def remember(self, tenant: str, song: KnownSong) -> None:
        """Keep a song; twice is once. Raises StorageUnavailable while the store is out of reach."""
        ...

    def near(self, tenant: str, heard: SongPrint, *, but: str, limit: int) -> Sequence[KnownSong]:
        """Songs of the tenant that may be like it in sound or in words, all but ``but``; the nearest of each first.

        Raises StorageUnavailable while the store is out of reach, EngineUnavailable when it is not set up.
        """
        ...
