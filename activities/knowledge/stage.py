"""Remembering songs and finding what a new one is like."""

from temporalio import activity

from activities.audition.likeness import SongPrint, likeness
from activities.knowledge.base import KnownSong, SongMemory
from activities.support.artifacts import ArtifactStore
from activities.support.stage import on_thread
from models.artifacts import Artifact
from models.knowledge import Likest, SongToCompare, SongToRemember

LOOKED_AT = 20
"""Candidates that are compared exactly."""


class KnowledgeActivities:
    """Asks one memory."""

    def __init__(self, memory: SongMemory, artifacts: ArtifactStore) -> None:
        self._memory = memory
        self._artifacts = artifacts

    @activity.defn(name="knowledge.likest")
    async def likest(self, song: SongToCompare) -> Likest:
        """The released song of the house that is most like this one, and how much."""

        def work() -> Likest:
            mine = self._print(song.print)
            near = self._memory.near(song.tenant, mine, but=song.track_id, limit=LOOKED_AT)
            compared = [(likeness(mine, other.print), other) for other in near]
            if not compared:
                return Likest()
            most, other = max(compared, key=lambda pair: (pair[0], pair[1].track_id))
            return Likest(track_id=other.track_id, title=other.title, likeness=round(most, 4))

        return await on_thread(work)

    @activity.defn(name="knowledge.remember")
    async def remember(self, song: SongToRemember) -> None:
        """Keep a released song."""

        def work() -> None:
            known = KnownSong(song.track_id, song.title, self._print(song.print))
            self._memory.remember(song.tenant, known)

        await on_thread(work)

    def _print(self, artifact: Artifact) -> SongPrint:
        return SongPrint.model_validate_json(self._artifacts.fetch(artifact).read_bytes())
