"""A release's files say what they are, hold together, and are the same bytes for the same song."""

import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from activities.releases.base import Packed, Sources
from activities.releases.packager import DISCLOSURE, WITH_FOOTAGE, ReleasePackager, describe, lrc
from activities.support.engine import no_progress
from models.artifacts import Artifact
from models.engines import find_engine
from models.errors import EngineFailed
from models.music import (
    Genre,
    Grid,
    Key,
    LyricLine,
    Lyrics,
    LyricSection,
    LyricWord,
    Mode,
    SectionKind,
    SungTiming,
    SungWord,
)
from models.plan import Capability
from models.release import check_digit
from models.song_stages import Credit, ReleaseRequest

ENGINE = find_engine(Capability.RELEASES, "packager").ref()


def artifact(name: str, media_type: str, duration_ms: int | None = None) -> Artifact:
    sha256 = name.encode().hex().ljust(64, "0")[:64]
    return Artifact(uri=f"s3://b/{name}", sha256=sha256, media_type=media_type, size=1, duration_ms=duration_ms)


def request(**changes: object) -> ReleaseRequest:
    wav = artifact("master", "audio/wav", 2_000)
    values: dict[str, object] = {
        "work_id": "vela-0001",
        "engine": ENGINE,
        "track_id": "vela-0001",
        "artist": "Vela & Noor",
        "title": "Rain <Light>",
        "number": 1,
        "year": 2026,
        "genre": Genre.LOFI,
        "language": "en",
        "explicit": False,
        "isrc": "XXGRM2600001",
        "upc": "400000000015",
        "registered": False,
        "master": wav,
        "instrumental": wav,
        "stems": (),
        "cover": artifact("cover", "image/jpeg"),
        "videos": (),
        "lyrics": artifact("lyrics", "application/json"),
        "timing": artifact("timing", "application/json"),
        "grid": Grid(tempo_bpm=84),
        "key": Key(tonic=9, mode=Mode.MINOR),
        "figures": (),
        "made_by": (Credit(role="music", engine="composer"),),
        "approved_by": ("ana",),
    }
    return ReleaseRequest.model_validate({**values, **changes})


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    draw = np.random.default_rng(1)
    soundfile.write(tmp_path / "master.wav", draw.uniform(-0.2, 0.2, (88_200, 2)), 44_100, subtype="PCM_24")
    Image.new("RGB", (1_200, 1_200), (40, 20, 90)).save(tmp_path / "cover.jpg")
    line = LyricLine(words=(LyricWord(text="rain", syllables=1), LyricWord(text="light", syllables=1)))
    return Sources(
        master=tmp_path / "master.wav",
        instrumental=tmp_path / "master.wav",
        cover=tmp_path / "cover.jpg",
        stems={},
        videos={},
        lyrics=Lyrics(
            title="Rain Light", sections=(LyricSection(kind=SectionKind.VERSE, lines=(line,)),), source="writer"
        ),
        timing=SungTiming(
            lines=((SungWord(text="rain", start=0.5, end=0.9), SungWord(text="light", start=61.2, end=62)),)
        ),
    )


@pytest.fixture
def packed(sources: Sources, tmp_path: Path) -> Callable[[str], dict[str, Packed]]:
    def pack(name: str) -> dict[str, Packed]:
        folder = tmp_path / name
        folder.mkdir()
        files = ReleasePackager().encode(request(), sources, folder, lambda done, total: None)
        return {file.path: file for file in files}

    return pack


def test_the_mp3_carries_the_cover_and_the_names_and_the_flac_every_bit(
    packed: Callable[[str], dict[str, Packed]], sources: Sources
) -> None:
    files = packed("one")
    mp3 = files["vela-noor-rain-light.mp3"].file
    assert isinstance(mp3, Path)
    with av.open(str(mp3)) as container:
        tags = {name.lower(): value for name, value in container.metadata.items()}
        assert (tags["title"], tags["artist"], tags["tsrc"]) == ("Rain <Light>", "Vela & Noor", "XXGRM2600001")
        assert DISCLOSURE in tags["comment"]
        assert container.streams.video[0].width == 1_000
    flac = files["master.flac"].file
    assert isinstance(flac, Path)
    assert soundfile.info(flac).subtype == "PCM_24"
    assert (soundfile.read(flac, dtype="int32")[0] == soundfile.read(sources.master, dtype="int32")[0]).all()


def test_the_same_song_is_the_same_bytes(packed: Callable[[str], dict[str, Packed]]) -> None:
    first, second = packed("one"), packed("two")
    for path, file in first.items():
        again = second[path].file
        if isinstance(file.file, Path) and isinstance(again, Path):
            assert file.file.read_bytes() == again.read_bytes(), path


def test_the_page_shows_names_as_text_and_links_only_what_is_there(packed: Callable[[str], dict[str, Packed]]) -> None:
    files = packed("one")
    page = files["index.html"].file
    assert isinstance(page, Path)
    text = page.read_text()
    assert "Rain &lt;Light&gt;" in text and "<Light>" not in text and "<video" not in text
    assert 'data-at="61.20">light<' in text and 'href="master.flac"' in text and 'href="master.wav"' not in text
    assert DISCLOSURE in text


def test_lyrics_are_timed_to_hundredths_a_line_and_a_word(sources: Sources) -> None:
    lines = lrc(request(), sources.timing).splitlines()
    assert lines[-1] == "[00:00.50]<00:00.50>rain <01:01.20>light"


def test_metadata_that_breaks_its_schema_is_refused_by_name() -> None:
    names = ("master.wav", "master.flac", "instrumental.wav", "cover.jpg", "lyrics.lrc", "lyrics.json", "credits.txt")
    files = dict.fromkeys(names, "a" * 64)
    assert json.loads(json.dumps(describe(request(), files)))["key"] == "A minor"
    with pytest.raises(EngineFailed, match="sha256"):
        describe(request(), {"master.wav": "a" * 64})
    with pytest.raises(EngineFailed, match="approved_by"):
        describe(request(approved_by=()), files)


@given(st.integers(0, 10**11 - 1))
def test_a_check_digit_finds_every_single_wrong_digit(number: int) -> None:
    digits = f"{number:011d}"
    whole = digits + check_digit(digits)
    assert sum(int(d) * (3 if place % 2 == 0 else 1) for place, d in enumerate(whole)) % 10 == 0
    wrong = str((int(digits[0]) + 1) % 10) + digits[1:]
    assert check_digit(wrong) != check_digit(digits)


def test_people_whose_footage_is_used_are_named_with_licence_and_page(sources: Sources, tmp_path: Path) -> None:
    page = "https://www.pexels.com/video/rain-1/"
    owed = Credit(role="footage", engine="Ana Lopes", page=page, licence="Pexels License")
    made_by = (Credit(role="video", engine="visuals"), owed, owed.model_copy(update={"engine": "Bo <Li>"}))
    packed = {
        file.path: file for file in ReleasePackager().encode(request(made_by=made_by), sources, tmp_path, no_progress)
    }
    credits_text = Path(str(packed["credits.txt"].file)).read_text()
    assert f"footage: Ana Lopes, Pexels License, {page}" in credits_text and WITH_FOOTAGE in credits_text
    data = json.loads(Path(str(packed["release.json"].file)).read_text())
    assert data["credits"][0] == {"role": "video", "engine": "visuals"}
    assert data["credits"][1] == owed.model_dump() and data["disclosure"] == WITH_FOOTAGE
    html = Path(str(packed["index.html"].file)).read_text()
    assert html.count(f'href="{page}"') == 2 and "Bo &lt;Li&gt;" in html
