"""Rings: orbits of light around a sphere, tilted in space, with comets running on them."""

import cv2
import numpy as np

from activities.artwork.scenes.base import Field, Light, Moment, Scene, Stage, smooth

_RADII, _ANGLES = 420, 720
_REACH = 2.6
"""Radius of the outermost row of the polar sheet, in half short sides."""
_TILTS = ((0.36, -0.42), (0.92, 0.0), (0.22, 0.5), (0.6, 1.1))
"""Height over width of the orbits, and the turn of their axis, by composition."""


class Rings(Scene):
    """The bass swells the sphere, the kick sends a ring outwards, the highs light the comets. The orbits are drawn on a
    polar sheet, where a ring is a bar, and bent once."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        random = stage.random(2)
        count = 30
        radii = 0.56 + 1.9 * np.sort(random.uniform(0, 1, count)) ** 1.15
        self._rows = radii / _REACH * _RADII
        self._breadth = random.choice([0.9, 1.3, 2.2, 4.5, 9.0], count, p=[0.3, 0.3, 0.2, 0.14, 0.06])
        self._phase = random.uniform(0, 1, count)
        self._speed = random.uniform(0.03, 0.12, count) * random.choice([-1, 1], count, p=[0.25, 0.75])
        strength = stage.contour(np.linspace(0, 1, count))
        self._share = 0.3 + 0.65 * strength
        self._lit = (0.35 + 0.9 * random.uniform(0, 1, count)) * (0.55 + 0.6 * strength)
        self._hue = random.uniform(0, 1, count)
        self._angle = np.arange(_ANGLES, dtype=np.float32) / _ANGLES

    def draw(self, moment: Moment) -> Light:
        """See :class:`Scene`."""
        stage = self.stage
        squash, axis = _TILTS[stage.variant % 4]
        turn = axis + moment.turn
        x = (stage.x[None] - moment.pan[0]) / np.float32(moment.zoom)
        y = (stage.y[:, None] - moment.pan[1]) / np.float32(moment.zoom)
        cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        u, v = x * cos + y * sin, y * cos - x * sin
        tilt = np.float32(squash * (1 + 0.12 * np.sin(moment.flow * 0.23)))
        radius, angle = cv2.cartToPolar(u, v / tilt)
        sheet, tint = self._sheet(moment)
        rows = radius * np.float32(_RADII / _REACH)
        columns = angle * np.float32(_ANGLES / (2 * np.pi))
        heat = np.asarray(cv2.remap(sheet, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32)
        hue = np.asarray(cv2.remap(tint, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
        return self._with_sphere(heat, hue, x, y, v, moment)

    def _sheet(self, moment: Moment) -> tuple[Field, Field]:
        """Light and hue by radius and angle; a column more than a turn, so that the seam is not seen."""
        sheet = np.zeros((_RADII, _ANGLES + 1), np.float32)
        tint = np.full((_RADII, _ANGLES + 1), 0.35, np.float32)
        shown = 0.5 + 0.5 * moment.density
        for number, row in enumerate(self._rows):
            behind = (self._angle * np.sign(self._speed[number]) - self._phase[number]) % 1
            behind = (behind - moment.flow * abs(self._speed[number])) % 1
            share = self._share[number] * shown + 0.08
            # A comet: bright at its head (behind = 1), fading over its share of the orbit, on a faint full ring.
            trail = np.clip(1 - (1 - behind) / share, 0, 1)
            head = np.clip(1 - (1 - behind) / 0.012, 0, 1) * (1 + 3 * moment.highs)
            along = (0.07 + (trail**2 + head) * (0.6 + 1.3 * moment.density)) * self._lit[number]
            half = self._breadth[number] * (1 + 0.35 * moment.mids)
            low, high = int(max(0, row - half - 2)), int(min(_RADII, row + half + 3))
            across = np.clip(half / 2 + 0.7 - np.abs(np.arange(low, high) - row), 0, 1) / (0.6 + 0.25 * half)
            sheet[low:high, :-1] += across[:, None].astype(np.float32) * along.astype(np.float32)
            tint[low:high] = self._hue[number]
        if moment.kick > 0.02:
            away = np.arange(_RADII) / _RADII * _REACH - (0.62 + 1.5 * (1 - moment.kick))
            sheet[:, :-1] += (0.5 * moment.kick**2 * np.exp(-((away / 0.05) ** 2))).astype(np.float32)[:, None]
        sheet[:, -1] = sheet[:, 0]
        return sheet, tint

    def _with_sphere(self, heat: Field, hue: Field, x: Field, y: Field, v: Field, moment: Moment) -> Light:
        """A lit sphere in the middle: what is behind it is hidden, what passes before it stays."""
        size = np.float32(0.4 + 0.035 * moment.bass + 0.02 * moment.kick)
        away = np.sqrt(x * x + y * y)
        inside = np.clip((size - away) / np.float32(self.stage.pixel), 0, 1)
        deep = np.sqrt(np.maximum(size * size - away * away, 0)) / size
        facing = (deep * 0.5 - (x * 0.62 + y * 0.7) / size * 0.66).astype(np.float32)
        shade = smooth(facing * 0.9 + 0.12) * np.float32(1.05 + 0.75 * moment.density) + 0.03
        edge = (1 - deep) ** 3 * np.float32(0.5 + 0.4 * moment.highs)
        hidden = inside * (v < 0)
        halo = np.float32(0.35 + 0.35 * moment.bass) / (1 + (np.maximum(away - size, 0) * np.float32(3.1)) ** 2)
        heat = heat * (1 - hidden) + (shade + edge) * inside + halo * (1 - inside) * np.float32(0.6)
        hue = hue * (1 - inside) + (np.float32(0.85) - shade * np.float32(0.3)) * inside
        return Light(heat.astype(np.float32), hue.astype(np.float32))
