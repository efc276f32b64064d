"""Waves: satin sheets one before the other, each with a lit edge and a shadow on the one behind."""

import cv2
import numpy as np

from activities.artwork.scenes.base import Field, Light, Moment, Scene, Stage

_SHEETS = 10
_SHADOW = 0.2
"""How far up a sheet's shadow reaches, in half short sides."""
_SLOPES = (0.0, -0.42, 0.3, -0.12)


class Waves(Scene):
    """Sheets rise and fall with the bass; the highs run along their edges. ``variant`` tilts the sea."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        random = stage.random(1)
        self._phase = random.uniform(0, 2 * np.pi, (_SHEETS, 3))
        self._length = random.uniform(0.7, 1.3, (_SHEETS, 3)) * np.array([1.1, 2.3, 4.1])
        self._speed = random.uniform(0.5, 1.0, (_SHEETS, 3)) * np.array([0.32, -0.5, 0.75])
        self._tint = random.uniform(-0.25, 0.25, _SHEETS)

    def draw(self, moment: Moment) -> Light:
        """See :class:`Scene`."""
        stage = self.stage
        x = stage.x / moment.zoom + moment.pan[0]
        heat = np.empty((stage.height, stage.width), np.float32)
        sky = np.linspace(0.02, 0.34 + 0.3 * moment.density, stage.height, dtype=np.float32)
        heat[:] = sky[:, None]
        hue = np.full_like(heat, 0.15)
        edges = [self._place(number, x, moment) for number in range(_SHEETS)]
        sheens = [self._sheen(edge) for edge in edges]
        # Column by column group: an edge rises little within one, so little is drawn that the next sheet covers.
        step = max(64, stage.width // 8)
        for first in range(0, stage.width, step):
            part = slice(first, first + step)
            for number, edge in enumerate(edges):
                covered = float(edges[number + 1][part].max()) + 2 * stage.pixel if number + 1 < _SHEETS else np.inf
                self._lay((heat[:, part], hue[:, part]), edge[part], sheens[number][part], number, covered, moment)
        return Light(heat, hue)

    def _sheen(self, edge: Field) -> Field:
        """Light along a sheet. On satin it turns slowly: the edge itself may have corners, its sheen none."""
        width = self.stage.short // 10 | 1
        slope = cv2.blur(cv2.blur(np.gradient(edge)[None], (width, 1)), (width, 1))[0] / self.stage.pixel
        return np.asarray(0.62 + 0.5 * np.tanh(-1.6 * slope), np.float32)

    def _place(self, number: int, x: Field, moment: Moment) -> Field:
        """Height of a sheet's edge on the screen along x."""
        near = number / (_SHEETS - 1)
        middle = ((near * 2 - 1) * 1.08 + 0.16) * self.stage.reach[1]
        edge = middle + self._edge(number, near, x, moment)
        return np.asarray(moment.zoom * edge + moment.pan[1] * (0.4 + near), np.float32)

    def _edge(self, number: int, near: float, x: Field, moment: Moment) -> Field:
        """Height of a sheet's edge along x."""
        swell = 0.05 + 0.075 * near + 0.07 * moment.bass + 0.03 * moment.kick
        waves = np.zeros_like(x)
        for part, weight in enumerate((1.0, 0.45, 0.16)):
            angle = x * self._length[number, part] + self._phase[number, part] + moment.flow * self._speed[number, part]
            waves += np.float32(weight) * np.sin(angle.astype(np.float32))
        along = x / (2 * self.stage.reach[0]) + 0.5 + number * 0.13
        lift = 0.45 + 0.9 * self.stage.contour(along)
        return np.asarray(swell * waves * lift + (_SLOPES[self.stage.variant % 4] + moment.turn) * x, np.float32)

    def _lay(
        self, picture: tuple[Field, Field], edge: Field, sheen: Field, number: int, covered: float, moment: Moment
    ) -> None:
        """Lay one sheet over what is behind it in ``picture`` (heat and hue), down to where the next one covers it."""
        stage = self.stage
        near = number / (_SHEETS - 1)
        top, end = np.searchsorted(stage.y, (float(edge.min()) - _SHADOW, covered))
        if top >= end:
            return
        below = stage.y[top:end, None] - edge[None]
        behind, tints = picture[0][top:end], picture[1][top:end]
        # What stands behind a sheet lies in its shadow, the more the nearer to its edge.
        shade = np.clip(1 + below * np.float32(1 / _SHADOW), 0, 1)
        behind *= 1 - np.float32(0.55) * shade * shade
        cover = np.clip(below * np.float32(1 / stage.pixel) + 0.5, 0, 1)
        deep = np.maximum(below, 0)
        lit = np.float32((0.5 + 1.25 * moment.density) * (0.42 + 0.75 * (1 - near)))
        falling, thin = 1 + deep * np.float32(3.4), deep * np.float32(1 / 0.009)
        body = lit / (falling * falling) + np.float32(0.5 + 0.9 * moment.highs) / (1 + thin * thin)
        body *= sheen[None]
        behind += (body - behind) * cover
        tint = np.float32(0.5 + 0.5 * np.sin(number * 1.1 + self._tint[number])) + deep * np.float32(0.35)
        tints += (np.clip(tint, 0, 1) - tints) * cover
