"""Where everything stands in a finished picture, for each shape. Pure geometry, so that the avatar can be drawn at the
size it is shown and every drawing agrees on the same margins."""

from dataclasses import dataclass

from activities.support.box import Box
from models.layout import Layout, PlateKind, Shape, Slide


@dataclass(frozen=True)
class Anchor:
    """Where something of unknown size begins: its left and bottom edge, and the width it may take."""

    left: int
    bottom: int
    room: int


@dataclass(frozen=True)
class Frame:
    """One shape's places. Text sizes are pixels to the em."""

    width: int
    height: int
    presenter: Box
    """Where a clip with a matte stands: square, to the bottom edge or beyond it; as large as clips are drawn where that
    fits, since a scaled one is softer and costs time."""
    photo: Box
    """What a clip without a matte has to fit in."""
    full_bleed: bool
    """Whether an upright clip without a matte fills the whole picture instead."""
    slide: Box
    presenter_beside_slide: Box
    photo_beside_slide: Box
    logo: Box
    """The logo is fitted into it, left and top."""
    disclosure_right: int
    disclosure_middle: int
    """Right end and vertical middle of the disclosure line."""
    caption: Anchor
    caption_beside_slide: Anchor
    """Captions are centred in their room."""
    caption_size: int
    caption_characters: int
    """Most characters on a burnt caption line."""
    lower_third: Anchor
    lower_third_beside_slide: Anchor
    name_size: int
    title_size: int
    disclosure_size: int


_FRAMES = {
    Shape.WIDE: Frame(
        width=1920, height=1080,
        presenter=Box(420, 20, 1080, 1080),
        photo=Box(560, 84, 800, 788),
        full_bleed=False,
        slide=Box(64, 156, 1216, 684),
        presenter_beside_slide=Box(1180, 340, 740, 740),
        photo_beside_slide=Box(1328, 230, 528, 560),
        logo=Box(64, 54, 280, 72),
        disclosure_right=1856, disclosure_middle=82,
        caption=Anchor(96, 1026, 1728), caption_beside_slide=Anchor(64, 1014, 1216),
        caption_size=42, caption_characters=42,
        lower_third=Anchor(96, 862, 1728), lower_third_beside_slide=Anchor(1328, 1026, 528),
        name_size=44, title_size=27, disclosure_size=21,
    ),
    Shape.TALL: Frame(
        width=1080, height=1920,
        presenter=Box(-290, 260, 1660, 1660),
        photo=Box(60, 320, 960, 1040),
        full_bleed=True,
        slide=Box(48, 250, 984, 554),
        presenter_beside_slide=Box(20, 896, 1040, 1040),
        photo_beside_slide=Box(190, 1010, 700, 570),
        logo=Box(60, 140, 300, 84),
        disclosure_right=1020, disclosure_middle=182,
        caption=Anchor(120, 1556, 840), caption_beside_slide=Anchor(44, 984, 992),
        caption_size=52, caption_characters=26,
        lower_third=Anchor(60, 1376, 900), lower_third_beside_slide=Anchor(60, 1556, 900),
        name_size=44, title_size=28, disclosure_size=25,
    ),
    Shape.SQUARE: Frame(
        width=1080, height=1080,
        presenter=Box(0, 20, 1080, 1080),
        photo=Box(190, 140, 700, 700),
        full_bleed=False,
        slide=Box(110, 124, 860, 484),
        presenter_beside_slide=Box(550, 560, 520, 520),
        photo_beside_slide=Box(740, 632, 292, 284),
        logo=Box(48, 36, 230, 64),
        disclosure_right=1032, disclosure_middle=66,
        caption=Anchor(44, 1036, 992), caption_beside_slide=Anchor(44, 1036, 992),
        caption_size=38, caption_characters=36,
        lower_third=Anchor(56, 896, 968), lower_third_beside_slide=Anchor(56, 896, 968),
        name_size=38, title_size=24, disclosure_size=20,
    ),
}  # fmt: skip
"""16:9 keeps 5 % title-safe margins. In 9:16 the lowest 18 % and the top 7 % stay free of text, and captions of the
sides: there the apps that show such videos draw their own buttons and titles."""


def frame_of(shape: Shape) -> Frame:
    """The places of ``shape``."""
    return _FRAMES[shape]


def slide_at(layout: Layout, segment: int) -> Slide | None:
    """The slide that is up while ``segment`` is spoken: the last one that began at or before it."""
    if layout.plate.kind is not PlateKind.SLIDES:
        return None
    begun = [slide for slide in layout.plate.slides if slide.from_segment <= segment]
    return max(begun, key=lambda slide: slide.from_segment, default=None)


def presenter_height(layout: Layout) -> int:
    """The height in pixels at which a presenter is shown at most: what an avatar needs to draw, and no more.

    In 9:16 the presenter is wider than the picture; the tallest clip asked for is the height of a 16:9 picture, since
    a render draws one clip for all its shapes and the cost grows with the square.
    """
    full = layout.plate.kind is not PlateKind.SLIDES or any(slide.from_segment for slide in layout.plate.slides)
    boxes = [frame.presenter if full else frame.presenter_beside_slide for frame in map(frame_of, layout.shapes)]
    return min(1080, max(box.height for box in boxes))
