"""AI/ML API (https://docs.aimlapi.com, music models): a generation is queued, looked at by its id until it has
completed, and its file fetched."""

from pathlib import Path
from typing import Final

from activities.music.base import Composition
from activities.music.hosted import described, fetched
from activities.support.engine import Progress
from activities.support.provider import Patience, Provider
from models.lanes import Lane
from models.music import SongPlan
from models.plan import Capability, EngineRef

NAME = "aimlapi"
VERSION = "1"
BASE_URL: Final = "https://api.aimlapi.com/v2"
MODEL: Final = "elevenlabs/eleven_music"
_ENDED: Final = frozenset({"error", "failed"})
_PATH: Final = "/generate/audio"


class AimlapiMusic:
    """Music by a model of AI/ML API. ``key`` is the API key; ``base_url`` its API; ``model`` one that takes
    ``music_length_ms``."""

    def __init__(
        self, key: str, base_url: str = BASE_URL, model: str = MODEL, patience: Patience | None = None
    ) -> None:
        self._provider = Provider("AI/ML API", "AIMLAPI_KEY", base_url, key, patience or Patience())
        self._model = model

    @property
    def ref(self) -> EngineRef:
        """The engine. Raises EngineUnavailable without a key."""
        self._provider.check_key()
        return EngineRef(capability=Capability.MUSIC, name=NAME, version=VERSION, lane=Lane.IO)

    def compose(
        self,
        plan: SongPlan,
        seed: int,  # noqa: ARG002 - the service takes none
        folder: Path,
        progress: Progress,
    ) -> Composition:
        """See :class:`~activities.music.base.MusicEngine`. One unit of progress a look at the job."""
        self._provider.check_key()
        asked = {"model": self._model, "prompt": described(plan), "music_length_ms": plan.duration_ms}
        with self._provider.job():
            job = self._provider.ask("POST", _PATH, json=asked)
            address = self._provider.wait(lambda: self._look(str(job.get("id", ""))), progress)
            return fetched(self._provider, address, plan, folder, self._model)

    def _look(self, job: str) -> str | None:
        now = self._provider.ask("GET", _PATH, params={"generation_id": job})
        if now.get("status") in _ENDED:
            raise self._provider.fault(f"gave up: {str(now.get('error'))[:200]}", "job_failed")
        if now.get("status") != "completed":
            return None
        file = now.get("audio_file")
        if not isinstance(file, dict) or not isinstance(file.get("url"), str):
            raise self._provider.fault("finished without a file", "no_file")
        return str(file["url"])
