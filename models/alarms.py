"""The incidents' part of the database: what stands in an artist's way, and which messages went out about it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from models.artist import ArtistSnapshot
from models.incidents import LIFE, IncidentChanges, IncidentState, OpenIncident, incidents_of, incidents_of_track
from models.store import Store
from models.tables import Artist, IncidentMessage, IncidentRecord, Track
from models.track import TrackProgress

_NOTHING = IncidentChanges()


class Alarms(Store):
    """A store that also knows incidents. Implements the Protocols of ``activities/incidents``."""

    async def seen_life(self, snapshot: ArtistSnapshot) -> IncidentChanges:
        """What has become of an artist's incidents, those that are new entered. Those of a track that is not under way
        any more are over: one that was terminated cannot say so itself. Nothing for a snapshot that is not the newest.
        """
        life = snapshot.life
        row = await self.find(Artist, life.tenant, life.artist)
        if row is None or row.sequence > snapshot.sequence:
            return _NOTHING
        changes = await self._seen(life.tenant, life.artist, LIFE, incidents_of(life))
        under_way = {LIFE, life.running.track_id if life.running else ""}
        left = await self.incidents(life.tenant, state=IncidentState.OPEN, artist=life.artist, limit=50)
        gone = tuple(row.incident for row in left if row.subject not in under_way)
        return changes.model_copy(update={"over": (*changes.over, *gone)})

    async def seen_track(self, progress: TrackProgress, sequence: int) -> IncidentChanges:
        """The same of a track's."""
        row = await self.find(Track, progress.track_id)
        if row is None or row.sequence > sequence:
            return _NOTHING
        name = row.request.identity.name
        standing = incidents_of_track(row.tenant, row.artist, name, progress, datetime.now(UTC))
        return await self._seen(row.tenant, row.artist, row.id, standing)

    async def _seen(
        self, tenant: str, artist: str, subject: str, standing: tuple[OpenIncident, ...]
    ) -> IncidentChanges:
        of_it = select(IncidentRecord).where(
            col(IncidentRecord.tenant) == tenant,
            col(IncidentRecord.artist) == artist,
            col(IncidentRecord.subject) == subject,
            col(IncidentRecord.state) == IncidentState.OPEN,
        )
        async with self._session() as session:
            known = {row.incident.kind: row for row in (await session.scalars(of_it)).all()}
            kept = []
            for found in standing:
                row = known.get(found.kind)
                if subject != LIFE and row is not None:
                    # A track does not say since when: it is the incident that is open.
                    found = found.model_copy(update={"incident_id": row.id, "since": row.incident.since})
                entered = insert(IncidentRecord).values(
                    tenant=tenant,
                    id=found.incident_id,
                    artist=artist,
                    subject=subject,
                    state=IncidentState.OPEN,
                    since=found.since,
                    incident=found,
                )
                entered = entered.on_conflict_do_update(
                    index_elements=["tenant", "id"],
                    set_={"incident": entered.excluded.incident, "updated_at": func.now()},
                    where=col(IncidentRecord.state) == IncidentState.OPEN,
                )
                await session.execute(entered)
                kept.append(found)
        standing_ids = {found.incident_id for found in kept}
        over = tuple(row.incident for row in known.values() if row.id not in standing_ids)
        return IncidentChanges(standing=tuple(kept), over=over)

    async def close_incident(self, tenant: str, incident_id: str) -> None:
        """It is over. Twice is once."""
        await self._changed(
            update(IncidentRecord)
            .where(
                col(IncidentRecord.tenant) == tenant,
                col(IncidentRecord.id) == incident_id,
                col(IncidentRecord.state) == IncidentState.OPEN,
            )
            .values(state=IncidentState.CLOSED, closed_at=func.now(), updated_at=func.now())
        )

    async def incidents(
        self, tenant: str, *, state: IncidentState | None = None, artist: str | None = None, limit: int = 50
    ) -> Sequence[IncidentRecord]:
        """Incidents, those that are open first, the latest before the earlier."""
        table = IncidentRecord
        statement = select(table).where(col(table.tenant) == tenant)
        if state is not None:
            statement = statement.where(col(table.state) == state)
        if artist is not None:
            statement = statement.where(col(table.artist) == artist)
        order = (col(table.state) == IncidentState.CLOSED, col(table.since).desc(), col(table.id))
        async with self._session() as session:
            return (await session.scalars(statement.order_by(*order).limit(limit))).all()

    async def incident_messages(self, tenant: str, incident_id: str) -> dict[str, str]:
        """The messages that went out about an incident, by channel."""
        statement = select(IncidentMessage).where(
            col(IncidentMessage.tenant) == tenant, col(IncidentMessage.incident) == incident_id
        )
        async with self._session() as session:
            return {row.channel: row.message_id for row in (await session.scalars(statement)).all()}

    async def put_incident_message(self, tenant: str, incident_id: str, channel: str, message_id: str) -> None:
        """Note a message. The first that is noted stands."""
        noted = insert(IncidentMessage).values(
            tenant=tenant, incident=incident_id, channel=channel, message_id=message_id
        )
        async with self._session() as session:
            await session.execute(noted.on_conflict_do_nothing())
