"""Kill anything, at any moment: the work finishes, byte for byte the same, and every effect happens once. All moments
of all stages are in tests/durability; here real engines are at work, and the supervisor brings back what was killed."""

import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.processes import is_gone, members
from tests.whole.conftest import WholeStudio

SEED = 11
PARTS = ("worker-cpu", "worker-io", "worker-studio", "api", "temporal", "postgres", "s3")


def video_of(view: dict[str, Any]) -> str:
    return str(view["progress"]["films"][0]["video"]["sha256"])


def complete(view: dict[str, Any]) -> bool:
    return bool(view["state"] == "complete")


@pytest.fixture(scope="module")
def undisturbed(studio: WholeStudio) -> str:
    """The film as nobody's death made it."""
    return video_of(studio.until(studio.start("two", SEED), complete))


def at_step(*steps: str) -> Callable[[dict[str, Any]], bool]:
    return lambda view: any(step in steps for step in (view["progress"] or {}).get("steps", ()))


def at_state(state: str) -> Callable[[dict[str, Any]], bool]:
    return lambda view: bool(view["state"] == state)


MOMENTS = {
    "speaking": at_step("speech", "alignment"),
    "performing": at_step("avatar"),
    "composing": at_step("composing", "measuring"),
    "joining": at_state("checking"),
}


def stages(studio: WholeStudio) -> dict[str, int]:
    rows = studio.psql("SELECT stage, count(*) FROM stage_result WHERE result IS NOT NULL GROUP BY stage")
    return {row["stage"]: row["count"] for row in rows}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("deal", [1, 2])
def test_killed_parts_change_nothing(studio: WholeStudio, undisturbed: str, deal: int) -> None:
    """Every part is killed once; which of them when, the deal says."""
    made = stages(studio)
    # As if nothing had been made: every stage is made again, in spite of the kills.
    studio.psql("DELETE FROM stage_result")
    questions = studio.psql("SELECT count(*) FROM question")[0][0]
    render = studio.start("two", SEED)
    order = random.Random(deal).sample(PARTS, len(PARTS))
    for turn, (moment, at) in enumerate(MOMENTS.items()):
        studio.until(render, lambda view, at=at: at(view) or complete(view))  # type: ignore[misc]
        for part in order[turn :: len(MOMENTS)]:
            killed = studio.kill(part)
            assert all(is_gone(pid) for pid in members(killed)), f"{part} left something running while {moment}"
    view = studio.until(render, complete)
    assert video_of(view) == undisturbed
    assert studio.psql("SELECT count(*) FROM question")[0][0] == questions
    assert stages(studio) == made
    assert studio.psql("SELECT count(*) FROM stage_result WHERE owner IS NOT NULL")[0][0] == 0
    assert studio.scratch_files() == []


@pytest.fixture
def full_disk(studio: WholeStudio) -> Iterator[Callable[[], Callable[[], None]]]:
    """Fills the small disk; what that returns frees it."""
    filler = studio.scratch / "filler"

    def free() -> None:
        filler.unlink(missing_ok=True)

    def fill() -> Callable[[], None]:
        with filler.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(2**20))
                except OSError:
                    return free

    if not os.path.ismount(studio.scratch):
        pytest.skip("this kernel lets nobody mount a small disk, neither as root nor in a namespace of users")
    yield fill
    free()


def test_a_full_disk_says_so_and_once_there_is_space_the_render_goes_on(
    studio: WholeStudio, full_disk: Callable[[], Callable[[], None]]
) -> None:
    render = studio.start("two", 61)
    studio.until(render, at_step("avatar"))
    free = full_disk()
    view = studio.until(render, at_state("blocked"))
    for failure in view["progress"]["failures"]:
        assert failure["failure"]["code"] == "storage.full", failure
        assert "disk is full" in failure["failure"]["message"]
        assert str(studio.state.root / "scratch") in failure["failure"]["message"], "where"
        assert "Free space" in failure["failure"]["action"], "what to do"
    free()
    while not complete(view):
        # What was under way may come to the same end after the first resume, and waits for the next.
        if view["state"] == "blocked":
            studio.client.call("POST", f"/renders/{render}/resume", {})
        view = studio.until(render, lambda view: view["state"] in ("blocked", "complete"))
    assert view["progress"]["failures"] == []
    made = Counter(re.findall(rf"stage.made .* segment=(\S+) stage=(\S+) .*work={render}", studio.log("worker-cpu")))
    assert made.total() == view["progress"]["cost"]["stages_made"]
    assert set(made.values()) == {1}, "what was made before the disk was full was not made again"
    assert studio.scratch_files() == []
