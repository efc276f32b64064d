"""What the mixing stage is asked reaches the desk as it was meant, and every file comes back whole."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activities.mixing.base import Session
from activities.mixing.desk import MixingDesk
from activities.mixing.stage import MixingActivities
from activities.support.stage import Bench
from models.music import SungTiming
from models.song_stages import MixRequest, MixResult, PlacedPart, Stem, SungPart
from tests.bench import Direct, Folder
from tests.mixing.conftest import Finished


@pytest.mark.asyncio
async def test_a_request_becomes_the_desks_mix(session: Session, finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "bench").mkdir()
    store: Any = Folder(tmp_path / "store")
    bench = Bench(tmp_path / "bench", store)
    section = session.vocals[0]
    part = SungPart(
        lead=bench.put(section.lead, "audio/wav"),
        doubles=tuple(bench.put(double, "audio/wav") for double in section.doubles),
        lead_in_ms=section.lead_in_ms,
        timing=bench.put_text("section.json", section.timing.model_dump_json()),
        melody=bench.put(section.melody, "application/x-npy"),
    )
    desk = MixingDesk()
    request = MixRequest(
        work_id="track-1",
        engine=desk.ref,
        genre=session.genre,
        music=bench.put(session.music, "audio/wav"),
        stems=tuple(Stem(name=stem.name, audio=bench.put(stem.wav, "audio/wav")) for stem in session.stems),
        vocals=(PlacedPart(part=part, at_ms=section.at_ms),),
        grid=session.grid,
        seed=session.seed,
    )
    direct: Any = Direct(bench)
    result: MixResult = await MixingActivities(direct, {"desk": desk}).mix(request)
    for artifact, file in ((result.master, finished.mixed.master), (result.vocal, finished.mixed.vocal)):
        assert artifact.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
        assert artifact.duration_ms == result.duration_ms == round(finished.mixed.duration * 1000)
    assert [stem.name for stem in result.stems] == [stem.name for stem in finished.mixed.stems]
    assert bench.read(result.timing, SungTiming) == finished.mixed.timing
    assert np.array_equal(np.load(store.fetch(result.melody)), np.load(finished.mixed.melody))
