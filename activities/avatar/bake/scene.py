"""Puts a look in front of the camera: landmarks, camera, light, materials, and one path-traced picture at a time."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from activities.avatar.bake import shapes
from activities.avatar.bake.body import Body, Floats, Ints, normals, subdivided_texture, subdivision, triangles
from activities.support.box import Box

Picture = NDArray[np.float32]

SPAN = 0.69
"""Height and width of the picture at the face, in metres: head and chest."""

DISTANCE = 2.3

SATURATION = 1.18

CHIN, NOSE, LIP_TOP, SEAM, LIP_LOW, CROWN, BETWEEN_BROWS, THROAT, PIT, CORNER, CHEEK, EAR = (
    733, 297, 5072, 474, 496, 881, 234, 815, 1528, 10404, 11909, 12287,
)  # fmt: skip
"""Vertices of MakeHuman's base mesh; the order is the same for every body."""

UPPER_LID = (14766, 14762, 14761, 14760, 14743, 14742, 14744, 14745, 14746, 14747)
LOWER_LID = (14759, 14758, 14757, 14756, 14755, 14754, 14753, 14752, 14751)
"""The subject's left lid margins from the nose outwards."""


@dataclass(frozen=True)
class Camera:
    """A pinhole in front of the subject; pixels are counted on a square picture of ``size``."""

    target: Floats
    size: int

    @property
    def origin(self) -> Floats:
        """Where it stands: level with the target."""
        result: Floats = self.target + np.array([0.0, -DISTANCE, 0.0])
        return result

    def project(self, points: Floats) -> Floats:
        """Pixel positions (x, y; pixel centres at .5) of points in metres."""
        depth = points[..., 1] - self.origin[1]
        scale = self.size * DISTANCE / SPAN / depth
        return np.stack(
            [
                self.size / 2 + (points[..., 0] - self.target[0]) * scale,
                self.size / 2 - (points[..., 2] - self.target[2]) * scale,
            ],
            -1,
        )


def landmarks(body: Body, brow: dict[str, float]) -> dict[str, Any]:
    """Face landmarks in metres. ``brow`` shifts and sizes the brows (see ``brow_line``)."""
    at = body.vertices
    eye, radius = shapes.fit_sphere(at[np.unique(body.parts["helper-l-eye"].quads)])
    between = at[BETWEEN_BROWS]
    inner, outer = at[UPPER_LID[0]], at[UPPER_LID[-1]]
    return {
        "eye": eye,
        "eye_radius": radius,
        "chin": at[CHIN],
        "nose": at[NOSE],
        "mouth": at[SEAM],
        "corner": at[CORNER],
        "crown": at[CROWN],
        "ear": at[EAR],
        "cheek": at[CHEEK],
        "throat": at[THROAT],
        "pit": at[PIT],
        "lids": (at[list(UPPER_LID)], at[list(LOWER_LID)]),
        "brow": {
            "inner": inner[0] - 0.004 + brow.get("inner", 0.0),
            "outer": outer[0] + 0.006 + brow.get("outer", 0.0),
            "height": eye[2] + 0.0175 + brow.get("height", 0.0),
            "arch": brow.get("arch", 0.005),
            "width": brow.get("width", 0.0042),
        },
        "between": between,
    }


@dataclass
class Surface:
    """A part of the body refined ``steps`` times, as a matrix on the base vertices so that every pose comes cheap."""

    matrix: Any
    quads: Ints
    texture: Ints
    uv: Floats
    faces: Ints = field(init=False)
    source: Ints = field(init=False)
    split: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.faces = triangles(self.quads)
        corner = np.stack([self.quads.ravel(), self.texture.ravel()], -1)
        unique, inverse = np.unique(corner, axis=0, return_inverse=True)
        self.source = unique[:, 0]
        self.split = triangles(inverse.reshape(self.quads.shape))
        self.coordinates = self.uv[unique[:, 1]]

    def mesh(self, vertices: Floats) -> shapes.Mesh:
        """The mesh for base vertices; corners are split where the texture is."""
        refined = self.matrix @ vertices
        smooth = normals(refined, self.faces)
        return shapes.Mesh(refined[self.source], self.split, self.coordinates, smooth[self.source])

    def carried(self, per_vertex: Floats) -> Floats:
        """A quantity of the base vertices at the vertices of :meth:`mesh`."""
        result: Floats = (self.matrix @ per_vertex)[self.source]
        return result


def surface(body: Body, name: str, keep: NDArray[np.bool_] | None, steps: int) -> Surface:
    """Refines the quads of a part (those of ``keep``)."""
    part = body.parts[name]
    quads, texture, uv = part.quads, part.texture, body.uv
    if keep is not None:
        quads, texture = quads[keep], texture[keep]
    matrix: Any = None
    count = len(body.vertices)
    for _ in range(steps):
        step, new_quads = subdivision(quads, count)
        texture, uv = subdivided_texture(texture, uv)
        matrix = step if matrix is None else step @ matrix
        quads, count = new_quads, step.shape[0]
    _, merged = np.unique(np.round(uv[texture.ravel()], 7), axis=0, return_inverse=True)
    coordinates = np.zeros((merged.max() + 1, 2))
    coordinates[merged.ravel()] = uv[texture.ravel()]
    return Surface(matrix, quads, merged.reshape(texture.shape), coordinates)


def bitmap(picture: Picture) -> dict[str, Any]:
    """A linear-light texture from an array."""
    return {"type": "bitmap", "bitmap": mi.Bitmap(np.ascontiguousarray(picture)), "raw": True}


def rgb(colour: tuple[float, float, float] | list[float]) -> dict[str, Any]:
    """A constant linear-light colour."""
    return {"type": "rgb", "value": list(colour)}


def panel(origin: Floats, target: Floats, size: tuple[float, float], radiance: tuple[float, float, float]) -> Any:
    """A soft box at ``origin`` facing ``target``; ``size`` is half its width and height."""
    transform = mi.ScalarTransform4f()
    to_world = transform.look_at(origin=origin.tolist(), target=target.tolist(), up=[0, 0, 1])
    return {
        "type": "rectangle",
        "to_world": to_world @ transform.scale([size[0], size[1], 1]),
        "emitter": {"type": "area", "radiance": rgb(radiance)},
    }


def lights(centre: Floats, exposure: float) -> dict[str, Any]:
    """Key from the camera's left and above, a broad fill, two hair lights behind and a low ambient."""

    def at(x: float, y: float, z: float) -> Floats:
        result: Floats = centre + np.array([x, y, z])
        return result

    def glow(red: float, green: float, blue: float) -> tuple[float, float, float]:
        return (red * exposure, green * exposure, blue * exposure)

    return {
        "key": panel(at(-1.15, -1.45, 0.95), centre, (0.42, 0.52), glow(17.5, 16.2, 14.4)),
        "fill": panel(at(1.5, -1.5, 0.15), centre, (0.75, 0.75), glow(1.05, 1.08, 1.14)),
        "low": panel(at(0.1, -1.3, -0.95), centre, (0.6, 0.3), glow(0.7, 0.66, 0.62)),
        "rim_right": panel(at(0.95, 1.0, 0.75), centre, (0.25, 0.7), glow(5.5, 5.7, 6.2)),
        "rim_left": panel(at(-1.0, 1.1, 0.6), centre, (0.22, 0.7), glow(3.0, 3.1, 3.3)),
        "ambient": {"type": "constant", "radiance": rgb(glow(0.17, 0.175, 0.19))},
    }


def render(
    shapes_: dict[str, Any],
    camera: Camera,
    crop: Box,
    samples: int,
    seed: int,
    exposure: float = 1.0,
    steady: bool = True,
) -> Picture:
    """Path-traces a crop: premultiplied linear RGBA [height, width, 4]."""
    transform = mi.ScalarTransform4f()
    scene = {
        "type": "scene",
        "integrator": {
            "type": "aov",
            "aovs": "albedo:albedo,normal:sh_normal",
            "image": {"type": "path", "max_depth": 6, "rr_depth": 4, "hide_emitters": True},
        },
        "sensor": {
            "type": "perspective",
            "fov": float(np.degrees(2 * np.arctan(SPAN / 2 / DISTANCE))),
            "to_world": transform.look_at(origin=camera.origin.tolist(), target=camera.target.tolist(), up=[0, 0, 1]),
            "film": {
                "type": "hdrfilm",
                "width": camera.size,
                "height": camera.size,
                "crop_offset_x": crop.left,
                "crop_offset_y": crop.top,
                "crop_width": crop.width,
                "crop_height": crop.height,
                "pixel_format": "rgba",
                "rfilter": {"type": "gaussian", "stddev": 0.42},
            },
            "sampler": {"type": "multijitter", "sample_count": samples},
        },
        **lights(camera.target, exposure),
        **shapes_,
    }
    # What is rendered is an array by protocol, which mitsuba's stubs do not say.
    picture: Picture = np.array(mi.render(mi.load_dict(scene), seed=seed), np.float32)  # type: ignore[arg-type]
    return steadied(picture) if steady else picture[..., :4]


def steadied(picture: Picture) -> Picture:
    """RGBA without the grain of few light paths. Light (colour over reflectance) is averaged between neighbours of like
    normal and reflectance, so skin and cloth keep their texture, and hair, whose normals differ, is left alone.
    ``picture`` has channels RGBA, reflectance, normal."""
    colour, alpha = picture[..., :3], picture[..., 3:4]
    albedo, normal = picture[..., 4:7], picture[..., 7:10]
    floor = np.maximum(albedo, 0.02)
    light = np.minimum(colour / floor, 40.0)
    guide = np.concatenate([normal / 0.16, albedo / 0.10], -1)
    radius = 4
    padded_light = np.pad(light, ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    padded_guide = np.pad(guide, ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    total, weights = np.zeros_like(light), np.zeros_like(alpha)
    height, width = alpha.shape[:2]
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            rows = slice(radius + dy, radius + dy + height)
            columns = slice(radius + dx, radius + dx + width)
            apart = ((padded_guide[rows, columns] - guide) ** 2).sum(-1, keepdims=True)
            weight = np.exp(-0.5 * apart - (dx * dx + dy * dy) / (2 * 1.5**2))
            total += weight * padded_light[rows, columns]
            weights += weight
    smooth = total / weights * floor
    return np.concatenate([smooth, alpha], -1).astype(np.float32)


def scratch() -> Path:
    """A directory for curve files, which mitsuba reads by name."""
    return Path(tempfile.mkdtemp(prefix="look-"))


def tone(linear: Picture) -> Picture:
    """Linear light to sRGB 0..1 with a filmic shoulder (Hable's curve normalised to keep middle grey near linear) and a
    little more colour than was measured, as every camera's picture has."""
    bright = np.maximum(linear, 0) * 1.0
    shoulder = bright * (1 + bright / 6.0) / (1 + bright * 0.55)
    grey = (shoulder @ np.array([0.2126, 0.7152, 0.0722], np.float32))[..., None]
    shoulder = np.maximum(grey + SATURATION * (shoulder - grey), 0)
    encoded = np.where(shoulder <= 0.0031308, shoulder * 12.92, 1.055 * np.maximum(shoulder, 1e-6) ** (1 / 2.4) - 0.055)
    return np.clip(encoded, 0, 1).astype(np.float32)
