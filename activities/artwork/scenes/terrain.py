"""Terrain: a flight over mountains towards a low sun. Columns are drawn from the near to the far, as voxel landscapes
are, so that every ridge hides what is behind it."""

import cv2
import numpy as np

from activities.artwork.scenes.base import Field, Light, Moment, Scene, Stage

_ROWS = 190
_MAP = 512
_NEAR, _FAR = 0.35, 7.5
_VIEWS = ((0.62, -0.14), (1.1, -0.2), (0.42, 0.02), (0.85, -0.18))
"""Height of the eye and place of the horizon, by composition."""


class Terrain(Scene):
    """The flight goes on with the music; the bass lifts the near hills, the highs light the ridges, the kick the
    sun."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        random = stage.random(6)
        self._land = _noise(random)
        self._rows = round(_ROWS * max(1.0, (stage.short / 540) ** 0.8))
        # Even steps on the screen: more rows where the land is near.
        self._depth = (1 / np.linspace(1 / _NEAR, 1 / _FAR, self._rows)).astype(np.float32)
        self._sun = random.uniform(-0.45, 0.45)
        stars = 420
        self._stars = (
            random.uniform(0, stage.height * 0.7, stars).astype(np.float32),
            random.uniform(0, stage.width, stars).astype(np.float32),
            random.gamma(0.6, 0.5, stars).astype(np.float32),
        )

    def draw(self, moment: Moment) -> Light:
        """See :class:`Scene`."""
        stage = self.stage
        eye, line = _VIEWS[stage.variant % 4]
        horizon = float(line * stage.reach[1] + moment.pan[1])
        heat, hue = self._sky(horizon, moment)
        heights, shade = self._cross(moment)
        focal = np.float32(1.25 * moment.zoom)
        screen = np.float32(horizon) + focal * (np.float32(eye) - heights) / self._depth[:, None]
        rows = np.clip((screen + stage.reach[1]) * np.float32(stage.short / 2), -1, stage.height)
        ground, mist = self._ground(rows, shade)
        seen = ground > 0
        heat = np.where(seen, ground, heat)
        hue = np.where(seen, mist, hue)
        return Light(heat, hue)

    def _cross(self, moment: Moment) -> tuple[Field, Field]:
        """Heights and light of the land [rows, columns], from the near to the far."""
        stage = self.stage
        depth = self._depth[:, None]
        ahead = depth + np.float32(moment.flow * 0.55)
        sideways = (stage.x[None] - np.float32(moment.pan[0])) * depth / np.float32(1.25 * moment.zoom)
        turned = sideways + depth * np.float32(np.sin(moment.turn) * 0.5)
        scale = np.float32(_MAP / 9.0)
        land = self._land
        found = cv2.remap(
            land,
            np.mod(turned * scale, _MAP).astype(np.float32),
            np.broadcast_to(np.mod(ahead * scale, _MAP), turned.shape).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        )
        valley = np.minimum(np.sqrt((turned * np.float32(0.5)) ** 2 + np.float32(0.03)), 1)
        swell = stage.contour(ahead[:, 0] / 9)[:, None]
        lifted = (0.62 + 0.18 * moment.density + 0.16 * moment.bass) * (0.62 + 0.6 * swell)
        heights = np.asarray(found, np.float32) * valley * lifted.astype(np.float32)
        slope = np.gradient(heights, axis=1) / (depth * np.float32(stage.pixel))
        rising = np.gradient(heights, axis=0) * np.float32(self._rows / 60)
        lit = np.clip(0.34 - 0.36 * np.sign(self._sun + 0.01) * slope + 2.0 * rising, 0.02, 1.6)
        crest = np.clip(heights * 1.3 - 0.35, 0, 1) ** 2 * (0.35 + 1.1 * moment.highs)
        return heights, ((lit * (0.35 + 0.5 * moment.density)) + crest).astype(np.float32)

    def _ground(self, rows: Field, shade: Field) -> tuple[Field, Field]:
        """Light and hue of every pixel the land covers, 0 elsewhere: the nearest row whose line is above the pixel."""
        stage = self.stage
        top = np.minimum.accumulate(rows, axis=0)
        new = np.ones(rows.shape, bool)
        new[1:] = rows[1:] < top[:-1] - 0.01
        near, column = np.nonzero(new & (rows < stage.height - 1))
        index = np.zeros((stage.height, stage.width), np.int16)
        at = np.maximum(np.ceil(rows[near, column]), 0).astype(np.int32)
        # Far to near, so that where two lines fall on a pixel the nearer stays.
        order = slice(None, None, -1)
        index[at[order], column[order]] = (self._rows - near[order]).astype(np.int16)
        index = np.maximum.accumulate(index, axis=0)
        haze = np.exp(-0.36 * (self._depth - _NEAR)).astype(np.float32)[:, None]
        table = np.vstack([np.zeros((1, stage.width), np.float32), (shade * haze + 0.42 * (1 - haze))[::-1]])
        places = index.astype(np.int32) * stage.width + np.arange(stage.width, dtype=np.int32)
        ground = table.ravel()[places]
        cool = np.concatenate([[0.0], (0.08 + 0.8 * (1 - haze[:, 0]))[::-1]]).astype(np.float32)
        return np.where(index > 0, np.maximum(ground, 0.004), 0).astype(np.float32), cool[index]

    def _sky(self, horizon: float, moment: Moment) -> tuple[Field, Field]:
        stage = self.stage
        up = np.maximum(np.float32(horizon) - stage.y, 0)
        glow = np.float32(0.42 + 0.2 * moment.density) / (1 + up * np.float32(2.4)) ** 2
        heat = np.broadcast_to(glow[:, None], (stage.height, stage.width)).astype(np.float32)
        size = np.float32(0.34 + 0.03 * moment.bass + 0.02 * moment.kick) * np.float32(moment.zoom)
        x = stage.x[None] - np.float32(self._sun + moment.pan[0])
        y = stage.y[:, None] - np.float32(horizon - size * 0.62)
        away = np.sqrt(x * x + y * y)
        disc = np.clip((size - away) / np.float32(stage.pixel * 1.5), 0, 1) * np.float32(0.9 + 0.4 * moment.density)
        # Through the haze above the land less of its light is seen: a disc of one tone would be a hole in the picture.
        disc *= np.clip(np.float32(0.85) - np.float32(0.5) * y / size, 0.2, 1.4)
        halo = np.float32(0.3 + 0.2 * moment.bass) / (1 + (np.maximum(away - size, 0) * 4) ** 2)
        rows, columns, weight = self._stars
        sparkle = weight * (0.6 + 0.7 * moment.highs)
        heat = heat + disc + halo
        inside = columns.astype(np.int32), rows.astype(np.int32)
        np.add.at(heat, (inside[1], np.minimum(inside[0], stage.width - 1)), sparkle)
        hue = np.clip(np.float32(0.95) - up * np.float32(0.8), 0, 1)[:, None] * np.ones_like(heat)
        return heat, hue.astype(np.float32)


def _noise(random: np.random.Generator) -> Field:
    """Ridged noise that repeats at its edges [512, 512], 0..1."""
    total = np.zeros((_MAP, _MAP), np.float32)
    weight = 1.0
    for cells in (6, 12, 24, 48, 96):
        grid = random.uniform(-1, 1, (cells, cells)).astype(np.float32)
        wide = np.pad(grid, 2, mode="wrap")
        size = round(_MAP / cells * (cells + 4))
        large = cv2.resize(wide, (size, size), interpolation=cv2.INTER_CUBIC)
        start = round(_MAP / cells * 2)
        part = np.asarray(large, np.float32)[start : start + _MAP, start : start + _MAP]
        total += np.float32(weight) * (1 - np.abs(part) * 1.6)
        weight *= 0.36
    total -= total.min()
    return np.asarray(cv2.blur(np.asarray((total / total.max()) ** 1.7, np.float32), (3, 3)), np.float32)
