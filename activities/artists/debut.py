"""What a debut asks of the tables: the voices there are, and a place for another."""

import tempfile
from pathlib import Path
from typing import Protocol

from temporalio import activity

from activities.support.artifacts import ArtifactStore
from activities.support.stage import on_thread
from models.artifacts import Artifact
from models.debut import ArtistToEnter, Entered, HouseVoices, VoiceQuery
from models.identity import Identity
from models.song_stages import VoicePrint, VoicePrints


class Roll(Protocol):
    """The artists of every house."""

    async def voice_prints(self, tenant: str) -> VoicePrints:
        """The voices of a house, by artist."""
        ...

    async def enter_artist(self, tenant: str, identity: Identity, voice: VoicePrint) -> bool:
        """Have an artist; False when somebody else of the house has come to have nearly that voice. Twice is once."""
        ...


class DebutActivities:
    """Reads and writes the roll."""

    def __init__(self, roll: Roll, artifacts: ArtifactStore) -> None:
        self._roll = roll
        self._artifacts = artifacts

    @activity.defn(name="debut.voices")
    async def voices(self, query: VoiceQuery) -> HouseVoices:
        """The voices of a house as an artifact."""
        prints = await self._roll.voice_prints(query.tenant)
        return HouseVoices(prints=await on_thread(self._put, prints.model_dump_json()))

    @activity.defn(name="debut.enter")
    async def enter(self, artist: ArtistToEnter) -> Entered:
        """Have an artist in the tables."""
        path = await on_thread(self._artifacts.fetch, artist.print)
        voice = VoicePrint.model_validate_json(path.read_bytes())
        return Entered(entered=await self._roll.enter_artist(artist.tenant, artist.identity, voice))

    def _put(self, text: str) -> Artifact:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "voices.json"
            path.write_text(text, encoding="utf-8")
            return self._artifacts.put(path, "application/json")
