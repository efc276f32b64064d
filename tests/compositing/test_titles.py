"""What is said about the video is said in full, can be read on any plate, and never comes out as boxes."""

import re

import pytest

from activities.compositing.base import CardPicture
from activities.compositing.colours import contrast, mix
from activities.compositing.frame import frame_of
from activities.compositing.titles import disclosure
from activities.compositing.typeface import Face, require
from activities.support.engine import no_progress
from models.errors import InvalidInput
from models.layout import Brand, Card, Layout, LowerThird, Shape
from tests.compositing.conftest import Studio, make_clip, picture_of

LONG = (
    "This presenter is synthetic; her words were written and approved by Northwind Industries plc, London. Not an ad."
)


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("text", ["Synthetic presenter", LONG, LONG.replace(" ", "\u00a0")])
def test_a_disclosure_is_shown_whole_and_beside_the_logo(shape: Shape, text: str) -> None:
    frame = frame_of(shape)
    ground, words = (one.drawing.code for one in disclosure(text, frame, 10))
    said = re.sub(r"\{[^}]*\}", "", words)
    assert said.split("\\N") == [line.strip() for line in said.split("\\N")]
    assert said.replace("\\N", " ") == " ".join(text.split())
    left, top = (float(value) for value in re.findall(r"\\pos\(([\d.]+),([\d.-]+)\)", ground)[0])
    size = float(re.findall(r"\\fs([\d.]+)", words)[0]) / (3408 / 2816)
    assert left >= frame.logo.right
    assert top >= 0
    assert size >= 10
    assert all(Face.REGULAR.width(line, size) <= frame.disclosure_right - left for line in said.split("\\N"))


def test_a_disclosure_reads_on_a_white_plate() -> None:
    ground, words = (one.drawing.code for one in disclosure("Synthetic presenter", frame_of(Shape.WIDE), 10))

    def opacity(code: str) -> float:
        return 1 - int(re.findall(r"alpha&H(\w\w)", code)[0], 16) / 255

    pill = mix("#ffffff", "#0c121a", opacity(ground))
    assert contrast(mix(pill, "#ffffff", opacity(words)), pill) >= 4.5


@pytest.mark.parametrize(
    "text", ["Zoë Ångström-Nuñez", "Ελένη Παπαδοπούλου", "Дмитрий Шостакович", "Łukasz Żółć, Đặng"]
)
def test_names_of_europe_are_set(text: str) -> None:
    require(text, Face.SEMIBOLD, "name")


def test_a_name_that_would_come_out_as_boxes_is_refused_with_its_letters(studio: Studio) -> None:
    layout = Layout(brand=Brand(name="Acme"), lower_third=LowerThird(name="陈美 (Mei Chen)"))
    with pytest.raises(InvalidInput, match=r"陈美$") as refused:
        studio.engine.compose(
            picture_of(make_clip(studio.folder / "clip.mp4", 3), layout), studio.folder / "out.mp4", no_progress
        )
    assert refused.value.field == "layout.lower_third.name"


def test_a_card_that_would_come_out_as_boxes_is_refused(studio: Studio) -> None:
    thanks = Card(title="Thank you 🎉", duration_ms=400)
    brand, beside = Brand(name="Acme"), studio.folder / "segment.mp4"
    card = CardPicture(thanks, opening=False, brand=brand, fps=25, shape=Shape.WIDE, beside=beside, assets={})
    with pytest.raises(InvalidInput) as refused:
        studio.engine.card(card, studio.folder / "outro.mp4", no_progress)
    assert refused.value.field == "layout.outro.title"
