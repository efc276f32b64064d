"""Every recorded history replays on today's code, so that no edit wedges a render that is under way."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.replay.changed import ChangedWorkflow
from tests.workflows.recording import HISTORIES as FOLDER
from tests.workflows.recording import WORKFLOWS
from workers.plugin import StudioPlugin

HISTORIES = sorted(FOLDER.glob("*.json"))


def load(path: Path) -> WorkflowHistory:
    recorded = json.loads(path.read_text())
    return WorkflowHistory.from_json(recorded["workflow_id"], recorded["history"])


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_run_replays(path: Path) -> None:
    await Replayer(workflows=WORKFLOWS, plugins=[StudioPlugin()]).replay_workflow(load(path))


async def test_replay_finds_a_changed_order() -> None:
    assert HISTORIES, "no history is recorded"
    with pytest.raises(NondeterminismError):
        replayer = Replayer(workflows=[ChangedWorkflow], plugins=[StudioPlugin()])
        await replayer.replay_workflow(load(HISTORIES[0]))
