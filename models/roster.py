"""The label's part of the database: artists, tracks, releases. Apart from the rest of the store for its size alone; the
same rules hold: a method is a transaction, faults come out as typed errors."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from models.alarms import Alarms
from models.artist import ArtistSnapshot
from models.errors import InvalidInput
from models.identity import Identity
from models.performance import AudienceRow, settled
from models.prospects import Prospects
from models.publication import Publication, PublicationState
from models.release import CodeRanges, Codes, ReleaseToRecord, check_digit
from models.song_stages import SAME_VOICE, VoicePrint, VoicePrints
from models.tables import Artist, AudienceFigures, CodeRange, LifeEventRecord, PublicationRecord, Release, Track
from models.track import TrackProgress, TrackRequest, TrackState


class Roster(Prospects, Alarms):
    """A store that also knows artists. Implements the Protocols of ``activities/tracks`` and ``activities/artists``."""

    async def enter_artist(self, tenant: str, identity: Identity, voice: VoicePrint) -> bool:
        """Have an artist; False when somebody else of the house has come to have nearly that voice. Twice is once."""
        async with self._session() as session:
            # Two debuts at once see each other: the second waits for the first.
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"voices/{tenant}", 0))))
            if await session.get(Artist, (tenant, identity.artist)) is not None:
                return True
            others = await session.scalars(select(col(Artist.voice_print)).where(col(Artist.tenant) == tenant))
            if any(voice.likeness(other) >= SAME_VOICE for other in others):
                return False
            session.add(
                Artist(tenant=tenant, id=identity.artist, name=identity.name, identity=identity, voice_print=voice)
            )
            return True

    async def record_life(self, snapshot: ArtistSnapshot) -> None:
        """Store where an artist stands, unless a newer snapshot is stored, and each of its news once."""
        life = snapshot.life
        newer = (
            update(Artist)
            .where(col(Artist.tenant) == life.tenant, col(Artist.id) == life.artist)
            .where(col(Artist.sequence) < snapshot.sequence)
            .values(
                life=life,
                state=life.state.value,
                identity=life.identity,
                sequence=snapshot.sequence,
                updated_at=func.now(),
            )
        )
        if not await self._changed(newer):
            await self.get(Artist, life.tenant, life.artist)
        async with self._session() as session:
            for event in snapshot.news:
                told = insert(LifeEventRecord).values(
                    tenant=life.tenant, artist=life.artist, number=event.number, at=event.at, event=event
                )
                await session.execute(told.on_conflict_do_nothing())

    async def voice_prints(self, tenant: str) -> VoicePrints:
        """The voices of all artists of a tenant, by artist."""
        statement = select(col(Artist.voice_print)).where(col(Artist.tenant) == tenant).order_by(col(Artist.id))
        async with self._session() as session:
            prints: Sequence[VoicePrint] = (await session.scalars(statement)).all()
        return VoicePrints(prints=tuple(prints))

    async def keep_audience(self, tenant: str, artist: str, rows: Sequence[AudienceRow]) -> tuple[AudienceRow, ...]:
        """Keep what platforms told, the later telling of each day; all rows of the releases they are about."""
        table = AudienceFigures
        async with self._session() as session:
            for row in settled(rows):
                told = insert(table).values(
                    tenant=tenant,
                    artist=artist,
                    number=row.number,
                    platform=row.platform,
                    day=row.day,
                    told_at=row.told_at,
                    row=row,
                )
                told = told.on_conflict_do_update(
                    index_elements=["tenant", "artist", "number", "platform", "day"],
                    set_={"told_at": told.excluded.told_at, "row": told.excluded.row},
                    where=col(table.told_at) < told.excluded.told_at,
                )
                await session.execute(told)
            about = {row.number for row in rows}
            known = await session.scalars(
                select(col(table.row)).where(
                    col(table.tenant) == tenant, col(table.artist) == artist, col(table.number).in_(about)
                )
            )
            return tuple(known)

    async def released_numbers(self, tenant: str, artist: str, numbers: Collection[int]) -> frozenset[int]:
        """Which of an artist's tracks, by their number, are out."""
        statement = (
            select(col(Track.number))
            .join(Release, col(Release.track_id) == col(Track.id))
            .where(col(Track.tenant) == tenant, col(Track.artist) == artist, col(Track.number).in_(numbers))
            .where(col(Release.released_at).is_not(None))
        )
        async with self._session() as session:
            return frozenset(await session.scalars(statement))

    async def enter_track(self, request: TrackRequest) -> None:
        """Have a track. Raises UnknownReference without its artist."""
        values: dict[str, Any] = {
            "id": request.track_id,
            "tenant": request.tenant,
            "artist": request.artist,
            "number": request.number,
            "title": "",
            "variant": request.variant,
            "request": request,
            "state": TrackState.QUEUED,
            "sequence": 0,
        }
        async with self._session() as session:
            await session.execute(insert(Track).values(values).on_conflict_do_nothing(index_elements=["id"]))

    async def project_track(self, progress: TrackProgress, sequence: int) -> None:
        """Store where a track stands, unless a newer snapshot is stored. Raises UnknownReference without a track."""
        values: dict[str, Any] = {"progress": progress, "state": progress.state, "sequence": sequence}
        if progress.files:
            values["title"] = progress.files.title
        newer = (
            update(Track)
            .where(col(Track.id) == progress.track_id, col(Track.sequence) < sequence)
            .values(**values, updated_at=func.now())
        )
        if not await self._changed(newer):
            await self.get(Track, progress.track_id)

    async def reserve_codes(self, track_id: str, year: int, ranges: CodeRanges) -> Codes:
        """The identifiers of the track's release: those it has, or the next free ones. Raises InvalidInput when a range
        is used up."""
        async with self._session() as session:
            # Two attempts at once get the same codes: the second waits for the first.
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"release/{track_id}", 0))))
            release = await session.get(Release, track_id)
            if release is None:
                isrc = await self._next(session, f"isrc/{ranges.isrc_prefix}/{year}", ranges.isrc_first)
                if isrc > ranges.isrc_last:
                    raise _used_up(f"the ISRC range of {year}", "LABEL_ISRC_LAST")
                item = await self._next(session, f"upc/{ranges.upc_prefix}", 1)
                digits = 11 - len(ranges.upc_prefix)
                if item >= 10**digits:
                    raise _used_up("the UPC range", "LABEL_UPC_PREFIX")
                upc = f"{ranges.upc_prefix}{item:0{digits}d}"
                release = Release(
                    track_id=track_id,
                    isrc=f"{ranges.isrc_prefix}{year % 100:02d}{isrc:05d}",
                    upc=upc + check_digit(upc),
                )
                session.add(release)
                await session.flush()
            year = 2000 + int(release.isrc[5:7])
            return Codes(isrc=release.isrc, upc=release.upc, year=year, registered=ranges.registered)

    @staticmethod
    async def _next(session: Any, name: str, first: int) -> int:
        taken = insert(CodeRange).values(name=name, next=first + 1)
        taken = taken.on_conflict_do_update(index_elements=["name"], set_={"next": col(CodeRange.next) + 1})
        following: int = (await session.execute(taken.returning(col(CodeRange.next)))).scalar_one()
        return following - 1

    async def released(self, release: ReleaseToRecord) -> None:
        """Store where the release lies and is published; the first time stands."""
        await self._changed(
            update(Release)
            .where(col(Release.track_id) == release.track_id)
            .values(package=release.release, released_at=func.coalesce(col(Release.released_at), func.now()))
        )

    async def record_publication(self, publication: Publication) -> None:
        """Store how a publication stands; when it was first confirmed there, and when it was withdrawn."""
        table, state = PublicationRecord, publication.state
        values: dict[str, Any] = {
            "state": state,
            "failure": publication.failure,
            "retry_at": publication.retry_at,
            "updated_at": func.now(),
        }
        if publication.place is not None:
            values |= publication.place.model_dump()
        if state is PublicationState.PUBLISHED:
            values |= {"confirmed_at": func.now(), "withdrawn_at": None}
        if state is PublicationState.WITHDRAWN:
            values["withdrawn_at"] = func.now()
        told = insert(table).values(track_id=publication.track_id, publisher=publication.publisher, **values)
        async with self._session() as session:
            await session.execute(told.on_conflict_do_update(index_elements=["track_id", "publisher"], set_=values))

    async def publications(self, track_id: str) -> Sequence[PublicationRecord]:
        """Where a track's release is, or is on its way to."""
        statement = select(PublicationRecord).where(col(PublicationRecord.track_id) == track_id)
        async with self._session() as session:
            return (await session.scalars(statement.order_by(col(PublicationRecord.publisher)))).all()

    async def tracks(self, tenant: str, *, artist: str | None = None, limit: int = 50) -> Sequence[Track]:
        """Tracks of a tenant, newest first."""
        statement = select(Track).where(col(Track.tenant) == tenant)
        if artist is not None:
            statement = statement.where(col(Track.artist) == artist)
        statement = statement.order_by(col(Track.created_at).desc(), col(Track.id)).limit(limit)
        async with self._session() as session:
            return (await session.scalars(statement)).all()


def _used_up(what: str, setting: str) -> InvalidInput:
    return InvalidInput(
        f"{what} is used up", field=setting, code="release.codes_used_up", action=f"Set {setting} to a larger range."
    )
