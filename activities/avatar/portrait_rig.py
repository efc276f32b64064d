"""The rig of a photo: how its points move with each blendshape, with the head and with the breath, and where lips and
lids part. Made once for a photo and size, read-only afterwards; ``portrait.py`` draws with it."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import csr_matrix, diags
from scipy.spatial import Delaunay

from activities.avatar.face import Picture
from activities.avatar.motion import COLUMN
from activities.support.box import Box

Floats = NDArray[np.floating[Any]]

TEXTURE = 1.5
"""Texture pixels for each drawn pixel: sampling a finer picture keeps skin as sharp moving as still."""
STEP = 6
"""Pixels between nodes of the coarse displacement fields."""
MOUTH_STEP = 2
"""Pixels between nodes around the lips, where neighbours part."""

_NO_MAP: Any = None
"""``cv2.remap`` takes x and y in one map; its stubs demand a second."""

# Indices of mediapipe's canonical face mesh. "Right" is the subject's, on the left of the picture.
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
UPPER_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_UPPER_LIP = (
    *UPPER_INNER[1:-1],
    *(185, 40, 39, 37, 0, 267, 269, 270, 409, 184, 74, 73, 72, 11, 302, 303, 304, 408),
    *(183, 42, 41, 38, 12, 268, 271, 272, 407),
)
_LOWER_LIP = (
    *LOWER_INNER[1:-1],
    *(146, 91, 181, 84, 17, 314, 405, 321, 375, 77, 90, 180, 85, 16, 315, 404, 320, 307),
    *(96, 89, 179, 86, 15, 316, 403, 319, 325),
)
_LIP_ROWS = (
    UPPER_INNER,
    LOWER_INNER,
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
)
"""Rows of lip points from the subject's right corner to the left one."""
_RIGHT_EYE = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133), 468, 52)
_LEFT_EYE = ((263, 466, 388, 387, 386, 385, 384, 398, 362), (263, 249, 390, 373, 374, 380, 381, 382, 362), 473, 282)
_STABLE = (10, 67, 297, 109, 338, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 33, 133, 263, 362, 127, 356, 234, 454, 93, 323)
"""Points that expression hardly moves: the pose is fitted to them."""

_OWN_LAYERS = ("eyeBlink", "eyeLook", "tongueOut")
"""Blendshapes that are drawn in layers of their own and must not squeeze the picture of the eye."""


def in_texture(places: Floats) -> Floats:
    """Places in pixels of the drawn size as pixels of the texture."""
    return np.asarray(places * np.float32(TEXTURE) + np.float32(0.5 * TEXTURE - 0.5), np.float32)


def fetch(texture: Picture, at: Floats) -> Picture:
    """``texture`` at its own pixel coordinates ``at``, linear between pixels."""
    return np.asarray(cv2.remap(texture, at, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


@dataclass(frozen=True)
class Grid:
    """Nodes every ``step`` pixels in ``box``. Node (0, 0) sits at the middle of the first ``step`` x ``step`` pixels,
    so that ``cv2.resize`` by ``step`` meets the pixels of the box exactly."""

    box: Box
    step: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of nodes."""
        return -(-self.box.height // self.step), -(-self.box.width // self.step)

    def nodes(self) -> Floats:
        """Pixel coordinates of the nodes, [rows, columns, 2]."""
        rows, columns = self.shape
        x = self.box.left + (np.arange(columns, dtype=np.float32) + 0.5) * self.step - 0.5
        y = self.box.top + (np.arange(rows, dtype=np.float32) + 0.5) * self.step - 0.5
        return np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)

    def sample(self, field: Floats, at: Floats) -> Floats:
        """``field`` (a value or a vector for each node) at pixel coordinates ``at`` [rows, columns, 2], linear."""
        place = np.asarray(at * np.float32(1 / self.step), np.float32)
        place += np.array([0.5 - self.box.left, 0.5 - self.box.top], np.float32) / np.float32(self.step) - np.float32(
            0.5
        )
        found = cv2.remap(field, place, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.float32)


@dataclass(frozen=True)
class Axes:
    """A feature's own directions in the picture: unit vectors ``along`` it (to the right) and ``down`` from it."""

    centre: Floats
    along: Floats
    down: Floats

    def split(self, places: Floats) -> tuple[Floats, Floats]:
        """Pixels along and down of places given in pixels of the picture."""
        offset = places - self.centre
        return offset @ self.along, offset @ self.down

    def place(self, along: Floats, down: Floats) -> Floats:
        """The inverse of :meth:`split`."""
        return self.centre + along[..., None] * self.along + down[..., None] * self.down


def _axes(left: Floats, right: Floats) -> Axes:
    """Axes of what lies between two points of the picture."""
    along = ((right - left) / np.linalg.norm(right - left)).astype(np.float32)
    return Axes(((left + right) / 2).astype(np.float32), along, np.array([-along[1], along[0]], np.float32))


@dataclass(frozen=True)
class Mouth:
    """Where the lips part: a line for each lip along the mouth's own axes, and the fields of each lip on ``grid``."""

    grid: Grid
    upper: csr_matrix
    lower: csr_matrix
    upper_edge: Floats
    lower_edge: Floats
    """Signed distance in pixels on the nodes: positive on the lip's own side of its inner edge."""
    axes: Axes
    half_width: float
    close_upper: Floats
    close_lower: Floats
    """[points, 11]: how points follow when the pairs of inner lip points are brought together."""


@dataclass(frozen=True)
class Eye:
    """One eye at rest. Fields are on ``grid`` (step 1): ``close`` is the fall of the upper lid at a full blink,
    ``raise_`` the rise of the lower one, both in pixels down; the edges are signed distances as in :class:`Mouth`."""

    side: str
    grid: Grid
    axes: Axes
    close: Floats
    raise_: Floats
    look: Floats
    """[rows, columns, 3]: the edges of upper and lower lid, and the weight of gaze."""
    lash: Floats
    reach: float
    """Pixels the iris travels at an ``eyeLook*`` of 1."""


@dataclass(frozen=True)
class Rig:
    """A photo ready to move. ``still`` is the drawn size, ``texture`` the finer picture that is sampled."""

    still: Picture
    texture: Picture
    points: Floats
    """[points, 2]: mesh points and anchors in pixels of ``still``."""
    shapes: Floats
    """[52, points, 2]: displacement in pixels of each blendshape at 1."""
    rest: Floats
    """[52]: weights that shut the photo's own mouth; added to every frame."""
    grid: Grid
    face: csr_matrix
    """Nodes of ``grid`` from points."""
    depth: Floats
    """[rows, columns]: pixels in front of the axis the head turns about."""
    head: Floats
    """[rows, columns]: 1 where the picture moves with the head, 0 where it stands still."""
    chest: Floats
    """[rows, columns]: how much of a breath lifts the picture there, in pixels."""
    pivot: Floats
    mouth: Mouth
    eyes: tuple[Eye, ...]
    unit: float
    """Pixels in a millimetre of the face."""
    face_height: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.still.shape[1], self.still.shape[0]


@cache
def _basis() -> tuple[Floats, Floats]:
    """Neutral points [468, 3] and displacements [52, 468, 3] of the blendshapes on mediapipe's mesh, in face heights,
    axes x to the subject's left, y down, z away from the viewer. Made by ``portrait_bake.py`` from CC0 meshes."""
    with files("activities.avatar").joinpath("portrait_basis.npz").open("rb") as file:
        stored = np.load(file)
        return stored["neutral"].astype(np.float32), stored["shapes"].astype(np.float32)


def make_rig(picture: Picture, landmarks: Floats, size: tuple[int, int]) -> Rig:
    """The rig of ``picture``, whose face mesh is ``landmarks`` [478, 3] in its pixels, drawn at ``size``."""
    width, height = size
    scale = width / picture.shape[1]
    mesh = (landmarks * scale).astype(np.float32)
    face_height = float(np.linalg.norm(mesh[10, :2] - mesh[152, :2]))
    interpolation = cv2.INTER_AREA if scale * TEXTURE < 1 else cv2.INTER_CUBIC
    fine = (round(width * TEXTURE), round(height * TEXTURE))
    texture = np.asarray(cv2.resize(picture, fine, interpolation=interpolation), np.uint8)
    still = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)

    upright = _axes(mesh[33, :2], mesh[263, :2])
    points, rings = _with_anchors(mesh, face_height)
    shapes = _shapes(mesh, rings)
    grid = Grid(Box(0, 0, width, height), STEP)
    nodes = grid.nodes()
    face = _interpolator(points, np.arange(len(points)), nodes)
    unit = float(np.linalg.norm(mesh[468, :2] - mesh[473, :2])) / 63.0
    mouth = _mouth(mesh, points, face_height, texture, (width, height))
    head, chest = _body_weights(nodes, mesh, face_height, upright.down, (width, height))
    return Rig(
        still=np.asarray(still, np.uint8),
        texture=texture,
        points=points,
        shapes=shapes,
        rest=_rest(points, shapes, mouth.axes.down),
        grid=grid,
        face=face,
        depth=_depth(mesh, rings, face, grid.shape, face_height),
        head=head,
        chest=chest,
        pivot=(mesh[152, :2] + 0.25 * face_height * upright.down).astype(np.float32),
        mouth=mouth,
        eyes=tuple(
            eye
            for side, loops in (("Right", _RIGHT_EYE), ("Left", _LEFT_EYE))
            if (eye := _eye(side, loops, mesh, upright.down, unit, (width, height))) is not None
        ),
        unit=unit,
        face_height=face_height,
    )


def _with_anchors(mesh: Floats, face_height: float) -> tuple[Floats, NDArray[np.intp]]:
    """Mesh points and two rings around them; for each anchor of the inner ring, the mesh point it half follows."""
    centre = mesh[list(OVAL), :2].mean(axis=0)
    oval = mesh[list(OVAL), :2]
    outward = (oval - centre) / np.linalg.norm(oval - centre, axis=1, keepdims=True)
    inner = oval + 0.16 * face_height * outward
    outer = oval + 0.42 * face_height * outward
    return np.concatenate([mesh[:468, :2], inner, outer]).astype(np.float32), np.array(OVAL)


def _shapes(mesh: Floats, rings: NDArray[np.intp]) -> Floats:
    neutral, deltas = _basis()
    turn = _similarity(neutral[list(_STABLE)], mesh[list(_STABLE)])
    shapes = (deltas @ turn.T)[..., :2]
    for name, column in COLUMN.items():
        if name.startswith(_OWN_LAYERS):
            shapes[column] = 0.0
    for row in _LIP_ROWS:
        shapes[:, row] = _eased(shapes[:, row], mesh[list(row), :2])
    inner = 0.40 * shapes[:, rings]
    return np.concatenate([shapes, inner, np.zeros_like(inner)], axis=1).astype(np.float32)


def _eased(moves: Floats, row: Floats) -> Floats:
    """Displacements [52, 11, 2] along a row of lip points, brought into the family of curves lips bend in: straight
    between the corners plus an arch. Without it the mouth gets a corner wherever a point of the mesh sits badly."""
    across = row[-1] - row[0]
    place = np.clip((row - row[0]) @ across / (across @ across), 0.0, 1.0)
    straight = moves[:, :1] + place[:, None] * (moves[:, -1:] - moves[:, :1])
    along = 2.0 * place - 1.0
    arch = np.maximum(1.0 - along**2, 0.0) ** 0.7
    family = arch[:, None] * np.stack([np.ones_like(along), along, along**2], axis=1)
    project = family @ np.linalg.pinv(family)
    return np.asarray(straight + np.einsum("ij,kjc->kic", project, moves - straight), np.float32)


def _similarity(source: Floats, target: Floats) -> Floats:
    """Rotation times scale that best carries ``source`` to ``target`` (Umeyama 1991), [3, 3]."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, singular, vt = np.linalg.svd(b.T @ a / len(a))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = float((singular * sign).sum() / (a**2).sum(axis=1).mean())
    return np.asarray(scale * (u * sign) @ vt, np.float32)


def _interpolator(points: Floats, used: NDArray[np.intp], nodes: Floats) -> csr_matrix:
    """Sparse [nodes, points]: linear interpolation of values at ``points[used]``; nodes outside get 0."""
    triangles = Delaunay(points[used].astype(np.float64))
    flat = nodes.reshape(-1, 2).astype(np.float64)
    simplex = triangles.find_simplex(flat)
    inside = np.flatnonzero(simplex >= 0)
    transform = triangles.transform[simplex[inside]]
    first = np.einsum("nij,nj->ni", transform[:, :2], flat[inside] - transform[:, 2])
    weights = np.concatenate([first, 1.0 - first.sum(axis=1, keepdims=True)], axis=1)
    columns = used[triangles.simplices[simplex[inside]]]
    rows = np.repeat(inside, 3)
    shape = (len(flat), len(points))
    return csr_matrix((weights.ravel().astype(np.float32), (rows, columns.ravel())), shape=shape)


def _gap(points: Floats, down: Floats) -> Floats:
    """Opening in pixels at the eleven pairs of inner lip points."""
    return np.asarray((points[list(LOWER_INNER)] - points[list(UPPER_INNER)]) @ down, np.float32)


def _rest(points: Floats, shapes: Floats, down: Floats) -> Floats:
    """Weights that shut a mouth that was photographed open: lips that only parted come together by themselves, what is
    wider needs the jaw."""
    rest = np.zeros(len(shapes), np.float32)
    gap = float(_gap(points, down)[5])
    lips = -float(_gap(shapes[COLUMN["mouthClose"]], down)[5])
    jaw = float(_gap(shapes[COLUMN["jawOpen"]], down)[5])
    if gap > 0:
        rest[COLUMN["mouthClose"]] = min(gap / lips, 0.25)
        rest[COLUMN["jawOpen"]] = -max(gap - 0.25 * lips, 0.0) / jaw
    return rest


def _depth(
    mesh: Floats, rings: NDArray[np.intp], face: csr_matrix, shape: tuple[int, int], face_height: float
) -> Floats:
    """Distance before the ears, in pixels; hair and neck take over from the outline of the face."""
    ears = mesh[[234, 454], 2].mean()
    front = np.maximum(ears - mesh[:468, 2], 0.0)
    values = np.concatenate([front, 0.5 * front[rings], np.zeros(len(rings))]).astype(np.float32)
    return np.asarray(cv2.GaussianBlur((face @ values).reshape(shape), (0, 0), 0.03 * face_height / STEP), np.float32)


def _ramp(values: Floats, start: float, end: float) -> Floats:
    """0 before ``start``, 1 after ``end``, smooth between."""
    position = np.clip((values - start) / (end - start), 0.0, 1.0)
    return np.asarray(position * position * (3.0 - 2.0 * position), np.float32)


def _body_weights(
    nodes: Floats, mesh: Floats, face_height: float, down: Floats, size: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Where the picture follows the head, and how many pixels a full breath lifts it."""
    face_width = float(np.linalg.norm(mesh[234, :2] - mesh[454, :2]))
    middle = (mesh[10, :2] + mesh[152, :2]) / 2 - 0.10 * face_height * down
    x, y = nodes[..., 0] - middle[0], nodes[..., 1] - middle[1]
    # Above, hair reaches about half a face height over the forehead; below, the neck bends over a shorter way.
    radius = np.hypot(x / (0.62 * face_width), y / (np.where(y < 0, 0.82, 0.62) * face_height))
    head = 1.0 - _ramp(radius, 1.05, 1.75)
    below = (nodes[..., 1] - mesh[152, 1]) / face_height
    beside = np.abs(nodes[..., 0] - mesh[152, 0]) / face_width
    chest = 0.012 * face_height * (0.2 + 0.8 * _ramp(below, 0.0, 0.55)) * (1.0 - _ramp(beside, 1.3, 2.2))
    chest *= _ramp(below, -1.9, -1.2)
    # Nothing moves at the border: what would come in there was never photographed.
    width, height = size
    border = np.minimum.reduce([nodes[..., 0], width - 1 - nodes[..., 0], nodes[..., 1], height - 1 - nodes[..., 1]])
    still = _ramp(border, 0.0, 0.06 * min(width, height))
    return (head * still).astype(np.float32), (chest * still).astype(np.float32)


def _mouth(mesh: Floats, points: Floats, face_height: float, texture: Picture, size: tuple[int, int]) -> Mouth:
    axes = _axes(mesh[78, :2], mesh[308, :2])
    half_width = float(np.linalg.norm(mesh[308, :2] - mesh[78, :2])) / 2
    reach_x, reach_y = 1.7 * half_width, 0.26 * face_height
    box = Box.between(
        max(int(axes.centre[0] - reach_x), 0),
        max(int(axes.centre[1] - reach_y), 0),
        min(int(axes.centre[0] + reach_x), size[0]),
        min(int(axes.centre[1] + reach_y), size[1]),
    )
    grid = Grid(box, MOUTH_STEP)
    nodes = grid.nodes()
    t, v = axes.split(nodes)
    everything = np.arange(len(points))
    whole = _interpolator(points, everything, nodes)
    # Beyond the corners both lips are one skin: their fields must agree there, or the cheek would show a cut.
    own = (1.0 - _ramp(np.abs(t), 0.98 * half_width, 1.15 * half_width)).ravel()
    positions = np.linspace(-2 * half_width, 2 * half_width, 257)
    on_mesh = [_inner_edge(mesh, loop, axes, positions) for loop in (UPPER_INNER, LOWER_INNER)]
    seen = _seams(on_mesh[0], on_mesh[1], positions, axes, half_width, face_height, texture)
    upper, lower = (np.interp(t, positions, edge).astype(np.float32) for edge in seen)
    # Across its edge a lip's field goes on unchanged: led on to the far side of the mouth it would fold over itself.
    # The edge of the field is the mesh's, where displacements are known, or the seen one where that lies farther in.
    margin = 0.004 * face_height
    held = (
        np.minimum(np.minimum(v, upper), np.interp(t, positions, on_mesh[0]) - margin),
        np.maximum(np.maximum(v, lower), np.interp(t, positions, on_mesh[1]) + margin),
    )
    fields = []
    for other, stay in zip((_LOWER_LIP, _UPPER_LIP), held, strict=True):
        lip = _interpolator(points, np.setdiff1d(everything, np.array(other)), axes.place(t, stay))
        fields.append((diags(own) @ lip + diags(1.0 - own) @ whole).tocsr().astype(np.float32))
    return Mouth(
        grid=grid,
        upper=fields[0],
        lower=fields[1],
        upper_edge=upper - v,
        lower_edge=v - lower,
        axes=axes,
        half_width=half_width,
        close_upper=_followers(points, _UPPER_LIP, UPPER_INNER, axes, face_height),
        close_lower=_followers(points, _LOWER_LIP, LOWER_INNER, axes, face_height),
    )


def _inner_edge(mesh: Floats, loop: tuple[int, ...], axes: Axes, positions: Floats) -> Floats:
    """Offsets down the face of a lip's inner edge at ``positions`` along the mouth, as the mesh has it."""
    t, v = axes.split(mesh[list(loop), :2])
    order = np.argsort(t)
    return np.asarray(gaussian_filter1d(np.interp(positions, t[order], v[order]), 2.0), np.float64)


def _seams(
    upper: Floats,
    lower: Floats,
    positions: Floats,
    axes: Axes,
    half_width: float,
    face_height: float,
    texture: Picture,
) -> tuple[Floats, Floats]:
    """Inner edges as the photo shows them. A shut mouth has one edge: the dark line between the lips, looked for near
    where the mesh puts it."""
    if float((lower - upper).max()) > 0.02 * face_height:
        return upper, lower
    middle = (upper + lower) / 2
    line = _dark_line(positions, middle, axes, 0.018 * face_height, texture)
    inside = 1.0 - _ramp(np.abs(positions), 0.85 * half_width, 1.1 * half_width)
    line = middle + inside * (line - middle)
    return line, line


def _dark_line(positions: Floats, middle: Floats, axes: Axes, reach: float, texture: Picture) -> Floats:
    """The darkest smooth line within ``reach`` pixels of ``middle``, by dynamic programming."""
    steps = np.linspace(-reach, reach, 25)
    v = middle[:, None] + steps
    place = axes.place(np.broadcast_to(positions[:, None], v.shape), v)
    grey = np.asarray(cv2.cvtColor(texture, cv2.COLOR_RGB2GRAY), np.uint8)
    light = fetch(grey, in_texture(place)).astype(np.float64)
    spread = max(float(light.std()), 1.0)
    cost = light / spread + 0.8 * (steps / reach) ** 2
    jump = 0.5 * (np.arange(25)[:, None] - np.arange(25)) ** 2
    total = cost[0]
    back = np.zeros(cost.shape, np.intp)
    for index in range(1, len(cost)):
        options = total + jump
        back[index] = options.argmin(axis=1)
        total = cost[index] + options.min(axis=1)
    path = np.empty(len(cost), np.intp)
    path[-1] = int(total.argmin())
    for index in range(len(cost) - 1, 0, -1):
        path[index - 1] = back[index, path[index]]
    return np.asarray(gaussian_filter1d(middle + steps[path], 3.0), np.float64)


def _followers(points: Floats, lip: tuple[int, ...], inner: tuple[int, ...], axes: Axes, face_height: float) -> Floats:
    """[points, 11]: share of each inner point's correction that the points of its lip take, less farther from it."""
    follow = np.zeros((len(points), len(inner)), np.float32)
    t, v = axes.split(points)
    for point in lip:
        across = (t[point] - t[list(inner)]) / (0.03 * face_height)
        weight = np.exp(-(across**2))
        away = np.abs(v[point] - np.average(v[list(inner)], weights=weight)) / (0.06 * face_height)
        follow[point] = weight / weight.sum() * np.exp(-(away**2))
    for column, point in enumerate(inner):
        follow[point] = 0.0
        follow[point, column] = 1.0
    return follow


def _eye(
    side: str,
    loops: tuple[tuple[int, ...], tuple[int, ...], int, int],
    mesh: Floats,
    face_down: Floats,
    unit: float,
    size: tuple[int, int],
) -> Eye | None:
    """The rig of one eye; None for an eye that is shut or turned out of sight in the photo."""
    upper_loop, lower_loop, iris, brow = loops
    corners = mesh[[upper_loop[0], upper_loop[-1]], :2]
    left, right = corners[np.argsort(corners[:, 0])]
    width = float(np.linalg.norm(right - left))
    axes = _axes(left, right)
    brow_gap = float((mesh[upper_loop[4], :2] - mesh[brow, :2]) @ face_down)
    reach_up, reach_down = 0.8 * brow_gap, 0.45 * width
    pad = 0.25 * width
    box = Box.between(
        max(int(left[0] - pad), 0),
        max(int(axes.centre[1] - reach_up - pad), 0),
        min(int(right[0] + pad), size[0]),
        min(int(axes.centre[1] + reach_down + pad), size[1]),
    )
    grid = Grid(box, 1)
    t, v = axes.split(grid.nodes())
    upper, lower = (_lid(mesh[list(loop), :2], axes, width, t) for loop in (upper_loop, lower_loop))
    # The mesh runs on the rims of the lids; white shows beyond it by some tenths of a millimetre. Lashes that this
    # leaves to the eye are drawn again on the lid.
    upper, lower = upper - 0.5 * unit, lower + 0.5 * unit
    opening = lower - upper
    if float(opening.max()) < 0.10 * width:
        return None
    ends = 1.0 - _ramp(np.abs(t), 0.50 * width, 0.62 * width)
    opening = (np.maximum(opening, 0.0) + 0.3 * unit) * ends
    stretch = 1.0 - _ramp((upper - v) / max(reach_up, 1.0), 0.0, 1.0)
    squeeze = 1.0 - _ramp((v - lower) / reach_down, 0.0, 1.0)
    centre_iris = mesh[iris, :2]
    radius = 5.85 * unit
    from_iris = np.linalg.norm(grid.nodes() - centre_iris, axis=2) / radius
    return Eye(
        side=side,
        grid=grid,
        axes=axes,
        close=(0.94 * opening * stretch).astype(np.float32),
        raise_=(0.08 * opening * squeeze).astype(np.float32),
        look=np.stack([upper - v, v - lower, 1.0 - _ramp(from_iris, 0.9, 2.1)], axis=-1).astype(np.float32),
        lash=(np.exp(-(((v - upper) / (0.45 * unit)) ** 2)) * ends).astype(np.float32),
        reach=12.0 * unit * 0.5,
    )


def _lid(points: Floats, axes: Axes, width: float, at: Floats) -> Floats:
    """Height of a lid's edge over the line between the corners, smooth through the mesh points, 0 beyond them."""
    t, v = axes.split(points)
    fit = np.polynomial.Polynomial.fit(np.concatenate([t / width, [-0.5, 0.5]]), np.concatenate([v, [0.0, 0.0]]), 5)
    inside = np.clip(at / width, -0.5, 0.5)
    return np.asarray(fit(inside), np.float32)
