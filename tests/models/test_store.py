"""What the tables promise: one owner for each key, the newest picture of a render, one answer to one Idempotency-Key,
and faults that say who has to act."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from deploy.local.servers import LocalServers
from deploy.migrations import config, upgrade
from models.approval import Decision, Question, QuestionState, SegmentChange, Verdict
from models.base import canonical_sha256
from models.engines import ENGINES
from models.errors import (
    Conflict,
    FailureDetails,
    InvalidInput,
    StorageFull,
    StorageUnavailable,
    StudioError,
    UnknownReference,
)
from models.inspection import Findings, Unfit, Use
from models.plan import Capability
from models.render import RenderProgress, RenderState, Step
from models.script import ScriptAudience
from models.store import Store, asyncpg_url
from models.tables import (
    ApprovalQuestion,
    Asset,
    AssetKind,
    AssetState,
    Persona,
    Render,
    ReviewerRecord,
    Script,
    ScriptSegment,
    Voice,
    VoiceState,
)
from models.upkeep import AssetOutcome
from tests.workflows.studio import artifact, request, utterance

ENGINE = ENGINES[0].ref("a" * 64)
LEASE = timedelta(minutes=1)
EXPIRED = timedelta(seconds=-1)
FIGURES: dict[str, Any] = {"seconds": 2.0, "cpu_seconds": 1.5, "size": 10, "device": "cpu"}


def new_key() -> str:
    return canonical_sha256(uuid.uuid4().hex)


def new_id() -> str:
    return uuid.uuid4().hex[:12]


async def claim(store: Store, key: str, owner: str, lease: timedelta = LEASE) -> tuple[dict[str, Any] | None, bool]:
    answer = await store.claim_stage(key, "speech", ENGINE, owner, lease)
    return answer.result, answer.granted


async def tenant_of(store: Store) -> str:
    tenant = f"tenant-{new_id()}"
    await store.ensure_tenant(tenant)
    return tenant


async def kept(store: Store, **changes: Any) -> Render:
    tenant = changes.pop("tenant", None) or await tenant_of(store)
    asked = request("One.", "Two.", render_id=new_id(), tenant=tenant)
    row = Render(
        id=asked.render_id,
        tenant=tenant,
        persona="avery",
        title="T",
        channel="internal",
        requested_by="p",
        request=asked,
        **changes,
    )
    render, _ = await store.add_render(row, new_id(), canonical_sha256("body"))
    return render


def progress(render: Render, state: RenderState, *steps: Step) -> RenderProgress:
    return RenderProgress(render_id=render.id, state=state, steps=steps)


def question(render_id: str) -> Question:
    return Question(
        question_id=f"{render_id}.1",
        work_id=render_id,
        round=1,
        title="T",
        video=artifact("film", "video/mp4"),
        thumbnail=artifact("thumbnail", "image/jpeg"),
        segments=2,
    )


async def test_of_many_claims_at_once_one_is_granted(store: Store) -> None:
    key = new_key()
    answers = await asyncio.gather(*(claim(store, key, f"worker-{i}") for i in range(20)))
    assert sorted(granted for _, granted in answers) == [False] * 19 + [True]
    assert all(result is None for result, _ in answers)


async def test_a_claim_whose_answer_was_lost_can_be_made_again_by_its_owner(store: Store) -> None:
    key = new_key()
    assert await claim(store, key, "mine") == (None, True)
    assert await claim(store, key, "mine") == (None, True)
    assert await claim(store, key, "other") == (None, False)


async def test_an_expired_lease_is_taken_over_and_cannot_be_renewed_by_who_lost_it(store: Store) -> None:
    key = new_key()
    await claim(store, key, "dead", EXPIRED)
    assert await claim(store, key, "heir") == (None, True)
    assert not await store.renew_stage(key, "dead", LEASE)
    assert await store.renew_stage(key, "heir", LEASE)


async def test_a_renewed_lease_holds(store: Store) -> None:
    key = new_key()
    await claim(store, key, "slow", EXPIRED)
    assert await store.renew_stage(key, "slow", LEASE)
    assert await claim(store, key, "eager") == (None, False)


async def test_the_first_finished_result_stands_whoever_finishes_later(store: Store) -> None:
    key = new_key()
    await claim(store, key, "zombie", EXPIRED)
    await claim(store, key, "heir")
    assert await store.finish_stage(key, "zombie", {"take": 1, "level": -16.25}, **FIGURES) == {
        "take": 1,
        "level": -16.25,
    }
    assert await store.finish_stage(key, "heir", {"take": 2}, **FIGURES) == {"take": 1, "level": -16.25}
    assert await claim(store, key, "anyone") == ({"take": 1, "level": -16.25}, False)
    assert not await store.renew_stage(key, "heir", LEASE)


async def test_releasing_frees_the_key_and_touches_nothing_that_is_not_ones_own(store: Store) -> None:
    key = new_key()
    await claim(store, key, "a")
    await store.release_stage(key, "b")
    assert await claim(store, key, "b") == (None, False)
    await store.release_stage(key, "a")
    assert await claim(store, key, "b") == (None, True)
    await store.finish_stage(key, "b", {"take": 1}, **FIGURES)
    await store.release_stage(key, "b")
    assert await claim(store, key, "c") == ({"take": 1}, False)


async def test_a_forgotten_result_is_made_again_but_work_under_way_is_left(store: Store) -> None:
    key = new_key()
    await claim(store, key, "a")
    await store.forget_stage(key)
    assert await claim(store, key, "b") == (None, False)
    await store.finish_stage(key, "a", {"take": 1}, **FIGURES)
    await store.forget_stage(key)
    assert await claim(store, key, "b") == (None, True)


async def test_finishing_what_was_never_claimed_is_refused(store: Store) -> None:
    with pytest.raises(Conflict, match="never claimed"):
        await store.finish_stage(new_key(), "a", {}, **FIGURES)


async def test_an_older_snapshot_never_overwrites_a_newer_one(store: Store) -> None:
    render = await kept(store)
    await store.project(progress(render, RenderState.COMPLETE, Step.DONE, Step.DONE), 7)
    await store.project(progress(render, RenderState.RENDERING, Step.SPEECH, Step.DONE), 6)
    await store.project(progress(render, RenderState.RENDERING, Step.SPEECH, Step.DONE), 7)
    stored = await store.get(Render, render.id)
    assert (stored.state, stored.sequence) == (RenderState.COMPLETE, 7)
    assert stored.progress == progress(render, RenderState.COMPLETE, Step.DONE, Step.DONE)


async def test_a_snapshot_of_no_render_is_an_error(store: Store) -> None:
    with pytest.raises(UnknownReference):
        await store.project(RenderProgress(render_id="nothing-here", state=RenderState.QUEUED, steps=()), 1)


async def test_one_idempotency_key_makes_one_render_however_many_send_it_at_once(store: Store) -> None:
    tenant, key, body = await tenant_of(store), new_id(), canonical_sha256("body")

    async def send() -> tuple[str, bool]:
        asked = request("One.", render_id=new_id(), tenant=tenant)
        row = Render(
            id=asked.render_id, tenant=tenant, persona="a", title="T", channel="c", requested_by="p", request=asked
        )
        render, new = await store.add_render(row, key, body)
        return render.id, new

    answers = await asyncio.gather(*(send() for _ in range(8)))
    assert len({render_id for render_id, _ in answers}) == 1
    assert [new for _, new in answers].count(True) == 1
    assert len(await store.renders(tenant)) == 1
    with pytest.raises(Conflict, match="another body"):
        await store.render_of(tenant, key, canonical_sha256("other"))
    assert await store.render_of(f"{tenant}-2", key, body) is None


async def test_a_kept_render_is_found_until_it_was_dispatched(store: Store) -> None:
    render = await kept(store)
    assert render.id in {row.id for row in await store.undispatched(timedelta(0), limit=1000)}
    assert render.id not in {row.id for row in await store.undispatched(timedelta(hours=1), limit=1000)}
    await store.dispatched(render.id)
    assert render.id not in {row.id for row in await store.undispatched(timedelta(0), limit=1000)}


async def test_renders_are_listed_newest_first_page_by_page_each_once(store: Store) -> None:
    tenant = await tenant_of(store)
    made = [(await kept(store, tenant=tenant)).id for _ in range(5)]
    seen: list[str] = []
    before = None
    while rows := await store.renders(tenant, before=before, limit=2):
        seen += [row.id for row in rows]
        assert rows[-1].created_at is not None
        before = (rows[-1].created_at, rows[-1].id)
    assert seen == made[::-1]
    assert await store.renders(tenant, state=RenderState.COMPLETE) == []
    assert len(await store.renders(tenant, persona="avery")) == 5


async def test_a_question_that_ended_stays_as_it_ended_and_keeps_each_verdict_once(store: Store) -> None:
    render = await kept(store)
    asked = question(render.id)
    change = SegmentChange(segment=1, note="slower", utterance=utterance("Slower."))
    verdict = Verdict(
        verdict_id="v1",
        question_id=asked.question_id,
        sha256=asked.video.sha256,
        reviewer="ana",
        decision=Decision.CHANGES,
        changes=(change,),
    )
    await store.put_question(asked, QuestionState.OPEN, ())
    assert [row.id for row in await store.questions(render.tenant)] == [asked.question_id]
    for _ in range(2):
        await store.put_question(asked, QuestionState.CHANGES, (verdict,))
    await store.put_question(asked, QuestionState.OPEN, ())
    assert await store.questions(render.tenant) == []
    assert (await store.get(ApprovalQuestion, asked.question_id)).state is QuestionState.CHANGES
    assert [row.verdict() for row in await store.verdicts(asked.question_id)] == [verdict]
    assert await store.changes(render.id) == (verdict,)


async def test_a_notice_is_remembered_once(store: Store) -> None:
    render = await kept(store)
    asked = question(render.id)
    await store.put_question(asked, QuestionState.OPEN, ())
    assert await store.notice(asked.question_id, "telegram:1") is None
    await store.put_notice(asked.question_id, "telegram:1", "film:10")
    await store.put_notice(asked.question_id, "telegram:1", "film:11")
    assert await store.notice(asked.question_id, "telegram:1") == "film:10"


async def test_saving_a_script_at_once_gives_every_save_a_version_of_its_own(store: Store) -> None:
    tenant = await tenant_of(store)

    async def save(number: int) -> int:
        script = Script(
            tenant=tenant,
            id="q3",
            version=1,
            title="Q3",
            source=f"Take {number}.",
            language="en",
            audience=ScriptAudience.BOARD,
            saved_by="p",
        )
        spoken = utterance(f"Take {number}.")
        segment = ScriptSegment(
            tenant=tenant, script="q3", version=1, index=0, utterance=spoken, start_offset=0, end_offset=7
        )
        return (await store.save_script(script, [segment])).version

    assert sorted(await asyncio.gather(*map(save, range(6)))) == [1, 2, 3, 4, 5, 6]
    newest, third = await store.script(tenant, "q3"), await store.script(tenant, "q3", 3)
    assert (newest.version, third.version) == (6, 3)
    assert [(await store.segments(row))[0].utterance.text for row in (newest, third)] == [newest.source, third.source]
    assert [row.version for row in await store.scripts(tenant)] == [6]
    with pytest.raises(UnknownReference, match="version 9"):
        await store.script(tenant, "q3", 9)


async def test_the_same_bytes_are_one_asset(store: Store) -> None:
    tenant = await tenant_of(store)
    picture = artifact(["logo", tenant], "image/png")

    def upload(name: str) -> Asset:
        return Asset(
            tenant=tenant,
            id=new_id(),
            sha256=picture.sha256,
            uri=picture.uri,
            kind=AssetKind.IMAGE,
            media_type=picture.media_type,
            size=picture.size,
            filename=name,
            created_by="p",
        )

    first, new = await store.keep_asset(upload("a.png"))
    second, again = await store.keep_asset(upload("b.png"))
    assert (new, again) == (True, False)
    assert second.id == first.id
    assert second.filename == "a.png"
    assert first.artifact() == picture


async def test_the_first_verdict_on_an_upload_stands(store: Store) -> None:
    tenant = await tenant_of(store)
    sound = artifact(["bed", tenant], "audio/flac")
    values = {"sha256": sound.sha256, "uri": sound.uri, "media_type": sound.media_type, "size": sound.size}
    row = Asset(tenant=tenant, id="f" * 16, kind=AssetKind.AUDIO, created_by="p", **values)
    await store.keep_asset(row)
    assert row.id in {asset.id for asset in await store.uninspected(timedelta(0), limit=1_000)}
    await store.inspecting(tenant, row.id)
    assert row.id not in {asset.id for asset in await store.uninspected(timedelta(0), limit=1_000)}
    found = Findings(
        duration_ms=2_000, sample_rate=48_000, channels=2, unfit=(Unfit(use=Use.PORTRAIT, failure=FAILURE),)
    )
    await store.settle_asset(AssetOutcome(tenant=tenant, asset=row.id, findings=found))
    await store.settle_asset(AssetOutcome(tenant=tenant, asset=row.id, failure=FAILURE))
    settled = await store.get(Asset, tenant, row.id)
    assert (settled.state, settled.findings, settled.failure) == (AssetState.READY, found, None)
    assert settled.duration_ms == 2_000


async def test_every_engine_of_the_catalogue_can_be_announced(store: Store) -> None:
    await store.announce(new_id(), tuple(spec.ref() for spec in ENGINES))


async def test_putting_a_row_replaces_it_and_keeps_when_it_was_made(store: Store) -> None:
    tenant = await tenant_of(store)
    first = await store.put(Voice(tenant=tenant, id="ada", name="Ada", engine="kokoro", stock="af_heart"))
    second = await store.put(Voice(tenant=tenant, id="ada", name="Ada II", engine="kokoro", stock="af_bella"))
    assert second.created_at == first.created_at
    assert second.updated_at is not None and first.updated_at is not None and second.updated_at > first.updated_at
    assert (await store.get(Voice, tenant, "ada")).name == "Ada II"
    with pytest.raises(Conflict, match="exists"):
        await store.add(Voice(tenant=tenant, id="ada", name="Other", engine="kokoro", stock="af_heart"))


FAILURE = FailureDetails(code="x", message="m", audience="operator", action="a", retryable=False)


@pytest.mark.parametrize(
    "row",
    [
        Voice(tenant="t", id="Not A Slug", name="x", engine="kokoro", stock="af_heart"),
        Voice(tenant="t", id="silent", name="x", engine="xtts", state=VoiceState.READY),
        Voice(tenant="t", id="broken", name="x", engine="xtts", state=VoiceState.FAILED),
        Voice(tenant="t", id="fine", name="x", engine="kokoro", stock="af_heart", failure=FAILURE),
        Persona(tenant="t", id="faceless", name="x", voice="v"),
        Persona(tenant="t", id="two-faced", name="x", voice="v", look="avery", photo_asset="p"),
        Asset(
            tenant="t",
            id="a",
            sha256="zz",
            uri="s3://b/k",
            kind=AssetKind.IMAGE,
            media_type="image/png",
            size=1,
            created_by="p",
        ),
        Asset(
            tenant="t",
            id="b",
            sha256="a" * 64,
            uri="s3://b/k",
            kind=AssetKind.IMAGE,
            media_type="image/png",
            size=1,
            state=AssetState.REJECTED,
            created_by="p",
        ),
        Asset(
            tenant="t",
            id="c",
            sha256="a" * 64,
            uri="s3://b/k",
            kind=AssetKind.IMAGE,
            media_type="image/png",
            size=1,
            state=AssetState.READY,
            created_by="p",
        ),
    ],
)
async def test_the_database_itself_refuses_what_must_not_be(store: Store, row: Any) -> None:
    tenant = await tenant_of(store)
    copy = type(row)(**{**row.model_dump(), "tenant": tenant, "failure": getattr(row, "failure", None)})
    with pytest.raises(InvalidInput, match="check constraint"):
        await store.add(copy)


async def test_a_reference_cannot_leave_its_tenant(store: Store) -> None:
    mine, theirs = await tenant_of(store), await tenant_of(store)
    await store.put(Voice(tenant=theirs, id="ada", name="Ada", engine="kokoro", stock="af_heart"))
    with pytest.raises(UnknownReference, match="voice"):
        await store.put(Persona(tenant=mine, id="ada", name="Ada", voice="ada", look="avery"))


async def test_a_chat_belongs_to_one_reviewer(store: Store) -> None:
    tenant = await tenant_of(store)
    chat = uuid.uuid4().int % 2**40
    await store.put(ReviewerRecord(tenant=tenant, id="priya", name="Priya", telegram_chat=chat))
    with pytest.raises(Conflict):
        await store.put(ReviewerRecord(tenant=tenant, id="sam", name="Sam", telegram_chat=chat))
    found = await store.reviewer_in_chat(chat)
    assert found is not None and found.id == "priya"
    assert await store.reviewer_in_chat(chat + 1) is None


async def test_the_newest_announcement_of_an_engine_tells_its_weights(store: Store) -> None:
    old, new = ENGINES[0].ref("1" * 64), ENGINES[0].ref("2" * 64)
    await store.announce("worker-a", (old,))
    await store.announce("worker-b", (new, ENGINES[1].ref()))
    assert (await store.weights())[Capability.SPEECH, ENGINES[0].name] == "2" * 64
    await store.announce("worker-a", (old,))
    assert (await store.weights())[Capability.SPEECH, ENGINES[0].name] == "1" * 64
    assert (Capability.SPEECH, ENGINES[1].name) not in await store.weights()


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [("53100", StorageFull), ("57P01", StorageUnavailable), ("40P01", StorageUnavailable), ("XX000", StudioError)],
)
async def test_what_the_server_says_becomes_an_error_that_says_who_acts(
    store: Store, sqlstate: str, kind: type[StudioError]
) -> None:
    with pytest.raises(StudioError) as caught:
        async with store._session() as session:
            await session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{sqlstate}'; END $$"))
    assert type(caught.value) is kind


async def test_text_the_database_cannot_hold_is_the_senders_mistake(store: Store) -> None:
    tenant = await tenant_of(store)
    with pytest.raises(InvalidInput):
        await store.put(Voice(tenant=tenant, id="nul", name="a\x00b", engine="kokoro", stock="x"))


async def test_a_server_that_dies_and_comes_back_is_an_outage_and_nothing_more(
    servers: LocalServers, store: Store
) -> None:
    key = new_key()
    await claim(store, key, "mine")
    servers.kill("postgres")
    try:
        with pytest.raises(StorageUnavailable):
            await store.finish_stage(key, "mine", {"take": 1}, **FIGURES)
        with pytest.raises(StorageUnavailable):
            await Store.connect(servers.database_url).check()
    finally:
        servers.restart("postgres")
    assert await store.finish_stage(key, "mine", {"take": 1}, **FIGURES) == {"take": 1}


def test_a_database_without_tables_says_to_migrate(new_database: Callable[[], str]) -> None:
    async def check() -> None:
        store = Store.connect(new_url)
        with pytest.raises(StorageUnavailable) as caught:
            await store.check()
        assert "alembic" in caught.value.action
        await store.close()

    new_url = new_database()
    asyncio.run(check())


def test_migrations_make_exactly_the_tables_of_the_models_and_can_be_undone(
    new_database: Callable[[], str],
) -> None:
    url = new_database()
    upgrade(url)
    command.check(config(url))
    command.downgrade(config(url), "base")
    upgrade(url)
    command.check(config(url))


def test_a_url_of_another_kind_of_database_is_refused() -> None:
    assert asyncpg_url("postgres://u:p%40@h/d") == "postgresql+asyncpg://u:p%40@h/d"
    for wrong in ("mysql://h/d", "h/d", ""):
        with pytest.raises(InvalidInput, match="postgresql://"):
            asyncpg_url(wrong)
