"""The bake's geometry: what the shipped looks were made with. Runs where the body model and the path tracer are
installed; workers need neither."""

import json

import numpy as np
import pytest

pytest.importorskip("anny")
mi = pytest.importorskip("mitsuba")

from activities.avatar import presenter_rig as rig  # noqa: E402
from activities.avatar.bake.body import subdivision  # noqa: E402
from activities.avatar.bake.clothes import CELL, inside  # noqa: E402
from activities.avatar.bake.skin import Tone  # noqa: E402
from activities.avatar.bake.style import Style  # noqa: E402
from activities.avatar.bake.unwrap import harmonic_fill  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def tracer():
    mi.set_variant("llvm_ad_rgb" if "llvm_ad_rgb" in mi.variants() else "scalar_rgb")


def _cube() -> tuple[np.ndarray, np.ndarray]:
    points = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    return points, quads


def test_refining_a_cube_rounds_it_and_keeps_its_middle():
    points, quads = _cube()
    for _ in range(3):
        matrix, quads = subdivision(quads, len(points))
        assert np.allclose(np.asarray(matrix.sum(axis=1)).ravel(), 1)
        points = matrix @ points
    used = points[np.unique(quads)]
    radius = np.linalg.norm(used, axis=1)
    assert len(quads) == 6 * 4**3
    assert radius.max() / radius.min() < 1.15
    assert np.abs(used.mean(0)).max() < 1e-9


def test_unknown_cells_continue_a_slope():
    x, y = np.meshgrid(np.arange(20.0), np.arange(12.0))
    truth = (3 * x - 2 * y)[..., None]
    known = np.ones(x.shape, bool)
    known[4:8, 6:14] = False
    filled = harmonic_fill(np.where(known[..., None], truth, 0), known)
    assert np.allclose(filled, truth, atol=1e-6)


def test_the_distance_to_an_outline_is_signed_and_in_metres():
    x, z = np.meshgrid(np.arange(-0.05, 0.05, CELL), np.arange(0.05, -0.05, -CELL))
    angle = np.linspace(0, 2 * np.pi, 200)
    distance = inside(np.stack([0.03 * np.cos(angle), 0.03 * np.sin(angle)], -1), x, z)
    truth = 0.03 - np.hypot(x, z)
    assert np.abs(distance - truth).max() < 1.5 * CELL


def test_every_shipped_look_has_a_description_its_materials_understand():
    for name in rig.available():
        description = json.loads((rig.LOOKS / name / "description.json").read_text())
        Tone(**description["skin"]["paint"])
        assert [Style(**values) for values in description["hair"]]
