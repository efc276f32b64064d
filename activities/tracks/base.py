"""What tracks need from the tables, as a Protocol that ``models.roster`` implements."""

from typing import Protocol

from models.release import Codes, ReleaseToRecord
from models.track import TrackProgress, TrackRequest


class TrackRecords(Protocol):
    """Tracks and their releases. Every method is idempotent."""

    async def enter_track(self, request: TrackRequest) -> None:
        """Have a track. Raises UnknownReference without its artist."""
        ...

    async def project_track(self, progress: TrackProgress, sequence: int) -> None:
        """Store where a track stands, unless a newer snapshot is stored."""
        ...

    async def reserve_codes(self, track_id: str, year: int, ranges: "Ranges") -> Codes:
        """The identifiers of the track's release: those it has, or the next free ones. Raises InvalidInput when a range
        is used up."""
        ...

    async def released(self, release: ReleaseToRecord) -> None:
        """Store where the release lies and is published."""
        ...


class Ranges(Protocol):
    """The ranges identifiers are taken from."""

    @property
    def isrc_prefix(self) -> str:
        """Five characters: two of the country, three of the registrant."""
        ...

    @property
    def isrc_first(self) -> int:
        """The first designation of a year, 0 to 99999."""
        ...

    @property
    def isrc_last(self) -> int:
        """The last designation of a year."""
        ...

    @property
    def upc_prefix(self) -> str:
        """The GS1 prefix, 1 to 10 digits."""
        ...

    @property
    def registered(self) -> bool:
        """Whether the house was assigned these ranges."""
        ...
