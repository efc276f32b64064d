"""What every lyrics engine keeps to, whoever it is. A new one is a line in ``ENGINES``."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from activities.lyrics.base import LyricsEngine
from activities.lyrics.checks import Checks
from activities.lyrics.llm import LanguageModelWriter
from activities.lyrics.writer import LocalWriter
from activities.support.engine import no_progress
from models.engines import find_engine
from models.errors import ScriptRejected
from models.music import Grid, Key, LeadSection, LeadSheet, Mode, SectionKind, to_sing
from models.plan import Capability
from tests.desk import open_desk
from tests.lyrics.sheets import brief, line, topline

CHECKS = Checks()
WRITER = LocalWriter()


def able(path: str, body: Mapping[str, Any]) -> tuple[int, object]:
    """A language model that can do what it is asked."""
    song = json.loads(body["messages"][1]["content"])
    sections = tuple(
        LeadSection(
            kind=SectionKind(one["kind"]),
            start_bar=8 * at,
            bars=8,
            lines=tuple(
                line(asked["syllables"], asked.get("rhyme", ""), strong=2).model_copy(
                    update={
                        "notes": tuple(
                            note.model_copy(update={"strong": letter == "S"})
                            for note, letter in zip(line(asked["syllables"]).notes, asked["beat"], strict=True)
                        )
                    }
                )
                for asked in one["lines"]
            ),
        )
        for at, one in enumerate(song["sections"])
    )
    lead = LeadSheet(grid=Grid(tempo_bpm=100), key=Key(tonic=0, mode=Mode.MAJOR), sections=sections)
    asked = brief(themes=tuple(song["themes"]), banned=tuple(song["never_say"]), seed=body["seed"])
    words = WRITER.write(lead, asked, no_progress)
    ids = [one["id"] for section in song["sections"] for one in section["lines"]]
    texts = [one.text for section in words.sections for one in section.lines]
    content = json.dumps({"title": words.title, "lines": dict(zip(ids, texts, strict=True))})
    return 200, {"choices": [{"message": {"role": "assistant", "content": content}}]}


@contextmanager
def local() -> Iterator[LyricsEngine]:
    yield WRITER


@contextmanager
def model() -> Iterator[LyricsEngine]:
    with open_desk(able) as desk:
        yield LanguageModelWriter(f"{desk.url}/v1", "", "able", checks=CHECKS)


ENGINES: dict[str, Callable[[], AbstractContextManager[LyricsEngine]]] = {"writer": local, "llm": model}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[LyricsEngine]:
    with ENGINES[request.param]() as engine:
        assert engine.ref == find_engine(Capability.LYRICS, request.param).ref(engine.ref.weights)
        yield engine


@pytest.mark.parametrize("seed", [1, 2])
def test_its_words_break_no_rule_and_can_be_sung(engine: LyricsEngine, seed: int) -> None:
    lead, asked = topline(seed), brief(seed=seed, banned=("night", "the sea"))
    lyrics = engine.write(lead, asked, no_progress)
    assert CHECKS.breaches(lead, lyrics, asked) == ()
    assert to_sing(lead, lyrics)
    assert lyrics.explicit is CHECKS.explicit(lyrics) is False
    assert lyrics.title and lyrics.source


def test_a_section_that_returns_says_the_same_again(engine: LyricsEngine) -> None:
    lead = topline(3)
    lyrics = engine.write(lead, brief(seed=3), no_progress)
    returning = [(at, one.same_as) for at, one in enumerate(lead.sections) if one.same_as is not None]
    assert returning and all(lyrics.sections[at].lines == lyrics.sections[first].lines for at, first in returning)


def test_a_language_it_does_not_write_is_refused_by_name(engine: LyricsEngine) -> None:
    with pytest.raises(ScriptRejected) as caught:
        engine.write(topline(1), brief(language="fr"), no_progress)
    assert caught.value.field == "language" and "fr" in caught.value.message


def test_it_tells_how_far_it_is_and_can_be_stopped(engine: LyricsEngine) -> None:
    class Stopped(Exception):
        pass

    told: list[tuple[int, int]] = []
    engine.write(topline(1), brief(), lambda done, total: told.append((done, total)))
    assert told == sorted(told) and told[-1][0] == told[-1][1]

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        engine.write(topline(1), brief(), stop)
