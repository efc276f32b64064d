"""Both stages as Temporal calls them: a plan becomes stored music, and that becomes a stored tune."""

import hashlib
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.analysis.listener import LibrosaListener
from activities.analysis.stage import AnalysisActivities
from activities.music.composer import ComposerEngine
from activities.music.stage import MusicActivities
from activities.support.ledger import Claim
from activities.support.stage import Stages
from models.artifacts import Artifact
from models.engines import find_engine
from models.identity import RhymeHabit
from models.music import Genre, LeadSheet, Score, SoundAnalysis
from models.plan import Capability, EngineRef
from models.song_stages import AnalyseSongRequest, ComposeSongRequest
from tests.music.conftest import plan


class Shelf:
    """Artifacts in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, artifact: Artifact) -> Path:
        return self._folder / artifact.sha256

    def put(self, path: Path, media_type: str, duration_ms: int | None = None) -> Artifact:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        shutil.copy(path, self._folder / sha256)
        size = path.stat().st_size
        return Artifact(
            uri=f"s3://shelf/{sha256}", sha256=sha256, media_type=media_type, size=size, duration_ms=duration_ms
        )

    def exists(self, artifact: Artifact) -> bool:
        return self.fetch(artifact).is_file()

    def url(self, artifact: Artifact, *, seconds: int, filename: str = "") -> str:
        return artifact.uri


class Book:
    """Stage results in memory."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, object]] = {}

    async def claim_stage(self, key: str, stage: str, engine: EngineRef, owner: str, lease: timedelta) -> Claim:
        known = self.results.get(key)
        return Claim(granted=known is None, result=known)

    async def renew_stage(self, key: str, owner: str, lease: timedelta) -> bool:
        return True

    async def finish_stage(
        self, key: str, owner: str, result: dict[str, object], **figures: object
    ) -> dict[str, object]:
        return self.results.setdefault(key, result)

    async def release_stage(self, key: str, owner: str) -> None:
        return None

    async def forget_stage(self, key: str) -> None:
        self.results.pop(key, None)


@pytest.mark.asyncio
async def test_a_plan_becomes_music_and_music_a_tune(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    stages = Stages(shelf, Book(), tmp_path / "scratch")  # type: ignore[arg-type]
    music = MusicActivities(stages, {"composer": ComposerEngine()})
    analysis = AnalysisActivities(stages, {"listener": LibrosaListener()})
    temporal = ActivityEnvironment()
    asked = plan(Genre.HYPERPOP)

    composed = await temporal.run(
        music.compose,
        ComposeSongRequest(
            work_id="track-1", engine=find_engine(Capability.MUSIC, "composer").ref(), plan=asked, seed=4
        ),
    )
    assert composed.source == "composer"
    assert [stem.name for stem in composed.stems] == ["drums", "bass", "pads", "keys", "lead"]
    assert composed.score
    score = Score.model_validate_json(shelf.fetch(composed.score).read_bytes())

    request = AnalyseSongRequest(
        work_id="track-1",
        engine=find_engine(Capability.ANALYSIS, "listener").ref(),
        audio=composed.audio,
        score=composed.score,
        plan=asked,
        voice_low=57,
        voice_high=74,
        rhyme=RhymeHabit.AABB,
        seed=4,
    )
    analysed = await temporal.run(analysis.analyse, request)
    heard = SoundAnalysis.model_validate_json(shelf.fetch(analysed.analysis).read_bytes())
    lead = LeadSheet.model_validate_json(shelf.fetch(analysed.lead).read_bytes())
    assert analysed.grid == heard.grid == lead.grid
    assert analysed.key == score.key
    assert analysed.duration_ms == composed.duration_ms
    assert [section.start_bar for section in lead.sections] == [2, 6]
    again = await temporal.run(analysis.analyse, request)
    assert again.effort.cached
    assert again.lead == analysed.lead
