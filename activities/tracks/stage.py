"""Records of tracks and releases."""

from temporalio import activity

from activities.incidents.watch import IncidentWatch
from activities.tracks.base import TrackRecords
from models.release import CodeRanges, Codes, CodesToReserve, ReleaseToRecord
from models.track import TrackSnapshot, TrackToEnter


class TrackRecordActivities:
    """Reads and writes records for tracks' workflows."""

    def __init__(self, records: TrackRecords, ranges: CodeRanges, watch: IncidentWatch | None = None) -> None:
        self._records = records
        self._ranges = ranges
        self._watch = watch

    @activity.defn(name="tracks.enter")
    async def enter_track(self, track: TrackToEnter) -> None:
        """Have a track in the tables."""
        await self._records.enter_track(track.request)

    @activity.defn(name="tracks.project")
    async def project_track(self, snapshot: TrackSnapshot) -> None:
        """Store where a track stands."""
        await self._records.project_track(snapshot.progress, snapshot.sequence)
        if self._watch is not None:
            await self._watch.track(snapshot.progress, snapshot.sequence)

    @activity.defn(name="tracks.reserve_codes")
    async def reserve_codes(self, wanted: CodesToReserve) -> Codes:
        """The ISRC and UPC of a track's release."""
        return await self._records.reserve_codes(wanted.track_id, wanted.year, self._ranges)

    @activity.defn(name="tracks.released")
    async def released(self, release: ReleaseToRecord) -> None:
        """Store where a release lies and is published."""
        await self._records.released(release)
