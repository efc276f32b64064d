"""A render that says what was recorded: cut once before its segments begin, its words left as they were recorded."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.support.errors import from_failure
from models.approval import SegmentChange
from models.base import Contract
from models.engines import LISTENER, RECORDING, EngineChoices, resolve_plan
from models.errors import MediaRejected
from models.render import RenderRequest, RenderState, Resume
from models.script import Span, Utterance
from models.stages import CutRequest, CutResult, VoiceRef
from tests.workflows.conftest import Stage
from tests.workflows.recording import keep
from tests.workflows.studio import artifact, request, utterance, verdict
from tests.workflows.test_render import SENTENCES
from workflows.render import RenderWorkflow

RECORDED = {
    "voice": VoiceRef(name=RECORDING),
    "recording": artifact("the recording", "audio/flac"),
    "plan": resolve_plan(EngineChoices(speech=RECORDING, alignment=(LISTENER,)), {}),
}


async def test_the_recording_is_cut_once_and_nothing_is_spoken(stage: Stage) -> None:
    handle = await stage.start(request(*SENTENCES, **RECORDED))
    question = await stage.question(handle)
    made = stage.studio.made
    assert made["cut:recording"] == 1
    assert [key for key in made if key.startswith("speech:")] == []
    assert sum(count for key, count in made.items() if key.startswith("alignment:")) == len(SENTENCES)
    assert (await stage.progress(handle)).fell_back == ()
    await handle.execute_update(RenderWorkflow.decide, verdict(question, "approve"), id="v")
    assert (await handle.result()).state is RenderState.COMPLETE


async def test_a_recording_that_leaves_the_script_says_so_before_any_segment_is_made(stage: Stage) -> None:
    stage.studio.failing["cut", "recording"] = MediaRejected("sentence 2 is not there", code="recording.text")
    handle = await stage.start(request(*SENTENCES, **RECORDED))
    now = await stage.until(handle, lambda now: now.state is RenderState.BLOCKED)
    failure = now.failures[0]
    assert (failure.segment, failure.stage, failure.failure.code) == (None, "cut", "recording.text")
    assert set(stage.studio.made) == {"cut:recording"}
    stage.studio.failing.clear()
    await handle.execute_update(RenderWorkflow.resume, Resume(resume_id="r", who="priya"), id="r")
    await stage.question(handle)
    assert stage.studio.made["cut:recording"] == 2


async def test_a_reviewer_cannot_put_words_into_a_recording_but_can_have_them_performed_anew(stage: Stage) -> None:
    handle = await stage.start(request(*SENTENCES, **RECORDED))
    question = await stage.question(handle)
    other = verdict(question, "changes", changes=(SegmentChange(segment=0, utterance=utterance("Other words.")),))
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(RenderWorkflow.decide, other, id="words")
    assert from_failure(refused.value).code == "render.recorded"
    anew = verdict(question, "changes", verdict_id="anew", changes=(SegmentChange(segment=0),))
    await handle.execute_update(RenderWorkflow.decide, anew, id="anew")
    question = await stage.question(handle, 2)
    assert stage.studio.made["cut:recording"] == 1
    await handle.execute_update(RenderWorkflow.decide, verdict(question, "approve"), id="v")
    await handle.result()
    await keep(handle, "recorded-speech")


def test_a_recording_and_its_engine_go_together() -> None:
    for alone in ("recording", "plan"):
        with pytest.raises(ValueError, match="a recording goes with"):
            request(*SENTENCES, **{alone: RECORDED[alone]})
    spoken, recorded = request(*SENTENCES), request(*SENTENCES, **RECORDED)
    other = RenderRequest.model_validate({**recorded.model_dump(), "recording": artifact("another", "audio/flac")})
    assert len({spoken.film_key(), recorded.film_key(), other.film_key()}) == 3


def test_a_cut_at_its_bounds_crosses_temporal() -> None:
    """Bucket names have at most 63 characters; a script 40,000, in at most 400 sentences."""
    piece = artifact("x", "audio/wav").model_copy(
        update={"uri": f"s3://{'b' * 63}/blobs/ab/{'a' * 64}", "size": 10**9, "duration_ms": 10**7}
    )
    ask = CutRequest(
        work_id="r" * 64,
        engine=RECORDED["plan"].speech,  # type: ignore[attr-defined]
        recording=piece,
        sentences=("é" * 100,) * 400,
        language="en",
    )
    payloads: tuple[Contract, ...] = (ask, CutResult(sentences=(piece,) * 400))
    for payload in payloads:
        assert len(payload.model_dump_json().encode()) < 256 * 1024


def test_an_alias_is_what_is_said() -> None:
    spans = (Span(text="The "), Span(text="W3C", alias="World Wide Web Consortium"), Span(text=" met."))
    assert Utterance(spans=spans).said == "The World Wide Web Consortium met."
