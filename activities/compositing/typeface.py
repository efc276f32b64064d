"""The shipped typeface: where its files are and how wide text is in it, for the pictures drawn here and by libass."""

import functools
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from PIL import ImageFont

from models.errors import InvalidInput

FONTS = Path(__file__).parent / "fonts"
LINE_HEIGHT = 3408 / 2816
"""Ascent plus descent of both faces in ems (their ``hhea`` and ``OS/2`` tables agree). libass takes a font size to mean
this height; Pillow takes it to mean the em."""


@dataclass(frozen=True)
class FaceFile:
    """A font file and the family name that libass knows it by."""

    family: str
    path: Path


class Face(Enum):
    """The two cuts that everything is set in."""

    REGULAR = FaceFile("Inter", FONTS / "Inter-Regular.otf")
    SEMIBOLD = FaceFile("Inter Semi Bold", FONTS / "Inter-SemiBold.otf")

    def at(self, size: float) -> ImageFont.FreeTypeFont:
        """The face for Pillow at ``size`` pixels to the em."""
        return _load(self, size)

    def width(self, text: str, size: float) -> float:
        """Width of ``text`` on one line in pixels, at ``size`` pixels to the em."""
        return float(self.at(size).getlength(text))

    def lacks(self, text: str) -> str:
        """The letters of ``text`` that the face cannot draw, each once."""
        font, spaces = self.at(32), {"\N{ZERO WIDTH JOINER}", "\N{WORD JOINER}", "\N{SOFT HYPHEN}"}
        absent = bytes(font.getmask("\uffff"))
        letters = dict.fromkeys(letter for letter in text if not letter.isspace() and letter not in spaces)
        return "".join(letter for letter in letters if bytes(font.getmask(letter)) == absent)


@functools.lru_cache(maxsize=32)
def _load(face: Face, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(face.value.path), size)


def require(text: str, face: Face, field: str) -> None:
    """Raises InvalidInput naming ``field`` and the letters when ``face`` cannot draw all of ``text``: a viewer would
    see boxes in their place."""
    missing = face.lacks(text)
    if missing:
        raise InvalidInput(
            f"{field} has letters that the typeface does not have: {missing}",
            field=field,
            action="Write it in Latin, Greek or Cyrillic letters, without emoji.",
        )


def fit(text: str, face: Face, size: float, width: float, smallest: float) -> tuple[str, float]:
    """``text`` and the size, from ``size`` down to ``smallest``, at which it is no wider than ``width``.

    Text that is too wide even then ends in an ellipsis.
    """
    while size > smallest and face.width(text, size) > width:
        size -= 1
    if face.width(text, size) <= width:
        return text, size
    while text and face.width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…", size
