"""Paints the skin of a look in the texture space of MakeHuman's base mesh: tone and its variation, lips, blush, lids,
stubble, freckles and the pores of the bump map."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import cKDTree

from activities.avatar.bake.body import DATA, Floats, Ints
from activities.avatar.bake.style import Style, brow_line, over_hairline

Picture = NDArray[np.float32]

SIZE = 2048


@dataclass(frozen=True)
class Tone:
    """Colours are linear-light RGB reflectances of the skin, 0..1."""

    base: tuple[float, float, float]
    lips: tuple[float, float, float]
    blush: float = 0.3
    freckles: float = 0.0
    stubble: float = 0.0
    stubble_colour: tuple[float, float, float] = (0.05, 0.05, 0.05)
    under_eye: float = 0.25
    lids: float = 0.25
    liner: float = 0.0
    mottle: float = 1.0
    brow_paint: tuple[float, float, float] = (0.06, 0.04, 0.03)
    brow_strength: float = 0.45


def mask(name: str) -> Picture:
    """One of MakeHuman's texture masks, 0..1, at ``SIZE``."""
    grey = cv2.imread(str(DATA / "textures" / f"mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise FileNotFoundError(DATA / "textures" / f"mpfb_{name}.jpg")
    return (cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) / np.float32(255)).astype(np.float32)


def _noise(rng: np.random.Generator, cells: int) -> Picture:
    field = rng.standard_normal((cells, cells)).astype(np.float32)
    return cv2.resize(field, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC).astype(np.float32)


def _soft(field: Picture, sigma: float) -> Picture:
    return cv2.GaussianBlur(field, (0, 0), sigma).astype(np.float32)


def position_map(vertices: Floats, quads: Ints, uv: Floats, texture: Ints) -> Picture:
    """Where on the body each texel lies: [SIZE, SIZE, 3] in metres, far away (1e3) outside the given part."""
    flat, index = np.unique(texture.ravel(), return_index=True)
    points = uv[flat]
    where = vertices[quads.ravel()[index]]
    step = 4
    axis = (np.arange(0, SIZE, step) + step / 2) / SIZE
    grid_u, grid_v = np.meshgrid(axis, 1 - axis)
    coarse = LinearNDInterpolator(points, where, fill_value=1e3)(grid_u, grid_v)
    near, _ = cKDTree(points).query(np.stack([grid_u, grid_v], -1).reshape(-1, 2))
    coarse[near.reshape(grid_u.shape) > 0.02] = 1e3
    result: Picture = cv2.resize(coarse.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    return result


def _bump_at(where: Picture, centre: Floats, radii: tuple[float, float, float]) -> Picture:
    offset = (where - centre.astype(np.float32)) / np.array(radii, np.float32)
    result: Picture = np.exp(-0.5 * np.minimum((offset**2).sum(-1), 60)).astype(np.float32)
    return result


def paint(tone: Tone, where: Picture, marks: dict[str, Any], seed: int) -> tuple[Picture, Picture]:
    """Reflectance [SIZE, SIZE, 3] (linear RGB) and bump height [SIZE, SIZE] in metres.

    ``where`` is :func:`position_map`; ``marks`` holds face landmarks in metres (see ``scene.landmarks``)."""
    rng = np.random.default_rng(seed)
    lips, lids, ears, inside = (mask(name) for name in ("lips", "eyelids", "ears", "inside-mouth"))
    colour = np.ones((SIZE, SIZE, 3), np.float32) * np.array(tone.base, np.float32)
    blotch = 0.024 * _noise(rng, 24) + 0.020 * _noise(rng, 70) + 0.026 * _noise(rng, 240) + 0.030 * _noise(rng, 700)
    blotch -= 0.10 * np.clip(_noise(rng, 560) - 1.35, 0, 1)
    colour *= (1 + tone.mottle * blotch)[..., None]
    warm = tone.mottle * (0.030 * _noise(rng, 40) + 0.028 * _noise(rng, 130))
    colour *= np.stack([1 + warm, 1 - 0.35 * warm, 1 - 0.5 * warm], -1)

    def tint(amount: Picture, factor: tuple[float, float, float]) -> None:
        colour[...] *= 1 + amount[..., None] * (np.array(factor, np.float32) - 1)

    red = (1.05, 0.74, 0.72)
    for side in (1.0, -1.0):
        flip = np.array([side, 1, 1])
        tint(tone.blush * _bump_at(where, marks["cheek"] * flip, (0.020, 0.030, 0.014)), red)
        eye = marks["eye"] * flip
        tint(
            tone.under_eye * _bump_at(where, eye + np.array([-0.003 * side, -0.01, -0.013]), (0.013, 0.03, 0.0045)),
            (0.80, 0.68, 0.70),
        )
    tint(0.7 * tone.blush * _bump_at(where, marks["nose"], (0.012, 0.02, 0.012)), red)
    tint(0.4 * tone.blush * _bump_at(where, marks["chin"], (0.015, 0.03, 0.010)), red)
    tint(0.5 * _soft(ears, 8), (1.04, 0.80, 0.78))
    tint(tone.lids * _soft(lids, 5), (0.85, 0.70, 0.68))
    if tone.liner:
        tint(tone.liner * np.clip(_soft(lids, 2) - 0.3, 0, 1), (0.45, 0.38, 0.36))
    if tone.freckles:
        spots = np.clip(_noise(rng, 620) - 1.7, 0, 1.2) + np.clip(_noise(rng, 400) - 2.1, 0, 1)
        zone = _bump_at(where, marks["nose"] + np.array([0, 0.02, 0.012]), (0.045, 0.06, 0.018))
        tint(np.clip(tone.freckles * spots * zone, 0, 0.8), (0.72, 0.52, 0.42))
    if tone.stubble:
        beard = beard_zone(where, marks)
        grain = np.clip(0.75 + 0.35 * _noise(rng, 1000), 0, 1.4)
        amount = (
            np.clip(tone.stubble * beard * grain, 0, 0.85)[..., None] * (1 - np.clip(_soft(lips, 2), 0, 1))[..., None]
        )
        colour = colour * (1 - amount) + np.array(tone.stubble_colour, np.float32) * amount
    lip = np.clip(_soft(lips, 2.2) * 1.02, 0, 1)
    grain = (
        1
        + 0.05 * _noise(rng, 300)
        + 0.05
        * cv2.resize(rng.standard_normal((90, 900)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    )
    lip_colour = np.array(tone.lips, np.float32) * grain[..., None]
    colour = colour * (1 - 0.86 * lip[..., None]) + lip_colour * 0.86 * lip[..., None]
    gum = np.clip(_soft(inside, 3), 0, 1)[..., None] * (1 - lip[..., None])
    colour = colour * (1 - gum) + np.array([0.23, 0.055, 0.05], np.float32) * gum
    colour = _paint_brows(colour, tone, where, marks)

    pores = _noise(rng, 1024) * 0.6 + _noise(rng, 512) * 0.5
    pits = -np.clip(_noise(rng, 900) - 1.1, 0, 2) * 1.3
    relief = (pores + pits) * (1 - 0.7 * lip) * 0.00002 + _noise(rng, 260) * 0.000035
    relief += (
        0.00004
        * lip
        * cv2.resize(rng.standard_normal((60, 1000)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    )
    return np.clip(colour, 0.004, 0.95), relief.astype(np.float32)


def beard_zone(where: Picture, marks: dict[str, Any]) -> Picture:
    """Where a beard grows, 0..1: chin, jaw and upper lip below a line from the sideburn to the corner of the mouth."""
    x, y, z = (where[..., axis] for axis in range(3))
    mouth, chin, ear = marks["mouth"], marks["chin"], marks["ear"]
    back = np.clip((y - mouth[1]) / (ear[1] - mouth[1]), 0, 1)
    upper = mouth[2] + 0.012 + (ear[2] - mouth[2] - 0.012) * back**1.6
    upper = np.where(np.abs(x) < 0.030, np.maximum(upper, mouth[2] + 0.0145), upper)
    lower = chin[2] - 0.035 + 0.01 * back
    zone = np.clip((upper - z) / 0.012, 0, 1) * np.clip((z - lower) / 0.02, 0, 1)
    return _soft(np.where(y < ear[1] + 0.01, zone, 0).astype(np.float32), 3)


def _paint_brows(colour: Picture, tone: Tone, where: Picture, marks: dict[str, Any]) -> Picture:
    brow = marks["brow"]
    x, z = np.abs(where[..., 0]), where[..., 2]
    along = (x - brow["inner"]) / (brow["outer"] - brow["inner"])
    _, centre, width = brow_line(marks, np.clip(along, -0.2, 1.2))
    near = np.clip(1.15 - np.abs(z - centre) / width, 0, 1)
    ends = np.clip((along + 0.04) / 0.1, 0, 1) * np.clip((1.03 - along) / 0.1, 0, 1)
    front = where[..., 1] < marks["eye"][1] + 0.04
    amount = (tone.brow_strength * near * ends * front).astype(np.float32)
    amount = _soft(amount, 1.5)[..., None]
    return (colour * (1 - amount) + np.array(tone.brow_paint, np.float32) * amount).astype(np.float32)


def paint_scalp(colour: Picture, where: Picture, marks: dict[str, Any], styles: list[dict[str, Any]]) -> Picture:
    """Darkens the scalp under the hair, so that a thin place shows no bald skin."""
    for values in styles:
        style = Style(**values)
        if style.paint_strength == 0:
            continue
        above = over_hairline(style, where.astype(np.float64), marks)
        inside = np.clip((above - 0.002) / 0.010, 0, 1) * (where[..., 2] < 10)
        amount = (style.paint_strength * _soft(inside.astype(np.float32), 3))[..., None]
        colour = (colour * (1 - amount) + np.array(style.paint, np.float32) * amount).astype(np.float32)
    return colour
