"""Particles: thousands of points carried by a slow current, each leaving a fading trail, around a bright heart."""

import cv2
import numpy as np

from activities.artwork.scenes.base import Field, Light, Moment, Scene, Stage, splat

_LIFE = 90.0
"""Frames a particle lives; then it is born again elsewhere."""
_GRID = 96
_FINE = 5
"""Places of the current that are looked up between two of the grid: without them points would go round corners."""
_SUBSTEPS = 2
"""Steps a frame: a point that jumped further than its size would draw dashes."""
_SPREAD = 0.28
"""Share of a trail that spreads to the pixels around it each step: what is left is silk and not a row of beads, each
of which would be seen and paid for in the video's size."""
_STEPS_BEFORE = 36
"""Steps before the first frame, so that a cut shows trails already drawn."""


class Particles(Scene):
    """The current turns with the bass; the kick pushes outwards, the highs make points sparkle. Trails are what is left
    of the frames before."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        random = stage.random(3)
        across, down = stage.reach
        self._count = round(9_000 * (stage.width * stage.height / (960 * 540)) ** 0.62)
        self._x = random.uniform(-across, across, self._count).astype(np.float32)
        self._y = random.uniform(-down, down, self._count).astype(np.float32)
        self._age = random.uniform(0, _LIFE, self._count).astype(np.float32)
        self._weight = (0.25 + random.gamma(0.7, 1.0, self._count)).astype(np.float32)
        self._random = random
        self._flow_x, self._flow_y = self._current()
        self._trails = np.zeros((stage.height, stage.width), np.float32)
        self._finer = max(1.0, stage.short / 540) * _SUBSTEPS
        before = Moment(time=0.0, flow=0.0)
        for _ in range(round(_STEPS_BEFORE * self._finer)):
            self._step(before)

    def _current(self) -> tuple[Field, Field]:
        """A field without sources: the curl of smooth noise and of a few whirls, on a coarse grid."""
        stage, random = self.stage, self.stage.random(4)
        across, down = stage.reach
        xs, ys = np.meshgrid(np.linspace(-across, across, _GRID) * 1.3, np.linspace(-down, down, _GRID) * 1.3)
        height = np.zeros_like(xs)
        for scale, weight in ((1.4, 0.5), (2.9, 0.26), (5.2, 0.1)):
            turn, shift = random.uniform(0, 2 * np.pi, 2), random.uniform(0, 2 * np.pi, 2)
            height += weight * np.sin(scale * (xs * np.cos(turn[0]) + ys * np.sin(turn[0])) + shift[0])
            height += weight * np.sin(scale * 1.3 * (xs * np.cos(turn[1]) + ys * np.sin(turn[1])) + shift[1])
        whirl = (0.0, 1.3, -0.9, 2.0)[stage.variant % 4]
        height += whirl * np.log(0.15 + np.hypot(xs, ys))
        span = 2.6 * np.array([down, across]) / (_GRID - 1)
        falls_y, falls_x = np.gradient(height, *span)
        size = (_GRID * _FINE, _GRID * _FINE)
        fine = [cv2.resize(part, size, interpolation=cv2.INTER_CUBIC) for part in (falls_y, -falls_x)]
        return np.asarray(fine[0], np.float32), np.asarray(fine[1], np.float32)

    def _step(self, moment: Moment) -> None:
        stage = self.stage
        across, down = stage.reach
        last = _GRID * _FINE - 1
        column = np.clip((self._x / np.float32(1.3 * across) + 1) * np.float32(last / 2), 0, last)
        row = np.clip((self._y / np.float32(1.3 * down) + 1) * np.float32(last / 2), 0, last)
        place = row.astype(np.int32) * (last + 1) + column.astype(np.int32)
        pace = np.float32((0.0045 + 0.006 * moment.bass + 0.004 * moment.density) / self._finer)
        pushed = np.float32(0.006 * moment.kick)
        step_x = pace * self._flow_x.ravel()[place] + pushed * self._x
        step_y = pace * self._flow_y.ravel()[place] + pushed * self._y
        self._x += step_x
        self._y += step_y
        self._age += 1 / self._finer
        old = self._age > _LIFE
        born = int(old.sum())
        if born:
            self._age[old] = 0
            self._x[old] = self._random.uniform(-across, across, born) * 1.1
            self._y[old] = self._random.uniform(-down, down, born) * 1.1
        life = np.sin(self._age * np.float32(np.pi / _LIFE))
        weight = self._weight * life * np.float32((0.5 + 0.5 * moment.density) / _SUBSTEPS)
        half, scale = np.float32(0.5), np.float32(stage.short / 2)
        # Two points a step, half a step apart.
        rows = np.concatenate([self._y, self._y - half * step_y]) + np.float32(down)
        columns = np.concatenate([self._x, self._x - half * step_x]) + np.float32(across)
        points = splat(rows * scale, columns * scale, np.concatenate([weight, weight]) * half, self._trails.shape)
        # A finer picture has more pixels for the same light.
        kept = float(0.93 ** (1 / self._finer))
        spread = cv2.blur(self._trails, (3, 3), borderType=cv2.BORDER_REPLICATE)
        self._trails = np.asarray(cv2.addWeighted(self._trails, kept * (1 - _SPREAD), spread, kept * _SPREAD, 0))
        self._trails += points * np.float32(1.0 + 0.8 * moment.highs)

    def draw(self, moment: Moment) -> Light:
        """See :class:`Scene`."""
        stage = self.stage
        for _ in range(_SUBSTEPS):
            self._step(moment)
        matrix = cv2.getRotationMatrix2D(
            (stage.width / 2, stage.height / 2), np.degrees(moment.turn), moment.zoom * 1.06
        )
        matrix[0, 2] += moment.pan[0] * stage.short / 2
        matrix[1, 2] += moment.pan[1] * stage.short / 2
        size = (stage.width, stage.height)
        heat = np.asarray(cv2.warpAffine(self._trails, matrix, size, flags=cv2.INTER_LINEAR), np.float32)
        x, y = stage.x[None] - np.float32(moment.pan[0]), stage.y[:, None] - np.float32(moment.pan[1])
        away = np.sqrt(x * x + y * y)
        heart = np.float32(0.34 + 0.3 * moment.bass + 0.12 * moment.kick) / (1 + (away * np.float32(2.6)) ** 2)
        heat = heat * (np.float32(0.75) + heart * np.float32(1.7)) + heart * np.float32(0.42)
        hue = np.clip(np.float32(1.05) - away * np.float32(0.62) + heat * np.float32(0.1), 0, 1)
        return Light(heat, hue)
