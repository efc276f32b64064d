"""In every shape a presenter is framed as a person is, and no text covers the face or leaves the safe part."""

import numpy as np
import pytest

from activities.avatar import presenter_rig as rig
from activities.compositing.frame import frame_of
from activities.compositing.typeface import LINE_HEIGHT
from activities.support.box import Box
from models.layout import Shape

SHAPES = pytest.mark.parametrize("shape", list(Shape))


@pytest.fixture(scope="module", params=rig.available())
def look(request: pytest.FixtureRequest) -> rig.Look:
    return rig.load(request.param)


def crown_and_chin(look: rig.Look) -> tuple[float, float]:
    """Top of the hair and row of the chin, as shares of the clip's height."""
    rows = np.flatnonzero((look.plate[..., 3] > 128).any(axis=1))
    mouth = look.patches["mouth"].box
    return rows[0] / look.size, (mouth.top + mouth.height) / look.size


def lines_top(bottom: int, size: int, lines: int) -> float:
    return bottom - lines * size * LINE_HEIGHT - 0.6 * size


@SHAPES
def test_a_head_has_room_above_it_and_eyes_in_the_upper_part(shape: Shape, look: rig.Look) -> None:
    frame = frame_of(shape)
    crown, _ = crown_and_chin(look)
    eyes = look.eyes["eye_left"].centre[1] / look.size
    box = frame.presenter
    assert 0.08 < (box.top + crown * box.height) / frame.height < 0.27
    assert 0.28 < (box.top + eyes * box.height) / frame.height < 0.42
    assert box.bottom >= frame.height, "nobody is cut off above the picture's edge"
    assert abs(box.left + box.width / 2 - frame.width / 2) < 2


@SHAPES
def test_captions_and_lower_thirds_stay_below_the_chin(shape: Shape, look: rig.Look) -> None:
    frame = frame_of(shape)
    chin = frame.presenter.top + crown_and_chin(look)[1] * frame.presenter.height
    captions = lines_top(frame.caption.bottom, frame.caption_size, 2)
    third = frame.lower_third.bottom - (frame.name_size + frame.title_size) * LINE_HEIGHT - frame.name_size
    assert chin < third
    assert frame.lower_third.bottom < captions


@SHAPES
def test_beside_a_slide_head_slide_and_captions_do_not_touch(shape: Shape, look: rig.Look) -> None:
    frame = frame_of(shape)
    box, slide, place = frame.presenter_beside_slide, frame.slide, frame.caption_beside_slide
    width = np.flatnonzero((look.plate[: look.size // 2, :, 3] > 128).any(axis=0))
    head = Box(
        box.left + int(width[0] / look.size * box.width),
        box.top + int(crown_and_chin(look)[0] * box.height),
        int((width[-1] - width[0]) / look.size * box.width),
        int((crown_and_chin(look)[1] - crown_and_chin(look)[0]) * box.height),
    )
    captions = Box(place.left, int(lines_top(place.bottom, frame.caption_size, 2)), place.room, 0)
    assert head.top >= slide.bottom + 12 or head.left >= slide.right + 12
    assert captions.top >= slide.bottom
    assert place.bottom <= head.top or captions.top >= head.bottom or captions.right <= head.left
    assert head.right <= frame.width


@SHAPES
def test_captions_stay_clear_of_a_photo(shape: Shape) -> None:
    frame = frame_of(shape)
    assert lines_top(frame.caption.bottom, frame.caption_size, 2) >= frame.photo.bottom + 16


def test_upright_pictures_keep_text_where_no_app_draws_over_it() -> None:
    frame = frame_of(Shape.TALL)
    bottoms = (frame.caption, frame.caption_beside_slide, frame.lower_third, frame.lower_third_beside_slide)
    assert all(place.bottom <= 0.82 * frame.height for place in bottoms)
    assert frame.logo.top >= 0.07 * frame.height
    assert frame.caption.left >= 0.1 * frame.width
    assert frame.caption.left + frame.caption.room <= 0.9 * frame.width
