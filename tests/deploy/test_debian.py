"""Debian packages: named in one file, found by what they provide, installed by name or asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import debian
from deploy.local.debian import LIST, Package, install_command, is_present, read_list


def test_the_list_is_readable_and_everything_on_it_is_here() -> None:
    packages = read_list(LIST.read_text())
    assert packages
    assert [package.name for package in packages if not is_present(package)] == []


@pytest.mark.parametrize(
    ("probe", "there", "not_there"),
    [
        ("command", "sh", "no-such-program"),
        ("library", "libc.so.6", "libnosuch.so.9"),
        ("module", "json", "no_such_module"),
    ],
)
def test_a_package_is_told_by_what_it_provides(probe: str, there: str, not_there: str) -> None:
    assert is_present(Package("x", "runtime", probe, there))
    assert not is_present(Package("x", "runtime", probe, not_there))


def test_where_it_may_not_install_it_asks_by_name_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = tmp_path / "list"
    wanted.write_text("a-missing-package runtime command no-such-program # why\n")
    monkeypatch.setattr(debian, "LIST", wanted)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert debian.main("runtime") == 1
    said = capsys.readouterr().err
    assert "command no-such-program" in said
    assert f"sudo {' '.join(install_command(read_list(wanted.read_text())))}" in said


def test_it_runs_without_the_environment() -> None:
    bare = [sys.executable, "-S", "-I", str(LIST.parent / "local" / "debian.py"), "runtime"]
    assert subprocess.run(bare, check=False).returncode == 0
