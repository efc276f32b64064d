"""Replicate (https://replicate.com/docs/reference/http): a prediction is created, looked at until it has ended, and its
file fetched. With Meta's MusicGen, in the version that the operator chose."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from activities.music.base import Composition
from activities.music.hosted import described, fetched
from activities.support.engine import Progress
from activities.support.provider import Patience, Provider
from models.errors import EngineUnavailable
from models.lanes import Lane
from models.music import SongPlan
from models.plan import Capability, EngineRef

NAME = "replicate"
VERSION = "1"
BASE_URL: Final = "https://api.replicate.com/v1"
_ENDED: Final = frozenset({"failed", "canceled", "aborted"})
_SEEDS: Final = 2**31 - 1


class ReplicateMusic:
    """Music by MusicGen on Replicate. ``key`` is the API token; ``model_version`` the version of meta/musicgen to pay
    for (64 hex digits, as its page lists them): a prediction names a version, and which are served may change."""

    def __init__(
        self,
        key: str,
        model_version: str,
        base_url: str = BASE_URL,
        patience: Patience | None = None,
    ) -> None:
        self._provider = Provider("Replicate", "REPLICATE_API_TOKEN", base_url, key, patience or Patience())
        self._model_version = model_version

    @property
    def ref(self) -> EngineRef:
        """The engine; the model's version stands for its weights. Raises EngineUnavailable without key or version."""
        self._check()
        return EngineRef(
            capability=Capability.MUSIC, name=NAME, version=VERSION, lane=Lane.IO, weights=self._model_version
        )

    def compose(self, plan: SongPlan, seed: int, folder: Path, progress: Progress) -> Composition:
        """See :class:`~activities.music.base.MusicEngine`. One unit of progress a look at the job."""
        self._check()
        asked = {
            "prompt": described(plan),
            "duration": round(plan.duration_ms / 1000),
            "output_format": "wav",
            "normalization_strategy": "peak",
            "seed": seed % _SEEDS,
        }
        with self._provider.job():
            job = self._provider.ask("POST", "/predictions", json={"version": self._model_version, "input": asked})
            address = self._provider.wait(lambda: self._look(job), progress)
            return fetched(self._provider, address, plan, folder, "replicate/musicgen")

    def _check(self) -> None:
        self._provider.check_key()
        if not self._model_version:
            raise EngineUnavailable(
                "No version of meta/musicgen was chosen on Replicate.",
                field="REPLICATE_MUSIC_VERSION",
                action="Set it to one that replicate.com/meta/musicgen/versions lists.",
            )

    def _look(self, job: Mapping[str, Any]) -> str | None:
        now = self._provider.ask("GET", f"/predictions/{job.get('id', '')}")
        status, output = now.get("status"), now.get("output")
        if status in _ENDED:
            raise self._provider.fault(f"gave up: {str(now.get('error') or status)[:200]}", "job_failed")
        if status != "succeeded":
            return None
        address = output[0] if isinstance(output, list) and output else output
        if not isinstance(address, str):
            raise self._provider.fault("finished without a file", "no_file")
        return address
