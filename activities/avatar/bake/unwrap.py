"""From posed geometry to what the engine warps with: which point of the skin each pixel shows, how far every blendshape
carries it, where lips and lids part, and how light changes on the skin under an expression."""

from dataclasses import dataclass

import cv2
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from activities.avatar.bake import scene, shapes
from activities.avatar.bake.assemble import Sitter
from activities.avatar.bake.body import Floats
from activities.avatar.bake.scene import Camera
from activities.lipsync.base import ARKIT
from activities.support.box import Box

Mask = NDArray[np.bool_]

SHEET_SOFTNESS = 2.0
"""Pixels over which the fields of a sheet are averaged."""
STEEPEST = 1.1
"""Most pixels by which an open jaw's pull may fall off from one row to the next. Speech opens it by half at most, which
leaves nearly half of each row's height."""
CLOSED_CORNER = 0.02
"""Share of the seam that stays closed at each corner of the mouth."""


@dataclass(frozen=True)
class Hits:
    """What a grid of rays meets on one mesh: triangle, barycentric weights, distance (inf where nothing)."""

    triangle: NDArray[np.int64]
    weights: Floats
    distance: Floats

    @property
    def met(self) -> Mask:
        """Where the ray met the mesh."""
        result: Mask = np.isfinite(self.distance)
        return result

    def carry(self, faces: NDArray[np.int64], per_vertex: Floats) -> Floats:
        """A quantity of the vertices at each hit (0 where nothing was met)."""
        corner = per_vertex[faces[self.triangle]]
        value: Floats = (corner * self.weights[..., None]).sum(-2)
        value[~self.met] = 0
        return value


def pixel_centres(crop: Box, per_pixel: int = 1) -> tuple[Floats, Floats]:
    """x and y of sample centres of a crop, ``per_pixel`` a side."""
    x = crop.left + (np.arange(crop.width * per_pixel) + 0.5) / per_pixel
    y = crop.top + (np.arange(crop.height * per_pixel) + 0.5) / per_pixel
    grid = np.meshgrid(x, y)
    return grid[0], grid[1]


def cast(mesh: shapes.Mesh, camera: Camera, x: Floats, y: Floats) -> Hits:
    """Rays from the camera through picture positions."""
    loaded = mi.load_dict({"type": "scene", "mesh": shapes.shape("mesh", mesh, mi.load_dict({"type": "diffuse"}))})
    scale = scene.SPAN / camera.size
    aim = np.stack(
        [(x.ravel() - camera.size / 2) * scale, np.full(x.size, scene.DISTANCE), (camera.size / 2 - y.ravel()) * scale],
        0,
    )
    length = np.linalg.norm(aim, axis=0)
    ray = mi.Ray3f(mi.Point3f(*(float(v) for v in camera.origin)), mi.Vector3f(*(aim / length).astype(np.float32)))
    found = loaded.ray_intersect_preliminary(ray)
    distance = np.array(found.t).astype(np.float64)
    uv = np.array(found.prim_uv)
    first, second = (uv if uv.shape[0] == 2 else uv.T).astype(np.float64)
    triangle = np.array(found.prim_index).astype(np.int64)
    triangle[~np.isfinite(distance)] = 0
    weights = np.stack([1 - first - second, first, second], -1)
    return Hits(triangle.reshape(x.shape), weights.reshape(*x.shape, 3), distance.reshape(x.shape))


def harmonic_fill(values: Floats, known: Mask) -> Floats:
    """Fills unknown cells [h, w, ...] with the smoothest continuation (Laplace's equation, free borders)."""
    height, width = known.shape
    index = np.arange(height * width).reshape(height, width)
    pairs = np.concatenate(
        [
            np.stack([index[:, 1:].ravel(), index[:, :-1].ravel()], 1),
            np.stack([index[1:].ravel(), index[:-1].ravel()], 1),
        ]
    )
    size = height * width
    ones = np.ones(len(pairs))
    link = sparse.coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    link = (link + link.T).tocsr()
    laplace = sparse.diags(np.asarray(link.sum(1)).ravel()) - link
    flat = values.reshape(size, -1).copy()
    unknown = np.flatnonzero(~known.ravel())
    given = np.flatnonzero(known.ravel())
    if len(unknown) and len(given):
        system = laplace[unknown]
        right = -(system[:, given] @ flat[given])
        inner = (system[:, unknown] + 1e-9 * sparse.eye(len(unknown))).tocsc()
        flat[unknown] = splu(inner).solve(right)
    return flat.reshape(values.shape)


def soften(values: Floats, sigma: float) -> Floats:
    """Gaussian over the first two axes of [h, w, c]."""
    planes = [cv2.GaussianBlur(np.ascontiguousarray(values[..., c]), (0, 0), sigma) for c in range(values.shape[-1])]
    result: Floats = np.stack(planes, -1)
    return result


def displacement(sitter: Sitter, hits: Hits) -> Floats:
    """Pixels by which each full blendshape carries what each ray meets: [curves, h, w, 2]."""
    mesh = sitter.skin.mesh(sitter.body.vertices)
    start = sitter.camera.project(hits.carry(mesh.faces, mesh.vertices))
    result = np.empty((len(sitter.body.shapes), *hits.met.shape, 2))
    for number, shape_ in enumerate(sitter.body.shapes):
        moved = sitter.skin.mesh(sitter.body.vertices + shape_)
        result[number] = sitter.camera.project(hits.carry(mesh.faces, moved.vertices)) - start
    result[:, ~hits.met] = 0
    return result


@dataclass(frozen=True)
class Parting:
    """An opening of the face: soft masks of its upper and lower sheet over a crop, and the seam's ends in pixels."""

    crop: Box
    upper: NDArray[np.float32]
    lower: NDArray[np.float32]
    ends: tuple[float, float]


def _edges_to_masks(crop: Box, columns: Floats, top: Floats, bottom: Floats, soft: float) -> Parting:
    """Masks from the lower edge of the upper sheet (``top``) and the upper edge of the lower (``bottom``), given at
    picture columns; beyond the ends the upper sheet ends at the last height and the lower covers everything."""
    x, y = pixel_centres(crop)
    upper_edge = np.interp(x, columns, top)
    lower_edge = np.interp(x, columns, bottom)
    upper = np.clip((upper_edge - y) / soft + 0.5, 0, 1)
    beyond = np.clip(np.maximum(columns[0] - x, x - columns[-1]) / 2 + 0.5, 0, 1)
    lower = np.clip((y - lower_edge) / soft + 0.5, 0, 1)
    lower = np.maximum(lower, beyond)
    return Parting(crop, upper.astype(np.float32), lower.astype(np.float32), (float(columns[0]), float(columns[-1])))


def part_lips(sitter: Sitter, crop: Box) -> Parting:
    """The lips' seam: where the pull of the opening jaw jumps from row to row."""
    fine = 4
    x, y = pixel_centres(crop, fine)
    mesh = sitter.skin.mesh(sitter.body.vertices)
    hits = cast(mesh, sitter.camera, x, y)
    pull = hits.carry(mesh.faces, sitter.skin.carried(-sitter.body.shapes[ARKIT.index("jawOpen")][:, 2:]))[..., 0]
    corner = sitter.marks["corner"]
    left = sitter.camera.project(corner * np.array([-1, 1, 1]))[0]
    right = sitter.camera.project(corner)[0]
    seam = sitter.camera.project(sitter.marks["mouth"])[1]
    near = np.abs(y[:, 0] - seam) < 0.010 / scene.SPAN * sitter.camera.size
    jump = np.diff(pull[near], axis=0)
    rows = y[near, 0]
    inside = (x[0] > left - 1) & (x[0] < right + 1)
    at = jump[:, inside].argmax(0)
    strength = jump[:, inside].max(0)
    good = strength > 0.12 * strength.max()
    columns, heights = x[0, inside][good], rows[at[good]] + 0.5 / fine
    degree = 8
    middle, half = (columns[0] + columns[-1]) / 2, (columns[-1] - columns[0]) / 2
    fit = np.polynomial.chebyshev.chebfit((columns - middle) / half, heights, degree)
    smooth = np.polynomial.chebyshev.chebval((columns - middle) / half, fit)
    # The corners stay closed: there the two sheets hardly part, and a chink would show teeth.
    inner = slice(int(CLOSED_CORNER * len(columns)), -int(CLOSED_CORNER * len(columns)))
    return _edges_to_masks(crop, columns[inner], smooth[inner], smooth[inner], 1.2)


def part_lids(sitter: Sitter, crop: Box, side: float) -> Parting:
    """An eye's opening: the lid edges, from where rays pass the skin and meet the eyeball."""
    fine = 4
    x, y = pixel_centres(crop, fine)
    skin = cast(sitter.skin.mesh(sitter.body.vertices), sitter.camera, x, y)
    centre = sitter.marks["eye"] * np.array([side, 1, 1])
    ball = shapes.eyeball(centre, sitter.marks["eye_radius"], sitter.description["eyes"].get("iris", 0.0062))
    eye = cast(ball, sitter.camera, x, y)
    hole = eye.met & (eye.distance < skin.distance)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(hole.astype(np.uint8), connectivity=4)
    hole = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    filled = np.flatnonzero(hole.sum(0) >= 2)
    columns = x[0, filled]
    top = y[hole[:, filled].argmax(0), 0] - 0.5 / fine
    bottom = y[len(y) - 1 - hole[::-1, filled].argmax(0), 0] + 0.5 / fine

    def smooth(edge: Floats) -> Floats:
        kernel = np.hanning(2 * fine + 3)
        kernel /= kernel.sum()
        result: Floats = np.convolve(np.pad(edge, len(kernel) // 2, mode="edge"), kernel, "valid")
        return result

    return _edges_to_masks(crop, columns, smooth(top), smooth(bottom) - 0.6, 1.0)


def lash_line(parting: Parting, strength: float) -> NDArray[np.float32]:
    """Coverage [h, w] of the dark line along an upper lid's edge where its lashes root: about two pixels wide, fading
    out at the corners. On a shut eye it is what remains to be seen of the lashes."""
    open_ = np.flatnonzero((1 - np.maximum(parting.upper, parting.lower)).max(0) > 0.5)
    row, column = np.mgrid[: parting.upper.shape[0], : parting.upper.shape[1]].astype(np.float32)
    along = (column - open_[0]) / max(1, open_[-1] - open_[0])
    ends = np.clip(along / 0.2, 0, 1) * np.clip((1 - along) / 0.2, 0, 1)
    away = row + 0.5 - parting.upper.sum(0)
    result: NDArray[np.float32] = (strength * ends * np.exp(-((away / 1.1) ** 2))).astype(np.float32)
    return result


def sheet_fields(sitter: Sitter, parting: Parting, step: int) -> tuple[Floats, Floats]:
    """Displacements of the upper and the lower sheet on a grid of ``step`` pixels over the crop, continued smoothly
    beyond its edge: two [curves, rows, columns, 2]."""
    crop = parting.crop
    fine = 2
    x, y = pixel_centres(crop, fine)
    mesh = sitter.skin.mesh(sitter.body.vertices)
    hits = cast(mesh, sitter.camera, x, y)
    fields = displacement(sitter, hits)
    centre = (
        sitter.marks["eye"] if parting.ends[0] > sitter.camera.size / 2 else sitter.marks["eye"] * np.array([-1, 1, 1])
    )
    ball = cast(shapes.eyeball(centre, sitter.marks["eye_radius"], 0.0062), sitter.camera, x, y)
    free = hits.met & ~(ball.distance < hits.distance)

    def at(mask: NDArray[np.float32]) -> Floats:
        result: Floats = cv2.resize(mask, (x.shape[1], x.shape[0]), interpolation=cv2.INTER_LINEAR).astype(np.float64)
        return result

    # Each sheet is known only on its own side, also beyond the corners: what it does on the other side would fold it.
    above, below = at(parting.upper), at(parting.lower)
    result = []
    for own in (above > 0.85, (below > 0.85) & (above < 0.5)):
        known = free & own
        rows, columns = x.shape[0] // (step * fine), x.shape[1] // (step * fine)
        weight = known.astype(np.float64)
        shape_ = (rows, step * fine, columns, step * fine)
        share = weight[: rows * step * fine, : columns * step * fine].reshape(shape_).sum((1, 3))
        total = np.einsum(
            "caibjk,aibj->cabk",
            fields[:, : rows * step * fine, : columns * step * fine].reshape(len(fields), *shape_, 2),
            weight[: rows * step * fine, : columns * step * fine].reshape(shape_),
        )
        mean = total / np.maximum(share, 1e-9)[None, :, :, None]
        stacked = np.moveaxis(mean, 0, 2).reshape(rows, columns, -1)
        filled = harmonic_fill(stacked, share > 0.25 * (step * fine) ** 2)
        # A field that falls faster than a pixel a pixel folds; at the corners a little softness prevents it.
        eased = soften(filled, SHEET_SOFTNESS / step)
        result.append(np.moveaxis(eased.reshape(rows, columns, len(fields), 2), 2, 0))
    return result[0], result[1]


def let_down(drop: Floats, step: int, below: Mask) -> Floats:
    """How far an opening jaw carries each place down (pixels on a grid of ``step``), eased over the neck: in the rows
    ``below`` it shrinks by no more than ``STEEPEST`` a pixel. What came to rest at once under a falling chin would be
    passed by it, and a warp shows that as a ragged crease; skin under a chin goes along."""
    eased = drop.copy()
    for row in range(1, len(drop)):
        if below[row]:
            eased[row] = np.maximum(eased[row], eased[row - 1] - STEEPEST * step)
    # Sideways only: up and down it would undo what was eased.
    moved = cv2.GaussianBlur(eased - drop, (9, 1), 1.5)
    return np.where(below[:, None], drop + moved, drop)


def base_field(sitter: Sitter, crop: Box, step: int) -> tuple[Floats, Floats]:
    """Displacements of the visible skin on a grid over the crop [curves, rows, columns, 2], and the position of what is
    seen [rows, columns, 3] in metres, both continued beyond the head."""
    x, y = np.meshgrid(
        crop.left + step / 2 + step * np.arange(crop.width // step),
        crop.top + step / 2 + step * np.arange(crop.height // step),
    )
    mesh = sitter.skin.mesh(sitter.body.vertices)
    hits = cast(mesh, sitter.camera, x, y)
    fields = displacement(sitter, hits)
    known = cv2.erode(hits.met.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    stacked = np.moveaxis(fields, 0, 2).reshape(*x.shape, -1)
    filled = soften(harmonic_fill(stacked, known), 0.7)
    drop = 2 * ARKIT.index("jawOpen") + 1
    seam = sitter.camera.project(sitter.marks["mouth"])[1]
    filled[..., drop] = let_down(filled[..., drop], step, y[:, 0] > seam)
    depth = hits.carry(mesh.faces, mesh.vertices)[..., 1]
    depth = soften(harmonic_fill(depth[..., None], known), 2.0)[..., 0]
    scale = scene.SPAN / sitter.camera.size * (depth - sitter.camera.origin[1]) / scene.DISTANCE
    place = np.stack(
        [
            (x - sitter.camera.size / 2) * scale + sitter.camera.target[0],
            depth,
            (sitter.camera.size / 2 - y) * scale + sitter.camera.target[2],
        ],
        -1,
    )
    return np.moveaxis(filled.reshape(*x.shape, len(fields), 2), 2, 0), place


def relit(
    sitter: Sitter, crop: Box, weights: dict[str, float], samples: int, neutral: scene.Picture
) -> NDArray[np.float32]:
    """How the light on the skin changes under ``weights``, in the frame of the neutral picture: tone-mapped sRGB
    differences [h, w, 3] in -1..1. ``neutral`` is the same crop drawn the same way without expression."""
    pose = {**sitter.face(weights), **sitter.eyes()}
    seed, exposure = sitter.description["seed"], sitter.description.get("exposure", 1.0)
    drawn = scene.render(pose, sitter.camera, crop, samples, seed, exposure)
    x, y = pixel_centres(crop)
    mesh = sitter.skin.mesh(sitter.body.vertices)
    hits = cast(mesh, sitter.camera, x, y)
    moved = sitter.skin.mesh(sitter.posed(weights))
    place = hits.carry(mesh.faces, moved.vertices)
    target = sitter.camera.project(place)
    seen = cast(moved, sitter.camera, target[..., 0], target[..., 1])
    reach = np.linalg.norm(place - sitter.camera.origin, axis=-1)
    visible = hits.met & (np.abs(seen.distance - reach) < 0.004)
    colour = scene.tone(drawn[..., :3])
    back = cv2.remap(
        colour,
        (target[..., 0] - crop.left - 0.5).astype(np.float32),
        (target[..., 1] - crop.top - 0.5).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    change = np.where(visible[..., None], back - scene.tone(neutral[..., :3]), 0).astype(np.float32)
    weight = cv2.GaussianBlur(visible.astype(np.float32), (0, 0), 2.4)[..., None]
    smooth = cv2.GaussianBlur(change, (0, 0), 2.4) / np.maximum(weight, 0.35)
    moving = np.abs(smooth).max(-1, keepdims=True)
    result: NDArray[np.float32] = (smooth * np.clip((moving - 0.006) / 0.012, 0, 1)).astype(np.float32)
    return result


def straight(premultiplied: scene.Picture) -> NDArray[np.uint8]:
    """8-bit RGBA with straight alpha, colour continued under the transparent ground."""
    alpha = np.clip(premultiplied[..., 3], 0, 1)
    colour = scene.tone((premultiplied[..., :3] / np.maximum(alpha, 1e-3)[..., None]).astype(np.float32))
    mean = (colour * alpha[..., None]).sum((0, 1)) / max(float(alpha.sum()), 1e-6)
    result, done = np.zeros_like(colour), np.zeros_like(alpha)
    for sigma in (0.8, 2.0, 5.0, 10.0):
        near = cv2.GaussianBlur(alpha, (0, 0), sigma)
        estimate = cv2.GaussianBlur(colour * alpha[..., None], (0, 0), sigma) / np.maximum(near, 1e-4)[..., None]
        take = np.clip(near * 6, 0, 1) * (1 - done)
        result += estimate * take[..., None]
        done += take
    result += (1 - done)[..., None] * mean
    solid = np.clip((alpha - 0.25) / 0.5, 0, 1)[..., None]
    filled = colour * solid + result * (1 - solid)
    rgba = np.concatenate([filled, alpha[..., None]], -1)
    packed: NDArray[np.uint8] = np.clip(np.rint(rgba * 255), 0, 255).astype(np.uint8)
    return packed


def box(camera: Camera, points: Floats, margin: tuple[float, float, float, float], multiple: int) -> Box:
    """The crop round projected points with margins (left, top, right, bottom) in pixels; sides are multiples."""
    flat = camera.project(points)
    left = int(np.floor((flat[:, 0].min() - margin[0]) / 2) * 2)
    top = int(np.floor((flat[:, 1].min() - margin[1]) / 2) * 2)
    width = int(np.ceil((flat[:, 0].max() + margin[2] - left) / multiple) * multiple)
    height = int(np.ceil((flat[:, 1].max() + margin[3] - top) / multiple) * multiple)
    return Box(left, top, width, height)
