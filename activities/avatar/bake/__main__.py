"""``python -m activities.avatar.bake LOOK OUT``: bakes ``LOOK/description.json`` (LOOK is a folder, or the name of a
shipped look) into the pictures and fields of a presenter. Takes minutes; the same description gives the same look."""

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from activities.lipsync.base import ARKIT
from activities.support.box import Box

SIZE = 1080
BASE_STEP, MOUTH_STEP, EYE_STEP = 6, 2, 1
QUANTUM = 64.0
"""Fields are stored as int16 in 1/64 pixel."""

_BOTH = {
    "smile": "mouthSmile",
    "stretch": "mouthStretch",
    "frown": "mouthFrown",
    "dimple": "mouthDimple",
    "press": "mouthPress",
    "lower_down": "mouthLowerDown",
    "upper_up": "mouthUpperUp",
    "cheek_squint": "cheekSquint",
    "sneer": "noseSneer",
    "brow_down": "browDown",
    "brow_outer": "browOuterUp",
    "blink": "eyeBlink",
    "squint": "eyeSquint",
}
_SINGLE = {
    "jaw": ("jawOpen", 0.7),
    "pucker": ("mouthPucker", 1.0),
    "funnel": ("mouthFunnel", 1.0),
    "roll_lower": ("mouthRollLower", 1.0),
    "roll_upper": ("mouthRollUpper", 1.0),
    "shrug": ("mouthShrugLower", 1.0),
    "puff": ("cheekPuff", 1.0),
    "brow_inner": ("browInnerUp", 1.0),
}
LIT: dict[str, dict[str, float]] = {
    **{name: {curve: weight} for name, (curve, weight) in _SINGLE.items()},
    **{name: {f"{curve}Left": 1.0, f"{curve}Right": 1.0} for name, curve in _BOTH.items()},
}
"""Expressions whose change of light is baked. Two curves share a picture by side."""


def _write(path: Path, picture: NDArray[np.uint8], quality: int) -> None:
    """``picture`` is RGB or RGBA; WebP, lossless above 100."""
    order = cv2.COLOR_RGBA2BGRA if picture.shape[-1] == 4 else cv2.COLOR_RGB2BGR
    if not cv2.imwrite(str(path), cv2.cvtColor(picture, order), [cv2.IMWRITE_WEBP_QUALITY, quality]):
        raise OSError(f"{path} could not be written")


def _sheets(name: str, upper: Any, lower: Any, arrays: dict[str, Any]) -> None:
    for suffix, field in (("up", upper), ("low", lower)):
        used = [index for index in range(len(ARKIT)) if np.abs(field[index]).max() > 0.06]
        arrays[f"{name}_{suffix}"] = np.rint(field[used] * QUANTUM).astype(np.int16)
        arrays[f"{name}_{suffix}_curves"] = np.array(used, np.int16)


def bake(look: Path, out: Path, samples: int, fields_only: bool) -> None:
    """Writes the plate, the layers of eyes and mouth, the lights, ``fields.npz`` and ``rig.json`` to ``out``."""
    # Torch and the path tracer take seconds to import: a mistyped command line is told without them.
    from activities.avatar.bake import clothes, scene, shapes, unwrap  # noqa: PLC0415 - as said above
    from activities.avatar.bake.assemble import lashes, sitter  # noqa: PLC0415 - as said above

    out.mkdir(parents=True, exist_ok=True)
    person = sitter(look / "description.json", SIZE)
    camera, marks = person.camera, person.marks
    seed, exposure = person.description["seed"], person.description.get("exposure", 1.0)

    def draw(parts: dict[str, Any], crop: Box, share: float, steady: bool = True) -> scene.Picture:
        return scene.render(parts, camera, crop, max(4, int(samples * share)), seed, exposure, steady)

    half = person.description.get("half_width", 0.115)
    head_left, head_top = camera.project(marks["crown"] + np.array([-half, 0, 0.04]))
    head_right, head_bottom = camera.project(marks["pit"] + np.array([half, 0, 0.0]))
    left, top = int(head_left) // 2 * 2, max(0, int(head_top) // 2 * 2)
    width = int(np.ceil((head_right - left) / 24) * 24)
    height = int(np.ceil((head_bottom - top) / 24) * 24)
    head = Box(left, top, width, height)

    mouth_points = np.stack(
        [marks["corner"] * [-1, 1, 1], marks["corner"], marks["nose"] - [0, 0, 0.012], marks["chin"] - [0, 0, -0.006]]
    )
    mouth = unwrap.box(camera, mouth_points, (16, 0, 16, 0), 8)
    lids = np.concatenate(marks["lids"])
    eyes = {
        "left": unwrap.box(camera, lids, (10, 16, 10, 14), 4),
        "right": unwrap.box(camera, lids * [-1, 1, 1], (10, 16, 10, 14), 4),
    }
    partings = {"mouth": unwrap.part_lips(person, mouth)}
    partings["eye_left"] = unwrap.part_lids(person, eyes["left"], 1.0)
    partings["eye_right"] = unwrap.part_lids(person, eyes["right"], -1.0)
    arrays: dict[str, Any] = {}
    base, place = unwrap.base_field(person, head, BASE_STEP)
    used = [index for index in range(len(ARKIT)) if np.abs(base[index]).max() > 0.06]
    arrays["base"] = np.rint(base[used] * QUANTUM).astype(np.int16)
    arrays["base_curves"] = np.array(used, np.int16)
    arrays["place"] = place.astype(np.float32)
    for name, parting in partings.items():
        step = MOUTH_STEP if name == "mouth" else EYE_STEP
        upper, lower = unwrap.sheet_fields(person, parting, step)
        _sheets(name, upper, lower, arrays)
        masks = np.stack([parting.upper, parting.lower, np.zeros_like(parting.upper)], -1)
        if name != "mouth":
            line = person.description["lashes"].get("line", 0.5)
            fine = draw(lashes(person.description, marks, person.folder), parting.crop, 0.5)
            masks[..., 2] = np.maximum(np.clip(fine[..., 3], 0, 1), unwrap.lash_line(parting, line))
        _write(out / f"{name}_masks.webp", np.rint(masks * 255).astype(np.uint8), 101)

    def vertices_of(part: str) -> NDArray[np.int64]:
        return np.unique(person.body.parts[part].quads)

    teeth = person.body.shapes[:, vertices_of("helper-lower-teeth")].mean(1)
    scale = SIZE / scene.SPAN
    arrays["jaw"] = (np.stack([teeth[:, 0], -teeth[:, 2]], -1) * scale).astype(np.float32)

    np.savez_compressed(out / "fields.npz", **arrays)
    if fields_only:
        return

    for name, side in (("left", 1.0), ("right", -1.0)):
        crop = eyes[name]
        centre = marks["eye"] * np.array([side, 1, 1])
        kept = person.skin.mesh(person.body.vertices)
        middle = kept.vertices[kept.faces].mean(1)
        near = np.linalg.norm(middle - centre, axis=1) < marks["eye_radius"] + 0.006
        bare = shapes.shape(
            "bare",
            shapes.Mesh(kept.vertices, kept.faces[~near], kept.uv, kept.normals),
            person.materials["skin"],
        )
        glossy = scene.tone(draw({"bare": bare, **person.eyes()}, crop, 8.0, False)[..., :3])
        matt = scene.tone(draw({"bare": bare, **person.eyes("eye_matt")}, crop, 8.0, False)[..., :3])
        both = np.concatenate([matt, np.clip(glossy - matt, 0, 1)], 0)
        _write(out / f"eye_{name}.webp", np.rint(both * 255).astype(np.uint8), 95)
    pair = [unwrap.straight(draw(teeth_, mouth, 1.0)) for teeth_ in (person.upper_teeth(), person.lower_teeth())]
    _write(out / "teeth.webp", np.concatenate(pair, 0), 95)

    front = np.stack(
        [marks["chin"] + [-0.088, 0.03, -0.030], marks["chin"] + [0.088, 0.03, 0], marks["eye"] + [0, 0, 0.065]]
    )
    face = unwrap.box(camera, front, (0, 0, 0, 0), 4)
    plain = draw({**person.face({}), **person.eyes()}, face, 0.5)
    lights = {}
    for name, weights in LIT.items():
        change = unwrap.relit(person, face, weights, max(4, int(samples * 0.5)), plain) / max(weights.values())
        strong = np.abs(change).max(-1) > 0.012
        if not strong.any():
            continue
        rows, columns = np.flatnonzero(strong.any(1)), np.flatnonzero(strong.any(0))
        top_, left_ = int(rows[0]) // 2 * 2, int(columns[0]) // 2 * 2
        piece = change[top_ : rows[-1] + 1, left_ : columns[-1] + 1]
        _write(out / f"light_{name}.webp", np.clip(np.rint(piece * 127 + 128), 0, 255).astype(np.uint8), 80)
        lights[name] = {"left": face.left + left_, "top": face.top + top_, "curves": list(weights)}

    everything = {**person.face({}), **person.eyes(), **person.grown, **person.worn}
    # Hair is not steadied, so it needs more light paths than skin to be free of grain.
    plate = unwrap.straight(draw(everything, Box(0, 0, SIZE, SIZE), 2.0))
    for name in ("left", "right"):
        crop, parting = eyes[name], partings[f"eye_{name}"]
        hole = ((1 - np.maximum(parting.upper, parting.lower)) > 0.02).astype(np.uint8)
        wider = cv2.dilate(hole, np.ones((3, 3), np.uint8))
        view = plate[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width, :3]
        view[:] = cv2.inpaint(np.ascontiguousarray(view), wider, 3, cv2.INPAINT_TELEA)
    _write(out / "plate.webp", plate, 95)

    def rectangle(crop: Box) -> list[int]:
        return [crop.left, crop.top, crop.width, crop.height]

    collar = clothes.collar_front(person.description["clothes"], marks)
    still = marks["pit"][2] + 0.012 if collar is None else collar + 0.004
    rig = {
        "size": SIZE,
        "distance": scene.DISTANCE,
        "span": scene.SPAN,
        "target": [float(v) for v in camera.target],
        "pivot": [0.0, float(marks["ear"][1] + 0.012), float(marks["chin"][2] + 0.01)],
        "head": rectangle(head),
        "steps": {"base": BASE_STEP, "mouth": MOUTH_STEP, "eye": EYE_STEP},
        "quantum": QUANTUM,
        "patches": {
            "mouth": rectangle(mouth),
            "eye_left": rectangle(eyes["left"]),
            "eye_right": rectangle(eyes["right"]),
        },
        "eye": {"centre": [float(v) for v in marks["eye"]], "radius": float(marks["eye_radius"])},
        "still_below": float(camera.project(np.array([0.0, marks["pit"][1], still]))[1]),
        "moves_above": float(camera.project(marks["chin"] + np.array([0, 0, -0.012]))[1]),
        "lash": [int(255 * v) for v in scene.tone(np.array(person.description["lashes"]["colour"], np.float32))],
        "lights": lights,
    }
    (out / "rig.json").write_text(json.dumps(rig, indent=1) + "\n")


def main() -> None:
    """Parses the command line and bakes."""
    parser = argparse.ArgumentParser(prog="python -m activities.avatar.bake", description=__doc__)
    parser.add_argument("look", help="a folder with description.json, or the name of a shipped look")
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--samples", type=int, default=36, help="light paths per pixel (default 36)")
    parser.add_argument("--fields-only", action="store_true", help="bake only masks and fields, leave the pictures")
    arguments = parser.parse_args()
    look = Path(arguments.look)
    if not (look / "description.json").is_file():
        look = Path(__file__).parent.parent / "looks" / arguments.look
    if not (look / "description.json").is_file():
        parser.error(f"{arguments.look} is neither a folder with description.json nor a shipped look")
    mi.set_variant("llvm_ad_rgb")
    bake(look, arguments.out, arguments.samples, arguments.fields_only)


if __name__ == "__main__":
    main()
