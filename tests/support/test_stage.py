"""One code path for every stage: made once, by one, kept whole, stopped when told, found again or made anew."""

import asyncio
import fcntl
import os
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.support import stage as stage_module
from activities.support.s3 import S3ArtifactStore
from activities.support.stage import Bench, Stages
from models.errors import ArtifactLost, EngineUnavailable, StageStalled, StorageUnavailable
from models.lanes import Lane
from models.plan import Capability, EngineRef
from models.script import Span, Utterance
from models.stages import SpeechRequest, SpeechResult, VoiceRef
from models.store import Store

REF = EngineRef(capability=Capability.SPEECH, name="tone", version="1", lane=Lane.CPU)


class Tone:
    ref = REF


def request(**changes: Any) -> SpeechRequest:
    utterance = Utterance(spans=(Span(text=changes.pop("text", uuid.uuid4().hex)),))
    values: dict[str, Any] = {"work_id": "render-1", "segment": 0, "engine": REF, "seed": 1}
    return SpeechRequest(**{**values, "utterance": utterance, "voice": VoiceRef(name="v"), **changes})


class Maker:
    """A stage's work that counts, and can be held."""

    def __init__(self, content: bytes = b"tone") -> None:
        self.content = content
        self.count = 0
        self.began = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def __call__(self, bench: Bench) -> SpeechResult:
        self.count += 1
        self.began.set()
        while not self.go.wait(0.01):
            bench.progress(self.count, 10)
        path = bench.folder / "tone.wav"
        path.write_bytes(self.content)
        return SpeechResult(audio=bench.put(path, "audio/wav", 1000), alignment=None, duration_ms=1000)


async def run(
    stages: Stages, asked: SpeechRequest, work: Callable[[Bench], SpeechResult], stall_after: float = 60
) -> SpeechResult:
    async def attempt() -> SpeechResult:
        return await stages.run(asked, Tone(), SpeechResult, work, stall_after=stall_after)

    return await ActivityEnvironment().run(attempt)


async def test_the_same_request_is_made_once_and_says_it_was_found(stages: Stages) -> None:
    maker, asked = Maker(), request()
    first = await run(stages, asked, maker)
    again = await run(stages, asked.model_copy(update={"work_id": "render-2", "segment": 7}), maker)
    assert maker.count == 1
    assert first.audio == again.audio
    assert (first.effort.cached, again.effort.cached) == (False, True)
    assert first.effort.size == len(maker.content)


async def test_anything_that_makes_the_result_makes_another_key() -> None:
    asked = request(text="hello")
    keys = {
        asked.cache_key(""),
        asked.cache_key("a" * 64),
        request(text="hello there").cache_key(""),
        request(text="hello", seed=2).cache_key(""),
        request(text="hello", voice=VoiceRef(name="w")).cache_key(""),
        request(text="hello", engine=REF.model_copy(update={"version": "2"})).cache_key(""),
    }
    assert len(keys) == 6
    assert request(text="hello", engine=REF.model_copy(update={"lane": Lane.GPU})).cache_key("") in keys


async def test_two_workers_make_a_key_once_between_them(stages: Stages) -> None:
    maker, asked = Maker(), request()
    maker.go.clear()
    runs = [asyncio.create_task(run(stages, asked, maker)) for _ in range(2)]
    await asyncio.to_thread(maker.began.wait)
    await asyncio.sleep(0.6)  # more than one look of the waiting worker
    maker.go.set()
    first, second = await asyncio.gather(*runs)
    assert maker.count == 1
    assert first.audio == second.audio


async def test_a_key_whose_maker_vanished_is_taken_over(stages: Stages, store: Store) -> None:
    asked = request()
    claim = await store.claim_stage(asked.cache_key(""), "speech", REF, "killed", timedelta(seconds=0.5))
    assert claim.granted
    maker = Maker()
    await run(stages, asked, maker)
    assert maker.count == 1


async def test_a_failure_gives_the_key_back_and_leaves_nothing(stages: Stages, tmp_path: Path) -> None:
    asked = request()

    def broken(bench: Bench) -> SpeechResult:
        (bench.folder / "half").write_bytes(b"half")
        raise RuntimeError("out of notes")

    with pytest.raises(RuntimeError):
        await run(stages, asked, broken)
    assert list((tmp_path / "scratch").iterdir()) == []
    maker = Maker()
    await run(stages, asked, maker)
    assert maker.count == 1


async def test_cancel_stops_the_engine_at_its_next_unit(stages: Stages, tmp_path: Path) -> None:
    maker = Maker()
    maker.go.clear()
    task = asyncio.create_task(run(stages, request(), maker))
    await asyncio.to_thread(maker.began.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_a_cancel_while_a_key_is_being_claimed_gives_it_back(
    stages: Stages, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, asked = asyncio.Event(), request()
    claim = store.claim_stage

    async def slow(*what: Any) -> Any:
        granted = await claim(*what)
        sent.set()
        await asyncio.sleep(0.2)
        return granted

    monkeypatch.setattr(stages._ledger, "claim_stage", slow)
    task = asyncio.create_task(run(stages, asked, Maker()))
    await sent.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await claim(asked.cache_key(""), "speech", REF, "another", timedelta(seconds=5))).granted


async def test_an_engine_that_finishes_nothing_is_given_up(stages: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "BEAT_SECONDS", 0.05)
    stuck = threading.Event()

    def hang(bench: Bench) -> SpeechResult:
        stuck.wait(1.5)
        raise AssertionError("nobody waits for this")

    with pytest.raises(StageStalled):
        await run(stages, request(), hang, stall_after=0.2)
    stuck.set()


async def test_a_result_whose_bytes_are_gone_is_made_again(
    stages: Stages, artifacts: S3ArtifactStore, migrated: Any
) -> None:
    maker, asked = Maker(uuid.uuid4().bytes), request()
    first = await run(stages, asked, maker)
    artifacts._client.delete_object(Bucket=migrated.bucket, Key=first.audio.uri.split("/", 3)[3])
    again = await run(stages, asked, maker)
    assert maker.count == 2
    assert again.audio == first.audio
    assert artifacts.exists(again.audio)


async def test_other_versions_or_weights_than_pinned_are_refused(stages: Stages) -> None:
    for pinned in ({"version": "2"}, {"weights": "a" * 64}):
        with pytest.raises(EngineUnavailable) as refused:
            await run(stages, request(engine=REF.model_copy(update=pinned)), Maker())
        assert refused.value.action


async def test_bytes_that_changed_in_the_store_are_never_handed_out(
    artifacts: S3ArtifactStore, tmp_path: Path, migrated: Any
) -> None:
    path = tmp_path / "a"
    path.write_bytes(uuid.uuid4().bytes)
    kept = artifacts.put(path, "audio/wav")
    artifacts._client.put_object(Bucket=migrated.bucket, Key=kept.uri.split("/", 3)[3], Body=b"x" * kept.size)
    other = S3ArtifactStore(artifacts._client, migrated.bucket, tmp_path / "another machine")
    with pytest.raises(ArtifactLost):
        other.fetch(kept)
    assert not list((tmp_path / "another machine").glob("partial-*"))


def test_the_cache_keeps_to_its_size_but_never_takes_a_fresh_file_away(
    artifacts: S3ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = S3ArtifactStore(artifacts._client, artifacts._bucket, tmp_path / "small", cache_bytes=4096)
    kept = []
    for number in range(8):
        path = tmp_path / f"{number}"
        path.write_bytes(os.urandom(1024))
        kept.append(small.put(path, "audio/wav"))
        local = small.fetch(kept[-1])
        if number < 4:
            os.utime(local, (1, 1))
    held = {path.name for path in (tmp_path / "small").glob("*/*")}
    assert kept[-1].sha256 in held
    assert kept[0].sha256 not in held
    assert small.fetch(kept[0]).exists()


def test_what_a_killed_process_left_half_filled_is_swept_and_what_is_being_filled_is_not(
    artifacts: S3ArtifactStore, tmp_path: Path
) -> None:
    cache = tmp_path / "swept"
    cache.mkdir()
    (cache / "partial-left").write_bytes(b"half")
    (cache / "partial-locked").write_bytes(b"half")
    with (cache / "partial-locked").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        S3ArtifactStore(artifacts._client, artifacts._bucket, cache)
        assert [path.name for path in cache.iterdir()] == ["partial-locked"]


async def test_an_outage_at_the_end_of_a_stage_costs_nothing_that_was_made(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = {"put": 2, "finish_stage": 2}
    monkeypatch.setattr(stage_module, "RETRY_SECONDS", 0.01)

    def once_back(target: object, name: str) -> None:
        real = getattr(target, name)

        def call(*values: Any, **named: Any) -> Any:
            if away[name]:
                away[name] -= 1
                raise StorageUnavailable("away")
            return real(*values, **named)

        monkeypatch.setattr(target, name, call)

    once_back(stages._artifacts, "put")
    once_back(stages._ledger, "finish_stage")
    maker = Maker()
    assert not (await run(stages, request(), maker)).effort.cached
    assert maker.count == 1
