"""A render from uploaded speech: taken, refused by its field, and kept to the words that were recorded."""

import uuid

import httpx
import pytest

from api.services import Services
from models.render import RenderRequest, RenderState
from models.tables import Render
from tests.api.conftest import SmallFilms, Tenant, problem
from tests.api.test_inspection import flac, tone, uploaded

NO_APPROVAL = {"required": False}


@pytest.fixture
def recording(tenant: Tenant) -> str:
    return uploaded(tenant, flac(tone(0.2)))


def request_of(tenant: Tenant, render_id: str) -> RenderRequest:
    async def find() -> Render:
        studio = await Services.open(tenant.house.settings)
        try:
            return await studio.store.get(Render, render_id)
        finally:
            await studio.close()

    return tenant.house.portal.call(find).request


def again(tenant: Tenant, render_id: str, **body: object) -> httpx.Response:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    return tenant.producer.post(f"/renders/{render_id}/rerender", json=body, headers=headers)


def test_a_render_says_the_recording_and_no_voice_need_be_ready(tenant: Tenant, recording: str) -> None:
    render_id = tenant.started(recording=recording, approval=NO_APPROVAL)
    tenant.until(render_id, RenderState.COMPLETE)
    request = request_of(tenant, render_id)
    assert request.recording is not None
    assert request.recording.sha256 == tenant.viewer.get(f"/assets/{recording}").json()["sha256"]
    assert (request.plan.speech.name, [engine.name for engine in request.plan.alignment]) == (
        "recording",
        ["pocketsphinx"],
    )


def test_an_unfit_recording_is_refused_by_its_field(tenant: Tenant, recording: str) -> None:
    clipped = uploaded(tenant, flac(tone(1.004)))
    assert problem(tenant.ask(recording=clipped), 422, "audio.clipped")["field"] == "recording"
    assert problem(tenant.ask(recording="0" * 16), 404, "reference.unknown")["field"] == "recording"
    problem(tenant.ask(recording=recording, voice="avery"), 422, "input.invalid")
    problem(tenant.ask(recording=recording, engines={"speech": "kokoro"}), 422, "input.invalid")
    voice = {"name": "X", "engine": "recording", "samples": [recording]}
    assert problem(tenant.producer.put("/voices/x", json=voice), 422, "voice.engine")["field"] == "engine"


def test_words_are_replaced_only_with_a_new_recording(tenant: Tenant, recording: str) -> None:
    render_id = tenant.started(recording=recording, approval=NO_APPROVAL)
    words = [{"segment": 1, "text": "Revenue grew 14%."}]
    refused = problem(again(tenant, render_id, edits=words), 422, "render.recorded")
    assert "new recording" in refused["action"]
    assert again(tenant, render_id, edits=[{"segment": 1}]).status_code == 201
    other = uploaded(tenant, flac(tone(0.25)))
    child = again(tenant, render_id, edits=words, recording=other).json()["render_id"]
    request = request_of(tenant, child)
    assert request.segments[1].utterance.text == "Revenue grew 14%."
    assert request.recording is not None
    assert request.recording.sha256 == tenant.viewer.get(f"/assets/{other}").json()["sha256"]


def test_a_spoken_render_can_be_made_again_with_a_recording(tenant: Tenant, recording: str) -> None:
    render_id = tenant.started(approval=NO_APPROVAL)
    child = again(tenant, render_id, recording=recording).json()["render_id"]
    tenant.until(child, RenderState.COMPLETE)
    request = request_of(tenant, child)
    assert (request.plan.speech.name, request.voice.name) == ("recording", "recording")


def test_a_reviewer_cannot_put_words_into_a_recording(tenant: Tenant, recording: str, stages: SmallFilms) -> None:
    question = tenant.question(tenant.started(recording=recording))
    words = [{"segment": 0, "text": "Good evening."}]
    problem(tenant.decide(question, "changes", changes=words), 422, "render.recorded")
    assert tenant.decide(question, "changes", changes=[{"segment": 0, "note": "smile"}]).status_code == 200
