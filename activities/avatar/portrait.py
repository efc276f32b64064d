"""The talking portrait: a photo with one face, moved by warping it and by drawing what it does not show: the inside of
the mouth and lowered lids. NumPy and OpenCV only, so that it draws faster than real time needs on one core."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.avatar.base import Clip, Performance, Subject
from activities.avatar.face import FaceFinder, Picture, head_turn, mesh_weights_sha256
from activities.avatar.motion import COLUMN, Motion, move
from activities.avatar.photo import check_photo
from activities.avatar.portrait_rig import LOWER_INNER, UPPER_INNER, Eye, Grid, Rig, fetch, in_texture, make_rig
from activities.avatar.portrait_teeth import Cavity, Teeth, make_cavity
from activities.support.box import Box
from activities.support.engine import Progress
from activities.support.ffmpeg import encode_frames
from models.engines import find_engine
from models.errors import MediaRejected
from models.plan import Capability, EngineRef

Floats = NDArray[np.floating[Any]]

_BATCH = 25
_LARGEST_TURN = 35.0
"""Degrees of yaw beyond which half of the face is out of sight."""
_KEPT_RIGS = 4


class PortraitEngine:
    """Makes a photo speak. Keeps the rigs of the last photos, so that a render's segments share one."""

    def __init__(self, finder: FaceFinder | None = None) -> None:
        self._finder = finder or FaceFinder()
        self._rigs: OrderedDict[tuple[str, int], tuple[Rig, Cavity]] = OrderedDict()
        self._lock = Lock()

    @cached_property
    def ref(self) -> EngineRef:
        """The engine and the models it finds faces with."""
        return find_engine(Capability.AVATAR, "portrait").ref(mesh_weights_sha256())

    def looks(self) -> tuple[str, ...]:
        """None: this engine performs photos."""
        return ()

    def perform(self, performance: Performance, subject: Subject, height: int, out: Path, progress: Progress) -> Clip:
        """Write ``out``: the photo with its own background, ``height`` rows, as wide as the photo's shape asks.

        Raises MediaRejected for a photo that is not one usable face, or none at all.
        """
        if subject.photo is None:
            raise MediaRejected("The portrait needs a photo and was given none.", field="photo")
        rig, cavity = self._rig(subject.photo, height)
        motion = move(performance)
        width, rows = rig.size

        def frames() -> Iterator[bytes]:
            total = len(motion.face)
            for index in range(total):
                yield draw(rig, cavity, motion, index).tobytes()
                if (index + 1) % _BATCH == 0 or index + 1 == total:
                    progress(index + 1, total)

        encode_frames(frames(), out, (width, rows), performance.fps)
        return Clip(out, width, rows, len(motion.face), performance.fps, matte=False)

    def _rig(self, photo: Path, height: int) -> tuple[Rig, Cavity]:
        key = (sha256(photo.read_bytes()).hexdigest(), height)
        # Made under the lock: two segments that start together would otherwise both pay for it.
        with self._lock:
            if key not in self._rigs:
                self._rigs[key] = _prepare(photo, height, self._finder)
                if len(self._rigs) > _KEPT_RIGS:
                    self._rigs.popitem(last=False)
            self._rigs.move_to_end(key)
            return self._rigs[key]


def _prepare(photo: Path, height: int, finder: FaceFinder) -> tuple[Rig, Cavity]:
    checked = check_photo(photo, finder)
    picture, size = _frame(checked.picture, checked.face, height)
    area = Box(0, 0, picture.shape[1], picture.shape[0])
    inside = max(finder.boxes(picture, 0.4), key=lambda box: box.width, default=area)
    landmarks = finder.landmarks(picture, inside)
    if landmarks is None:
        raise MediaRejected("The face in the photo cannot be followed: it may be covered or blurred.", field="photo")
    yaw, _ = head_turn(landmarks)
    if abs(yaw) > _LARGEST_TURN:
        raise MediaRejected(
            f"The face is turned {abs(yaw):.0f} degrees to the side; at most {_LARGEST_TURN:.0f} can speak.",
            field="photo",
            action="Supply a photo in which the person looks at the camera.",
        )
    rig = make_rig(picture, landmarks, size)
    sclera, skin = _light_masks(landmarks * (size[0] / picture.shape[1]), size)
    return rig, make_cavity(rig.still, sclera, skin, rig.unit)


def _frame(picture: Picture, face: Box, height: int) -> tuple[Picture, tuple[int, int]]:
    """Cut the photo so that the face is at least about a quarter of its height, stands in the middle where an upright
    picture of it can be cut so, and its shape lies between 9:16 and 16:9; the drawn width and height are even."""
    rows, columns = picture.shape[:2]
    tall = min(float(rows), max(4.2 * face.height, 256.0))
    tall = min(tall, columns * 16 / 9)
    wide = min(float(columns), tall * 16 / 9)
    x, y = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    wide = min(wide, max(2 * min(x, columns - x), 0.8 * tall))
    left = int(np.clip(x - wide / 2, 0, columns - wide))
    top = int(np.clip(y - 0.42 * tall, 0, rows - tall))
    cut = picture[top : top + int(tall), left : left + int(wide)]
    even = height - height % 2
    width = max(2, 2 * int(even * cut.shape[1] / cut.shape[0] / 2))
    return np.ascontiguousarray(cut), (width, even)


def _light_masks(mesh: Floats, size: tuple[int, int]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the eyes are white, and where the cheeks are."""
    sclera = np.zeros((size[1], size[0]), np.uint8)
    skin = np.zeros_like(sclera)
    for loop in ((33, 160, 158, 133, 153, 144), (263, 387, 385, 362, 380, 373)):
        cv2.fillConvexPoly(sclera, np.round(mesh[list(loop), :2]).astype(np.int32), 1)
    for iris in (468, 473):
        radius = float(np.linalg.norm(mesh[iris, :2] - mesh[iris + 1, :2]))
        cv2.circle(sclera, tuple(int(v) for v in np.round(mesh[iris, :2])), int(np.ceil(1.1 * radius)), 0, -1)
    for cheek in (50, 280):
        cv2.circle(skin, tuple(int(v) for v in np.round(mesh[cheek, :2])), 12, 1, -1)
    return sclera.astype(bool), skin.astype(bool)


@dataclass(frozen=True)
class _Pose:
    """One frame's displacements: of the face's points, and where each node of the coarse grid comes from."""

    moved: Floats
    """[points, 2]: displacement of each point."""
    turned: Floats
    """[rows, columns, 2]: for each node, the place in the face before the head moved."""
    source: Floats
    """[rows, columns, 2]: for each node, the place in the photo, lips and lids apart."""


def draw(rig: Rig, cavity: Cavity, motion: Motion, index: int) -> Picture:
    """One frame of ``motion``, RGB, at the rig's size."""
    weights = motion.face[index]
    pose = _pose(rig, weights, motion.head[index], float(motion.breath[index]))
    width, height = rig.size
    rows, columns = rig.grid.shape
    fine = (columns * rig.grid.step, rows * rig.grid.step)
    whole = np.asarray(cv2.resize(in_texture(pose.source), fine, interpolation=cv2.INTER_LINEAR), np.float32)
    frame = fetch(rig.texture, whole[:height, :width])
    for eye in rig.eyes:
        _draw_eye(frame, rig, eye, pose, weights)
    _draw_mouth(frame, rig, cavity, pose, weights)
    return frame


def _pose(rig: Rig, weights: Floats, head: Floats, breath: float) -> _Pose:
    moved = _settle_lips(rig, np.tensordot(weights + rig.rest, rig.shapes, axes=1).astype(np.float32))
    nodes = rig.grid.nodes()
    field = _head_field(rig, nodes, head, breath)
    turned = _undo(rig.grid, field, nodes, 2)
    face = (rig.face @ moved).reshape(*rig.grid.shape, 2).astype(np.float32)
    face = cv2.GaussianBlur(face, (0, 0), max(0.008 * rig.face_height / rig.grid.step, 0.6))
    return _Pose(moved, turned, _undo(rig.grid, face, turned, 3))


def _undo(grid: Grid, field: Floats, places: Floats, rounds: int, step: float = 1.0) -> Floats:
    """Where the things seen at ``places`` were before ``field`` moved them: fixed-point iteration of x = place - d(x).

    Where the field stretches the picture by nearly twice, ``step`` below 1 keeps the iteration from swinging.
    """
    source = places
    for _ in range(rounds):
        source = source + step * (places - grid.sample(field, source) - source)
    return source


def _head_field(rig: Rig, nodes: Floats, head: Floats, breath: float) -> Floats:
    """Displacement of the nodes by small turns of the head and by the breath (first order in the angles)."""
    yaw, pitch, roll = (float(angle) for angle in head)
    away = nodes - rig.pivot
    x = yaw * rig.depth - roll * away[..., 1]
    y = pitch * (rig.depth + 0.25 * rig.face_height) + roll * away[..., 0]
    field = np.stack([x, y], axis=-1) * rig.head[..., None]
    field[..., 1] -= breath * rig.chest
    return field.astype(np.float32)


def _settle_lips(rig: Rig, moved: Floats) -> Floats:
    """Lips meet and never cross. Sums of blendshapes leave slits of a few tenths of a millimetre and overlaps: below
    half a millimetre lips stick, and what would cross meets in between."""
    mouth = rig.mouth
    points = rig.points + moved
    gap = (points[list(LOWER_INNER)] - points[list(UPPER_INNER)]) @ mouth.axes.down
    stick = 0.5 * rig.unit
    wanted = np.where(gap > 0, gap * gap / (np.abs(gap) + stick), 0.0).astype(np.float32)
    lift = (gap - wanted)[:, None] * mouth.axes.down
    return (moved + mouth.close_upper @ (0.35 * lift) - mouth.close_lower @ (0.65 * lift)).astype(np.float32)


def _region(box: Box, rig: Rig, pose: _Pose) -> Box:
    """The pixels in which what rests in ``box`` is seen after the head moved."""
    width, height = rig.size
    step = rig.grid.step
    rows, columns = slice(box.top // step, box.bottom // step + 1), slice(box.left // step, box.right // step + 1)
    shift = pose.turned[rows, columns] - rig.grid.nodes()[rows, columns]
    reach = 2 + int(np.ceil(np.abs(shift).max()))
    return Box.between(
        max(box.left - reach, 0),
        max(box.top - reach, 0),
        min(box.right + reach, width),
        min(box.bottom + reach, height),
    )


def _draw_eye(frame: Picture, rig: Rig, eye: Eye, pose: _Pose, weights: Floats) -> None:
    """Lids of skin slide over an eye that keeps its shape and looks where it should."""
    value = {name: float(weights[COLUMN[f"{name}{eye.side}"]]) for name in _EYE_SHAPES}
    sideways = value["eyeLookOut"] - value["eyeLookIn"]
    right_is_left = -1.0 if eye.side == "Right" else 1.0
    vertical = value["eyeLookDown"] - value["eyeLookUp"]
    blink = min(value["eyeBlink"] + 0.30 * value["eyeLookDown"] * (1 - value["eyeBlink"]), 1.0)
    if blink < 0.004 and abs(sideways) + abs(vertical) < 0.002:
        return
    box = _region(eye.grid.box, rig, pose)
    seen = rig.grid.sample(pose.source, Grid(box, 1).nodes())
    gaze = eye.reach * (right_is_left * sideways * eye.axes.along + vertical * eye.axes.down)
    look = eye.grid.sample(eye.look, seen)
    ball = fetch(rig.texture, in_texture(seen - look[..., 2:] * gaze)).astype(np.float32)
    inside = _inside(eye.grid.box, seen, 6.0)
    if blink < 0.004:
        _blend(frame, box, ball, (1.0 - _cover(look[..., 0])) * (1.0 - _cover(look[..., 1])) * inside)
        return
    upper = _undo(eye.grid, blink * eye.close[..., None] * eye.axes.down, seen, 5, 0.7)
    lower = _undo(eye.grid, -blink * eye.raise_[..., None] * eye.axes.down, seen, 2)
    fallen = eye.grid.sample(eye.look, upper)[..., 0]
    under = _cover(eye.grid.sample(eye.look, lower)[..., 1])
    ball *= (1.0 - 0.35 * blink * np.exp(np.minimum(fallen, 0.0) / (1.2 * rig.unit)))[..., None]
    ball += under[..., None] * (fetch(rig.texture, in_texture(lower)) - ball)
    lid = fetch(rig.texture, in_texture(upper)) * (1.0 - 0.50 * blink * eye.grid.sample(eye.lash, upper))[..., None]
    ball += _cover(fallen)[..., None] * (lid - ball)
    _blend(frame, box, ball, inside)


_EYE_SHAPES = ("eyeBlink", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeLookDown")


def _cover(edge: Floats) -> Floats:
    """Coverage of pixels by a layer from the signed distance to its edge, about one pixel soft."""
    position = np.clip(edge / 1.6 + 0.5, 0.0, 1.0)
    return np.asarray(position * position * (3.0 - 2.0 * position), np.float32)


def _inside(box: Box, places: Floats, soft: float) -> Floats:
    """1 well inside ``box``, 0 at its border: layers end where they equal what is under them."""
    x, y = places[..., 0], places[..., 1]
    border = np.minimum(np.minimum(x - box.left, box.right - 1 - x), np.minimum(y - box.top, box.bottom - 1 - y))
    return np.asarray(np.clip(border / soft, 0.0, 1.0), np.float32)


def _blend(frame: Picture, box: Box, picture: Floats, weight: Floats) -> None:
    under = box.cut(frame).astype(np.float32)
    under += weight[..., None] * (picture - under)
    frame[box.top : box.bottom, box.left : box.right] = np.clip(under + 0.5, 0, 255).astype(np.uint8)


def _draw_mouth(frame: Picture, rig: Rig, cavity: Cavity, pose: _Pose, weights: Floats) -> None:
    """Upper lip over lower lip over the inside of the mouth."""
    mouth = rig.mouth
    rest = _lips_box(rig, pose)
    box = _region(rest, rig, pose)
    seen = rig.grid.sample(pose.turned, Grid(box, 1).nodes())
    nodes = mouth.grid.nodes()
    layers = []
    for lip, edge in ((mouth.upper, mouth.upper_edge), (mouth.lower, mouth.lower_edge)):
        field = (lip @ pose.moved).reshape(*mouth.grid.shape, 2).astype(np.float32)
        field = cv2.GaussianBlur(field, (0, 0), 1.0)
        source = mouth.grid.sample(_undo(mouth.grid, field, nodes, 4), seen)
        layers.append((fetch(rig.texture, in_texture(source)), mouth.grid.sample(edge, source)))
    (upper, upper_edge), (lower, lower_edge) = layers
    over = _cover(upper_edge)
    under = np.minimum(_cover(lower_edge), 1.0 - over)
    behind = 1.0 - over - under
    picture = over[..., None] * upper + under[..., None] * lower
    if float(behind.max()) > 0.01:
        picture += behind[..., None] * _inner(rig, cavity, pose, weights, seen, over + under)
    _blend(frame, box, picture, _inside(rest, seen, 8.0))


def _lips_box(rig: Rig, pose: _Pose) -> Box:
    """The pixels around the inner edges of the lips, the head at rest, in which the lips part company."""
    edges = (rig.points + pose.moved)[[*UPPER_INNER, *LOWER_INNER]]
    margin = np.array([0.25 * rig.mouth.half_width, 0.06 * rig.face_height])
    (left, top), (right, bottom) = edges.min(axis=0) - margin, edges.max(axis=0) + margin
    grid = rig.mouth.grid.box
    return Box.between(
        max(int(left), grid.left), max(int(top), grid.top), min(int(right), grid.right), min(int(bottom), grid.bottom)
    )


def _inner(rig: Rig, cavity: Cavity, pose: _Pose, weights: Floats, seen: Floats, lips: Floats) -> Floats:
    """The inside of the mouth at the places ``seen``: teeth of the skull stay, those of the jaw and the tongue fall
    with it; light comes in from the front, so what is deep, under a lip or in a corner is dark."""
    mouth, unit = rig.mouth, rig.unit
    t, v = mouth.axes.split(seen)
    jaw = rig.shapes[COLUMN["jawOpen"]]
    fall = float(jaw[152] @ mouth.axes.down) * float(weights[COLUMN["jawOpen"]] + rig.rest[COLUMN["jawOpen"]])
    gap = float(((rig.points + pose.moved)[14] - (rig.points + pose.moved)[13]) @ mouth.axes.down)
    light = cavity.light * (0.55 + 0.45 * min(max(gap, 0.0) / (9 * unit), 1.0))
    narrow = 1.0 - 0.55 * np.clip(np.abs(t) / (1.05 * mouth.half_width), 0, 1) ** 2
    deep = np.array([0.17, 0.055, 0.05], np.float32)
    picture = np.broadcast_to(deep * (0.5 + 0.5 * light), (*t.shape, 3)).copy()
    tongue_top = fall + (3.0 - 6.0 * float(weights[COLUMN["tongueOut"]])) * unit
    tongue = _mound(t / (19 * unit), (v - tongue_top) / (7 * unit))
    bright = light * (
        0.42 + 0.20 * np.clip((v - tongue_top) / (8 * unit), 0, 1) - 0.10 * np.exp(-((t / (2 * unit)) ** 2))
    )
    picture += tongue[..., None] * (np.array([0.80, 0.40, 0.38], np.float32) * bright[..., None] - picture)
    for row, height, strength in ((cavity.lower, fall + 1.6 * unit, 0.66), (cavity.upper, 2.4 * unit, 0.88)):
        colour, cover = _teeth(row, t, v - height)
        lit = colour * cavity.warmth * (light * strength)
        picture += cover[..., None] * (lit - picture)
    shadow = cv2.GaussianBlur(lips, (0, 0), 2.2 * unit)
    picture *= (narrow * (1.0 - 0.55 * np.clip(shadow, 0, 1)))[..., None]
    return np.asarray(255.0 * picture, np.float32)


def _mound(x: Floats, y: Floats) -> Floats:
    """A broad back that rises from y = 1 at its sides to y = 0 in the middle, soft at its outline."""
    return np.asarray(np.clip(2.5 * (y - np.abs(x) ** 3) + 0.3, 0.0, 1.0), np.float32)


def _teeth(row: Teeth, t: Floats, v: Floats) -> tuple[Floats, Floats]:
    x, y = (t + row.origin[0]).astype(np.float32), (v + row.origin[1]).astype(np.float32)
    colour = cv2.remap(row.colour, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.remap(row.cover, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(colour, np.float32), np.asarray(cover, np.float32)
