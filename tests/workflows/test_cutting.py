"""The sound and the cards of a film do not wait for pictures they do not need, nor are they made again for an edit that
leaves them as they are."""

from models.approval import SegmentChange
from models.layout import Brand, Card, Layout
from models.render import RenderProgress, RenderState, Resume
from tests.workflows.conftest import Stage
from tests.workflows.studio import BROKEN, artifact, request, utterance, verdict
from workflows.render import RenderWorkflow

SENTENCES = ("Good morning.", "Revenue grew.", "Thank you.")
CARDS = Layout(brand=Brand(name="Acme"), intro=Card(title="Results"), outro=Card(title="Goodbye"))


async def test_the_sound_is_mixed_and_heard_while_a_picture_is_stuck(stage: Stage) -> None:
    asked = request(*SENTENCES, layout=CARDS)
    speech = artifact([SENTENCES[1], asked.segment_seed(asked.segments[1])], "audio/wav")
    stage.studio.failing["avatar", speech.sha256] = BROKEN
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(asked)

        def beside(now: RenderProgress) -> bool:
            made = stage.studio.made
            return now.state is RenderState.BLOCKED and made["hear:film"] == made["card:Results"] == 1

        await stage.until(handle, beside)
        await stage.until(handle, lambda _: stage.studio.made["card:Goodbye"] == 1)
        stage.studio.failing.clear()
        await handle.execute_update(RenderWorkflow.resume, Resume(resume_id="r1", who="priya"), id="r1")
        await stage.until(handle, lambda now: now.question is not None)
        await handle.cancel()
    assert stage.studio.made["soundtrack:film"] == stage.studio.made["assemble:film"] == 1


async def test_an_edit_in_the_middle_mixes_the_sound_anew_and_draws_no_card_again(stage: Stage) -> None:
    with stage.environment.auto_time_skipping_disabled():
        handle = await stage.start(request(*SENTENCES, layout=CARDS))
        question = (await stage.until(handle, lambda now: now.question is not None)).question
        changes = (SegmentChange(segment=1, utterance=utterance("Revenue grew by a tenth.")),)
        await handle.execute_update(RenderWorkflow.decide, verdict(question, "changes", changes=changes), id="v1")
        await stage.until(handle, lambda now: now.question is not None and now.question.round == 2)
        await handle.cancel()
    made = stage.studio.made
    assert (made["soundtrack:film"], made["hear:film"], made["card:Results"], made["card:Goodbye"]) == (2, 2, 1, 1)
