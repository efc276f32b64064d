"""Cuts and sews: business clothes as relief over the body seen from the front. Every piece is a height map over (x, z)
with outlines drawn as smooth curves, so that edges are clean and lie with a thickness on what is under them."""

from dataclasses import dataclass
from typing import Any

import cv2
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from activities.avatar.bake import shapes
from activities.avatar.bake.body import Floats

CELL = 0.0009
"""Pitch of the relief in metres."""
WIDTH, HEIGHT = 0.70, 0.46


@dataclass
class Relief:
    """The front of the dressed body: depth y (metres, smaller is nearer) over a grid of x and z, and where it is."""

    x: Floats
    z: Floats
    depth: Floats
    solid: NDArray[np.bool_]


def _grid(marks: dict[str, Any]) -> tuple[Floats, Floats]:
    columns = np.arange(-WIDTH / 2, WIDTH / 2, CELL)
    top = marks["chin"][2] - 0.005
    rows = top - np.arange(0, HEIGHT, CELL)
    grid = np.meshgrid(columns, rows)
    return grid[0], grid[1]


def _front(mesh: shapes.Mesh, x: Floats, z: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The body's nearest depth at (x, z), by parallel rays from the front."""
    scene = mi.load_dict({"type": "scene", "mesh": shapes.shape("mesh", mesh, mi.load_dict({"type": "diffuse"}))})
    origin = mi.Point3f(x.ravel().astype(np.float32), np.full(x.size, -2.0, np.float32), z.ravel().astype(np.float32))
    found = scene.ray_intersect_preliminary(mi.Ray3f(origin, mi.Vector3f(0, 1, 0)))
    distance = np.array(found.t).astype(np.float64).reshape(x.shape)
    met = np.isfinite(distance)
    return np.where(met, distance - 2.0, 0.0), met


def _blurred(field: Floats, weight: Floats, metres: float) -> Floats:
    sigma = metres / CELL
    above = cv2.GaussianBlur(field * weight, (0, 0), sigma)
    below = cv2.GaussianBlur(weight, (0, 0), sigma)
    result: Floats = above / np.maximum(below, 1e-9)
    return result


def _filled(field: Floats, known: NDArray[np.bool_]) -> Floats:
    """Unknown cells from their nearest known ones, by ever wider averages."""
    done = known.astype(float)
    result = np.where(known, field, 0.0)
    for metres in (0.01, 0.03, 0.09):
        wider = _blurred(field, known.astype(float), metres)
        reach = cv2.GaussianBlur(known.astype(float), (0, 0), metres / CELL) > 0.02
        fresh = reach & (done == 0)
        result[fresh] = wider[fresh]
        done[fresh] = 1
    result[done == 0] = field[known].mean()
    return result


def curve(points: list[tuple[float, float]], count: int = 160) -> Floats:
    """A smooth curve through points (x, z); a repeated point is a corner."""
    pieces: list[Floats] = []
    run: list[tuple[float, float]] = []
    for point in points:
        if run and np.allclose(point, run[-1]):
            pieces.append(_spline(run, count))
            run = []
        run.append(point)
    pieces.append(_spline(run, count))
    return np.concatenate(pieces)


def _spline(points: list[tuple[float, float]], count: int) -> Floats:
    knots = np.array(points, float)
    if len(knots) < 3:
        return knots
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    result: Floats = CubicSpline(along, knots, bc_type="natural")(np.linspace(0, along[-1], count))
    return result


def inside(outline: Floats, x: Floats, z: Floats) -> Floats:
    """Signed distance in metres to a closed outline, positive inside."""
    left, top = x[0, 0], z[0, 0]
    fine = 4
    pixels = np.stack([(outline[:, 0] - left) / CELL, (top - outline[:, 1]) / CELL], -1)
    shift = 4
    mask = np.zeros((x.shape[0], x.shape[1]), np.uint8)
    cv2.fillPoly(mask, [np.rint(pixels * 2**shift).astype(np.int32)], 255, cv2.LINE_8, shift)
    big = cv2.resize(mask, None, fx=fine, fy=fine, interpolation=cv2.INTER_LINEAR)
    big = np.zeros((x.shape[0] * fine, x.shape[1] * fine), np.uint8)
    cv2.fillPoly(big, [np.rint((pixels + 0.5) * fine * 2**shift).astype(np.int32)], 255, cv2.LINE_8, shift)
    away = cv2.distanceTransform(big, cv2.DIST_L2, 5) - cv2.distanceTransform(255 - big, cv2.DIST_L2, 5)
    small = cv2.resize(away, (x.shape[1], x.shape[0]), interpolation=cv2.INTER_AREA)
    result: Floats = small.astype(np.float64) * CELL / fine
    return result


def mirrored(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same points on the other side."""
    return [(-a, b) for a, b in points]


def rounded(distance: Floats, thickness: float, round_: float) -> Floats:
    """Height of a cloth with a rolled edge at signed ``distance`` from it."""
    part = np.clip(distance / round_, 0, 1)
    result: Floats = thickness * np.sqrt(np.clip(1 - (1 - part) ** 2, 0, 1))
    return result


def folds(x: Floats, seed: int, strength: float) -> Floats:
    """Soft random drape, mostly upright, in metres."""
    rng = np.random.default_rng(seed)
    total = np.zeros_like(x)
    for size, share in ((0.09, 1.0), (0.045, 0.45), (0.02, 0.16)):
        cells = (int(HEIGHT / size / 2.2) + 2, int(WIDTH / size) + 2)
        total += share * cv2.resize(rng.standard_normal(cells), (x.shape[1], x.shape[0]), interpolation=cv2.INTER_CUBIC)
    return strength * total


def piece(name: str, relief: Relief, height: Floats, edge: Floats, material: Any, sink: float = 0.004) -> Any:
    """A garment piece: the surface ``relief.depth - height`` where signed distance ``edge`` > 0, cut at the curve by
    moving border vertices onto it; its rim is sunk towards the body so that no light shows under it."""
    keep = edge > -1.5 * CELL
    keep &= relief.solid
    y = relief.depth - height
    dz, dx = np.gradient(edge, CELL)
    slope = np.maximum(np.hypot(dx, dz), 0.3)
    out = np.clip(-edge, 0, 2.5 * CELL)
    x = relief.x + np.where(edge < 0, dx / slope * out, 0)
    z = relief.z - np.where(edge < 0, dz / slope * out, 0)
    y = y + np.where(edge < 0, sink, 0)
    index = np.full(keep.shape, -1)
    index[keep] = np.arange(keep.sum())
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = []
    for triple in ((a, b, c), (a, c, d)):
        stack = np.stack([part.ravel() for part in triple], -1)
        faces.append(stack[(stack >= 0).all(1)])
    vertices = np.stack([x[keep], y[keep], z[keep]], -1)
    uv = np.stack([relief.x[keep] / 0.1, relief.z[keep] / 0.1], -1)
    return shapes.shape(name, shapes.Mesh(vertices, np.concatenate(faces), uv), material)


def weave(
    kind: str, colour: tuple[float, float, float], second: tuple[float, float, float], seed: int
) -> NDArray[np.float32]:
    """A tile of 10 cm of cloth, linear RGB [1024, 1024, 3]: ``plain``, ``satin``, ``twill``, ``pinstripe``, ``dots``,
    ``stripe`` or ``knit``."""
    size = 1024
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    base = np.ones((size, size, 3)) * np.array(colour)
    grain = rng.standard_normal((size, size))
    along = cv2.GaussianBlur(grain, (0, 0), sigmaX=0.6, sigmaY=6) + cv2.GaussianBlur(
        grain, (0, 0), sigmaX=6, sigmaY=0.6
    )
    base *= 1 + 0.35 * along[..., None] * (0.5 if kind in ("satin", "dots", "stripe") else 1.0)
    amount = np.zeros((size, size))
    if kind == "twill":
        amount = 0.25 * (np.sin((x + y) * 2 * np.pi / 8) > 0)
    elif kind == "pinstripe":
        amount = 0.55 * (np.abs((x % 102) - 51) < 2.2)
    elif kind == "stripe":
        amount = np.clip(0.5 - (np.abs(((x * 0.82 + y) % 146) - 73) - 17) / 3, 0, 1)
    elif kind == "dots":
        amount = np.clip(4.5 + 0.5 - np.hypot((x + 36 * ((y // 64) % 2)) % 72 - 36, y % 64 - 32), 0, 1)
    elif kind == "knit":
        amount = 0.3 * (np.sin(x * 2 * np.pi / 12) > 0.3)
    base = base * (1 - amount[..., None]) + np.array(second) * amount[..., None]
    result: NDArray[np.float32] = np.clip(base, 0.002, 0.9).astype(np.float32)
    return result


def cloth(values: dict[str, Any], seed: int) -> Any:
    """The material of a described cloth."""
    tile = weave(values.get("weave", "plain"), values["colour"], values.get("second", values["colour"]), seed)
    return mi.load_dict(
        {
            "type": "twosided",
            "bsdf": {
                "type": "principled",
                "base_color": {"type": "bitmap", "bitmap": mi.Bitmap(tile), "raw": True, "wrap_mode": "repeat"},
                "roughness": values.get("roughness", 0.8),
                "specular": values.get("specular", 0.25),
                "sheen": values.get("sheen", 0.35),
                "sheen_tint": 0.4,
            },
        }
    )


def _torso(mesh: shapes.Mesh, marks: dict[str, Any], values: dict[str, Any]) -> tuple[Relief, Floats]:
    """The relief everything is laid on: the body's front, smoothed as cloth lies, inside the jacket's silhouette."""
    x, z = _grid(marks)
    depth, met = _front(mesh, x, z)
    pit = marks["pit"]
    top = pit[2] + 0.048
    neck = values.get("neck", 0.058)
    silhouette = _silhouette(met, x, z, top, neck, values.get("pad", 0.008))
    wide = float(x[silhouette > 0].max())
    # A rim beyond the outline lets pieces be cut at the curve: without it they end in the steps of the grid.
    solid = silhouette > -3 * CELL
    bare = np.where(met, depth, 9.0)
    depth = _filled(depth, met)
    weight = (z < top + 0.03).astype(float)
    smooth = _blurred(depth, weight, 0.010)
    wide_smooth = _blurred(depth, weight, 0.026)
    mixed = np.minimum(0.35 * smooth + 0.65 * wide_smooth, bare - 0.001)
    edge = np.clip(silhouette / 0.045, 0, 1)
    roll = 0.050 * (1 - np.sqrt(np.clip(1 - (1 - edge) ** 2, 0, 1)))
    back = np.percentile(depth[met & (np.abs(x) > wide - 0.05)], 50) if (met & (np.abs(x) > wide - 0.05)).any() else 0.0
    reach = np.clip(1 - edge, 0, 1) * 0.5
    shaped = mixed * (1 - reach) + np.maximum(mixed, back) * reach + roll
    shaped = _blurred(np.minimum(shaped, bare - 0.002), solid.astype(float), 0.003)
    # Once more at the end: where the body touches the cloth from inside, its edge would be drawn as a line across it.
    shaped = _blurred(np.minimum(shaped, bare - 0.001), solid.astype(float), 0.004)
    return Relief(x, z, shaped, solid), silhouette


def _silhouette(met: NDArray[np.bool_], x: Floats, z: Floats, top: float, neck: float, pad: float) -> Floats:
    """Signed distance to the jacket's outline: the body's, filled between arm and chest, padded and smoothed, below a
    line that falls from the neck."""
    both = met | met[:, ::-1]
    cells = int(0.05 / CELL)
    low = (z[:, 0] < top - 0.05)[:, None]
    closed = cv2.morphologyEx(both.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 2 * cells + 1), np.uint8))
    filled = np.where(low, closed, both).astype(np.uint8)
    away = cv2.distanceTransform(filled, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - filled, cv2.DIST_L2, 5)
    away = cv2.GaussianBlur(away * np.float32(CELL), (0, 0), 0.007 / CELL).astype(np.float64) + pad
    column = int(np.argmin(np.abs(x[0] - neck - 0.016)))
    beside = float(z[int(np.argmax(away[:, column] > 0)), 0])
    inwards = neck + 0.016 - np.abs(x)
    line = np.where(inwards > 0, beside + 0.55 * inwards - z, 1.0)
    result: Floats = np.minimum(away, line)
    return result


def _neck(relief: Relief, mesh: shapes.Mesh) -> Relief:
    """The relief with the neck, a little wider than the body's, for what goes round it."""
    bare, met = _front(mesh, relief.x, relief.z)
    reach = int(0.007 / CELL)
    wider = cv2.dilate(met.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    depth = _blurred(_filled(bare, met), np.ones_like(bare), 0.004)
    return Relief(
        relief.x, relief.z, np.minimum(depth, np.where(relief.solid, relief.depth, 9.0)), wider | relief.solid
    )


def _sleeves(x: Floats, z: Floats, marks: dict[str, Any], wide: float) -> Floats:
    """The groove between sleeve and body and the seam at the shoulder, in metres of depth."""
    side = np.abs(x)
    top = marks["pit"][2] + 0.048
    line = wide - 0.062 + 0.018 * np.clip((top - 0.10 - z) / 0.25, 0, 1)
    below = np.clip((top - 0.115 - z) / 0.05, 0, 1)
    groove = 0.016 * np.exp(-(((side - line) / 0.009) ** 2)) * below
    seam_line = wide - 0.040 - 0.020 * np.clip((top - 0.07 - z) / 0.08, 0, 1)
    seam = 0.0016 * np.exp(-(((side - seam_line) / 0.0028) ** 2)) * np.clip((top - 0.045 - z) / 0.03, 0, 1)
    seam *= np.clip((z - top + 0.17) / 0.03, 0, 1)
    result: Floats = groove + seam
    return result


def _collar(values: dict[str, Any], relief: Relief, throat: float, side: float, material: Any) -> dict[str, Any]:
    """A shirt collar: a stand round the neck and two leaves folded over it. ``throat`` is the height of its front,
    ``side`` that beside the neck, where it stands above the jacket."""
    x, z = relief.x, relief.z
    open_ = values.get("open", 0.0)
    neck, drop, spread = values.get("neck", 0.062), values.get("drop", 0.066), values.get("spread", 0.050)
    start = 0.016 if open_ else 0.002
    low = throat - (0.020 if open_ else 0.0)
    rise = side - throat
    stand = curve([(start, low), (0.034, throat + 0.26 * rise), (neck, side)])
    band = np.concatenate([stand, [[neck + 0.004, throat - 0.06], [start, throat - 0.07 - open_]]])
    leaf = curve(
        [
            (start, low + 0.001),
            (0.034, throat + 0.26 * rise + 0.0015),
            (neck - 0.004, side + 0.0005),
            (neck + 0.004, side + 0.0015),
            (neck + 0.004, side + 0.0015),
            (neck + 0.006, side - 0.026),
            (neck + 0.004, throat - 0.040),
            (neck + 0.004, throat - 0.040),
            (spread, throat - drop),
            (spread, throat - drop),
            (start + 0.020, low - 0.026),
            (start, low - 0.004),
        ]
    )
    fold = throat + rise * np.clip(np.abs(x) / neck, 0, 1) ** 2
    result = {}
    for hand, name in ((1.0, "left"), (-1.0, "right")):
        edge = inside(band * [hand, 1], x, z)
        result[f"stand_{name}"] = piece(f"stand_{name}", relief, 0.002 + rounded(edge, 0.001, 0.002), edge, material)
        edge = inside(leaf * [hand, 1], x, z)
        roll = 0.004 * np.exp(-np.maximum(fold - z, 0) / 0.018)
        height = 0.0045 + rounded(edge, 0.0022, 0.003) + roll
        result[f"leaf_{name}"] = piece(f"leaf_{name}", relief, height, edge, material, 0.003)
    return result


def collar_front(outfit: dict[str, Any], marks: dict[str, Any]) -> float | None:
    """Height in metres of a shirt collar's front; None for what has no collar of its own."""
    under = outfit["under"]
    return None if under["kind"] == "blouse" else float(marks["pit"][2] + under.get("throat", 0.056))


def dress(outfit: dict[str, Any], mesh: shapes.Mesh, marks: dict[str, Any], seed: int) -> dict[str, Any]:
    """The shapes of an outfit: a jacket over a shirt (with collar, with or without tie) or a blouse."""
    jacket, under = outfit["jacket"], outfit["under"]
    relief, silhouette = _torso(mesh, marks, jacket)
    x, z = relief.x, relief.z
    pit = marks["pit"]
    top = pit[2] + 0.048
    wide = float(x[silhouette > 0].max())
    result: dict[str, Any] = {}
    under_cloth = cloth(under, seed + 1)
    under_folds = folds(x, seed + 1, 0.0008)
    if under["kind"] == "blouse":
        depth_v = under.get("depth", 0.05)
        width_v = under.get("width", 0.052)
        half = [
            (0.0, pit[2] + 0.004 - depth_v),
            (width_v * under.get("round", 0.55), pit[2] + 0.006 - depth_v * 0.72),
            (width_v, pit[2] + 0.03),
        ]
        right = curve(half)
        neckline = np.concatenate([right, [[width_v, top + 0.3], [-width_v, top + 0.3]], right[::-1] * [-1, 1]])
        edge = np.minimum(np.minimum(-inside(neckline, x, z), 0.105 - np.abs(x)), silhouette - 0.004)
        edge = np.minimum(edge, pit[2] + 0.028 - z)
        result["under"] = piece("under", relief, 0.0006 + rounded(edge, 0.0022, 0.004) + under_folds, edge, under_cloth)
    else:
        edge = np.minimum(pit[2] + 0.030 - z - 0.12 * np.abs(x), 0.105 - np.abs(x))
        open_ = under.get("open", 0.0)
        if open_:
            notch = curve([(0.001, pit[2] - open_), (0.018, pit[2] - open_ * 0.3), (0.034, pit[2] + 0.04)])
            wedge = np.concatenate([notch, notch[::-1] * [-1, 1]])
            edge = np.minimum(edge, -inside(wedge, x, z))
        placket = rounded(0.016 - np.abs(x), 0.0012, 0.002)
        result["under"] = piece(
            "under", relief, 0.0012 + placket + under_folds + rounded(edge, 0.001, 0.003), edge, under_cloth
        )
        throat = collar_front(outfit, marks)
        assert throat is not None
        beside = silhouette[:, int(np.argmin(np.abs(x[0] - jacket.get("neck", 0.058) - 0.006)))]
        side = float(z[int(np.argmax(beside > 0)), 0]) + 0.007
        result.update(_collar(under, _neck(relief, mesh), throat, side, under_cloth))
        if "tie" in outfit:
            result.update(_tie(outfit["tie"], relief, throat - 0.002, seed))
    result.update(_jacket(jacket, relief, marks, silhouette, wide, seed))
    return result


def _tie(values: dict[str, Any], relief: Relief, knot_top: float, seed: int) -> dict[str, Any]:
    """A knot and a blade."""
    x, z = relief.x, relief.z
    material = cloth(values, seed + 2)
    knot_half = [
        (0.0, knot_top + 0.001),
        (0.0175, knot_top - 0.001),
        (0.0185, knot_top - 0.006),
        (0.0125, knot_top - 0.032),
        (0.0, knot_top - 0.0345),
    ]
    blade_half = [
        (0.0, knot_top - 0.029),
        (0.0135, knot_top - 0.030),
        (0.0205, knot_top - 0.075),
        (0.030, knot_top - 0.21),
        (0.036, knot_top - 0.45),
        (0.0, knot_top - 0.45),
    ]
    result = {}
    blade = curve(blade_half[:-1])
    outline = np.concatenate([blade, (blade * [-1, 1])[::-1]])
    edge = inside(outline, x, z)
    dimple = 0.003 * np.exp(-((x / 0.0035) ** 2)) * np.clip((z - (knot_top - 0.10)) / 0.06, 0, 1)
    result["tie_blade"] = piece("tie_blade", relief, 0.005 + rounded(edge, 0.0045, 0.008) - dimple, edge, material)
    knot = curve(knot_half)
    outline = np.concatenate([knot, (knot * [-1, 1])[::-1]])
    edge = inside(outline, x, z)
    lifted = Relief(x, z, np.minimum(relief.depth, _knot_plane(relief, knot_top)), relief.solid)
    crease = 0.0012 * np.sin((z - knot_top + 0.4 * x) * 420)
    result["tie_knot"] = piece(
        "tie_knot", lifted, 0.008 + rounded(edge, 0.010, 0.012) + 0.3 * crease, edge, material, 0.010
    )
    return result


def _knot_plane(relief: Relief, knot_top: float) -> Floats:
    row = np.argmin(np.abs(relief.z[:, 0] - (knot_top - 0.04)))
    column = relief.x.shape[1] // 2
    result: Floats = relief.depth[row, column] + 0.30 * (relief.z - relief.z[row, 0]) + 0.0 * relief.x
    return result


def _jacket(
    values: dict[str, Any], relief: Relief, marks: dict[str, Any], silhouette: Floats, wide: float, seed: int
) -> dict[str, Any]:
    """Two fronts that meet at a button, lapels with a notch (or a shawl), and a collar."""
    x, z = relief.x, relief.z
    pit = marks["pit"]
    top = pit[2] + 0.048
    neck = values.get("neck", 0.058)
    button = pit[2] - values.get("button", 0.215)
    material = cloth(values, seed + 3)
    thick = values.get("thickness", 0.0045)
    opening_half = [
        (0.004, button),
        (0.030, button + 0.062),
        (neck * 0.90, pit[2] - 0.060),
        (neck + 0.004, pit[2] + 0.005),
        (neck - 0.001, top + 0.026),
    ]
    side = curve(opening_half)
    opening = np.concatenate([side, [[neck, top + 0.3], [-neck, top + 0.3]], (side * [-1, 1])[::-1]])
    drape = folds(x, seed + 3, values.get("folds", 0.0016)) * np.clip(silhouette / 0.03, 0, 1)
    drape -= _sleeves(x, z, marks, wide)
    pull = (
        0.0022
        * np.exp(-(((np.abs(x) - 0.05) / 0.05) ** 2))
        * np.cos((z - button) * 95 + np.abs(x) * 40)
        * np.exp(-(((z - button) / 0.05) ** 2))
    )
    drape += pull
    open_edge = -inside(opening, x, z)
    front_edge = np.minimum(open_edge, silhouette)
    cut = values.get("cutaway", 0.0)
    below = np.clip((button - 0.03 - z) / 0.2, 0, 1)
    gap = np.abs(x) - cut * below**1.5
    front_edge = np.where(z < button, np.minimum(front_edge, np.where(cut > 0, gap, 1.0)), front_edge)
    height = 0.0055 + rounded(open_edge, thick, 0.006) + drape
    result: dict[str, Any] = {}
    seam_step = 0.0018 * np.clip((x + 0.014) / 0.0018, 0, 1) * (z < button + 0.012) * (x > -0.03)
    seam_step = seam_step * np.clip((0.06 - x) / 0.045, 0, 1)
    result["jacket"] = piece("jacket", relief, height + seam_step, front_edge, material)
    lapel_width = values.get("lapel", 0.085)
    notch = values.get("notch", True)
    wing_top = pit[2] - values.get("gorge", 0.022)
    wing = (neck + lapel_width * 0.92, wing_top + 0.004)
    if notch:
        outer = [
            (0.006, button + 0.004),
            (0.045, button + 0.055),
            (neck + lapel_width * 0.72, wing_top - 0.055),
            wing,
            wing,
            (neck + lapel_width * 0.42, wing_top - 0.006),
            (neck + lapel_width * 0.42, wing_top - 0.006),
            (neck + 0.004, wing_top + 0.020),
        ]
        collar = [
            (neck - 0.004, wing_top + 0.010),
            (neck + lapel_width * 0.42, wing_top - 0.005),
            (neck + lapel_width * 0.42, wing_top - 0.005),
            (neck + lapel_width * 0.60, wing_top + 0.020),
            (neck + lapel_width * 0.60, wing_top + 0.020),
            (neck + lapel_width * 0.40, wing_top + 0.045),
            (neck + 0.016, top + 0.012),
            (neck - 0.002, top + 0.028),
        ]
    else:
        outer = [
            (0.006, button + 0.004),
            (0.046, button + 0.060),
            (neck + lapel_width * 0.55, wing_top - 0.075),
            (neck + lapel_width * 0.62, wing_top - 0.01),
            (neck + lapel_width * 0.34, wing_top + 0.045),
            (neck + 0.012, top + 0.014),
            (neck - 0.002, top + 0.028),
        ]
        collar = []
    roll = 0.004
    for name, points in (("lapel", outer), ("collar", collar)):
        if not points:
            continue
        line = curve(points)
        if name == "lapel":
            start = line[-1]
            body_side = side[(side[:, 1] < start[1] + 0.002)][::-1]
            right = np.concatenate([line, body_side - [0.001, 0]])
        else:
            right = np.concatenate([line, [[neck - 0.006, top]]])
        for sign, label in ((1.0, "left"), (-1.0, "right")):
            outline = right * [sign, 1]
            edge = np.minimum(inside(outline, x, z), silhouette + 0.001)
            from_fold = np.clip(open_edge / 0.03, 0, 1)
            puff = roll * np.sin(np.pi * np.clip(open_edge / 0.045, 0, 1)) * 0.8
            lift = 0.0105 if name == "lapel" else 0.0120
            under = drape * 0.5
            over = 0.0025 if (sign > 0 and name == "lapel") else 0.0
            level = lift + rounded(edge, 0.0034, 0.004) + puff + under + over * (1 - from_fold)
            result[f"{name}_{label}"] = piece(f"{name}_{label}", relief, level, edge, material, 0.0045)
    for number in range(values.get("buttons", 1)):
        place = button - 0.012 - 0.095 * number
        away = 0.0095 - np.hypot(x - 0.0, z - place)
        dish = rounded(away, 0.0032, 0.004) - 0.0014 * np.exp(-(((away - 0.0095) / 0.004) ** 2))
        colour = {"type": "rgb", "value": list(values.get("button_colour", (0.02, 0.018, 0.016)))}
        horn = mi.load_dict({"type": "principled", "base_color": colour, "roughness": 0.3, "specular": 0.5})
        result[f"button_{number}"] = piece(f"button_{number}", relief, 0.0135 + dish + drape, away, horn, 0.004)
    return result
