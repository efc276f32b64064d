"""The stage sings no engine's words unless they keep to the rules, and tells whether they are explicit."""

from pathlib import Path
from typing import Any

import pytest

from activities.lyrics.base import LyricsBrief
from activities.lyrics.checks import Checks
from activities.lyrics.stage import LyricsActivities
from activities.support.engine import Progress
from activities.support.stage import Bench
from models.engines import find_engine
from models.errors import EngineFailed
from models.music import LeadSheet, Lyrics
from models.plan import Capability, EngineRef
from models.song_stages import LyricsRequest, LyricsResult
from tests.bench import Direct, Folder
from tests.lyrics.sheets import small, written

COUNTS = {"silver": 2, "follows": 2}
CHORUS = ("silver is the sea", "silver follows me")


class Somebody:
    """An engine that writes whatever it likes, and claims that it is not explicit."""

    def __init__(self, *verse: str) -> None:
        self.lyrics = written(verse, CHORUS, CHORUS, counts=COUNTS)

    @property
    def ref(self) -> EngineRef:
        return find_engine(Capability.LYRICS, "llm").ref()

    def write(self, lead: LeadSheet, brief: LyricsBrief, progress: Progress) -> Lyrics:
        return self.lyrics


async def stage(folder: Path, engine: Somebody, **changes: Any) -> LyricsResult:
    store: Any = Folder(folder)
    bench = Bench(folder, store)
    asked = LyricsRequest(
        work_id="track-1",
        engine=engine.ref,
        lead=bench.put_text("lead.json", small().model_dump_json()),
        themes=("ocean",),
        language="en",
        seed=1,
        **{"explicit": False, **changes},
    )
    direct: Any = Direct(bench)
    return await LyricsActivities(direct, {"llm": engine}, Checks()).write(asked)


async def test_explicit_is_what_is_found_in_the_words(tmp_path: Path) -> None:
    rude = Somebody("damn this old hand", "walk on the sand")
    assert (await stage(tmp_path, rude, explicit=True)).explicit
    assert not (await stage(tmp_path, Somebody("hold me by hand", "walk on the sand"), explicit=True)).explicit


@pytest.mark.parametrize(
    ("verse", "changes"),
    [
        (("damn this old hand", "walk on the sand"), {}),
        (("go kill myself land", "walk on the sand"), {"explicit": True}),
        (("hold me by hand", "walk on the sand"), {"banned": ("sand",)}),
        (("hold me by hand", "walk on the beach"), {}),
        (("hold me", "walk on the sand"), {}),
    ],
    ids=["explicit", "unsafe", "banned", "rhyme", "syllables"],
)
async def test_words_that_break_a_rule_are_the_engines_failure(
    verse: tuple[str, ...], changes: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(EngineFailed) as caught:
        await stage(tmp_path, Somebody(*verse), **changes)
    # The workflow hands on what begins with the capability's name to the next engine.
    assert caught.value.code == "lyrics.unfit"
