"""Grows hair: guide strands that follow a comb, the skull and gravity, children clumped around them, and the brows and
lashes on the face."""

from typing import Any

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import cKDTree

from activities.avatar.bake.body import Floats, Ints
from activities.avatar.bake.style import Style, brow_line, over_hairline


def roots(
    style: Style,
    vertices: Floats,
    faces: Ints,
    smooth: Floats,
    ears: Floats,
    marks: dict[str, Any],
    rng: np.random.Generator,
) -> tuple[Floats, Floats, Floats]:
    """Root points, normals and how far inside the hairline each lies, 0..1. ``ears`` is 1 on ear vertices."""
    corner = vertices[faces]
    centre = corner.mean(1)
    inside = over_hairline(style, centre, marks)
    wanted = (inside > -style.edge) & (ears[faces].max(1) < 0.5) & (centre[:, 2] > marks["eye"][2] - 0.13)
    wanted &= centre[:, 1] < 0.2
    chosen = np.flatnonzero(wanted)
    area = np.linalg.norm(
        np.cross(corner[chosen, 1] - corner[chosen, 0], corner[chosen, 2] - corner[chosen, 0]), axis=1
    )
    number = int(style.count * 1.35)
    pick = rng.choice(chosen, number, p=area / area.sum())
    weight = rng.dirichlet([1, 1, 1], number)
    point = (corner[pick] * weight[..., None]).sum(1)
    normal = (smooth[faces[pick]] * weight[..., None]).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    ragged = over_hairline(style, point, marks) + rng.normal(0, 0.0022, number)
    depth = np.clip((ragged + style.edge) / (2.2 * style.edge), 0, 1)
    keep = np.flatnonzero(rng.random(number) < depth**1.3)[: style.count]
    return point[keep], normal[keep], np.clip(ragged[keep] / 0.02, 0, 1)


def _unit(vector: Floats) -> Floats:
    result: Floats = vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)
    return result


def _comb(style: Style, point: Floats, normal: Floats, marks: dict[str, Any]) -> Floats:
    side = np.tanh((point[:, :1] - style.part) / 0.002)
    across, back, up = style.comb
    flow = np.concatenate([side * across, np.full_like(side, back), np.full_like(side, up)], 1)
    if style.sweep:
        flow[:, 0] += style.sweep * np.clip((marks["eye"][1] + 0.055 - point[:, 1]) / 0.05, 0, 1)
    if style.gather is not None:
        target = marks["eye"] * np.array([0, 1, 1]) + np.array(style.gather)
        flow = _unit(flow) * 0.25 + _unit(target - point)
    flow = flow - (flow * normal).sum(1, keepdims=True) * normal
    return _unit(flow)


def grow(
    style: Style,
    start: Floats,
    normal: Floats,
    length: Floats,
    depth: Floats,
    body: cKDTree,
    body_normals: Floats,
    body_points: Floats,
    marks: dict[str, Any],
    rng: np.random.Generator,
) -> Floats:
    """Guide strands [n, points, 3] from roots, kept outside the body by a layer that differs from strand to strand."""
    count = len(start)
    layer = style.volume * (0.12 + 0.88 * rng.random((count, 1)) ** 1.5) * (0.35 + 0.65 * depth[:, None])
    point, step = start.copy(), (length / (style.points - 1))[:, None]
    comb = _comb(style, point, normal, marks)
    heading = _unit(style.lift * normal + comb + rng.normal(0, 0.10, (count, 3)))
    strand = [point]
    for number in range(1, style.points):
        travelled = number / (style.points - 1)
        _, near = body.query(point)
        outward = body_normals[near]
        flow = _comb(style, point, outward, marks)
        down = np.array([0.0, 0.0, -1.0])
        pull: Any = style.gravity * min(1.0, 0.35 + travelled)
        if style.tuck is not None:
            behind = np.clip((point[:, 1:2] - marks["ear"][1] - style.tuck) / 0.025, 0, 1)
            pull = 0.12 + (style.gravity - 0.12) * behind
        aim = _unit(flow * (1 - pull) + down * pull)
        if style.curl_in and travelled > 0.72:
            inward = _unit(np.concatenate([-point[:, :2] + np.array([0, 0.02]), np.zeros((count, 1))], 1))
            aim = _unit(aim + style.curl_in * (travelled - 0.72) / 0.28 * inward)
        heading = _unit(style.stiffness * heading + (1 - style.stiffness) * aim)
        point = point + heading * step
        _, near = body.query(point)
        gap = ((point - body_points[near]) * body_normals[near]).sum(1, keepdims=True)
        allowed = layer * np.minimum(1, number / 3)
        push = np.maximum(allowed - gap, 0)
        point = point + body_normals[near] * push
        heading = _unit(point - strand[-1])
        strand.append(point)
    return np.stack(strand, 1)


def head_of_hair(
    style: Style, vertices: Floats, faces: Ints, smooth: Floats, ears: Floats, marks: dict[str, Any], seed: int
) -> tuple[Floats, Floats]:
    """Strands [n, points, 3] and radii [n, points] for the body part ``vertices``/``faces``."""
    rng = np.random.default_rng(seed)
    start, normal, depth = roots(style, vertices, faces, smooth, ears, marks, rng)
    tree = cKDTree(vertices)
    knots = np.array(style.length_by_height)
    height = start[:, 2] - marks["eye"][2]
    length = style.length * np.interp(height, knots[:, 0], knots[:, 1])
    if style.fringe:
        front = np.clip((marks["eye"][1] + 0.05 - start[:, 1]) / 0.05, 0, 1) * np.clip((height - 0.05) / 0.03, 0, 1)
        length = length * (1 + style.fringe * front)
    length = length * np.exp(style.length_spread * rng.standard_normal(len(start)))
    lead = rng.permutation(len(start))[: style.guides]
    guides = grow(style, start[lead], normal[lead], length[lead], depth[lead], tree, smooth, vertices, marks, rng)
    side = np.where(start[:, 0] > style.part, 1.0, -1.0)[:, None] * 0.03
    searchable = np.concatenate([start, side], 1)
    distance, near = cKDTree(searchable[lead]).query(searchable, k=3)
    weight = 1 / (distance + 0.001) ** 2
    weight[:, 1:] *= 1 - style.clump * 0.6
    weight /= weight.sum(1, keepdims=True)
    shape = guides[near] - guides[near][:, :, :1]
    path = (shape * weight[..., None, None]).sum(1)
    path *= (length / np.maximum(length[lead][near] @ np.ones(3) / 3, 1e-6))[:, None, None].clip(0.6, 1.3)
    along = np.linspace(0, 1, style.points)[None, :, None]
    offset = start - start[lead][near[:, 0]]
    pulled = 1 - style.clump * along**0.8
    points = start[lead][near[:, 0]][:, None] + path + offset[:, None] * pulled
    points += rng.normal(0, 1, (len(start), 1, 3)) * style.frizz * along
    wander = np.cumsum(rng.normal(0, 1, points.shape), 1) * style.frizz * 0.45 * along
    points += wander
    if style.wave:
        phase = rng.uniform(0, 2 * np.pi, style.guides)[near[:, 0]][:, None] + rng.normal(0, 0.5, (len(start), 1))
        travelled = along[..., 0] * length[:, None]
        turn = 2 * np.pi * travelled / style.wave_length + phase
        swing = style.wave * np.minimum(1, travelled / 0.02)
        points[..., 0] += swing * np.cos(turn)
        points[..., 1] += swing * np.sin(turn)
        points[..., 2] += 0.6 * swing * np.sin(turn + 1.3)
    flat = points.reshape(-1, 3)
    _, nearest = tree.query(flat)
    gap = ((flat - vertices[nearest]) * smooth[nearest]).sum(1, keepdims=True)
    flat += smooth[nearest] * np.maximum(0.0006 - gap, 0) * (np.tile(np.arange(style.points), len(start)) > 0)[:, None]
    points = flat.reshape(points.shape)
    thin = (0.45 + 0.55 * depth)[:, None] * (1 - 0.72 * np.linspace(0, 1, style.points) ** 1.6)
    radii = style.radius * thin * np.exp(0.2 * rng.standard_normal((len(start), 1)))
    return points, radii


def brows(
    vertices: Floats, smooth: Floats, marks: dict[str, Any], count: int, length: float, radius: float, seed: int
) -> tuple[Floats, Floats]:
    """Both brows as strands that lean from upright at the nose to lying at the temple."""
    rng = np.random.default_rng(seed)
    front = (smooth[:, 1] < -0.2) & (vertices[:, 2] > marks["nose"][2]) & (vertices[:, 1] < marks["eye"][1] + 0.05)
    flat = vertices[front][:, [0, 2]]
    surface = LinearNDInterpolator(flat, np.c_[vertices[front][:, 1], smooth[front]])
    along = rng.beta(1.1, 1.25, count) * 1.02
    x, z, width = brow_line(marks, along)
    off = np.clip(rng.normal(0, 0.5, count), -1, 1)
    z = z + off * width
    x = x + rng.normal(0, 0.0006, count)
    side = np.repeat([1.0, -1.0], [count // 2, count - count // 2])
    values = surface(np.c_[side * x, z])
    good = np.isfinite(values).all(1)
    x, z, side, along, off, values = (item[good] for item in (x, z, side, along, off, values))
    root = np.c_[side * x, values[:, 0], z]
    normal = _unit(values[:, 1:])
    lean = np.interp(along, [0, 0.15, 0.5, 1], [1.25, 0.75, 0.30, -0.30]) - 0.42 * off + rng.normal(0, 0.13, len(x))
    direction = np.c_[side * np.cos(lean), np.zeros(len(x)), np.sin(lean)]
    direction = _unit(direction - (direction * normal).sum(1, keepdims=True) * normal)
    steps = np.linspace(0, 1, 5)[None, :, None]
    size = (length * np.interp(along, [0, 0.3, 1], [0.85, 1.05, 0.7]) * np.exp(0.18 * rng.standard_normal(len(x))))[
        :, None, None
    ]
    arch = normal[:, None] * (0.00015 + 0.0009 * np.sin(np.pi * 0.75 * steps) * size / length)
    bend = (
        np.c_[np.zeros((len(x), 2)), -np.ones(len(x))][:, None]
        * 0.25
        * size
        * steps**2
        * np.sign(0.2 + off)[:, None, None]
    )
    points = root[:, None] + direction[:, None] * size * steps + arch + 0.6 * bend
    radii = radius * (1 - 0.75 * steps[..., 0]) * np.exp(0.15 * rng.standard_normal((len(x), 1)))
    return points, radii


def lashes(
    marks: dict[str, Any], upper: bool, count: int, length: float, radius: float, seed: int
) -> tuple[Floats, Floats]:
    """Lashes of both eyes on the upper or lower lid margin."""
    rng = np.random.default_rng(seed)
    margin = marks["lids"][0 if upper else 1]
    knots = np.linspace(0, 1, len(margin))
    along = np.sort(rng.uniform(0.10, 1.0, count)) + rng.normal(0, 0.004, count)
    along = np.clip(along, 0.06, 1)
    root = np.stack([np.interp(along, knots, margin[:, axis]) for axis in range(3)], 1)
    sign = 1.0 if upper else -1.0
    fan = (along - 0.45) * 0.95 + rng.normal(0, 0.09, count)
    out = _unit(np.c_[np.sin(fan), -np.cos(fan) * 0.9, sign * (0.18 + 0.1 * rng.standard_normal(count))])
    size = (
        length * np.interp(along, [0, 0.3, 0.75, 1], [0.5, 0.85, 1.05, 0.9]) * np.exp(0.12 * rng.standard_normal(count))
    )
    steps = np.linspace(0, 1, 6)[None, :, None]
    rise = sign * np.array([0, 0, 1.0]) * (0.5 if upper else 0.3)
    points = root[:, None] + (out[:, None] * steps + rise * steps**2) * size[:, None, None]
    radii = np.repeat(radius * (1 - 0.8 * steps[..., 0]), count, 0)
    both = np.concatenate([points, points * np.array([-1, 1, 1])])
    return both, np.concatenate([radii, radii])
