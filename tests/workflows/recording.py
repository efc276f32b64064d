"""Keeps histories for tests/replay: ``RECORD_HISTORIES=1 make test``, when what a workflow does has changed on purpose.
Without it, the same runs prove that a finished history replays."""

import json
import os
import re
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.worker import Replayer

from workers.plugin import StudioPlugin
from workflows.artist import ArtistWorkflow
from workflows.debut import DebutWorkflow
from workflows.enrolment import EnrolmentWorkflow
from workflows.incident import IncidentWorkflow
from workflows.inspection import InspectionWorkflow
from workflows.publication import PublicationWorkflow
from workflows.render import RenderWorkflow
from workflows.track import TrackWorkflow

HISTORIES = Path(__file__).parent.parent / "replay" / "histories"
WORKFLOWS = (
    RenderWorkflow,
    EnrolmentWorkflow,
    InspectionWorkflow,
    DebutWorkflow,
    ArtistWorkflow,
    IncidentWorkflow,
    TrackWorkflow,
    PublicationWorkflow,
)


async def keep(handle: WorkflowHandle[Any, Any], name: str) -> None:
    """Replay the run's history, and write it down if histories are to be recorded."""
    history = await handle.fetch_history()
    await Replayer(workflows=WORKFLOWS, plugins=[StudioPlugin()]).replay_workflow(history)
    if os.environ.get("RECORD_HISTORIES"):
        recorded = {"workflow_id": history.workflow_id, "history": json.loads(history.to_json())}
        # Stack traces name the machine that recorded, and mean nothing to replay.
        text = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', json.dumps(recorded, indent=1))
        (HISTORIES / f"{name}.json").write_text(text)
