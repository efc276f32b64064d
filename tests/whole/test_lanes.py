"""A plan that needs a lane nobody serves: the render says so, makes what it can, and goes on when a worker comes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from activities.lipsync.wav2lip_model import Wav2Lip
from deploy.settings import ROOT
from tests.whole.conftest import WholeStudio, environment_of


@pytest.fixture
def gpu_worker(studio: WholeStudio, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Starts a worker of the gpu lane, on whatever device there is, with a Wav2Lip checkpoint of random weights in the
    published form: a mouth nobody would show, by the code that draws the real one."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        torch.manual_seed(1)
        torch.save({"state_dict": Wav2Lip().eval().state_dict()}, tmp_path / "wav2lip.pth")
        environment = {
            **environment_of(studio.parts()["worker-io"]["pid"]),
            "WAV2LIP_CHECKPOINT": str(tmp_path / "wav2lip.pth"),
            "GREENROOM_READY_FILE": str(tmp_path / "ready"),
        }
        with (tmp_path / "log").open("wb") as log:
            command = [sys.executable, "-m", "workers", "--lanes", "gpu"]
            started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))

    yield start
    for worker in started:
        worker.terminate()
        assert worker.wait() == 0, (tmp_path / "log").read_text()[-2_000:]


def test_a_render_waits_for_a_lane_and_goes_on_when_a_worker_comes(
    studio: WholeStudio, gpu_worker: Callable[[], None]
) -> None:
    drawn = "SELECT count(*) FROM stage_result WHERE stage = 'avatar' AND result IS NOT NULL"
    before = studio.psql(drawn)[0][0]
    script = {"title": "Hello", "source": "Hello, everyone."}
    studio.client.call("PUT", "/scripts/hello", script)
    render = studio.start("hello", 81, engines={"lipsync": "wav2lip"})
    view = studio.until(render, lambda view: bool((view["progress"] or {}).get("waiting_for_lanes")))
    assert view["progress"]["waiting_for_lanes"] == ["gpu"]
    studio.until(render, lambda view: studio.psql(drawn)[0][0] > before)
    view = studio.view(render)
    assert (view["state"], view["progress"]["waiting_for_lanes"]) == ("rendering", ["gpu"])
    gpu_worker()
    view = studio.until(render, lambda view: bool(view["state"] == "complete"))
    assert view["progress"]["waiting_for_lanes"] == []
    redrawn = studio.psql("SELECT device, engine FROM stage_result WHERE stage = 'resync' AND result IS NOT NULL")
    assert [tuple(row) for row in redrawn] == [("gpu", "wav2lip")]
