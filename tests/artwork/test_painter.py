"""A cover is of the size labels ask for, its type can be read and its picture is the artist's own."""

import hashlib
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from activities.artwork.base import CoverBrief
from activities.artwork.lettering import (
    LEAST_CONTRAST,
    capitals,
    fitted,
    ink,
    letter_mask,
    relative_luminance,
    set_type,
)
from activities.artwork.painter import CoverPainter
from activities.artwork.scenes import Moment, Stage, scene
from activities.artwork.scenes.base import Light
from activities.compositing.colours import luminance
from activities.compositing.typeface import Face
from activities.support.engine import no_progress
from models.engines import find_engine
from models.errors import InvalidInput
from models.identity import Motif
from models.music import SoundAnalysis
from models.plan import Capability

NIGHT = ("#0b1026", "#2b2d6e", "#c2426b", "#f2a65a", "#fff3dc")
PALE = ("#8a8fa8", "#b0b8d0", "#d8c8e0", "#f4eefc")


def brief(analysis: SoundAnalysis, **changes: object) -> CoverBrief:
    plain = CoverBrief("Mira Solvang", "Glass Harbour", NIGHT, Motif.WAVES, analysis, 7)
    return replace(plain, **changes)  # type: ignore[arg-type]


def still(motif: Motif, seed: int = 3, relief: tuple[float, ...] = (0.4, 0.9, 0.5)) -> Light:
    return scene(motif, Stage(200, 200, seed, seed % 4, relief)).draw(Moment(time=0, flow=8.0))


def type_mask(asked: CoverBrief, *, top: bool) -> np.ndarray:
    """Where the letters are, had the picture been brighter at the other end."""
    light = np.zeros((30, 30), np.float32)
    light[slice(15, 30) if top else slice(0, 15)] = 1
    return np.asarray(letter_mask(set_type(asked.artist, asked.title, light), 750))


def test_it_is_the_engine_the_catalogue_names() -> None:
    assert CoverPainter().ref == find_engine(Capability.ARTWORK, "painter").ref()


@pytest.mark.parametrize(("palette", "motif"), [(NIGHT, Motif.TERRAIN), (PALE, Motif.WAVES), (PALE, Motif.CRYSTALS)])
def test_type_stands_out_from_what_is_under_it(
    analysis: SoundAnalysis, tmp_path: Path, palette: tuple[str, ...], motif: Motif
) -> None:
    asked = brief(analysis, palette=palette, motif=motif)
    cover = CoverPainter().cover(asked, tmp_path, no_progress)
    assert cover.contrast >= LEAST_CONTRAST
    with Image.open(cover.picture) as found:
        picture = np.asarray(found.convert("RGB").resize((750, 750), Image.Resampling.BOX))[..., ::-1]
        assert (found.size, found.format) == ((3000, 3000), "JPEG")
    with Image.open(cover.thumbnail) as found:
        assert found.size == (600, 600)
    own, seen = luminance(ink(palette[-1])), relative_luminance(picture)
    masks = [type_mask(asked, top=top) for top in (True, False)]
    letters = min(masks, key=lambda mask: float(np.abs(seen[mask > 250] - own).mean()))
    assert np.abs(seen[letters > 250] - own).mean() < 0.1
    # In the finished file: the ground from just outside of the letters, where JPEG smears their edge, to a stroke away.
    ground = (cv2.dilate(letters, np.ones((9, 9), np.uint8)) > 0) & (
        cv2.dilate(letters, np.ones((5, 5), np.uint8)) == 0
    )
    brightest = float(np.percentile(seen[ground], 98))
    assert (own + 0.05) / (brightest + 0.05) >= LEAST_CONTRAST


def test_the_same_brief_gives_the_same_bytes_and_another_seed_another_picture(
    analysis: SoundAnalysis, tmp_path: Path
) -> None:
    def made(name: str, seed: int) -> str:
        folder = tmp_path / name
        folder.mkdir()
        cover = CoverPainter().cover(brief(analysis, motif=Motif.PARTICLES, seed=seed), folder, no_progress)
        return hashlib.sha256(cover.picture.read_bytes()).hexdigest()

    assert made("one", 7) == made("two", 7)
    assert made("three", 8) != made("four", 7)


def test_six_motifs_are_six_pictures() -> None:
    prints = {}
    for motif in Motif:
        heat = still(motif).heat
        assert np.isfinite(heat).all()
        assert heat.std() > 0.01
        prints[motif] = (heat - heat.mean()) / heat.std()
    for one, other in combinations(Motif, 2):
        likeness = float((prints[one] * prints[other]).mean())
        assert likeness < 0.8, (one, other)


@pytest.mark.parametrize("motif", list(Motif))
def test_a_picture_answers_to_the_sound(motif: Motif) -> None:
    def drawn(**heard: float) -> np.ndarray:
        stage = Stage(200, 200, 3, 1, (0.4, 0.9, 0.5))
        return scene(motif, stage).draw(Moment(time=0, flow=8.0, **heard)).heat

    quiet = drawn(bass=0.0, mids=0.2, highs=0.0, density=0.3)
    assert np.abs(drawn(bass=1.0, mids=0.2, highs=0.0, density=0.3) - quiet).mean() > 1e-3
    assert np.abs(drawn(bass=0.0, mids=0.2, highs=1.0, density=0.3) - quiet).mean() > 1e-3
    assert drawn(bass=0.0, mids=0.2, highs=0.0, density=1.0).mean() > quiet.mean()


@settings(max_examples=40)
@given(st.text(alphabet=st.sampled_from("aeinstlørdÅЖωß -'é"), min_size=1, max_size=80).filter(str.strip))
def test_any_title_keeps_within_its_margins(title: str) -> None:
    setting = set_type("The Paper Lanterns of Montréal", title, np.zeros((30, 30), np.float32))
    for line in setting.lines:
        assert line.left + line.width <= 3000 * (1 - 0.05)
        assert line.left >= 3000 * 0.05
    assert 0.04 * 3000 < setting.box.top < setting.box.bottom < 0.98 * 3000
    mask = np.asarray(letter_mask(setting, 600))
    assert not mask[:, -24:].any()
    assert not mask[:20].any()


def test_a_word_longer_than_the_cover_is_broken_not_cut() -> None:
    word = "Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik"
    lines, size = fitted(word, Face.SEMIBOLD, 440, 130, 2600, 4)
    assert "".join(lines).replace("-", "") == word
    assert size > 130
    assert all(Face.SEMIBOLD.width(line, size) <= 2600 for line in lines)


def test_a_name_keeps_its_letters_in_capitals() -> None:
    assert capitals("Straße Ørjan é Мир") == "STRAẞE ØRJAN É МИР"
    setting = set_type("Straße", "Größe", np.zeros((30, 30), np.float32))
    assert setting.lines[0].text == "STRAẞE"


def test_letters_that_cannot_be_set_are_named(analysis: SoundAnalysis, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as told:
        CoverPainter().cover(brief(analysis, title="夜の港"), tmp_path, no_progress)
    assert told.value.field == "title"
    assert "夜" in told.value.message
    assert list(tmp_path.iterdir()) == []


def test_stopped_in_its_last_unit_it_leaves_no_file(analysis: SoundAnalysis, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == total:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        CoverPainter().cover(brief(analysis), tmp_path, stop)
    assert list(tmp_path.iterdir()) == []
