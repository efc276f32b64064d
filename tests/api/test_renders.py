"""Renders over HTTP: asked for once however often it is sent, told truthfully while they are made, and fetched."""

import asyncio
import itertools
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import imageio_ffmpeg
import pytest
from temporalio.client import Client

from api.dispatch import start_forgotten
from api.services import Services
from models.errors import EngineFailed
from models.render import RenderState
from models.tables import Render
from tests.api.conftest import FINE, SmallFilms, Tenant, events, problem
from workers.plugin import StudioPlugin

PORTRAIT = Path(__file__).parents[1] / "media" / "portraits" / "anna.jpg"
NO_APPROVAL = {"required": False}


def test_a_render_is_made_approved_and_its_files_play(tenant: Tenant) -> None:
    render_id = tenant.started(layout={"plate": "blue", "captions": "both"})
    question = tenant.question(render_id)
    assert question["passed"] is True
    assert question["figures"][0] == {**FINE[0].model_dump(mode="json"), "holds": True}
    assert tenant.decide(question, "approve").json()["state"] == "approved"
    done = tenant.until(render_id, RenderState.COMPLETE)
    assert (done["done"], done["total"], done["passed"]) == (3, 3, True)
    film = tenant.viewer.get(f"/renders/{render_id}/files").json()["films"][0]
    assert film["video"]["name"] == "third-quarter-16x9.mp4"
    served = httpx.get(film["video"]["url"])
    assert served.headers["content-type"] == "video/mp4"
    assert "third-quarter-16x9.mp4" in served.headers["content-disposition"]
    file = tenant.house.stages.folder / f"{uuid.uuid4().hex}.mp4"
    file.write_bytes(served.content)
    play = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(file), "-f", "null", "-"]
    assert subprocess.run(play, capture_output=True, check=True).stderr == b""
    assert httpx.get(film["vtt"]["url"]).text.startswith("WEBVTT")
    assert httpx.get(film["video"]["url"], headers={"Range": "bytes=0-9"}).status_code == 206
    assert httpx.get(film["video"]["url"][:-4] + "0000").status_code == 403


def test_the_workflow_carries_what_people_look_for_in_the_web_ui(tenant: Tenant) -> None:
    render_id = tenant.started(approval=NO_APPROVAL, channel="town-hall")

    async def describe() -> tuple[object, ...]:
        client = await Client.connect(tenant.house.servers.temporal_address, plugins=[StudioPlugin()])
        found = await client.get_workflow_handle(f"render/{render_id}").describe()
        attributes = {pair.key.name: pair.value for pair in found.typed_search_attributes}
        return await found.static_summary(), attributes["Persona"], attributes["Channel"], attributes["Tenant"]

    summary, persona, channel, owner = tenant.house.portal.call(describe)
    assert "Third quarter" in str(summary)
    assert (persona, channel, owner) == ("avery", "town-hall", tenant.name)
    tenant.until(render_id, RenderState.COMPLETE)
    assert render_id in {item["render_id"] for item in tenant.viewer.get("/renders?state=complete").json()["items"]}
    assert tenant.viewer.get("/renders", params={"persona": "nobody"}).json()["items"] == []


def test_one_key_is_one_render_however_often_and_at_once_it_is_sent(tenant: Tenant) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: tenant.ask("once", approval=NO_APPROVAL), range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    render_id = answers[0].json()["render_id"]
    tenant.until(render_id, RenderState.COMPLETE)
    # The persona has changed since and the render has ended: the answer is still the first one.
    tenant.producer.put("/personas/avery", json={"name": "Other", "voice": "avery", "look": "avery"})
    assert tenant.ask("once", approval=NO_APPROVAL).text == answers[0].text
    assert len(tenant.viewer.get("/renders").json()["items"]) == 1


def test_a_key_used_with_another_body_is_a_conflict(tenant: Tenant) -> None:
    tenant.started(key="mine", approval=NO_APPROVAL)
    answer = problem(tenant.ask("mine", title="Another", approval=NO_APPROVAL), 409, "idempotency.reused")
    assert answer["field"] == "Idempotency-Key"
    body = {"title": "T", "persona": "avery", "script": "q3"}
    missing = problem(tenant.producer.post("/renders", json=body), 422, "input.invalid")
    assert missing["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"persona": "nobody"}, 404, "reference.unknown", "persona"),
        ({"script": "nothing"}, 404, "reference.unknown", "script"),
        ({"voice": "nobody"}, 404, "reference.unknown", "voice"),
        ({"layout": {"brand": "nobody"}}, 404, "reference.unknown", "brand"),
        ({"layout": {"plate": "nothing"}}, 404, "reference.unknown", "plate"),
        ({"layout": {"music": {"asset": "0" * 16}}}, 404, "reference.unknown", "layout.music.asset"),
        ({"layout": {"shapes": ["16:9", "16:9"]}}, 422, "input.invalid", "layout"),
        ({"engines": {"avatar": "hologram"}}, 404, "reference.unknown", "engines.avatar"),
        ({"engines": {"speech": "hibari"}}, 422, "engine.voice_mismatch", "engines.speech"),
        ({"engines": {"avatar": "portrait"}}, 422, "engine.subject_mismatch", "engines.avatar"),
        ({"approval": {"reviewers": ["eve"]}}, 404, "reference.unknown", "approval.reviewers"),
        ({"approval": {"quorum": 3}}, 422, "approval.too_few", "approval.reviewers"),
        ({"title": ""}, 422, "input.invalid", "title"),
    ],
)
def test_what_cannot_be_rendered_is_refused_by_its_field(
    tenant: Tenant, changes: dict[str, object], status: int, code: str, field: str
) -> None:
    assert problem(tenant.ask(**changes), status, code)["field"] == field
    assert tenant.viewer.get("/renders").json()["items"] == []


def test_a_photo_is_performed_as_a_portrait_and_held_to_its_own_threshold(tenant: Tenant) -> None:
    photo = tenant.producer.post("/assets", content=PORTRAIT.read_bytes()).json()["id"]
    tenant.producer.put("/personas/sam", json={"name": "Sam", "voice": "avery", "photo": photo})
    by_look = tenant.ask(persona="sam", engines={"avatar": "presenter"})
    assert problem(by_look, 422, "engine.subject_mismatch")["field"] == "engines.avatar"
    render_id = tenant.started(persona="sam", approval=NO_APPROVAL)

    async def asked() -> object:
        client = await Client.connect(tenant.house.servers.temporal_address, plugins=[StudioPlugin()])
        history = await client.get_workflow_handle(f"render/{render_id}").fetch_history()
        return history.events[0].workflow_execution_started_event_attributes.input.payloads[0].data

    text = bytes(tenant.house.portal.call(asked)).decode()  # type: ignore[arg-type, call-overload]
    assert '"name":"portrait"' in text
    assert '"lip_correlation":0.7' in text


def test_events_are_true_in_order_and_end(tenant: Tenant, stages: SmallFilms) -> None:
    hold: asyncio.Event = tenant.house.portal.call(asyncio.Event)
    stages.hold = hold
    render_id = tenant.started(approval=NO_APPROVAL)
    seen: list[dict[str, object]] = []
    with tenant.viewer.stream("GET", f"/renders/{render_id}/events", timeout=60) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for name, data in events(stream):
            seen.append({"event": name, **data})
            if data["state"] == "rendering" and set(data["progress"]["steps"]) == {"avatar"}:
                tenant.house.portal.call(hold.set)
    done = [int(str(entry["done"])) for entry in seen if "done" in entry]
    assert done == sorted(done)
    assert done[-1] == 3
    assert seen[-1] == {"event": "end", "state": "complete"}
    assert [entry["event"] for entry in seen].count("end") == 1
    assert all(a != b for a, b in itertools.pairwise(seen))
    with tenant.viewer.stream("GET", f"/renders/{render_id}/events") as stream:
        assert [name for name, _ in events(stream)] == ["progress", "end"]
    problem(tenant.viewer.get("/renders/unknown/events"), 404, "reference.unknown")


def test_a_render_can_be_cancelled_once(tenant: Tenant, stages: SmallFilms) -> None:
    stages.hold = tenant.house.portal.call(asyncio.Event)
    render_id = tenant.started(approval=NO_APPROVAL)
    tenant.until(render_id, RenderState.RENDERING)
    assert tenant.producer.post(f"/renders/{render_id}/cancel").status_code == 202
    assert tenant.until(render_id, RenderState.CANCELLED)["state"] == "cancelled"
    problem(tenant.producer.post(f"/renders/{render_id}/cancel"), 409, "render.ended")
    problem(tenant.producer.post(f"/renders/{render_id}/resume"), 409, "render.ended")


def test_a_blocked_render_says_what_to_mend_and_resumes_with_nothing_made_twice(
    tenant: Tenant, stages: SmallFilms
) -> None:
    stages.made.clear()
    stages.failing["speech", "Thank you."] = EngineFailed("the voice broke", action="Mend the voice.")
    render_id = tenant.started(approval=NO_APPROVAL)
    blocked = tenant.until(render_id, RenderState.BLOCKED)
    # The others go on, and the stream tells.
    blocked = tenant.until(render_id, RenderState.BLOCKED, done=2)
    failure = blocked["progress"]["failures"][0]
    assert (failure["segment"], failure["stage"]) == (2, "speech")
    assert failure["failure"]["action"] == "Mend the voice."
    stages.failing.clear()
    for _ in range(2):
        sent = tenant.producer.post(
            f"/renders/{render_id}/resume", json={"note": "mended"}, headers={"Idempotency-Key": "resume-1"}
        )
        assert sent.status_code in (202, 409), sent.text
    tenant.until(render_id, RenderState.COMPLETE)
    assert stages.made["speech:Good morning."] == 1
    assert stages.made["speech:Thank you."] == 2


def test_an_edited_render_changes_what_was_asked_and_nothing_else(tenant: Tenant) -> None:
    first = tenant.started(approval=NO_APPROVAL, layout={"plate": "blue", "disclosure": "Made by machine"})
    tenant.until(first, RenderState.COMPLETE)
    body = {
        "edits": [{"segment": 1, "text": "Revenue grew 15%. Margins held."}, {"segment": 2}],
        "layout": {"captions": "track"},
    }
    headers = {"Idempotency-Key": "edit-1"}
    answers = [tenant.producer.post(f"/renders/{first}/rerender", json=body, headers=headers) for _ in range(2)]
    assert answers[0].text == answers[1].text
    second = answers[0].json()["render_id"]
    view = tenant.until(second, RenderState.COMPLETE)
    assert (view["parent"], view["script"], view["script_version"]) == (first, "q3", 1)
    spoken = tenant.viewer.get(f"/renders/{second}/segments").json()["items"]
    assert [(item["index"], item["text"], item["take"]) for item in spoken] == [
        (0, "Good morning.", 0),
        (1, "Revenue grew 15%.", 0),
        (2, "Margins held.", 0),
        (3, "Thank you.", 1),
    ]
    beyond = {"edits": [{"segment": 9, "text": "x"}]}
    refused = tenant.producer.post(f"/renders/{first}/rerender", json=beyond, headers={"Idempotency-Key": "edit-2"})
    problem(refused, 422, "render.segment_unknown")
    empty = {"edits": [{"segment": 0, "text": " … "}]}
    refused = tenant.producer.post(f"/renders/{first}/rerender", json=empty, headers={"Idempotency-Key": "edit-3"})
    problem(refused, 422, "script.empty")


def test_a_render_of_ten_thousand_spans_is_refused_as_a_whole(tenant: Tenant) -> None:
    source = " ".join(f"One <break time='10ms'/> two <break time='10ms'/> three number {i}." for i in range(350))
    assert tenant.producer.put("/scripts/long", json={"title": "L", "source": source}).status_code == 200
    answer = problem(tenant.ask(script="long"), 422, "input.invalid")
    assert "spans" in answer["title"]


def test_a_cursor_of_ours_pages_and_any_other_is_refused(tenant: Tenant) -> None:
    made = [tenant.started(approval=NO_APPROVAL) for _ in range(3)]
    seen: list[str] = []
    after = ""
    while True:
        page = tenant.viewer.get("/renders", params={"limit": 2, "after": after}).json()
        seen += [item["render_id"] for item in page["items"]]
        after = page["next"]
        if not after:
            break
    assert seen == made[::-1]
    problem(tenant.viewer.get("/renders", params={"after": "!!"}), 422, "page.cursor")


def test_what_was_kept_and_never_started_is_started_later(tenant: Tenant) -> None:
    done = tenant.started(approval=NO_APPROVAL)
    tenant.until(done, RenderState.COMPLETE)
    lost = uuid.uuid4().hex[:20]

    async def lose_and_find() -> None:
        studio = await Services.open(tenant.house.settings)
        first = (await studio.store.get(Render, done)).request
        kept = Render(
            id=lost,
            tenant=first.tenant,
            persona=first.persona,
            title=first.title,
            channel=first.channel,
            requested_by=first.requested_by,
            request=first.model_copy(update={"render_id": lost}),
        )
        await studio.store.add_render(kept, lost, "0" * 64)
        assert lost in await start_forgotten(studio, timedelta(0))
        assert lost not in await start_forgotten(studio, timedelta(0))
        await studio.close()

    tenant.house.portal.call(lose_and_find)
    tenant.until(lost, RenderState.COMPLETE)
