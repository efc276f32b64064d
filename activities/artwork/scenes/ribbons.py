"""Ribbons: bundles of silk threads that twist in space; where threads meet, light gathers."""

import numpy as np

from activities.artwork.scenes.base import Field, Light, Moment, Scene, Stage, blurred

_BUNDLES = ((5, 46), (3, 80), (8, 28), (4, 60))
"""Ribbons and threads of each, by composition."""


class Ribbons(Scene):
    """Ribbons run along the long side. The bass bends them, the mids open them, the highs light their threads."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        random = stage.random(5)
        self._ribbons, threads = _BUNDLES[stage.variant % 4]
        self._threads = round(threads * max(1.0, (stage.short / 540) ** 0.75))
        self._phase = random.uniform(0, 2 * np.pi, (self._ribbons, 5))
        self._speed = random.uniform(0.16, 0.42, (self._ribbons, 5)) * random.choice([-1, 1], (self._ribbons, 5))
        self._length = random.uniform(0.8, 1.25, (self._ribbons, 5)) * np.array([0.9, 1.9, 1.25, 2.6, 0.7])
        self._lit = random.uniform(0.55, 1.1, self._ribbons)
        self._hue = (np.arange(self._ribbons) / max(1, self._ribbons - 1) + random.uniform(-0.15, 0.15)) % 1.0
        self._upright = stage.height > stage.width

    def draw(self, moment: Moment) -> Light:
        """See :class:`Scene`."""
        stage = self.stage
        length, breadth = max(stage.width, stage.height), stage.short
        columns = ((np.arange(length) + 0.5) * 2 - length) / stage.short
        shift = moment.pan[1] if self._upright else moment.pan[0]
        along = np.asarray(columns / moment.zoom + shift, np.float32)
        heat = np.zeros((breadth, length), np.float32)
        tinted = np.zeros_like(heat)
        for number in range(self._ribbons):
            light = self._ribbon(number, along, moment, heat.shape)
            heat += light
            tinted += light * np.float32(self._hue[number])
        if self._upright:
            heat, tinted = np.ascontiguousarray(heat.T), np.ascontiguousarray(tinted.T)
        glow = blurred(heat, 0.05, stage)
        hue = blurred(tinted, 0.05, stage) / (glow + np.float32(0.02))
        return Light(heat + glow * np.float32(0.35) + np.float32(0.05), hue)

    def _ribbon(self, number: int, along: Field, moment: Moment, shape: tuple[int, int]) -> Field:
        """Light of one ribbon: every thread crosses every column once, between two pixels."""
        phase = self._phase[number] + moment.flow * self._speed[number]
        waves = [np.sin(along * np.float32(self._length[number, part]) + np.float32(phase[part])) for part in range(5)]
        rest = (number + 0.5) / self._ribbons * 2 - 1
        lift = self.stage.contour(along / (2 * max(self.stage.reach)) + 0.5)
        bend = np.float32(0.26 + 0.16 * moment.bass)
        middle = rest * 0.62 + moment.turn * along * 0.35 + bend * waves[0] + np.float32(0.1) * waves[1]
        half = np.float32(0.12 + 0.12 * moment.mids + 0.1 * moment.density) * (0.55 + 0.75 * lift)
        twist = waves[2] * np.float32(2.1) + np.float32(moment.flow * 0.35)
        thread = np.linspace(-1, 1, self._threads, dtype=np.float32)[:, None]
        # A twisted band seen from the side: its threads lie at the cosine of their turn, and crowd where it is edge on.
        places = middle[None] + half[None] * (thread * np.cos(twist)[None] + 0.35 * thread**2 * waves[3][None])
        rows = (places * np.float32(moment.zoom) + 1) * np.float32(shape[0] / 2)
        front = (0.55 + 0.45 * np.sin(twist))[None] * (0.4 + 0.6 * (1 - thread * thread))
        comet = 0.6 + 0.8 * np.clip(np.sin(along * 1.7 - moment.flow * 1.3 + number * 2.0), 0, 1)[None] ** 3
        shine = np.float32(
            self._lit[number] * (5 / self._ribbons) ** 0.8 * (0.42 + 0.42 * moment.density + 0.25 * moment.highs)
        )
        return _drawn(rows, (shine * front * comet * np.float32(46 / self._threads * shape[0] / 540)), shape)


def _drawn(rows: Field, weights: Field, shape: tuple[int, int]) -> Field:
    """Threads given as a row for each column: light shared by the two pixels above and below."""
    columns = np.broadcast_to(np.arange(shape[1], dtype=np.int32), rows.shape)
    inside = (rows >= 0) & (rows < shape[0] - 1)
    at, column = rows[inside], columns[inside]
    weight = np.broadcast_to(weights, rows.shape)[inside]
    top = at.astype(np.int32)
    down = at - top
    index = top * shape[1] + column
    size = shape[0] * shape[1]
    light = np.bincount(index, weight * (1 - down), size) + np.bincount(index + shape[1], weight * down, size)
    return light.astype(np.float32).reshape(shape)
