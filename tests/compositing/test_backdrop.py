"""Plates keep their character, and a logo stands out from whatever is behind it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from activities.compositing.backdrop import Assets, shade, still
from activities.compositing.frame import frame_of
from activities.support.ffmpeg import encode_frames
from models.layout import Brand, Layout, Plate, PlateKind, Shape
from tests.compositing.conftest import FPS, artifact

FRAME = frame_of(Shape.WIDE)


def plain(path: Path, colour: int) -> Path:
    encode_frames((bytes([colour]) * (320 * 180 * 3) for _ in range(3)), path, (320, 180), FPS)
    return path


def wordmark(path: Path, ink: str) -> Path:
    logo = Image.new("RGBA", (300, 80))
    for left in (0, 180):
        ImageDraw.Draw(logo).rectangle((left, 0, left + 119, 79), fill=ink)
    logo.save(path)
    return path


def brightness(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L"), np.float64)


def test_a_white_plate_stays_white_to_its_corners_and_a_dark_one_falls_off() -> None:
    fall = {}
    for colour in ("#ffffff", "#22384d"):
        lit = brightness(
            still(Layout(brand=Brand(name="Acme"), plate=Plate(colour=colour)), FRAME, 0, None, Assets({}))
        )
        fall[colour] = lit[-8:, :8].mean() / lit[400:500, 900:1000].mean()
    assert fall["#ffffff"] > 0.85
    assert fall["#22384d"] < 0.7


@pytest.mark.parametrize(
    ("video", "ink", "chip"), [(245, "#ffffff", True), (245, "#12263f", False), (15, "#12263f", True)]
)
def test_a_logo_gets_a_chip_where_it_would_vanish_in_a_moving_plate(
    tmp_path: Path, video: int, ink: str, chip: bool
) -> None:
    plate, files = artifact(plain(tmp_path / "plate.mp4", video), "video/mp4")
    logo, more = artifact(wordmark(tmp_path / "logo.png", ink), "image/png")
    layout = Layout(brand=Brand(name="Acme", logo=logo), plate=Plate(kind=PlateKind.VIDEO, asset=plate))
    veil = shade(layout, FRAME, None, Assets({**files, **more}))
    under = Image.new("RGBA", veil.size, (video, video, video, 255))
    under.alpha_composite(veil)
    box = FRAME.logo
    row, columns = box.top + box.height // 2, slice(box.left + 14, box.left + 180)
    across, opaque = brightness(under)[row, columns], np.asarray(veil.getchannel("A"))[row, columns] == 255
    assert across.max() - across.min() > 60, "it stands out"
    assert opaque.all() == chip, "between its letters is a chip, or the plate"
