"""Builds a look from its description: body, skin, eyes, hair and clothes as mitsuba shapes that can be posed and
drawn in groups."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mitsuba as mi
import numpy as np

from activities.avatar.bake import clothes, hair, scene, shapes, skin
from activities.avatar.bake.body import Body, Floats, build
from activities.avatar.bake.style import Style
from activities.lipsync.base import ARKIT


@dataclass
class Sitter:
    """One look, ready to be posed: its body, refined skin, fixed shapes and materials."""

    description: dict[str, Any]
    body: Body
    marks: dict[str, Any]
    camera: scene.Camera
    skin: scene.Surface
    materials: dict[str, Any]
    worn: dict[str, Any]
    grown: dict[str, Any]
    folder: Path

    def posed(self, weights: dict[str, float]) -> Floats:
        """Base vertices under ARKit weights."""
        vector = np.zeros(len(ARKIT))
        for name, value in weights.items():
            vector[ARKIT.index(name)] = value
        return self.body.vertices + np.tensordot(vector, self.body.shapes, 1)

    def face(self, weights: dict[str, float]) -> dict[str, Any]:
        """The bare skin that clothes leave to be seen, under ARKit weights."""
        mesh = self.skin.mesh(self.posed(weights))
        middle = self.skin.mesh(self.body.vertices).vertices[mesh.faces].mean(1)
        pit = self.marks["pit"][2]
        shown = ((middle[:, 2] > pit + 0.045) & (np.abs(middle[:, 0]) < 0.12)) | (
            (np.abs(middle[:, 0]) < 0.066) & (middle[:, 2] > pit - 0.14)
        )
        part = shapes.Mesh(mesh.vertices, mesh.faces[shown], mesh.uv, mesh.normals)
        return {"body": shapes.shape("body", part, self.materials["skin"])}

    def eyes(self, material: str = "eye") -> dict[str, Any]:
        """Both eyeballs, looking ahead."""
        iris = self.description["eyes"].get("iris", 0.0062)
        result = {}
        for name, side in (("left", 1.0), ("right", -1.0)):
            centre = self.marks["eye"] * np.array([side, 1, 1])
            ball = shapes.eyeball(centre, self.marks["eye_radius"], iris)
            result[f"eye_{name}"] = shapes.shape(f"eye_{name}", ball, self.materials[material])
        return result

    def upper_teeth(self) -> dict[str, Any]:
        """Upper teeth and gum."""
        return self._teeth(True)

    def lower_teeth(self) -> dict[str, Any]:
        """Lower teeth, gum and tongue in the closed jaw."""
        result = self._teeth(False)
        tongue = scene.surface(self.body, "helper-tongue", None, 1)
        result["tongue"] = shapes.shape("tongue", tongue.mesh(self.body.vertices), self.materials["tongue"])
        return result

    def _teeth(self, upper: bool) -> dict[str, Any]:
        mouth = self.marks["mouth"]
        front = mouth + (np.array([0, 0.0085, -0.0016]) if upper else np.array([0, 0.0105, -0.0016]))
        front[0] = 0.0
        name = "upper" if upper else "lower"
        result = {
            f"{name}_{number}": shapes.shape(f"{name}_{number}", mesh, self.materials["enamel"])
            for number, mesh in enumerate(shapes.teeth(front, upper, 40))
        }
        gum = scene.surface(self.body, f"helper-{name}-teeth", None, 2)
        shift = np.array([0, 0.0035, 0.0085 if upper else -0.0075])
        result[f"{name}_gum"] = shapes.shape(f"{name}_gum", gum.mesh(self.body.vertices + shift), self.materials["gum"])
        return result


def _materials(
    description: dict[str, Any], colour: skin.Picture, relief: skin.Picture, iris_share: float
) -> dict[str, Any]:
    eyes = description["eyes"]
    look = shapes.iris_picture(tuple(eyes["colour"]), iris_share, description["seed"])
    sheen = description["skin"].get("gloss", 0.42)

    def load(**values: Any) -> Any:
        return mi.load_dict(values)

    def moist(colour: list[float], roughness: float, specular: float) -> Any:
        flesh = {"type": "principled", "base_color": scene.rgb(colour), "roughness": roughness, "specular": specular}
        return load(type="twosided", bsdf=flesh)

    shine = {"roughness": 0.06, "specular": 0.6, "clearcoat": 0.9, "clearcoat_gloss": 0.99}
    hard = {"roughness": 0.2, "specular": 0.5, "flatness": 0.4}
    return {
        "skin": load(
            type="bumpmap",
            arbitrary={"type": "bitmap", "bitmap": mi.Bitmap(relief[..., None]), "raw": True},
            scale=1.0,
            bsdf={
                "type": "principled",
                "base_color": scene.bitmap(colour),
                "roughness": description["skin"].get("roughness", 0.46),
                "specular": sheen,
                "flatness": 0.55,
                "sheen": 0.12,
            },
        ),
        "eye": load(type="principled", base_color=scene.bitmap(look), **shine),
        "eye_matt": load(type="diffuse", reflectance=scene.bitmap(look)),
        "enamel": load(type="principled", base_color=scene.rgb([0.66, 0.60, 0.49]), **hard),
        "gum": moist([0.36, 0.11, 0.10], 0.3, 0.5),
        "tongue": moist([0.40, 0.12, 0.11], 0.38, 0.4),
    }


def _strand_shape(points: Floats, radii: Floats, path: Path, bsdf: Any) -> dict[str, Any]:
    return {"type": "bsplinecurve", "filename": str(shapes.strands(points, radii, path)), "bsdf": bsdf}


def _grow(
    description: dict[str, Any], mesh: shapes.Mesh, ears: Floats, marks: dict[str, Any], folder: Path
) -> dict[str, Any]:
    seed = description["seed"]
    result: dict[str, Any] = {}
    assert mesh.normals is not None
    for number, values in enumerate(description["hair"]):
        style = Style(**values)
        points, radii = hair.head_of_hair(style, mesh.vertices, mesh.faces, mesh.normals, ears, marks, seed + number)
        rng = np.random.default_rng(seed)
        grey = rng.random(len(points)) < style.grey
        for name, chosen, eumelanin, pheomelanin in (
            ("own", ~grey, style.eumelanin, style.pheomelanin),
            ("grey", grey, 0.06, 0.02),
        ):
            if chosen.any():
                fibre = {
                    "type": "hair",
                    "eumelanin": eumelanin,
                    "pheomelanin": pheomelanin,
                    "longitudinal_roughness": style.roughness,
                    "azimuthal_roughness": 0.35,
                }
                path = folder / f"hair_{number}_{name}.txt"
                result[f"hair_{number}_{name}"] = _strand_shape(points[chosen], radii[chosen], path, fibre)
    brow = description["brows"]

    def matt(colour: list[float]) -> dict[str, Any]:
        return {"type": "principled", "base_color": scene.rgb(colour), "roughness": 0.5, "specular": 0.3}

    points, radii = hair.brows(
        mesh.vertices, mesh.normals, marks, brow["count"], brow.get("length", 0.0075), brow.get("radius", 0.0001), seed
    )
    result["brows"] = _strand_shape(points, radii, folder / "brows.txt", matt(brow["colour"]))
    return result


def lashes(description: dict[str, Any], marks: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Upper and lower lashes, which move with the lids and are therefore drawn apart."""
    lash = description["lashes"]
    bsdf = {"type": "diffuse", "reflectance": scene.rgb(lash["colour"])}
    result = {}
    for name, upper, count, length in (
        ("upper", True, lash["count"], lash["length"]),
        ("lower", False, int(lash["count"] * 0.6), lash["length"] * 0.5),
    ):
        points, radii = hair.lashes(marks, upper, count, length, lash.get("radius", 0.00008), description["seed"] + 5)
        result[f"lashes_{name}"] = _strand_shape(points, radii, folder / f"lashes_{name}.txt", bsdf)
    return result


def sitter(path: Path, size: int) -> Sitter:
    """Builds the look described in the JSON file ``path`` for a picture of ``size`` pixels."""
    description = json.loads(path.read_text())
    folder = scene.scratch()
    body = build(description["phenotype"], description["features"], description.get("arms", 0.66))
    marks = scene.landmarks(body, description["brows"].get("shape", {}))
    keep = body.vertices[body.parts["body"].quads][:, :, 2].min(1) > marks["pit"][2] - 0.42
    refined = scene.surface(body, "body", keep, 1)
    mesh = refined.mesh(body.vertices)
    each = np.arange(len(mesh.vertices))[:, None]
    where = skin.position_map(mesh.vertices, each, mesh.uv, each)
    values = dict(description["skin"]["paint"])
    colour, relief = skin.paint(skin.Tone(**values), where, marks, description["seed"])
    colour = skin.paint_scalp(colour, where, marks, description["hair"])
    ear_mask = skin.mask("ears")
    row = np.clip(((1 - mesh.uv[:, 1]) * skin.SIZE).astype(int), 0, skin.SIZE - 1)
    column = np.clip((mesh.uv[:, 0] * skin.SIZE).astype(int), 0, skin.SIZE - 1)
    iris_share = description["eyes"].get("iris", 0.0062) / marks["eye_radius"]
    materials = _materials(description, colour, relief, iris_share)
    grown = _grow(description, mesh, ear_mask[row, column], marks, folder)
    target = np.array(
        [0.0, marks["mouth"][1] + 0.03, marks["crown"][2] + description.get("headroom", 0.105) - scene.SPAN / 2]
    )
    worn = clothes.dress(description["clothes"], mesh, marks, description["seed"])
    return Sitter(description, body, marks, scene.Camera(target, size), refined, materials, worn, grown, folder)
