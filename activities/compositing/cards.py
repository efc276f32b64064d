"""Intro and outro cards: type and logo on the brand's colour that arrive, stay, and dissolve into the film. Drawn in
Python through MoviePy, because every frame is a drawing of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from moviepy import VideoClip
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from activities.compositing.backdrop import Assets, logo_picture
from activities.compositing.colours import contrast, luminance, mix, readable, rgb
from activities.compositing.frame import Frame
from activities.compositing.typeface import LINE_HEIGHT, Face
from models.layout import Brand, Card

Pixels = NDArray[np.uint8]

_ARRIVE = 0.62
_DISSOLVE = 0.32
"""Seconds in which a piece of a card arrives, and in which the card becomes the film."""
_PAD = 4
"""Pixels around type: letters reach a little beyond their advance."""
_BAR_AT_FIRST = 0.55
"""The share of its length that the bar reaches on arrival; it grows on slowly, so that a card never stands still."""


@dataclass(frozen=True)
class _Layer:
    """Something that arrives: RGB and alpha, where it ends up, when it starts, and how far below it comes from."""

    colour: NDArray[np.uint16]
    alpha: NDArray[np.uint16]
    x: int
    y: int
    begin: float
    rise: int
    grows: bool = False


def draw(
    card: Card, brand: Brand, frame: Frame, assets: Assets, fps: int, film: Image.Image | None, *, opening: bool
) -> Iterator[bytes]:
    """The frames of ``card`` as raw rgb24. An opening card dissolves into ``film`` (its first picture) at the end, a
    closing one comes out of ``film`` (its last). Raises MediaRejected for an unreadable logo."""
    frames = card.frames(fps)
    painter = _Painter(card, brand, frame, assets, frames / fps)
    picture = None if film is None else np.asarray(film.convert("RGB"))

    def at(second: float) -> Pixels:
        drawn = painter.drawn(second)
        if picture is None:
            return drawn
        left = (frames - 1) / fps - second if opening else second
        share = max(0.0, 1 - (left + 1 / fps) / (min(_DISSOLVE, frames / fps / 3) + 1 / fps))
        return _blend(drawn, picture, share)

    # MoviePy truncates duration * fps: half a frame keeps the count.
    clip = VideoClip(frame_function=at, duration=(frames + 0.5) / fps)
    for drawn in clip.iter_frames(fps=fps, dtype="uint8"):
        yield drawn.tobytes()


def _blend(one: Pixels, other: Pixels, share: float) -> Pixels:
    if share <= 0:
        return one
    return np.asarray(Image.blend(Image.fromarray(one), Image.fromarray(other), min(1.0, share)))


class _Painter:
    """A card's ground and layers, ready to be put together for any second."""

    def __init__(self, card: Card, brand: Brand, frame: Frame, assets: Assets, duration: float) -> None:
        self._pace = min(1.0, duration / 1.6)
        self._duration = duration
        self._ground = _ground(brand.primary, frame)
        self._layers = _layers(card, brand, frame, assets)

    def drawn(self, second: float) -> Pixels:
        """The card ``second`` seconds after it began."""
        picture = self._ground.copy()
        for layer in self._layers:
            since = (second / self._pace - layer.begin) / _ARRIVE
            if since <= 0:
                continue
            arrived = 1 - (1 - min(1.0, since)) ** 3
            if layer.grows:
                arrived = _BAR_AT_FIRST * arrived + (1 - _BAR_AT_FIRST) * second / self._duration
            _lay(picture, layer, arrived)
        return picture


def _lay(picture: Pixels, layer: _Layer, arrived: float) -> None:
    height, width = layer.alpha.shape
    shown = width if not layer.grows else max(1, round(width * arrived))
    top = layer.y + round((1 - arrived) * layer.rise)
    strength = 255 if layer.grows else round(255 * arrived)
    alpha = (layer.alpha[:, :shown, None] * strength + 127) // 255
    under = picture[top : top + height, layer.x : layer.x + shown]
    under[:] = (layer.colour[:, :shown] * alpha + under * (255 - alpha) + 127) // 255


def _ground(colour: str, frame: Frame) -> Pixels:
    """The brand's colour, lighter where a soft light falls and darker away from it."""
    width, height = frame.width, frame.height
    ys, xs = np.mgrid[0:height:4, 0:width:4].astype(np.float32)
    away = np.hypot((xs - width * 0.3) / width, (ys - height * 0.22) / height)
    light = Image.fromarray(np.exp(-((away / 0.55) ** 2)).astype(np.float32)).resize((width, height))
    share = np.asarray(light)[..., None]
    shade = 0.3 if luminance(colour) < 0.4 else 0.1
    low, high = (np.array(rgb(mix(colour, *end)), np.float32) for end in (("#000000", shade), ("#ffffff", 0.1)))
    grain = np.random.default_rng(11).uniform(-0.9, 0.9, (height, width, 1)).astype(np.float32)
    drawn: Pixels = np.clip(low + (high - low) * share + grain + 0.5, 0, 255).astype(np.uint8)
    return drawn


def _layers(card: Card, brand: Brand, frame: Frame, assets: Assets) -> list[_Layer]:
    """Logo, line, title and subtitle as one block, left aligned and centred in height."""
    left = round(frame.width * 0.1)
    room = frame.width - 2 * left
    unit = min(frame.width, frame.height) / 1080 * (1.2 if frame.height > frame.width else 1)
    ink = readable(brand.text, brand.primary, 9)
    title_size, titles = _set(card.title, Face.SEMIBOLD, 88 * unit, room, 3)
    small_size, smalls = _set(card.subtitle, Face.REGULAR, 40 * unit, room, 3)
    logo = logo_picture(brand, assets, (round(room * 0.5), round(104 * unit)), brand.primary)
    gap = 44 * unit
    title_line, small_line = title_size * 1.12, small_size * 1.3
    height = gap + title_line * len(titles) + (gap * 0.7 + small_line * len(smalls) if smalls else 0)
    if logo:
        height += logo.height + gap * 1.2
    y = (frame.height - height) / 2
    found = []
    if logo:
        found.append(_layer(logo, left, round(y), 0.0, round(16 * unit)))
        y += logo.height + gap * 1.2
    bar = Image.new("RGBA", (round(210 * unit), max(4, round(7 * unit))), _accent(brand))
    found.append(_layer(bar, left, round(y), 0.08, 0, grows=True))
    y += gap
    for number, text in enumerate(titles):
        begin = 0.16 + 0.07 * number
        picture = _type(text, Face.SEMIBOLD, title_size, ink)
        found.append(_layer(picture, left - _PAD, round(y), begin, round(34 * unit)))
        y += title_line
    y += gap * 0.7
    for number, text in enumerate(smalls):
        picture = _type(text, Face.REGULAR, small_size, mix(ink, brand.primary, 0.18))
        found.append(_layer(picture, left - _PAD, round(y), 0.34 + 0.06 * number, round(22 * unit)))
        y += small_line
    return found


def _accent(brand: Brand) -> str:
    return brand.accent if contrast(brand.accent, brand.primary) >= 1.5 else readable(brand.text, brand.primary)


def _set(text: str, face: Face, size: float, room: float, most: int) -> tuple[float, list[str]]:
    """``text`` in lines no wider than ``room``: at ``size``, or as much smaller as ``most`` lines take."""
    words = text.split()
    while True:
        lines: list[str] = []
        for word in words:
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and face.width(longer, size) <= room:
                lines[-1] = longer
            else:
                lines.append(word)
        fits = all(face.width(line, size) <= room for line in lines)
        if (fits and len(lines) <= most) or size < 12:
            return size, lines
        size *= 0.92


def _type(text: str, face: Face, size: float, ink: str) -> Image.Image:
    font = face.at(round(size))
    pad = 4
    picture = Image.new(
        "RGBA", (round(font.getlength(text)) + 2 * pad, round(size * LINE_HEIGHT) + 2 * pad), ink + "00"
    )
    ImageDraw.Draw(picture).text((_PAD, _PAD), text, font=font, fill=ink)
    return picture


def _layer(picture: Image.Image, x: int, y: int, begin: float, rise: int, *, grows: bool = False) -> _Layer:
    pixels = np.asarray(picture.convert("RGBA")).astype(np.uint16)
    return _Layer(pixels[..., :3], pixels[..., 3], x, y, begin, rise, grows)
