"""The type of a cover: where the picture is calm enough for it, how large it can be set, and how dark the ground has to
be for it to be read."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from activities.artwork.scenes.base import Field
from activities.compositing.colours import luminance, readable, rgb
from activities.compositing.typeface import Face, require
from activities.support.box import Box

Bytes = NDArray[np.uint8]

LEAST_CONTRAST = 4.5
"""WCAG 2.1, success criterion 1.4.3."""
_MARGIN = 0.064
_LARGEST, _SMALLEST = 0.148, 0.043
"""Size of the title, in widths of the cover."""
_LINES = 4
_LEADING = 1.06
_ARTIST = 0.046
_TRACKING = 0.16
"""Space between the letters of the artist's name, in ems: capitals set close are hard to read."""


@dataclass(frozen=True)
class Line:
    """A line of type: its left end and baseline in pixels."""

    text: str
    face: Face
    size: float
    left: float
    baseline: float
    tracking: float = 0.0

    @property
    def width(self) -> float:
        """Length in pixels."""
        return self.face.width(self.text, self.size) + self.tracking * self.size * max(0, len(self.text) - 1)


@dataclass(frozen=True)
class Lettering:
    """All type of a cover and the box around it."""

    lines: tuple[Line, ...]
    box: Box


def capitals(text: str) -> str:
    """``text`` in capitals, each letter in its place: a sharp s stays one letter."""
    return text.replace("ß", "ẞ").upper()


def wrapped(text: str, face: Face, size: float, room: float) -> list[str]:
    """``text`` in lines no wider than ``room`` where words allow, each line filled before the next."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and face.width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def fitted(text: str, face: Face, largest: float, smallest: float, room: float, most: int) -> tuple[list[str], float]:
    """The largest size, in steps of 3 %, at which ``text`` keeps within ``room`` in at most ``most`` lines, and those.

    What is too long for the smallest size ends in an ellipsis; a word that is wider than a line is broken.
    """
    size = largest
    while size > smallest:
        # A word too long for a line is set small before it is broken, but not as small as a whole long title.
        whole = text if size > 0.5 * largest else " ".join(_pieces(text, face, size, room))
        lines = wrapped(whole, face, size, room)
        if len(lines) <= most and all(face.width(line, size) <= room for line in lines):
            return _even(whole, face, size, len(lines), room), size
        size *= 0.97
    size = smallest
    lines = wrapped(" ".join(_pieces(text, face, size, room)), face, size, room)
    if len(lines) > most:
        last = lines[most - 1]
        while last and face.width(last + "…", size) > room:
            last = last[:-1]
        lines = [*lines[: most - 1], last.rstrip() + "…"]
    return lines, size


def _even(text: str, face: Face, size: float, count: int, room: float) -> list[str]:
    """The same number of lines in the narrowest room that holds them: no short word alone under a full line."""
    low, high = room / count * 0.5, room
    for _ in range(12):
        middle = (low + high) / 2
        lines = wrapped(text, face, size, middle)
        fits = len(lines) <= count and all(face.width(line, size) <= middle for line in lines)
        low, high = (low, middle) if fits else (middle, high)
    return wrapped(text, face, size, high)


def _pieces(text: str, face: Face, size: float, room: float) -> list[str]:
    """The words of ``text``, those wider than ``room`` cut into parts that fit."""
    pieces = []
    for word in text.split():
        rest = word
        while face.width(rest, size) > room:
            cut = len(rest) - 1
            while cut > 1 and face.width(rest[:cut] + "-", size) > room:
                cut -= 1
            pieces.append(rest[:cut] + "-")
            rest = rest[cut:]
        pieces.append(rest)
    return pieces


def set_type(artist: str, title: str, picture: Field) -> Lettering:
    """Title and artist on ``picture`` (its lightness, square, of any size, 0..1) scaled to 3000: at the top or the
    bottom, wherever the picture is the calmer and darker. Raises InvalidInput naming what cannot be set."""
    artist, title = " ".join(artist.split()), " ".join(title.split())
    require(artist + capitals(artist), Face.SEMIBOLD, "artist")
    require(title, Face.SEMIBOLD, "title")
    side = 3000
    margin, room = _MARGIN * side, side * (1 - 2 * _MARGIN)
    texts, size = fitted(title, Face.SEMIBOLD, _LARGEST * side, _SMALLEST * side, room, _LINES)
    name, small = _artist(artist, room, side)
    height = len(texts) * size * _LEADING + small * 2.1
    top = margin if _unrest(picture, 0.0, height / side) < _unrest(picture, 1 - height / side - _MARGIN, 1.0) else None
    start = (side - margin - height) if top is None else top
    capital = 0.73
    # Inter's capitals are 0.73 em high; letters have a little room at their left that a margin has not.
    nudge = -0.06 * size
    lines = [Line(name, Face.SEMIBOLD, small, margin, start + small * capital, _TRACKING)]
    first = start + small * 2.1 + size * 0.80
    for number, text in enumerate(texts):
        lines.append(Line(text, Face.SEMIBOLD, size, margin + nudge, first + number * size * _LEADING, -0.018))
    widest = max(line.width for line in lines)
    bottom = max(line.baseline + 0.24 * line.size for line in lines)
    box = Box.between(round(margin), round(start), round(min(side - margin / 2, margin + widest)), round(bottom))
    return Lettering(tuple(lines), box)


def _artist(artist: str, room: float, side: int) -> tuple[str, float]:
    """The name in spaced capitals, smaller where it is long, at last with an ellipsis."""
    name, small = capitals(artist), _ARTIST * side
    while Line(name, Face.SEMIBOLD, small, 0, 0, _TRACKING).width > room and small > 0.018 * side:
        small *= 0.97
    while len(name) > 1 and Line(name, Face.SEMIBOLD, small, 0, 0, _TRACKING).width > room:
        name = name.rstrip("…")[:-1].rstrip() + "…"
    return name, small


def _unrest(picture: Field, top: float, bottom: float) -> float:
    """How bright and how busy the band is, in which type would stand."""
    rows = picture.shape[0]
    band = picture[int(max(0.0, top) * rows) : max(1, int(min(1.0, bottom) * rows))]
    return float(band.mean() + 1.5 * band.std())


def ink(colour: str) -> str:
    """``colour`` where it can be read on a dark ground, else a lighter one."""
    return readable(colour, "#3a3a3a", LEAST_CONTRAST)


def letter_mask(lettering: Lettering, side: int) -> Image.Image:
    """White letters on black, ``side`` square."""
    mask = Image.new("L", (side, side))
    draw, scale = ImageDraw.Draw(mask), side / 3000
    for line in lettering.lines:
        font, left = line.face.at(round(line.size * scale, 2)), line.left * scale
        if not line.tracking:
            draw.text((left, line.baseline * scale), line.text, fill=255, font=font, anchor="ls")
            continue
        for number, letter in enumerate(line.text):
            ahead = line.face.width(line.text[:number], line.size) + number * line.tracking * line.size
            draw.text((left + ahead * scale, line.baseline * scale), letter, fill=255, font=font, anchor="ls")
    return mask


def relative_luminance(picture: Bytes) -> Field:
    """WCAG relative luminance [height, width] of a picture of bytes [height, width, 3], blue first."""
    encoded = np.arange(256) / 255
    table = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)
    linear = table[np.asarray(picture)]
    return np.asarray(linear @ np.array([0.0722, 0.7152, 0.2126], np.float32), np.float32)


def worst_contrast(picture: Bytes, letters: Bytes, colour: str) -> float:
    """Contrast of ``colour`` to the ground its letters stand on: the brightest of it but for one pixel in a hundred.
    ``letters`` is a mask of the picture's size; the ground is within a stroke's width of it."""
    near = max(3, letters.shape[0] // 150) | 1
    ground = cv2.dilate(letters, np.ones((near, near), np.uint8)) > 0
    brightest = float(np.percentile(relative_luminance(picture[ground][None]), 99))
    own = luminance(colour)
    return (max(own, brightest) + 0.05) / (min(own, brightest) + 0.05)


def blend(picture: Bytes, letters: Bytes, colour: str) -> Bytes:
    """The letters in ``colour`` on ``picture`` (bytes, blue first)."""
    share = (letters.astype(np.float32) / 255)[..., None]
    tone = np.array(rgb(colour)[::-1], np.float32)
    mixed = picture + (tone - picture) * share
    return np.asarray(np.round(mixed), np.uint8)
