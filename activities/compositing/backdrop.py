"""What does not move in a segment's picture, drawn once: the plate with its light and shade, the slide, the frame of a
photo, and the logo. ffmpeg then only lays moving things on it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

from activities.compositing.colours import contrast, luminance, mix, rgb
from activities.compositing.frame import Frame, slide_at
from activities.support.box import Box
from models.artifacts import Artifact
from models.errors import MediaRejected
from models.layout import Brand, Layout, PlateKind

Field = NDArray[np.float32]

_MOST_PIXELS = 80_000_000
"""A picture that would take more memory than this (240 MB as RGB) is refused before it is decoded."""
_KEPT = 6
_SHADE = 0.34
"""How much darker the corners of a dark plate are than its middle. White with more than a third of that looks dirty."""
_LOGO_STANDS_OUT = 2.0
"""Contrast under which a logo gets a chip to stand on."""


@dataclass(frozen=True)
class Assets:
    """The local files of a layout's artifacts."""

    files: Mapping[str, Path]

    def file(self, artifact: Artifact, field: str) -> Path:
        """The file of ``artifact``. Raises MediaRejected naming ``field`` when it was not supplied."""
        path = self.files.get(artifact.sha256)
        if path is None:
            raise MediaRejected(f"{field} ({artifact.uri}) was not fetched.", field=field)
        return path

    def picture(self, artifact: Artifact, field: str) -> Image.Image:
        """The picture of ``artifact``, upright, RGB or RGBA. Raises MediaRejected naming ``field``."""
        path = self.file(artifact, field)
        try:
            with Image.open(path) as found:
                if found.width * found.height > _MOST_PIXELS:
                    raise MediaRejected(f"{field} has {found.width} x {found.height} pixels: too many.", field=field)
                upright = ImageOps.exif_transpose(found)
                transparent = "A" in upright.getbands() or "transparency" in upright.info
                return upright.convert("RGBA" if transparent else "RGB")
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
            raise MediaRejected(f"{field} ({artifact.uri}) is not a readable picture: {error}.", field=field) from error


class Stills:
    """The backdrops drawn last, since all segments of a film stand before the same few. Safe to use from several
    threads; two that want the same one wait for one drawing of it."""

    def __init__(self) -> None:
        self._drawn: OrderedDict[object, Image.Image] = OrderedDict()
        self._lock = threading.Lock()

    def still(self, layout: Layout, frame: Frame, segment: int, photo: Box | None, assets: Assets) -> Image.Image:
        """What :func:`still` draws."""
        key = (layout.plate, layout.brand, frame, slide_at(layout, segment), photo)
        return self._once(key, lambda: still(layout, frame, segment, photo, assets))

    def shade(self, layout: Layout, frame: Frame, photo: Box | None, assets: Assets) -> Image.Image:
        """What :func:`shade` draws."""
        key = ("shade", layout.plate, layout.brand, frame, photo)
        return self._once(key, lambda: shade(layout, frame, photo, assets))

    def _once(self, key: object, draw: Callable[[], Image.Image]) -> Image.Image:
        with self._lock:
            if key not in self._drawn:
                self._drawn[key] = draw()
            self._drawn.move_to_end(key)
            while len(self._drawn) > _KEPT:
                self._drawn.popitem(last=False)
            return self._drawn[key]


def still(layout: Layout, frame: Frame, segment: int, photo: Box | None, assets: Assets) -> Image.Image:
    """The plate of a segment as one opaque RGB picture. ``photo`` is where a clip without a matte will be laid."""
    slide = slide_at(layout, segment)
    if layout.plate.kind is PlateKind.IMAGE and layout.plate.asset:
        ground = _picture_ground(assets.picture(layout.plate.asset, "plate.asset"), layout, frame)
    else:
        ground = _colour_ground(layout.plate.colour, frame, frame.presenter_beside_slide if slide else frame.presenter)
    if slide:
        _lay_card(ground, assets.picture(slide.picture, "plate.slides"), frame.slide, layout.plate.colour)
    if photo:
        _shadow(ground, photo, corner(photo))
    _lay_logo(ground, layout, frame, assets, ground)
    return ground


def shade(layout: Layout, frame: Frame, photo: Box | None, assets: Assets) -> Image.Image:
    """What lies on a moving plate, under the presenter, as one RGBA picture: darker corners, shadows and the logo. How
    dark, and what the logo has to stand out from, is judged by the plate's first picture."""
    if layout.plate.asset is None:
        raise MediaRejected("A video plate names no video.", field="plate.asset")
    first = _first_picture(assets.file(layout.plate.asset, "plate.asset"))
    covered = ImageOps.fit(first, (frame.width, frame.height), Image.Resampling.BILINEAR)
    depth = _shade_on(luminance(_mean_colour(covered.convert("RGBA"))))
    darkness = np.clip(0.3 * depth + depth * _vignette(frame), 0, 1)[..., None] * 255
    veil = Image.new("RGBA", (frame.width, frame.height))
    veil.putalpha(_dithered(darkness.repeat(3, axis=2)).getchannel(0))
    if photo:
        _shadow(veil, photo, corner(photo))
    covered.paste(veil, mask=veil.getchannel("A"))
    _lay_logo(veil, layout, frame, assets, covered)
    return veil


def _first_picture(path: Path) -> Image.Image:
    try:
        with av.open(str(path)) as container:
            return Image.fromarray(next(container.decode(video=0)).to_ndarray(format="rgb24"))
    except (FFmpegError, IndexError, StopIteration) as error:
        raise MediaRejected("plate.asset has no picture.", field="plate.asset") from error


def corner(box: Box) -> int:
    """Radius of a card's corners."""
    return max(12, round(min(box.width, box.height) * 0.03))


def rounded_mask(width: int, height: int, radius: int) -> Image.Image:
    """A grey picture, white inside a rectangle with smooth rounded corners."""
    mask = Image.new("L", (width * 2, height * 2))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width * 2 - 1, height * 2 - 1), radius * 2, fill=255)
    return mask.resize((width, height), Image.Resampling.BOX)


def _grid(frame: Frame) -> tuple[Field, Field]:
    """Coordinates at a quarter of the size: light and shade are smooth, the rest is interpolation."""
    ys, xs = np.mgrid[0 : frame.height : 4, 0 : frame.width : 4]
    return xs.astype(np.float32), ys.astype(np.float32)


def _full(field: Field, frame: Frame) -> Field:
    return np.asarray(Image.fromarray(field).resize((frame.width, frame.height), Image.Resampling.BICUBIC))


def _vignette(frame: Frame) -> Field:
    """0 in the middle to 1 in the corners."""
    xs, ys = _grid(frame)
    away = np.hypot((xs / frame.width - 0.5) / 0.5, (ys / frame.height - 0.46) / 0.54) / np.sqrt(2)
    return _full(np.clip((away - 0.3) / 0.7, 0, 1) ** 1.6, frame)


def _glow(frame: Frame, behind: Box) -> Field:
    """1 behind the presenter's head, falling off to 0: the light on a studio wall that lifts a person off it."""
    xs, ys = _grid(frame)
    reach = behind.height * 0.72
    away = np.hypot(xs - (behind.left + behind.width / 2), ys - (behind.top + behind.height * 0.36)) / reach
    return _full(np.exp(-(away**2) * 1.7).astype(np.float32), frame)


def _shade_on(brightness: float) -> float:
    return _SHADE * (1 - 0.66 * brightness)


def _colour_ground(colour: str, frame: Frame, behind: Box) -> Image.Image:
    base = np.array(rgb(colour), dtype=np.float32)
    lit = np.array(rgb(mix(colour, "#ffffff", 0.24)), dtype=np.float32)
    glow, dark = _glow(frame, behind)[..., None], _vignette(frame)[..., None]
    return _dithered((base + (lit - base) * glow) * (1 - _shade_on(luminance(colour)) * dark))


def _picture_ground(picture: Image.Image, layout: Layout, frame: Frame) -> Image.Image:
    """The picture over the whole frame, a little out of focus as a room behind a person is, darker at the edges."""
    ground = Image.new("RGB", picture.size, layout.plate.colour)
    ground.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    covered = ImageOps.fit(ground, (frame.width, frame.height), Image.Resampling.LANCZOS)
    soft = np.asarray(covered.filter(ImageFilter.GaussianBlur(max(frame.width, frame.height) * 0.0035)), np.float32)
    depth = _shade_on(luminance(_mean_colour(covered.convert("RGBA"))))
    dark = 0.2 * depth + 1.2 * depth * _vignette(frame)[..., None] - 0.05 * _glow(frame, frame.presenter)[..., None]
    return _dithered(soft * (1 - dark))


def _dithered(values: Field) -> Image.Image:
    """8-bit RGB with a grain of half a level, without which a slow gradient shows as bands."""
    grain = np.random.default_rng(7).uniform(-0.9, 0.9, values.shape[:2]).astype(np.float32)[..., None]
    return Image.fromarray(np.clip(values + grain + 0.5, 0, 255).astype(np.uint8))


def _lay_card(ground: Image.Image, picture: Image.Image, box: Box, colour: str) -> None:
    """``picture`` whole inside ``box`` as a card with rounded corners and a soft shadow."""
    scale = min(box.width / picture.width, box.height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    card = Box(box.left + (box.width - size[0]) // 2, box.top + (box.height - size[1]) // 2, *size)
    _shadow(ground, card, corner(card))
    shown = Image.new("RGB", size, colour)
    resized = picture.resize(size, Image.Resampling.LANCZOS)
    shown.paste(resized, mask=resized.getchannel("A") if resized.mode == "RGBA" else None)
    ground.paste(shown, (card.left, card.top), rounded_mask(*size, corner(card)))


def _shadow(ground: Image.Image, box: Box, radius: int) -> None:
    spread = max(8, box.height // 24)
    mask = Image.new("L", ground.size)
    ImageDraw.Draw(mask).rounded_rectangle(
        (box.left, box.top + spread // 2, box.right, box.bottom + spread // 2), radius, fill=120
    )
    blurred = mask.filter(ImageFilter.GaussianBlur(spread))
    if ground.mode == "RGBA":
        ground.alpha_composite(Image.merge("RGBA", [Image.new("L", ground.size)] * 3 + [blurred]))
    else:
        ground.paste((0, 0, 0), mask=blurred)


def _lay_logo(ground: Image.Image, layout: Layout, frame: Frame, assets: Assets, seen: Image.Image) -> None:
    """The logo onto ``ground``; ``seen`` is what a viewer sees there without it."""
    box = frame.logo
    under = seen.crop((box.left, box.top, box.right, box.bottom))
    logo = logo_picture(layout.brand, assets, (box.width, box.height), _mean_colour(under.convert("RGBA")))
    if logo is None:
        return
    layer = Image.new("RGBA", ground.size)
    layer.paste(logo, (box.left, box.top + (box.height - logo.height) // 2))
    if ground.mode == "RGBA":
        ground.alpha_composite(layer)
    else:
        ground.paste(layer, mask=layer.getchannel("A"))


def logo_picture(brand: Brand, assets: Assets, room: tuple[int, int], paper: str) -> Image.Image | None:
    """The brand's logo as RGBA, as large as fits in ``room``; on a chip of white or near-black where it would not stand
    out from ``paper``. None for a brand without one."""
    if not brand.logo:
        return None
    logo = assets.picture(brand.logo, "brand.logo").convert("RGBA")
    logo = logo.crop(logo.getchannel("A").getbbox() or (0, 0, *logo.size))
    ink = _mean_colour(logo)
    chip = "#ffffff" if contrast(ink, "#ffffff") > contrast(ink, "#10161e") else "#10161e"
    pad = 0 if contrast(ink, paper) >= _LOGO_STANDS_OUT else max(6, room[1] // 6)
    scale = min((room[0] - 2 * pad) / logo.width, (room[1] - 2 * pad) / logo.height)
    size = max(1, round(logo.width * scale)), max(1, round(logo.height * scale))
    logo = logo.resize(size, Image.Resampling.LANCZOS)
    if not pad:
        return logo
    ground = Image.new("RGBA", (size[0] + 2 * pad, size[1] + 2 * pad), chip)
    ground.putalpha(rounded_mask(*ground.size, pad))
    ground.alpha_composite(logo, (pad, pad))
    return ground


def _mean_colour(picture: Image.Image) -> str:
    """Mean of the opaque part."""
    pixels = np.asarray(picture, np.float64)
    weights = pixels[..., 3:] / 255
    mean = (pixels[..., :3] * weights).sum((0, 1)) / max(1e-6, float(weights.sum()))
    return "#" + "".join(f"{round(part):02x}" for part in mean)
