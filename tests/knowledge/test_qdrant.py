"""Songs are remembered once and found again by sound or by words, within their tenant alone."""

from pathlib import Path

import numpy as np
import pytest

from activities.audition.likeness import DIMENSIONS, SongPrint
from activities.knowledge.base import KnownSong
from activities.knowledge.qdrant import QdrantMemory
from models.errors import EngineUnavailable, StorageUnavailable


def song(seed: int, track: str, shingles: tuple[int, ...] = ()) -> KnownSong:
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS)
    print_ = SongPrint(embedding=tuple(vector / np.linalg.norm(vector)), shingles=shingles)
    return KnownSong(track, f"Song {track}", print_)


@pytest.fixture
def memory(tmp_path: Path) -> QdrantMemory:
    return QdrantMemory("", "", tmp_path / "qdrant")


def found(memory: QdrantMemory, like: KnownSong, tenant: str = "house", but: str = "") -> list[str]:
    return [known.track_id for known in memory.near(tenant, like.print, but=but, limit=2)]


def test_a_song_is_found_by_its_sound_or_by_its_words(memory: QdrantMemory) -> None:
    for seed in range(5):
        memory.remember("house", song(seed, f"t-{seed}", (seed * 100, seed * 100 + 1)))
    assert found(memory, song(3, "new"))[0] == "t-3"
    assert "t-4" in found(memory, song(77, "new", (401, 999)))


def test_remembered_twice_is_once_and_nobody_finds_another_tenant_s(memory: QdrantMemory) -> None:
    memory.remember("house", song(1, "t-1"))
    memory.remember("house", song(1, "t-1"))
    assert found(memory, song(1, "new")) == ["t-1"]
    assert found(memory, song(1, "new"), tenant="elsewhere") == []
    assert found(memory, song(1, "t-1"), but="t-1") == []


def test_what_is_remembered_outlives_the_process_and_one_process_has_it_open(tmp_path: Path) -> None:
    first = QdrantMemory("", "", tmp_path / "qdrant")
    first.remember("house", song(1, "t-1", (5,)))
    second = QdrantMemory("", "", tmp_path / "qdrant")
    with pytest.raises(EngineUnavailable, match="open"):
        found(second, song(1, "new"))
    first._client.close()
    again = second.near("house", song(1, "new").print, but="", limit=2)
    assert again[0].print.shingles == (5,)
    assert again[0].print.embedding == pytest.approx(song(1, "t-1").print.embedding)


def test_a_server_that_is_away_is_an_outage() -> None:
    with pytest.raises(StorageUnavailable):
        found(QdrantMemory("http://127.0.0.1:9", "", Path("unused")), song(1, "new"))
