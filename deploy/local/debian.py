"""Installs the Debian packages of ``deploy/debian-packages.txt`` where it may and asks for them by name where not. Runs
before the environment exists: standard library only."""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).resolve().parent.parent / "debian-packages.txt"
SETS = {"runtime": ("runtime",), "songs": ("runtime", "songs"), "full": ("runtime", "songs", "full")}


@dataclass(frozen=True)
class Package:
    """A line of the list."""

    name: str
    needed_by: str
    probe: str
    subject: str


def read_list(text: str) -> list[Package]:
    """The packages of a list; raises ValueError for a line that is not one."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return [Package(*fields) for fields in lines if fields]


def is_present(package: Package) -> bool:
    """Whether what the package provides is there, however it came."""
    if package.probe == "command":
        return shutil.which(package.subject) is not None
    if package.probe == "module":
        return importlib.util.find_spec(package.subject) is not None
    if package.probe == "file":
        return Path(package.subject).is_file()
    if package.probe == "library":
        try:
            ctypes.CDLL(package.subject)
        except OSError:
            return False
        return True
    raise ValueError(f"{package.name}: unknown probe {package.probe}")


def install_command(packages: list[Package]) -> list[str]:
    """What installs ``packages``."""
    names = [package.name for package in packages]
    return ["apt-get", "install", "-y", "--no-install-recommends", *names]


def main(wanted: str) -> int:
    """Make sure of the packages of one set. Returns the exit code."""
    missing = [
        package
        for package in read_list(LIST.read_text())
        if package.needed_by in SETS[wanted] and not is_present(package)
    ]
    if not missing:
        return 0
    command = install_command(missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.stderr.write(
            f"Missing: {', '.join(f'{package.probe} {package.subject}' for package in missing)}.\n"
            f"Install them, on Debian with: sudo {' '.join(command)}\n"
        )
        return 1
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
    return subprocess.run([*command, "-qq"], env=quiet, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
