"""Crystals: a cluster of six-sided prisms turning in the light; facets are glass, so those behind shine through."""

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.artwork.scenes.base import Field, Light, Moment, Scene, Stage

_SIDES = 6
_SHIFT = 4
"""Fractional bits of the corners given to OpenCV: without them edges jump from pixel to pixel."""
_SUN = np.array([-0.48, -0.66, 0.58])

Points = NDArray[np.float64]


class Crystals(Scene):
    """The cluster turns with the flow; the bass makes the crystals grow, each with the energy of its part of the song;
    the highs light their edges."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        random = stage.random(7)
        count = (17, 11, 25, 14)[stage.variant % 4]
        golden = np.pi * (3 - 5**0.5)
        order = np.arange(count)
        height = 1 - 2 * (order + 0.5) / count
        around = order * golden + random.uniform(0, 2 * np.pi)
        flat = np.sqrt(1 - height**2)
        axis = np.stack([flat * np.cos(around), height, flat * np.sin(around)], axis=1)
        axis += random.normal(0, 0.16, axis.shape)
        self._axis = axis / np.linalg.norm(axis, axis=1, keepdims=True)
        energy = stage.contour(random.permutation(np.linspace(0, 1, count)))
        self._length = (0.55 + 0.75 * energy) * random.uniform(0.75, 1.2, count)
        self._breadth = random.uniform(0.09, 0.19, count) * (0.8 + 0.4 * energy)
        self._spin = random.uniform(0, 2 * np.pi, count)
        self._dust = random.normal(0, 1, (360, 3))
        self._dust *= (0.6 + 2.2 * random.uniform(0, 1, (360, 1))) / np.linalg.norm(self._dust, axis=1, keepdims=True)
        self._mote = random.gamma(0.8, 0.5, 360)

    def draw(self, moment: Moment) -> Light:
        """See :class:`Scene`."""
        stage = self.stage
        turn = _rotation(moment.flow * 0.16 + 0.7 * stage.variant, 0.42 + 0.1 * np.sin(moment.flow * 0.11), moment.turn)
        x, y = stage.x[None] - np.float32(moment.pan[0]), stage.y[:, None] - np.float32(moment.pan[1])
        away = np.sqrt(x * x + y * y)
        heat = np.float32(0.16 + 0.2 * moment.density + 0.08 * moment.bass) / (1 + (away * np.float32(1.25)) ** 3)
        hue = np.clip(np.float32(0.9) - away * np.float32(0.55), 0, 1)
        self._scatter(heat, turn, moment)
        glass, edges = self._facets(turn, moment)
        heat = (
            heat * np.float32(0.9)
            + glass * np.float32(1.55 / 255)
            + edges * np.float32((0.35 + 1.0 * moment.highs) / 255)
        )
        hue = np.clip(hue + (glass.astype(np.float32) * np.float32(1 / 255) - np.float32(0.35)) * np.float32(0.9), 0, 1)
        return Light(heat.astype(np.float32), hue.astype(np.float32))

    def _scatter(self, heat: Field, turn: Points, moment: Moment) -> None:
        """Dust in the air around."""
        places = self._project(self._dust @ turn.T, moment)
        columns, rows = np.round(places).astype(np.int32).T
        inside = (rows >= 0) & (rows < heat.shape[0] - 1) & (columns >= 0) & (columns < heat.shape[1] - 1)
        spot = max(1, self.stage.short // 540)
        for down in range(spot):
            for across in range(spot):
                np.add.at(
                    heat,
                    (rows[inside] + down - 1, columns[inside] + across - 1),
                    (self._mote[inside] * (0.3 + 0.7 * moment.highs)).astype(np.float32),
                )

    def _project(self, points: Points, moment: Moment) -> Points:
        """Pixels of points [n, 3]; the eye is at z = 3.4."""
        near = 4.3 * moment.zoom / (3.4 - points[:, 2:3])
        middle = np.array([self.stage.width, self.stage.height]) / 2
        return np.asarray(middle + (points[:, :2] * near + np.array(moment.pan)) * self.stage.short / 2)

    def _facets(self, turn: Points, moment: Moment) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Glass and edges, drawn from the far to the near."""
        stage = self.stage
        solids = []
        grown = 0.9 + 0.16 * moment.bass + 0.05 * moment.kick
        for number, axis in enumerate(self._axis):
            corners = _prism(axis, self._length[number] * grown, self._breadth[number], self._spin[number]) @ turn.T
            for facet in _FACETS:
                solids.append((corners[list(facet)], number))
        solids.sort(key=lambda solid: float(solid[0][:, 2].mean()))
        glass = np.zeros((stage.height, stage.width), np.uint8)
        edges = np.zeros_like(glass)
        thin = max(1, round(stage.short / 700))
        for corners, number in solids:
            normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
            normal /= np.linalg.norm(normal) + 1e-9
            outline = np.round(self._project(corners, moment) * (1 << _SHIFT)).astype(np.int32)
            facing = normal[2] > 0
            gleam = max(0.0, float(normal @ _SUN)) if facing else 0.25 * max(0.0, float(-normal @ _SUN))
            depth = 0.62 + 0.3 * float(corners[:, 2].mean())
            value = (14 + 150 * gleam**1.4 * (0.55 + 0.6 * moment.density) + 22 * np.sin(number * 2.4)) * depth
            tone = int(np.clip(value, 4, 255))
            if facing:
                cv2.fillConvexPoly(glass, outline, tone, cv2.LINE_AA, _SHIFT)
                cv2.polylines(edges, [outline], True, int(60 + 150 * gleam), thin, cv2.LINE_AA, _SHIFT)
        return glass, edges


def _rotation(yaw: float, pitch: float, roll: float) -> Points:
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    around_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    around_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    around_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(around_z @ around_x @ around_y)


def _prism(axis: Points, length: float, breadth: float, spin: float) -> Points:
    """Corners [13, 3] of a prism along ``axis``: its foot, its shoulder, and its point."""
    aside = np.cross(axis, [0.31, 0.87, 0.38])
    aside /= np.linalg.norm(aside)
    other = np.cross(axis, aside)
    angles = spin + np.arange(_SIDES) * 2 * np.pi / _SIDES
    ring = breadth * (np.cos(angles)[:, None] * aside + np.sin(angles)[:, None] * other)
    foot = ring * 0.45 + axis * 0.05
    shoulder = ring + axis * (length * 0.78)
    return np.vstack([foot, shoulder, axis * length])


_FACETS = tuple((n, (n + 1) % _SIDES, _SIDES + (n + 1) % _SIDES, _SIDES + n) for n in range(_SIDES)) + tuple(
    (_SIDES + n, _SIDES + (n + 1) % _SIDES, 2 * _SIDES) for n in range(_SIDES)
)
