"""How hair and brows are described, and where on the head they begin; shared by what grows them and what paints the
skin under them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from activities.avatar.bake.body import Floats


@dataclass(frozen=True)
class Style:
    """How hair grows and lies. Lengths in metres; angles in degrees around the head, 0 in front.

    ``hairline`` gives the height over the eyes by angle; ``part`` is where the comb turns from one side to the other;
    with ``tuck`` hair is led back and falls only that far behind the ears."""

    hairline: tuple[tuple[float, float], ...]
    count: int = 40_000
    length: float = 0.05
    length_by_height: tuple[tuple[float, float], ...] = ((-0.1, 1.0), (0.12, 1.0))
    length_spread: float = 0.15
    part: float = 0.02
    comb: tuple[float, float, float] = (0.8, 0.5, -0.2)
    lift: float = 0.4
    gravity: float = 0.0
    stiffness: float = 0.6
    volume: float = 0.012
    clump: float = 0.6
    frizz: float = 0.0012
    wave: float = 0.0
    wave_length: float = 0.05
    curl_in: float = 0.0
    gather: tuple[float, float, float] | None = None
    tuck: float | None = None
    sweep: float = 0.0
    radius: float = 0.00011
    guides: int = 1_600
    points: int = 12
    edge: float = 0.006
    fringe: float = 0.0
    eumelanin: float = 0.8
    pheomelanin: float = 0.2
    grey: float = 0.0
    roughness: float = 0.3
    paint: tuple[float, float, float] = (0.03, 0.02, 0.015)
    paint_strength: float = 0.85


def over_hairline(style: Style, points: Floats, marks: dict[str, Any]) -> Floats:
    """Metres by which points lie above the hairline (negative below it)."""
    centre_y = 0.5 * (marks["nose"][1] + 0.085)
    angle = np.degrees(np.abs(np.arctan2(points[..., 0], -(points[..., 1] - centre_y))))
    knots = np.array(style.hairline)
    line = np.interp(angle, knots[:, 0], knots[:, 1])
    height: Floats = points[..., 2] - marks["eye"][2] - line
    return height


def brow_line(marks: dict[str, Any], along: Floats) -> tuple[Floats, Floats, Floats]:
    """The centre line of the subject's left brow, 0 (nose) .. 1 (temple): x, z and half-width in metres."""
    brow = marks["brow"]
    x = brow["inner"] + (brow["outer"] - brow["inner"]) * along
    arch = np.interp(along, [0, 0.25, 0.62, 1], [0, 0.45 * brow["arch"], brow["arch"], -0.15 * brow["arch"]])
    arch = np.where(along < 0, 0, arch)
    z = brow["height"] + arch
    width = brow["width"] * np.interp(along, [0, 0.12, 0.5, 0.8, 1], [0.75, 1.0, 0.9, 0.55, 0.18])
    return x, z, width
