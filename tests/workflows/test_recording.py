"""Renders with many turns, for the histories that tests/replay holds the code to."""

from temporalio.client import WorkflowFailureError

from models.approval import SegmentChange
from models.render import RenderState, Resume, Step
from tests.workflows.conftest import Stage
from tests.workflows.recording import keep
from tests.workflows.studio import BROKEN, request, utterance, verdict
from tests.workflows.test_render import SENTENCES
from workflows.render import RenderWorkflow


async def test_a_render_with_every_turn_replays(stage: Stage) -> None:
    stage.studio.failing["speech", "Revenue grew."] = BROKEN
    stage.studio.failing["alignment", "timings"] = BROKEN
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        await stage.until(handle, lambda now: now.steps == (Step.DONE, Step.FAILED, Step.DONE))
        stage.studio.failing.clear()
        await handle.execute_update(RenderWorkflow.resume, Resume(resume_id="r", who="priya"), id="r")
        question = await stage.question(handle)
        changes = (SegmentChange(segment=0, utterance=utterance("Good evening.")),)
        await handle.execute_update(RenderWorkflow.decide, verdict(question, "changes", changes=changes), id="c")
        second = await stage.question(handle, 2)
        await handle.execute_update(RenderWorkflow.decide, verdict(second, "approve"), id="v")
        assert (await handle.result()).state is RenderState.COMPLETE
    await keep(handle, "every-turn")


async def test_a_cancelled_render_replays(stage: Stage) -> None:
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES))
        await stage.question(handle)
        await handle.cancel()
        try:
            await handle.result()
        except WorkflowFailureError:
            await keep(handle, "cancelled")
