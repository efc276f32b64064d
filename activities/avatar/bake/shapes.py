"""Geometry as mitsuba takes it: meshes with smooth normals, hair strands, eyeballs and teeth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from activities.avatar.bake.body import Floats, Ints, normals


@dataclass(frozen=True)
class Mesh:
    """Triangles with one texture coordinate per vertex."""

    vertices: Floats
    faces: Ints
    uv: Floats
    normals: Floats | None = None


def shape(name: str, mesh: Mesh, bsdf: Any) -> Any:
    """The mitsuba shape of ``mesh``; v runs upwards in ``uv`` and is flipped as mitsuba's bitmaps need."""
    properties = mi.Properties()
    properties["bsdf"] = bsdf
    result = mi.Mesh(
        name, len(mesh.vertices), len(mesh.faces), has_vertex_normals=True, has_vertex_texcoords=True, props=properties
    )
    smooth = normals(mesh.vertices, mesh.faces) if mesh.normals is None else mesh.normals
    texture = np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], -1)
    parameters = mi.traverse(result)
    parameters["vertex_positions"] = mesh.vertices.astype(np.float32).ravel()
    parameters["vertex_normals"] = smooth.astype(np.float32).ravel()
    parameters["vertex_texcoords"] = texture.astype(np.float32).ravel()
    parameters["faces"] = mesh.faces.astype(np.uint32).ravel()
    parameters.update()
    return result


def strands(points: NDArray[Any], radii: NDArray[Any], path: Path) -> Path:
    """Writes strands [n, k, 3] with radii [n, k] in metres as mitsuba's curve text file."""
    table = np.concatenate([points, radii[..., None]], -1).astype(np.float32)
    # A uniform cubic B-spline begins and ends a sixth of the way in: one more point beyond each end makes it reach.
    table = np.concatenate([2 * table[:, :1] - table[:, 1:2], table, 2 * table[:, -1:] - table[:, -2:-1]], 1)
    table[..., 3] = np.maximum(table[..., 3], 1e-5)
    one = "%.5f %.5f %.5f %.6f\n" * table.shape[1] + "\n"
    with path.open("w") as file:
        for start in range(0, len(table), 1000):
            part = table[start : start + 1000]
            file.write(one * len(part) % tuple(part.ravel().tolist()))
    return path


def fit_sphere(points: Floats) -> tuple[Floats, float]:
    """Centre and radius of the sphere nearest to ``points`` (algebraic least squares)."""
    system = np.c_[2 * points, np.ones(len(points))]
    solution = np.linalg.lstsq(system, (points**2).sum(1), rcond=None)[0]
    centre = solution[:3]
    return centre, float(np.sqrt(solution[3] + (centre**2).sum()))


def eyeball(centre: Floats, radius: float, iris: float, yaw: float = 0.0, pitch: float = 0.0) -> Mesh:
    """A sphere with the bulge of the cornea over an iris of ``iris`` metres, looking along -y, then turned."""
    rows, columns = 64, 96
    polar = np.linspace(0, np.pi, rows) ** 1.0
    around = np.linspace(0, 2 * np.pi, columns)
    direction = np.stack(
        [
            np.outer(np.sin(polar), np.cos(around)),
            -np.outer(np.cos(polar), np.ones(columns)),
            np.outer(np.sin(polar), np.sin(around)),
        ],
        -1,
    ).reshape(-1, 3)
    limbus = np.arcsin(iris / radius)
    lift = np.clip(1 - (np.repeat(polar, columns) / (1.12 * limbus)) ** 2, 0, 1) ** 1.5 * 0.055 * radius
    turn_z = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    vertices = centre + ((radius + lift)[:, None] * direction) @ (turn_z @ turn_x).T
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    uv = np.stack([direction[:, 0] / 2 + 0.5, direction[:, 2] / 2 + 0.5], -1)
    return Mesh(vertices, faces, uv)


def iris_picture(colour: tuple[float, float, float], radius_share: float, seed: int) -> NDArray[np.float32]:
    """Sclera with an iris of ``radius_share`` (iris radius over eyeball radius); linear RGB [768, 768, 3]."""
    size = 768
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    radius = np.hypot(x - size / 2, y - size / 2) / (size / 2)
    angle = np.arctan2(y - size / 2, x - size / 2)
    white = np.array([0.66, 0.60, 0.57]) * np.ones((size, size, 1))
    veins = np.zeros((size, size))
    for _ in range(34):
        bearing = rng.uniform(0, 2 * np.pi)
        wander = 0.05 * np.sin(angle * 3 + radius * rng.uniform(5, 30) + rng.uniform(0, 6))
        distance = np.abs(np.angle(np.exp(1j * (angle - bearing - wander))))
        veins += np.exp(-((distance / 0.006) ** 2)) * np.clip((radius - radius_share * 1.25) / 0.35, 0, 1)
    white *= 1 - np.clip(veins, 0, 1)[..., None] * np.array([0.04, 0.16, 0.16])
    white *= 1 - 0.22 * np.clip((radius - 0.55) / 0.4, 0, 1)[..., None] * np.array([0.6, 1, 1])
    within = radius / radius_share
    fibres = np.zeros((size, size))
    for count, weight in ((19, 0.25), (47, 0.35), (97, 0.4), (170, 0.25)):
        phase = rng.uniform(0, 2 * np.pi)
        fibres += weight * np.sin(angle * count + phase + 1.5 * np.sin(angle * rng.integers(2, 6) + within * 4))
    tint = np.array(colour) * (1.0 + 0.34 * fibres[..., None])
    tint = tint * (1 + 0.55 * np.exp(-(((within - 0.48) / 0.14) ** 2)))[..., None]
    tint = tint * (1 - 0.78 * np.clip((within - 0.76) / 0.24, 0, 1) ** 1.6)[..., None]
    tint = np.where(within[..., None] < 0.37, 0.004, tint)
    edge = np.clip((within - 0.95) / 0.12, 0, 1)[..., None]
    picture = tint * (1 - edge) + white * edge
    result: NDArray[np.float32] = np.clip(picture, 0.003, 0.9).astype(np.float32)
    return result


def tooth(centre: Floats, right: Floats, out: Floats, size: tuple[float, float, float], seed: int) -> Mesh:
    """One tooth: a rounded block of width, height and depth ``size``, standing on z, facing ``out``."""
    rows, columns = 20, 28
    rng = np.random.default_rng(seed)
    latitude = np.linspace(-np.pi / 2, np.pi / 2, rows)
    longitude = np.linspace(-np.pi, np.pi, columns)

    def power(value: Floats, exponent: float) -> Floats:
        result: Floats = np.sign(value) * np.abs(value) ** exponent
        return result

    ring = power(np.cos(latitude), 0.42)
    across = np.outer(ring, power(np.cos(longitude), 0.55)).ravel()
    depth = np.outer(ring, power(np.sin(longitude), 0.75)).ravel()
    height = np.repeat(power(np.sin(latitude), 0.55), columns)
    taper = 1 - 0.16 * (height + 1) / 2 + 0.01 * rng.standard_normal()
    width, tall, deep = (0.5 * value for value in size)
    vertices = (
        centre
        + (across * width * taper)[:, None] * right
        + (depth * deep)[:, None] * out
        + (height * tall)[:, None] * np.array([0, 0, 1.0])
    )
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    return Mesh(vertices, faces, np.stack([(across + 1) / 2, (height + 1) / 2], -1))


UPPER_TEETH = ((8.6, 10.4), (6.8, 9.3), (7.4, 10.2), (6.9, 8.6), (6.6, 8.0), (8.5, 7.5))
LOWER_TEETH = ((5.4, 8.8), (5.9, 8.8), (6.7, 9.4), (6.9, 8.4), (7.0, 8.0), (8.8, 7.5))
"""Crown widths and heights in millimetres from the middle outwards (mean adult values)."""


def teeth(front: Floats, upper: bool, seed: int) -> list[Mesh]:
    """A row of teeth whose middle front edge is at ``front``: biting edges at that height, crowns away from it."""
    sign = 1.0 if upper else -1.0
    result = []
    for side in (1.0, -1.0):
        walked = 0.0
        for number, (width, height) in enumerate(UPPER_TEETH if upper else LOWER_TEETH):
            middle = (walked + width / 2) / 1000
            walked += width + 0.05
            turn = min(middle / 0.0265, 1.45)
            place = np.array([0.0255 * np.sin(turn), 0.032 * (1 - np.cos(turn)), 0.0])
            tangent = np.array([0.0255 * np.cos(turn), 0.032 * np.sin(turn), 0.0])
            tangent /= np.linalg.norm(tangent)
            out = np.array([tangent[1], -tangent[0], 0.0])
            flip = np.array([side, 1, 1])
            drop = -0.0006 if upper and number == 1 else 0.0
            centre = front + (place * flip) + np.array([0, 0.002, sign * (height / 2000) - drop * sign])
            mesh = tooth(centre, tangent * flip, out * flip, (width / 1000, height / 1000, 0.006), seed + number)
            if not upper:
                mirrored = mesh.vertices.copy()
                mirrored[:, 2] = 2 * centre[2] - mirrored[:, 2]
                mesh = Mesh(mirrored, mesh.faces[:, ::-1], mesh.uv)
            if side < 0:
                mesh = Mesh(mesh.vertices, mesh.faces[:, ::-1], mesh.uv)
            result.append(mesh)
    return result
