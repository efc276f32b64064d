"""Kill anything, at any moment: the work finishes, byte for byte the same, and every effect happens once."""

import random
from typing import Any

import pytest

from tests.whole.conftest import WholeStudio

SEED = 11


def video_of(view: dict[str, Any]) -> str:
    return str(view["progress"]["films"][0]["video"]["sha256"])


def complete(view: dict[str, Any]) -> bool:
    return bool(view["state"] == "complete")


@pytest.fixture(scope="module")
def undisturbed(studio: WholeStudio) -> str:
    """The film as nobody's death made it."""
    return video_of(studio.until(studio.start("two", SEED), complete))


def at_step(*steps: str) -> Any:
    return lambda view: any(step in steps for step in (view["progress"] or {}).get("steps", ()))


def at_state(state: str) -> Any:
    return lambda view: view["state"] == state


MOMENTS = {
    "speaking": at_step("speech", "alignment"),
    "performing": at_step("avatar"),
    "composing": at_step("composing", "measuring"),
    "joining": at_state("checking"),
}


@pytest.mark.parametrize("part", ["worker-cpu", "worker-io", "worker-studio", "api", "temporal", "postgres", "s3"])
def test_a_killed_part_changes_nothing(studio: WholeStudio, undisturbed: str, part: str) -> None:
    # As if nothing had been made: every stage is made again, in spite of the kills.
    studio.psql("DELETE FROM stage_result")
    questions = studio.psql("SELECT count(*) FROM question")[0][0]
    render = studio.start("two", SEED)
    chosen = random.Random(part).sample(sorted(MOMENTS), 2)
    for moment in (name for name in MOMENTS if name in chosen):
        studio.until(render, lambda view, at=MOMENTS[moment]: at(view) or view["state"] == "complete")
        studio.kill(part)
    view = studio.until(render, complete)
    assert video_of(view) == undisturbed
    assert studio.psql("SELECT count(*) FROM question")[0][0] == questions
    made = studio.psql("SELECT stage, count(*) FROM stage_result WHERE result IS NOT NULL GROUP BY stage")
    assert {row["stage"]: row["count"] for row in made} == {
        "speech": 2, "alignment": 2, "lipsync": 2, "avatar": 2, "compose": 2, "measure": 2,
        "assemble": 1, "check": 1, "film": 1,
    }  # fmt: skip
