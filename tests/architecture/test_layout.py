"""The house keeps its rooms apart: names, imports and dependencies."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest

from deploy.settings import ROOT
from models.engines import ENGINES

ROOMS = ("models", "workflows", "activities", "workers", "api", "deploy")

HEAVY = {
    *("torch", "numpy", "scipy", "cv2", "onnxruntime", "mediapipe", "sqlmodel", "sqlalchemy", "asyncpg", "boto3"),
    *("fastapi", "telegram", "httpx", "TTS", "anny", "mitsuba", "moviepy"),
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS)


def modules_after(statement: str) -> set[str]:
    """Top-level names of the modules a fresh interpreter holds after ``statement``."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_no_installed_package_claims_a_root_name() -> None:
    claimed = packages_distributions()
    assert {name: claimed[name] for name in (*ROOMS, "tests") if name in claimed} == {}


def test_the_root_holds_the_given_rooms_and_no_other_package() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {*ROOMS, "tests"}


def test_importing_every_workflow_pulls_in_nothing_heavy() -> None:
    names = [f"workflows.{path.stem}" for path in (ROOT / "workflows").glob("*.py") if path.stem != "__init__"]
    assert names
    assert modules_after(f"import {', '.join(names)}") & HEAVY == set()


def test_the_api_holds_no_engine_library_in_memory() -> None:
    names = [f"api.{path.stem}" for path in (ROOT / "api").glob("*.py") if not path.stem.startswith("__")]
    assert names
    heavy = {"torch", "onnxruntime", "mediapipe", "faster_whisper", "TTS", "anny", "mitsuba"}
    assert modules_after(f"import {', '.join(names)}") & heavy == set()


def test_workflows_and_api_reach_no_engine(graph: grimp.ImportGraph) -> None:
    engines = {spec.target.partition(":")[0] for spec in ENGINES} & graph.modules
    assert len(engines) > 2
    chains = [
        chain
        for room in ("workflows", "api")
        for engine in sorted(engines)
        if (chain := graph.find_shortest_chain(room, engine, as_packages=True))
    ]
    assert chains == []


def test_only_entry_points_read_settings(graph: grimp.ImportGraph) -> None:
    readers = graph.find_modules_that_directly_import("deploy.settings")
    assert readers
    assert {module.partition(".")[0] for module in readers} <= {"workers", "api", "deploy"}


def test_every_library_is_named_in_the_requirements() -> None:
    named = {
        _canonical(match.group())
        for file in (ROOT / "deploy" / "requirements").glob("*.txt")
        for line in file.read_text().splitlines()
        if (match := re.match(r"[A-Za-z0-9._-]+", line))
    }
    sources = [path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py")]
    distributions = packages_distributions()
    imported = {name for path in sources for name in _imports(path)} - {*ROOMS, "tests"} - sys.stdlib_module_names
    unnamed = {name for name in imported if not {_canonical(d) for d in distributions.get(name, [])} & named}
    assert unnamed == set()


def test_every_requirement_is_pinned() -> None:
    pinned = {
        _canonical(line.partition("==")[0])
        for line in (ROOT / "deploy" / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    for file in (ROOT / "deploy" / "requirements").glob("*.txt"):
        asked = [re.match(r"[A-Za-z0-9._-]+", line) for line in file.read_text().splitlines()]
        assert {_canonical(match.group()) for match in asked if match and match.group() != "-r"} <= pinned, file.name


def _imports(path: Path) -> set[str]:
    """Top-level names a file imports, anywhere in it. Protocol Buffers' namespace counts as ``protobuf``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
