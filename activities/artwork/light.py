"""From light to colour: ramps through a palette in OKLab, glow, tone and grain. Kept apart from the scenes, so that
every motif is seen in the artist's colours and in the same light."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.artwork.scenes.base import Field, Light, Stage, blurred
from activities.compositing.colours import rgb

Picture = NDArray[np.uint8]
"""[height, width, 3], blue, green, red, as OpenCV has it."""

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
"""OKLab, Björn Ottosson, "A perceptual color space for image processing" (2020): linear sRGB to
LMS, and its cube root to Lab."""
_DEEPEST = 0.16
"""OKLab lightness of shadows: light needs a dark to stand out from, whatever the palette begins with."""


def _linear(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _encoded(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def to_oklab(colour: str) -> NDArray[np.float64]:
    """``#rrggbb`` as OKLab [3]."""
    return _TO_LAB @ np.cbrt(_TO_LMS @ _linear(np.array(rgb(colour)) / 255))


def from_oklab(lab: NDArray[np.float64]) -> NDArray[np.uint8]:
    """OKLab [..., 3] as sRGB bytes; what no screen can show is clipped."""
    linear = ((lab @ np.linalg.inv(_TO_LAB).T) ** 3) @ np.linalg.inv(_TO_LMS).T
    return np.round(_encoded(linear) * 255).astype(np.uint8)


def _turned(lab: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """The colour with its hue turned."""
    angle = np.radians(degrees)
    a, b = lab[1], lab[2]
    return np.array([lab[0], a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)])


def _ramp(stops: Sequence[NDArray[np.float64]]) -> NDArray[np.uint8]:
    """256 colours [256, 1, 3], blue first, through ``stops`` ordered by lightness and spread by it."""
    ordered = sorted(stops, key=lambda lab: float(lab[0]))
    lightness = np.array([stop[0] for stop in ordered])
    span = max(1e-6, lightness[-1] - lightness[0])
    even = np.linspace(0, 1, len(ordered))
    places = 0.5 * even + 0.5 * (lightness - lightness[0]) / span
    at = np.linspace(0, 1, 256)
    lab = np.stack([np.interp(at, places, [stop[part] for stop in ordered]) for part in range(3)], axis=-1)
    return np.ascontiguousarray(from_oklab(lab)[:, None, ::-1])


@dataclass(frozen=True)
class Ramps:
    """The two ramps of a palette: from its dark to its light, through one half of its colours and through the other."""

    one: NDArray[np.uint8]
    other: NDArray[np.uint8]


@lru_cache(maxsize=64)
def ramps(palette: tuple[str, ...], swapped: bool = False) -> Ramps:
    """The ramps of ``palette`` (darkest first). ``swapped`` leads with the other half of its colours."""
    dark, *middle, light = (to_oklab(colour) for colour in palette)
    deep = np.array([min(dark[0], _DEEPEST), *(dark[1:] * min(1.0, _DEEPEST / max(dark[0], 1e-6)))])
    floor = [deep] if dark[0] <= _DEEPEST + 0.05 else [deep, dark]
    first, second = middle[0::2], middle[1::2]
    if not second:
        # A palette of one colour between dark and light is given its neighbour on the colour wheel.
        second = [_turned(first[0], 42.0)]
    if swapped:
        first, second = second, first
    return Ramps(_ramp([*floor, *first, light]), _ramp([*floor, *second, light]))


@lru_cache(maxsize=8)
def _grain(size: int, seed: int) -> Field:
    return np.random.default_rng((seed, 11)).normal(0, 1, (size, size)).astype(np.float32)


@lru_cache(maxsize=8)
def _vignette(width: int, height: int) -> Field:
    stage = Stage(width, height, 0, 0, (0.0,))
    across, down = stage.reach
    away = np.hypot(stage.x[None] / across, stage.y[:, None] / down) / np.float32(np.sqrt(2))
    return np.asarray(1 - 0.62 * np.clip((away - 0.25) / 0.75, 0, 1) ** 1.7, np.float32)


@dataclass(frozen=True)
class Grade:
    """How light is seen: ``exposure``, share of ``glow``, ``grain`` in levels of 255, and a field that ``dims`` parts
    of the picture (for type to be read on)."""

    exposure: float = 1.0
    glow: float = 0.5
    grain: float = 1.4
    dims: Field | None = None


def develop(light: Light, colours: Ramps, stage: Stage, grade: Grade, frame: int = 0) -> Picture:
    """The picture of ``light``. ``frame`` moves the grain, without which slow gradients show as bands."""
    heat = light.heat
    if grade.glow:
        heat = heat + np.float32(grade.glow * 0.55) * blurred(heat, 0.018, stage)
        heat += np.float32(grade.glow * 0.45) * blurred(heat, 0.07, stage)
    heat *= _vignette(stage.width, stage.height)
    if grade.dims is not None:
        heat *= grade.dims
    tone = 1 - np.exp(heat * np.float32(-grade.exposure))
    tone *= 255
    tone += _tile(stage, frame) * np.float32(grade.grain)
    index = np.clip(tone, 0, 255, out=tone).astype(np.uint8)
    one, other = cv2.applyColorMap(index, colours.one), cv2.applyColorMap(index, colours.other)
    share = np.clip(light.hue, 0, 1)
    return np.asarray(cv2.blendLinear(other, one, share, 1 - share), np.uint8)


def _tile(stage: Stage, frame: int) -> Field:
    """Grain of the picture's size, cut from a larger sheet at a place of the frame's own."""
    size = max(stage.width, stage.height) + 97
    sheet = _grain(size, stage.seed % 8)
    top, left = frame * 53 % 97, frame * 31 % 97
    return sheet[top : top + stage.height, left : left + stage.width]
