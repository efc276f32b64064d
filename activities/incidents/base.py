"""The incidents capability: what it needs of the tables, and of a channel to people, as Protocols."""

from typing import Protocol

from models.approval import Reviewer
from models.artist import ArtistSnapshot
from models.incidents import IncidentChanges, OpenIncident
from models.track import TrackProgress


class IncidentRecords(Protocol):
    """Incidents in the tables. Every method is idempotent."""

    async def seen_life(self, snapshot: ArtistSnapshot) -> IncidentChanges:
        """What has become of an artist's incidents, those that are new entered. Nothing for a snapshot that is not the
        newest."""
        ...

    async def seen_track(self, progress: TrackProgress, sequence: int) -> IncidentChanges:
        """The same of a track's."""
        ...

    async def close_incident(self, tenant: str, incident_id: str) -> None:
        """It is over."""
        ...

    async def reviewers(self, tenant: str) -> tuple[Reviewer, ...]:
        """Everybody who may decide for a tenant."""
        ...


class IncidentNotes(Protocol):
    """The messages that went out, so that each goes out once."""

    async def incident_messages(self, tenant: str, incident_id: str) -> dict[str, str]:
        """Those about an incident, by channel."""
        ...

    async def put_incident_message(self, tenant: str, incident_id: str, channel: str, message_id: str) -> None:
        """Note one. The first that is noted stands."""
        ...


class Herald(Protocol):
    """A channel to reviewers. Both methods are idempotent by incident and reviewer. Raise ProviderFault where it may
    help to try again."""

    def reaches(self, reviewer: Reviewer) -> bool:
        """Whether this channel knows how to reach the reviewer."""
        ...

    async def tell(self, incident: OpenIncident, reviewer: Reviewer) -> None:
        """Say what is wrong and what helps."""
        ...

    async def take_back(self, incident: OpenIncident) -> None:
        """Say to whoever was told that it is over."""
        ...
