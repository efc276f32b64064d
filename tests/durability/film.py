"""One film, made and decided on while a test closes gates on its way and kills who waits there."""

import hashlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.durability.studio import SENTENCES, GatedStudio
from tests.telegram.server import Message, TelegramServer, buttons_of

SEGMENT_STAGES = (
    "speech.speak", "alignment.align", "lipsync.curves", "avatar.perform", "compositing.compose", "quality.measure",
)  # fmt: skip
MOMENTS = ("mid", "done", "begun")
"""In the middle of making; stored but not reported; not begun."""

WAVES: dict[str, tuple[str, ...]] = {
    "looked up": ("records.find_film.done",),
    # Every stage at every moment, each on a segment of its own, all at once; the last stage on the first segments,
    # because a picture waits until it is known how long the segments before it are.
    "segments": (
        *(
            f"{stage}.{index}.{moment}"
            for index, (stage, moment) in enumerate(itertools.product(reversed(SEGMENT_STAGES), MOMENTS))
        ),
        # It dissolves into the first segment's picture, which is there by now.
        "compositing.card.opening.mid",
    ),
    "mixing": ("compositing.soundtrack.mid", "compositing.card.closing.done"),
    "mixed": ("compositing.soundtrack.done",),
    "hearing": ("quality.hear.mid",),
    "heard": ("quality.hear.done",),
    "joining": ("compositing.assemble.mid",),
    "joined": ("compositing.assemble.done",),
    "checking": ("quality.check.mid",),
    "checked": ("quality.check.done",),
    "kept": ("records.keep_film.done",),
    "question recorded": ("approvals.record.done",),
    "question sent": ("approvals.ask.done",),
    "verdict recorded": ("approvals.record.done",),
    "question taken back": ("approvals.take_back.done",),
}
"""Where a film can be stopped, in the order it comes there, and the gates that stop it."""
assert len(SEGMENT_STAGES) * len(MOMENTS) == SENTENCES

_DRAWN = "SELECT count(*) FROM stage_result WHERE stage IN ('measure', 'card') AND result IS NOT NULL"

Disturbance = Callable[[], AbstractAsyncContextManager[None]]
"""What is done to a studio that waits at gates; they are opened within."""


def gate(name: str) -> str:
    """What is made at a gate, as makings are counted."""
    return name.rpartition(".")[0]


def half_made(*waves: str) -> frozenset[str]:
    """What a worker was in the middle of, at these waves."""
    return frozenset(gate(name) for wave in waves for name in WAVES[wave] if name.endswith(".mid"))


@dataclass
class Film:
    """How a film ended, and what is left of its making."""

    video: str
    """Its sha256."""
    stages: Counter[str]
    """Finished stages in the table."""
    unfinished: int
    """Keys that are held by somebody, or have no result."""
    made: Counter[str]
    litter: list[Any]
    halves: set[str]
    """Objects of the bucket whose bytes are not those they are named by."""
    stored: set[str]
    """The sha256 of each object, with the bucket's name in it left out."""
    renders: int
    verdicts: int
    messages: list[Message]
    """What the reviewer has on Telegram."""


async def film(
    studio: GatedStudio, telegram: TelegramServer, disturbances: Mapping[str, Disturbance] | None = None
) -> Film:
    """The film, with each wave disturbed that has a disturbance."""
    left = [(WAVES[name], disturbance) for name, disturbance in (disturbances or {}).items()]
    decided_after = {name for name in WAVES if list(WAVES).index(name) > list(WAVES).index("question sent")}
    before = [name for name in (disturbances or {}) if name not in decided_after]
    if left:
        studio.gates.close(left[0][0])
    render = await studio.ask("film", approval={"required": True})
    for _ in before:
        await _disturb(studio, left)
    for gates, _ in left:
        # What follows a verdict may go on side by side.
        studio.gates.close(gates)
    await studio.decide(await asked(studio, telegram, render))
    while left:
        await _disturb(studio, left)
    view = await studio.reached(render, "complete")
    return await outcome(studio, telegram, view)


async def _disturb(studio: GatedStudio, left: list[tuple[tuple[str, ...], Disturbance]]) -> None:
    gates, disturbance = left.pop(0)
    await studio.held(gates)
    if any(gate(name) in ("compositing.soundtrack", "quality.hear") for name in gates):
        # Pictures are made meanwhile, and nobody is to be caught with one in his hands.
        while (await studio.sql(_DRAWN))[0][0] < SENTENCES + 2:
            pass
    if left:
        studio.gates.close(left[0][0])
    async with disturbance():
        studio.gates.open(gates)


def messages_to(studio: GatedStudio, telegram: TelegramServer) -> list[Message]:
    return [message for message in telegram.messages.values() if message["chat"]["id"] == studio.chat]


async def asked(studio: GatedStudio, telegram: TelegramServer, render: str) -> dict[str, Any]:
    """The open question of a render, once the reviewer has it on Telegram too and could press its buttons."""
    question = await studio.question(render)
    await studio.until(lambda: any(map(buttons_of, messages_to(studio, telegram))), "the question to be sent")
    return question


async def outcome(studio: GatedStudio, telegram: TelegramServer, view: dict[str, Any]) -> Film:
    """How it stands when the last message is through, for which a film that is complete does not wait."""
    messages = messages_to(studio, telegram)
    await studio.until(lambda: not any(map(buttons_of, messages)), "the question to be taken back")
    stages = await studio.sql("SELECT stage, count(*) FROM stage_result WHERE result IS NOT NULL GROUP BY stage")
    held = await studio.sql("SELECT count(*) FROM stage_result WHERE result IS NULL OR owner IS NOT NULL")
    renders = await studio.sql("SELECT count(*) FROM render")
    verdicts = await studio.sql("SELECT count(*) FROM verdict")
    stored, bucket = studio.stored(), studio.bucket.encode()
    return Film(
        video=view["progress"]["films"][0]["video"]["sha256"],
        stages=Counter({row["stage"]: row["count"] for row in stages}),
        unfinished=held[0][0],
        made=studio.made(),
        litter=studio.litter(),
        halves={name for name, content in stored.items() if sha256(content) != name},
        stored={sha256(content.replace(bucket, b"bucket")) for content in stored.values()},
        renders=renders[0][0],
        verdicts=verdicts[0][0],
        messages=messages,
    )


def as_if_nothing_had_happened(made: Film, undisturbed: Film, twice: frozenset[str] = frozenset()) -> None:
    """``made`` is the same film with the same effects; only what is in ``twice`` was begun twice."""
    assert made.video == undisturbed.video
    assert made.stages == undisturbed.stages
    assert made.unfinished == 0
    assert {thing for thing, times in made.made.items() if times > 1} == twice
    assert max(made.made.values()) <= 2
    assert made.made.keys() == undisturbed.made.keys()
    assert made.litter == []
    assert made.halves == set()
    assert made.stored == undisturbed.stored
    assert made.renders == made.verdicts == 1
    assert len(made.messages) == 1, "asked once"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@asynccontextmanager
async def api_killed_when(studio: GatedStudio, trace: str) -> AsyncIterator[None]:
    """The API is killed as soon as a request that is sent within has left its trace in the tables, answered or not."""
    yield
    while not await studio.sql(trace):
        pass
    await studio.restart("api")


def killed(studio: GatedStudio, *names: str) -> Disturbance:
    """kill -9 of processes, which start again when the gates are open."""

    @asynccontextmanager
    async def disturb() -> AsyncIterator[None]:
        studio.kill(*names)
        yield
        studio.start(*names)
        await studio.ready(*names)

    return disturb
