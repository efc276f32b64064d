"""What an artist's workflow needs of the tables, as a Protocol; kept apart so that activities never import a table."""

from typing import Protocol

from models.artist import ArtistSnapshot
from models.outlook import Outlook, OutlookQuery


class ArtistLedger(Protocol):
    """The projection of artists, for lists and for people."""

    async def record_life(self, snapshot: ArtistSnapshot) -> None:
        """Store where an artist stands, unless a later snapshot is stored (by ``sequence``), and those of its news that
        are not stored yet (by artist and the event's ``number``)."""
        ...

    async def outlook(self, query: OutlookQuery) -> Outlook:
        """The trends in force and the experiment's variant for a song, and what experiments have found out."""
        ...
