"""The bake's geometry: what the shipped looks were made with. Needs the body model and the path tracer, which ``make
test`` installs and workers do not have."""

import json

import mitsuba as mi
import numpy as np
import pytest

from activities.avatar import presenter_rig as rig
from activities.avatar.bake.body import subdivision
from activities.avatar.bake.clothes import CELL, inside
from activities.avatar.bake.skin import Tone
from activities.avatar.bake.style import Style
from activities.avatar.bake.unwrap import STEEPEST, Parting, harmonic_fill, lash_line, let_down
from activities.support.box import Box


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


def test_skin_under_a_falling_chin_goes_along_and_what_is_above_the_mouth_does_not():
    drop = np.zeros((40, 9))
    drop[10:20] = 60.0
    below = np.arange(40) >= 12
    eased = let_down(drop, 6, below)
    assert np.array_equal(eased[:12], drop[:12])
    assert np.allclose(eased[14:17], 60, atol=1)
    assert (np.diff(eased[12:], axis=0) / 6).min() >= -1.15 * STEEPEST, "no place is passed by the one above it"
    assert np.abs(eased[34:]).max() < 1


def test_lashes_root_in_a_line_along_the_lid_that_ends_with_it():
    upper = np.zeros((30, 60), np.float32)
    upper[:12] = 1
    lower = np.zeros_like(upper)
    lower[18:] = 1
    lower[:, :10] = lower[:, 50:] = 1
    line = lash_line(Parting(Box(0, 0, 60, 30), upper, lower, (10.0, 50.0)), 0.6)
    assert np.allclose(line[11:13, 25:35].max(0), 0.6, atol=0.15)
    assert line[:8].max() < 0.01
    assert line[16:].max() < 0.01
    assert line[:, :10].max() == line[:, 51:].max() == 0
