"""Footage over HTTP, against a local server that speaks the libraries' documented APIs: plates when all goes well, and
a typed error that names what went wrong when it does not."""

import hashlib
from pathlib import Path

import av
import pytest

from activities.footage.base import Plate
from activities.footage.pexels import PexelsFootage
from activities.footage.pixabay import PixabayFootage
from activities.support.engine import no_progress
from activities.support.ffmpeg import probe
from models.engines import find_engine
from models.errors import EngineFailed, EngineUnavailable, ProviderFault, StudioError
from models.layout import Shape
from models.plan import Capability
from tests.footage.conftest import KEY, Finder, Shelf, brief, pexels, pixabay

both = pytest.mark.parametrize("finder", [pexels, pixabay])


def prints(plates: tuple[Plate, ...]) -> list[str]:
    return [hashlib.sha256(plate.video.read_bytes()).hexdigest() for plate in plates]


def test_they_are_the_engines_the_catalogue_names() -> None:
    assert PexelsFootage(KEY).ref == find_engine(Capability.FOOTAGE, "pexels").ref()
    assert PixabayFootage(KEY).ref == find_engine(Capability.FOOTAGE, "pixabay").ref()


@both
def test_footage_comes_in_the_house_format_with_whom_it_is_owed_to(
    finder: Finder, shelf: Shelf, tmp_path: Path
) -> None:
    plates = finder(shelf).find(brief(), tmp_path, no_progress)
    assert len(plates) == 4 == len({plate.page for plate in plates})
    for plate in plates:
        info = probe(plate.video, whole=True)
        assert (info.width, info.height, info.fps, info.frames) == (1280, 720, 25, 300)
        assert (info.codec, info.has_audio, info.matrix) == ("h264", False, "bt709")
        number = plate.page.rstrip("/").rpartition("/")[2].removeprefix("id-")
        assert plate.author in (f"Ana {number}", f"bo {number}")
        assert plate.licence in ("Pexels License", "Pixabay Content License")
        with av.open(str(plate.video)) as container:
            assert "title" not in container.metadata and "location" not in container.metadata
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"plate-{n:02d}.mp4" for n in range(4)]
    # The song's first theme is looked for, and every search only once.
    asked = [words.get("query") or words.get("q") for _, words in shelf.asked]
    assert any("rain" in str(words) or "neon" in str(words) for words in asked)
    assert 3 <= len(asked) == len(set(asked)) <= 5


@pytest.mark.usefixtures("small")
def test_a_tall_video_is_cut_from_tall_footage(shelf: Shelf, tmp_path: Path) -> None:
    plates = pexels(shelf).find(brief(shape=Shape.TALL), tmp_path, no_progress)
    assert {asked["orientation"] for _, asked in shelf.asked} == {"portrait"}
    info = probe(plates[0].video)
    assert (info.width, info.height, info.frames) == (180, 320, 100)


@pytest.mark.usefixtures("small")
def test_the_same_brief_gives_the_same_plates_and_another_seed_others(shelf: Shelf, tmp_path: Path) -> None:
    found = []
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        (tmp_path / name).mkdir()
        plates = pexels(shelf).find(brief(seed=seed), tmp_path / name, no_progress)
        found.append(([plate.page for plate in plates], prints(plates)))
    assert found[0] == found[1]
    assert found[2][0] != found[0][0]


@both
@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ("500", "provider.status"),
        ("429", "provider.busy"),
        ("html", "provider.not_json"),
        ("other json", "provider.wrong_answer"),
        ("silence", "provider.timeout"),
        ("cut", "provider.truncated"),
        ("no file", "provider.download"),
        ("cut unseen", "footage.too_few"),
        ("too short", "footage.too_few"),
        ("nothing", "footage.too_few"),
    ],
)
def test_what_goes_wrong_is_named_and_leaves_nothing(
    finder: Finder, trouble: str, code: str, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.trouble = trouble
    with pytest.raises((ProviderFault, EngineFailed)) as told:
        finder(shelf).find(brief(), tmp_path, no_progress)
    assert told.value.code == code
    assert isinstance(told.value, ProviderFault) is code.startswith("provider.")
    assert KEY not in told.value.message
    assert list(tmp_path.iterdir()) == []
    # A library in trouble is not asked for everything that it has.
    assert len(shelf.given) <= 6


def test_footage_of_another_shape_than_was_said_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    shelf.trouble = "wrong shape"
    with pytest.raises(EngineFailed, match=r"1280 x 720 and 9\.0 s"):
        pexels(shelf).find(brief(shape=Shape.TALL), tmp_path, no_progress)


@pytest.mark.usefixtures("small")
def test_one_broken_clip_says_nothing_about_the_others(shelf: Shelf, tmp_path: Path) -> None:
    shelf.trouble = "one broken"
    assert len(pexels(shelf).find(brief(), tmp_path, no_progress)) == 4
    assert len(shelf.given) == 5


@both
@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_key_that_is_absent_or_wrong_is_the_operators_to_mend(
    finder: Finder, key: str, shelf: Shelf, tmp_path: Path
) -> None:
    with pytest.raises(EngineUnavailable) as told:
        finder(shelf, key).find(brief(), tmp_path, no_progress)
    assert told.value.field in ("PEXELS_API_KEY", "PIXABAY_API_KEY")
    assert not shelf.given


@pytest.mark.usefixtures("small")
def test_stopped_it_leaves_no_file(shelf: Shelf, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        pexels(shelf).find(brief(), tmp_path, stop)
    assert list(tmp_path.iterdir()) == []


def test_a_dead_server_is_a_passing_fault(tmp_path: Path) -> None:
    with pytest.raises(StudioError) as told:
        PexelsFootage(KEY, "http://127.0.0.1:1").find(brief(), tmp_path, no_progress)
    assert (told.value.code, told.value.retryable) == ("provider.unreachable", True)
