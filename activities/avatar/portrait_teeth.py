"""The inside of a mouth, which no closed-mouth photo shows: teeth, tongue and the dark behind them, drawn once for a
photo at its size and light. Apart from the rig because it is a drawing, not a measurement."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.avatar.face import Picture

Floats = NDArray[np.floating[Any]]

# Mesial-distal width and crown height in millimetres from the middle outwards (Wheeler's Dental Anatomy, rounded).
_UPPER = ((8.5, 10.3), (6.6, 9.0), (7.6, 9.8), (7.0, 8.4), (7.0, 7.8), (9.5, 7.0))
_LOWER = ((5.2, 8.8), (5.7, 9.2), (6.8, 10.0), (7.0, 8.6), (7.1, 8.2), (10.5, 7.5))
_ARCH = 27.0
"""Radius of the dental arch in millimetres, as the viewer sees it."""
_FINE = 4
"""Supersampling of the drawing."""


@dataclass(frozen=True)
class Teeth:
    """One row of teeth as a picture: ``colour`` float32 [h, w, 3] 0..1 and ``cover`` [h, w] 0..1. ``origin`` is the
    pixel of the row's incisal midpoint."""

    colour: Floats
    cover: Floats
    origin: tuple[float, float]


@dataclass(frozen=True)
class Cavity:
    """Everything behind the lips, in pixels of the drawn photo."""

    upper: Teeth
    lower: Teeth
    light: float
    """Brightness of white enamel in this photo, 0..1."""
    warmth: Floats
    """RGB tint of the photo's light, mean 1."""


def make_cavity(still: Picture, sclera: NDArray[np.bool_], skin: NDArray[np.bool_], unit: float) -> Cavity:
    """Teeth for a photo. ``sclera`` and ``skin`` mask the eye openings and the cheeks, ``unit`` is pixels a millimetre.

    The white of the eyes tells how bright white is in this light; skin cannot, for it may be of any colour.
    """
    pixels = still[sclera].astype(np.float32) / 255 if sclera.any() else np.full((1, 3), 0.6, np.float32)
    grey = pixels.mean(axis=1)
    white = pixels[grey >= np.percentile(grey, 75)].mean(axis=0)
    lit = still[skin].astype(np.float32).mean() / 255 if skin.any() else 0.5
    light = float(np.clip(max(1.05 * float(white.mean()), 0.75 * float(lit)), 0.35, 0.88))
    tint = white / max(float(white.mean()), 1e-3)
    warmth = np.clip(0.5 + 0.5 * tint, 0.85, 1.15).astype(np.float32)
    return Cavity(_row(_UPPER, unit, up=True), _row(_LOWER, unit, up=False), light, warmth)


def _row(sizes: tuple[tuple[float, float], ...], unit: float, *, up: bool) -> Teeth:
    """Draw a row: crowns with rounded edges that touch, a soft line between them, gum where they end."""
    fine = unit * _FINE
    width, height = int(56 * fine), int(20 * fine)
    edge = height - 1.5 * fine if up else 1.5 * fine
    toward = -1.0 if up else 1.0
    beyond = (np.arange(height, dtype=np.float32) - edge) * toward / fine
    shade = np.zeros((height, width), np.float32)
    gum = np.zeros((height, width), np.float32)
    cover = np.zeros((height, width), np.float32)
    columns = (np.arange(width, dtype=np.float32) - width / 2) / fine
    arc = 0.0
    for index, (across, tall) in enumerate(sizes):
        left, right = (_ARCH * np.sin(min(angle / _ARCH, 1.5)) for angle in (arc, arc + across))
        arc += across
        inside = (np.abs(columns) >= left) & (np.abs(columns) < right)
        position = (np.abs(columns[inside]) - (left + right) / 2) / max((right - left) / 2, 0.1)
        lift = 0.5 * (index == 1) + 0.15 * index
        tip = lift + 0.9 * np.abs(position) ** 5
        line = tall - 0.6 * (1.0 - position**2)
        cover[:, inside] = beyond[:, None] >= tip
        gum[:, inside] = np.clip((beyond[:, None] - line) / 0.5 + 0.5, 0.0, 1.0)
        tone = 1.0 - 0.03 * (index == 2) - 0.09 * max(index - 2, 0)
        shade[:, inside] = tone * (1.0 - 0.10 * position**4 - 0.22 * np.abs(position) ** 24)
    shade *= np.clip(1.02 - 0.02 * np.maximum(beyond, 0.0), 0.7, 1.0)[:, None]
    ivory, flesh = np.array([1.0, 0.955, 0.875], np.float32), np.array([0.74, 0.40, 0.38], np.float32)
    colour = shade[..., None] * (ivory + gum[..., None] * (flesh - ivory))
    small, soft = (width // _FINE, height // _FINE), 0.16 * fine
    return Teeth(
        colour=_reduced(colour, small, soft),
        cover=_reduced(cover, small, soft),
        origin=(width / 2 / _FINE - 0.5, edge / _FINE - 0.5),
    )


def _reduced(drawing: Floats, size: tuple[int, int], soft: float) -> Floats:
    return np.asarray(
        cv2.resize(cv2.GaussianBlur(drawing, (0, 0), soft), size, interpolation=cv2.INTER_AREA), np.float32
    )
