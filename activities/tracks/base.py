"""What tracks need from the tables, as a Protocol that ``models.roster`` implements."""

from typing import Protocol

from models.release import CodeRanges, Codes, ReleaseToRecord
from models.track import TrackProgress, TrackRequest


class TrackRecords(Protocol):
    """Tracks and their releases. Every method is idempotent."""

    async def enter_track(self, request: TrackRequest) -> None:
        """Have a track. Raises UnknownReference without its artist."""
        ...

    async def project_track(self, progress: TrackProgress, sequence: int) -> None:
        """Store where a track stands, unless a newer snapshot is stored."""
        ...

    async def reserve_codes(self, track_id: str, year: int, ranges: CodeRanges) -> Codes:
        """The identifiers of the track's release: those it has, or the next free ones. Raises InvalidInput when a range
        is used up."""
        ...

    async def released(self, release: ReleaseToRecord) -> None:
        """Store where the release lies and is published."""
        ...
