"""A baked look in memory and how one frame of it is drawn: pictures are warped by weighted displacement fields, lips
and lids as two sheets over what lies behind them. NumPy and OpenCV only; apart from the engine so that a frame is a
pure function of the motion."""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.avatar.motion import COLUMN, GAZE_RANGE
from activities.support.box import Box
from models.errors import EngineUnavailable

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

LOOKS = Path(__file__).parent / "looks"

BREATH_LEVELS = 9
BREATH_RISE = 0.0017
"""How far, as a share of the height, the shoulders rise in a full breath."""

NEWTON_STEPS = 4
FEATHER = 6.0
TONGUE = np.array([190, 104, 100], np.float32)
CORNER_SHARE = 0.2
"""Share of the mouth's width over which teeth recede into the dark of its corners."""


@dataclass(frozen=True)
class Field:
    """Displacements in pixels of some curves on a regular grid: ``values`` [curves, rows, columns, 2]."""

    curves: NDArray[np.int64]
    values: Floats

    def at(self, weights: Floats) -> Floats:
        """The sum under curve weights: [rows, columns, 2]."""
        chosen = weights[self.curves]
        active = np.flatnonzero(np.abs(chosen) > 1e-4)
        shape = self.values.shape[1:]
        if not len(active):
            return np.zeros(shape, np.float32)
        flat = self.values.reshape(len(self.values), -1)[active]
        total: Floats = (chosen[active].astype(np.float32) @ flat).reshape(shape)
        return total


@dataclass(frozen=True)
class Patch:
    """An opening of the face: two sheets over a box, their soft masks, and (for eyes) the lashes on each."""

    box: Box
    step: int
    upper: Field
    lower: Field
    upper_mask: Floats
    lower_mask: Floats
    upper_lashes: Floats | None
    lower_lashes: Floats | None

    @cached_property
    def edge(self) -> Floats:
        """Picture row where the upper sheet ends, per column of the box."""
        result: Floats = (self.box.top + self.upper_mask.sum(0)).astype(np.float32)
        return result

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Picture columns of the opening's corners."""
        open_ = np.flatnonzero(self.lower_mask[0] < 0.5)
        return float(self.box.left + open_[0]), float(self.box.left + open_[-1] + 1)


@dataclass(frozen=True)
class Light:
    """How an expression changes the light on the skin, in 8-bit steps; two curves that bring it in share it by side."""

    box: Box
    change: Floats
    curves: tuple[int, ...]
    share: Floats
    """Share of the first curve per column (1 for a single curve)."""


@dataclass(frozen=True)
class Eye:
    """What lies behind one pair of lids, without and with shine."""

    matt: Floats
    shine: Floats
    centre: tuple[float, float]
    radius: float


@dataclass(frozen=True)
class Look:
    """A baked look. Colours are RGB."""

    name: str
    size: int
    plate: Bytes
    head: Box
    base_step: int
    base: Field
    place: Floats
    pivot: Floats
    camera: tuple[float, float, Floats]
    held: Floats
    patches: dict[str, Patch]
    eyes: dict[str, Eye]
    upper_teeth: Bytes
    lower_teeth: Bytes
    jaw: Floats
    lights: tuple[Light, ...]
    lash_colour: Floats
    face: Box


@dataclass(frozen=True)
class Pose:
    """One frame of motion: ARKit weights [52], head (yaw, pitch, roll) in radians, breath 0..1."""

    face: Floats
    head: tuple[float, float, float]
    breath: float


def available(root: Path = LOOKS) -> tuple[str, ...]:
    """Names of the looks baked under ``root``."""
    return tuple(sorted(path.parent.name for path in root.glob("*/rig.json")))


def _picture(path: Path) -> Bytes:
    data = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if data is None:
        raise EngineUnavailable(f"the look's picture {path.name} in {path.parent} is missing or broken", field="looks")
    order = cv2.COLOR_BGRA2RGBA if data.shape[-1] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(data, order).astype(np.uint8)


def _rise(y: Floats, size: int) -> Floats:
    """Share of the breath's rise by picture row: full at shoulders and head, a third at the bottom."""
    share: Floats = np.interp(y / size, [0.0, 0.55, 1.0], [1.0, 1.0, 0.35]).astype(np.float32)
    return share


def load(name: str, root: Path = LOOKS) -> Look:
    """Reads a look. Raises EngineUnavailable when one of its files is missing or broken."""
    folder = root / name
    try:
        rig = json.loads((folder / "rig.json").read_text())
        with np.load(folder / "fields.npz") as stored:
            arrays = {key: stored[key] for key in stored.files}
    except (OSError, ValueError) as error:
        raise EngineUnavailable(f"the look {name!r} in {root} cannot be read: {error}", field="looks") from error
    quantum = float(rig["quantum"])

    def field(key: str) -> Field:
        return Field(arrays[f"{key}_curves"].astype(np.int64), arrays[key].astype(np.float32) / np.float32(quantum))

    size, head = int(rig["size"]), Box(*rig["head"])
    step = int(rig["steps"]["base"])
    patches = {}
    for key, values in rig["patches"].items():
        box = Box(*values)
        masks = _picture(folder / f"{key}_masks.webp").astype(np.float32) / np.float32(255)
        upper_lashes: Floats | None = None
        lower_lashes: Floats | None = None
        if key != "mouth":
            middle = masks.shape[0] // 2
            upper_lashes, lower_lashes = (np.ascontiguousarray(masks[..., 2]) for _ in range(2))
            upper_lashes[middle:], lower_lashes[:middle] = 0, 0
        upper_mask, lower_mask = (np.ascontiguousarray(masks[..., channel]) for channel in (0, 1))
        grid = int(rig["steps"]["mouth" if key == "mouth" else "eye"])
        patches[key] = Patch(
            box, grid, field(f"{key}_up"), field(f"{key}_low"), upper_mask, lower_mask, upper_lashes, lower_lashes
        )
    target = np.array(rig["target"], np.float32)
    camera = (float(rig["distance"]), float(rig["span"]), target)
    centre, radius = np.array(rig["eye"]["centre"]), float(rig["eye"]["radius"])
    scale = size / camera[1] * camera[0] / (centre[1] - target[1] + camera[0])
    eyes = {}
    for key, side in (("left", 1.0), ("right", -1.0)):
        both = _picture(folder / f"eye_{key}.webp").astype(np.float32)
        half = both.shape[0] // 2
        at = (size / 2 + (side * centre[0] - target[0]) * scale, size / 2 - (centre[2] - target[2]) * scale)
        eyes[f"eye_{key}"] = Eye(both[:half], both[half:], (float(at[0]), float(at[1])), float(radius * scale))
    teeth = _picture(folder / "teeth.webp")
    half = teeth.shape[0] // 2
    lights = []
    for key, values in rig["lights"].items():
        change = (_picture(folder / f"light_{key}.webp").astype(np.float32) - 128) * (255 / 127)
        box = Box(values["left"], values["top"], change.shape[1], change.shape[0])
        columns = box.left + np.arange(box.width) + 0.5
        share = np.clip((columns - size / 2) / 24 + 0.5, 0, 1) if len(values["curves"]) == 2 else np.ones(box.width)
        curves = tuple(COLUMN[curve] for curve in values["curves"])
        lights.append(Light(box, change, curves, share.astype(np.float32)[None, :, None]))
    left, top = min(light.box.left for light in lights), min(light.box.top for light in lights)
    right = max(light.box.left + light.box.width for light in lights)
    bottom = max(light.box.top + light.box.height for light in lights)
    held = _held(head, step, size / camera[1], float(rig["moves_above"]), float(rig["still_below"]))
    return Look(
        name=name,
        size=size,
        plate=_picture(folder / "plate.webp"),
        head=head,
        base_step=step,
        base=field("base"),
        place=arrays["place"],
        pivot=np.array(rig["pivot"], np.float32),
        camera=camera,
        held=held,
        patches=patches,
        eyes=eyes,
        upper_teeth=teeth[:half],
        lower_teeth=teeth[half:],
        jaw=arrays["jaw"],
        lights=tuple(lights),
        lash_colour=np.array(rig["lash"], np.float32),
        face=Box(left, top, right - left, bottom - top),
    )


def _smooth(share: NDArray[Any]) -> NDArray[Any]:
    part: NDArray[Any] = np.clip(share, 0, 1)
    result: NDArray[Any] = part * part * (3 - 2 * part)
    return result


def _held(head: Box, step: int, scale: float, moves_above: float, still_below: float) -> Floats:
    """How far each place of the base grid goes with the skull: all of it above the chin, nothing at the collar, on the
    shoulders and at the sides of the box. ``scale`` is in pixels a metre."""
    spots = _positions(head, step)
    down = _smooth((still_below - spots[..., 1]) / (still_below - moves_above))
    aside = np.abs(spots[..., 0] - (head.left + head.width / 2))
    neck = _smooth((0.105 * scale - aside) / (0.035 * scale))
    border = _smooth((head.width / 2 - aside - step) / (0.012 * scale))
    low = np.clip(4 * (1 - down), 0, 1)
    result: Floats = (down * border * (1 - low + low * neck))[..., None].astype(np.float32)
    return result


def _rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """Turns points of the head: positive yaw to the subject's left (+x), pitch nods, roll tilts to that shoulder."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cr, 0, sr], [0, 1, 0], [-sr, 0, cr]])
    result: Floats = (about_z @ about_x @ about_y).astype(np.float32)
    return result


def head_field(look: Look, pose: Pose) -> Floats:
    """Pixels by which turning head and breath carry each point of the base grid: [rows, columns, 2]."""
    distance, span, target = look.camera

    def project(points: NDArray[Any]) -> NDArray[Any]:
        depth = points[..., 1] - target[1] + distance
        scale = look.size * distance / span / depth
        return np.stack([(points[..., 0] - target[0]) * scale, -(points[..., 2] - target[2]) * scale], -1)

    turned = (look.place - look.pivot) @ _rotation(*pose.head).T + look.pivot
    moved: Floats = (project(turned) - project(look.place)) * look.held
    rows = (look.head.top + (np.arange(moved.shape[0]) + 0.5) * look.base_step).astype(np.float32)
    moved[..., 1] -= (pose.breath * BREATH_RISE * look.size * _rise(rows, look.size))[:, None]
    return moved.astype(np.float32)


def _sample(grid: Floats, box: Box, step: int, points: Floats) -> Floats:
    """Bilinear values of a grid over ``box`` at picture positions [h, w, 2] (clamped outside)."""
    x = (points[..., 0] - box.left) / step - 0.5
    y = (points[..., 1] - box.top) / step - 0.5
    found = cv2.remap(
        grid, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return found.astype(np.float32)


def invert(total: Floats, box: Box, step: int, seen: Floats) -> Floats:
    """Where in the neutral picture each position of ``seen`` [h, w, 2] comes from: q with q + total(q) = seen, by
    Newton's method on the grid ``total`` over ``box``. Steps are clamped, so a fold gives a near
    answer instead of a far one."""
    across = np.gradient(total, step, axis=1)
    down = np.gradient(total, step, axis=0)
    slope = np.ascontiguousarray(np.concatenate([across, down], -1).astype(np.float32))
    found = seen - _sample(total, box, step, seen)
    for _ in range(NEWTON_STEPS):
        missed = seen - found - _sample(total, box, step, found)
        jacobian = _sample(slope, box, step, found)
        a, c = 1 + jacobian[..., 0], jacobian[..., 1]
        b, d = jacobian[..., 2], 1 + jacobian[..., 3]
        determinant = a * d - b * c
        determinant = np.where(np.abs(determinant) < 0.08, np.where(determinant < 0, -0.08, 0.08), determinant)
        move = np.stack([d * missed[..., 0] - b * missed[..., 1], a * missed[..., 1] - c * missed[..., 0]], -1)
        found = found + np.clip(move / determinant[..., None], -8, 8)
    return found.astype(np.float32)


@lru_cache(maxsize=64)
def _positions(box: Box, step: int) -> Floats:
    x = box.left + (np.arange(box.width // step, dtype=np.float32) + 0.5) * step
    y = box.top + (np.arange(box.height // step, dtype=np.float32) + 0.5) * step
    grid: Floats = np.stack(np.meshgrid(x, y), -1)
    grid.flags.writeable = False
    return grid


def _dense(coarse: Floats, box: Box, step: int) -> NDArray[Any]:
    """Positions known on a grid, for every pixel. What is interpolated is the way to go, which unlike the position
    itself may be held constant beyond the outermost grid points."""
    if step == 1:
        return coarse
    way = cv2.resize(coarse - _positions(box, step), (box.width, box.height), interpolation=cv2.INTER_LINEAR)
    return _positions(box, 1) + way


def _fetch(picture: NDArray[Any], box: Box, points: NDArray[Any], how: int = cv2.INTER_LINEAR) -> NDArray[Any]:
    """Pixels of a picture that covers ``box`` at picture positions."""
    x = points[..., 0] - (box.left + 0.5)
    y = points[..., 1] - (box.top + 0.5)
    return cv2.remap(picture, x, y, how, borderMode=cv2.BORDER_REPLICATE)


def _fetch_clear(picture: NDArray[Any], box: Box, points: NDArray[Any]) -> NDArray[Any]:
    """As :func:`_fetch`, transparent beyond the picture."""
    x = points[..., 0] - (box.left + 0.5)
    y = points[..., 1] - (box.top + 0.5)
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0))


def lit(look: Look, weights: Floats) -> Bytes:
    """The plate of the head with the light of the expression: RGBA over ``look.head``."""
    head = look.head
    picture = look.plate[head.rows, head.columns].copy()
    total: Floats | None = None
    face = look.face
    for light in look.lights:
        first, last = float(weights[light.curves[0]]), float(weights[light.curves[-1]])
        if max(abs(first), abs(last)) < 0.01:
            continue
        if total is None:
            total = np.zeros((face.height, face.width, 3), np.float32)
        top, left = light.box.top - face.top, light.box.left - face.left
        view = total[top : top + light.box.height, left : left + light.box.width]
        if abs(first - last) < 1e-3:
            view += light.change * np.float32(first)
        else:
            view += light.change * (last + (first - last) * light.share)
    if total is not None:
        top, left = face.top - head.top, face.left - head.left
        view8 = picture[top : top + face.height, left : left + face.width, :3]
        view8[:] = np.clip(view8 + total, 0, 255).astype(np.uint8)
    return picture


def _eye_behind(look: Look, name: str, weights: Floats, still: Floats, shade: Floats, box: Box) -> Floats:
    """The eyeball at head positions ``still`` [h, w, 2], turned by the gaze and shaded by the upper lid."""
    eye = look.eyes[name]
    side = "Left" if name == "eye_left" else "Right"
    outwards = float(weights[COLUMN[f"eyeLookOut{side}"]] - weights[COLUMN[f"eyeLookIn{side}"]]) * GAZE_RANGE
    yaw = outwards if side == "Left" else -outwards
    pitch = float(weights[COLUMN[f"eyeLookDown{side}"]] - weights[COLUMN[f"eyeLookUp{side}"]]) * GAZE_RANGE
    x = (still[..., 0] - eye.centre[0]) / eye.radius
    z = (eye.centre[1] - still[..., 1]) / eye.radius
    y = -np.sqrt(np.clip(1 - x * x - z * z, 0.02, 1))
    turned = np.stack([x, y, z], -1) @ _rotation(yaw, pitch, 0.0)
    source = np.stack([eye.centre[0] + turned[..., 0] * eye.radius, eye.centre[1] - turned[..., 2] * eye.radius], -1)
    matt = _fetch(eye.matt, box, source.astype(np.float32), cv2.INTER_CUBIC)
    shine = _fetch(eye.shine, box, still)
    dark = cv2.GaussianBlur(shade, (0, 0), 2.2)
    dark = np.concatenate([dark[:1], dark[:1], dark[:-2]])
    result: Floats = matt * (1 - 0.62 * dark[..., None]) + shine * (1 - 0.3 * dark[..., None])
    return result


def _mouth_behind(look: Look, weights: Floats, still: NDArray[Any], gap: NDArray[Any], corner: NDArray[Any]) -> Floats:
    """Teeth, tongue and the dark of the mouth at head positions ``still``, dimmed towards the lips and, by ``corner``
    (0 at the corners of the mouth), sideways."""
    box = look.patches["mouth"].box
    shift = weights @ look.jaw
    lower = _fetch_clear(look.lower_teeth, box, (still - shift).astype(np.float32)).astype(np.float32)
    upper = _fetch_clear(look.upper_teeth, box, still).astype(np.float32)
    colour = np.full((*still.shape[:2], 3), (34, 12, 12), np.float32)
    for layer, light in ((lower, 0.66), (upper, 0.95)):
        alpha = layer[..., 3:] / 255 * corner[..., None]
        colour = colour * (1 - alpha) + layer[..., :3] * (light * alpha)
    open_ = np.clip(cv2.GaussianBlur(gap, (0, 0), 3.0) * 1.45 - 0.2, 0, 1) ** 0.8
    result: Floats = colour * (0.12 + 0.88 * open_)[..., None]
    return result


def _put_tongue_out(look: Look, weights: Floats, still: NDArray[Any], colour: Floats) -> Floats:
    """The tip of the tongue over lower teeth and lip, under the upper lip."""
    out = float(weights[COLUMN["tongueOut"]])
    if out < 0.02:
        return colour
    patch = look.patches["mouth"]
    first, last = patch.ends
    width = last - first
    root = float(patch.edge[patch.box.width // 2]) - 0.04 * width
    length = (0.08 + 0.34 * out) * width + 0.5 * max(0.0, float((weights @ look.jaw)[1]))
    across = (still[..., 0] - (first + last) / 2) / (0.23 * width)
    along = (still[..., 1] - root) / length
    reach = np.hypot(across, np.maximum(along, 0) ** 1.6)
    alpha = (np.clip((1 - reach) * 9, 0, 1) * (along > 0) * min(1.0, 8 * out))[..., None]
    light = (
        0.72 + 0.34 * np.clip(along, 0, 1) - 0.30 * np.clip(reach, 0, 1) ** 4 - 0.12 * np.exp(-((across / 0.13) ** 2))
    )
    result: Floats = colour + (TONGUE * light[..., None] - colour) * alpha
    return result


def _shut(name: str, weights: Floats) -> float:
    return 0.0 if name == "mouth" else float(weights[COLUMN["eyeBlinkLeft" if name == "eye_left" else "eyeBlinkRight"]])


def _hung(patch: Patch, points: NDArray[Any], shut: float) -> NDArray[Any]:
    """Where lashes are looked up: as the lid falls, those that stood above its edge come to hang below it."""
    if shut < 0.02:
        return points
    edge = np.interp(points[..., 0], patch.box.left + 0.5 + np.arange(patch.box.width), patch.edge)
    stand = 1 - 1.7 * min(shut, 1.0)
    stand = np.copysign(max(abs(stand), 0.3), stand)
    return np.stack([points[..., 0], edge - (edge - points[..., 1]) / stand], -1).astype(np.float32)


def _draw_patch(look: Look, name: str, pose: Pose, turned: Floats, skin: Bytes, out: Bytes) -> None:
    """Draws an opening over ``out`` (RGBA of the head box)."""
    patch, head = look.patches[name], look.head
    spots = _positions(patch.box, patch.step)
    carried = _sample(turned, head, look.base_step, spots)
    upper = patch.upper.at(pose.face) + carried
    lower = patch.lower.at(pose.face) + carried
    reached = np.concatenate([(spots + upper).reshape(-1, 2), (spots + lower).reshape(-1, 2)])
    low, high = np.floor(reached.min(0)).astype(int) - 2, np.ceil(reached.max(0)).astype(int) + 2
    low = np.maximum(low, [head.left, head.top])
    high = np.minimum(high, [head.left + head.width, head.top + head.height])
    step = patch.step
    width, height = (int((b - a) // step * step) for a, b in zip(low, high, strict=True))
    area = Box(int(low[0]), int(low[1]), width, height)
    seen = _positions(area, step)
    maps: list[NDArray[Any]] = []
    for total in (upper, lower):
        maps.append(_dense(invert(total, patch.box, step, seen), area, step))
    from_upper, from_lower = maps
    upper_mask = _fetch(patch.upper_mask, patch.box, from_upper)
    lower_mask = _fetch(patch.lower_mask, patch.box, from_lower)
    shut = _shut(name, pose.face)
    # Shut lids touch: what a fold of the fields leaves open between them is skin, not eye.
    lower_mask = np.maximum(lower_mask, np.clip((shut - 0.82) / 0.12, 0, 1))
    full = _positions(area, 1)
    still = full - _sample(turned, head, look.base_step, full - _sample(turned, head, look.base_step, full))
    gap = (1 - upper_mask) * (1 - lower_mask)
    if name == "mouth":
        first, last = patch.ends
        inwards = np.minimum(from_upper[..., 0] - first, last - from_upper[..., 0])
        corner = np.clip(inwards / (CORNER_SHARE * (last - first)), 0, 1)
        colour = _mouth_behind(look, pose.face, still, gap, corner)
    else:
        colour = _eye_behind(look, name, pose.face, still, upper_mask, patch.box)
    for points, mask, lashes in (
        (from_lower, lower_mask, patch.lower_lashes),
        (from_upper, upper_mask, patch.upper_lashes),
    ):
        sheet = _fetch(skin, head, points, cv2.INTER_CUBIC)[..., :3]
        colour = colour + (sheet - colour) * mask[..., None]
        if lashes is not None:
            fringe = _fetch(lashes, patch.box, _hung(patch, points, shut))[..., None]
            colour = colour + (look.lash_colour - colour) * fringe
        if name == "mouth" and mask is lower_mask:
            colour = _put_tongue_out(look, pose.face, still, colour)
    source = np.where((upper_mask > 0.5)[..., None], from_upper, from_lower)
    edge = np.minimum(
        np.minimum(source[..., 0] - patch.box.left, patch.box.left + patch.box.width - source[..., 0]),
        np.minimum(source[..., 1] - patch.box.top, patch.box.top + patch.box.height - source[..., 1]),
    )
    blend = np.clip(edge / FEATHER, 0, 1)[..., None]
    top, left = area.top - head.top, area.left - head.left
    view = out[top : top + height, left : left + width, :3]
    view[:] = np.clip(view + (colour - view) * blend + 0.5, 0, 255).astype(np.uint8)


def draw_head(look: Look, pose: Pose) -> Bytes:
    """The head box in a pose: straight RGBA [height, width, 4]."""
    head, step = look.head, look.base_step
    turned = head_field(look, pose)
    skin = lit(look, pose.face)
    coarse = invert(look.base.at(pose.face) + turned, head, step, _positions(head, step))
    points = _dense(coarse, head, step)
    out = _fetch(skin, head, points, cv2.INTER_CUBIC).astype(np.uint8)
    for name in look.patches:
        _draw_patch(look, name, pose, turned, skin, out)
    return out


def draw_body(look: Look, level: int) -> Bytes:
    """The whole plate at one of ``BREATH_LEVELS``: straight RGBA [size, size, 4]."""
    size = look.size
    rows = np.arange(size, dtype=np.float32)
    rise = level / (BREATH_LEVELS - 1) * BREATH_RISE * size * _rise(rows, size)
    y = np.repeat((rows + rise).astype(np.float32)[:, None], size, 1)
    x = np.repeat(rows[None, :], size, 0)
    return cv2.remap(look.plate, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
