"""What every scene shares: the stage it is drawn on, the moment of the music it shows, the light it answers with."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

# Stages run side by side, one core each: OpenCV's own threads would only get in each other's way.
cv2.setNumThreads(1)


@dataclass(frozen=True)
class Moment:
    """What a scene shows: ``time`` in seconds since the scene began, ``flow`` the seconds it has moved (more where the
    music is loud), what is heard (0..1, smoothed), and the camera. ``zoom`` 1 shows the scene as composed."""

    time: float
    flow: float
    bass: float = 0.4
    mids: float = 0.4
    highs: float = 0.4
    kick: float = 0.0
    """1 at a low onset, gone within a third of a second."""
    density: float = 0.6
    """How full and bright the section is: a chorus is above its verses."""
    zoom: float = 1.0
    pan: tuple[float, float] = (0.0, 0.0)
    """In half short sides."""
    turn: float = 0.0
    """Radians."""


@dataclass(frozen=True)
class Light:
    """A drawn scene. ``heat`` [height, width] is light from 0 upwards without limit; ``hue`` [height, width], 0..1,
    says which of the two colour ramps it is seen in."""

    heat: Field
    hue: Field


@dataclass(frozen=True)
class Stage:
    """Where a scene is drawn: size in pixels, seed, the composition out of four, and the song's energy as a contour of
    64 numbers, 0..1, that shapes what is drawn."""

    width: int
    height: int
    seed: int
    variant: int
    relief: tuple[float, ...]

    @property
    def short(self) -> int:
        """The short side in pixels."""
        return min(self.width, self.height)

    @property
    def reach(self) -> tuple[float, float]:
        """Half width and half height in half short sides: (1.78, 1) for 16:9."""
        return self.width / self.short, self.height / self.short

    @property
    def pixel(self) -> float:
        """A pixel in half short sides."""
        return 2 / self.short

    @cached_property
    def x(self) -> Field:
        """Column positions [width], 0 in the middle, in half short sides."""
        return ((np.arange(self.width, dtype=np.float32) + 0.5) * 2 - self.width) / np.float32(self.short)

    @cached_property
    def y(self) -> Field:
        """Row positions [height], downwards, 0 in the middle, in half short sides."""
        return ((np.arange(self.height, dtype=np.float32) + 0.5) * 2 - self.height) / np.float32(self.short)

    def random(self, salt: int) -> np.random.Generator:
        """A generator of the stage's own."""
        return np.random.default_rng((self.seed, self.variant, salt))

    def contour(self, at: NDArray[np.floating]) -> Field:
        """The song's energy at places ``at``: 0 to 1 is from its beginning to its end, then back, without steps."""
        folded = 1 - np.abs(np.mod(at, 2) - 1)
        return np.asarray(np.interp(folded, np.linspace(0, 1, len(self.relief)), self.relief), np.float32)


class Scene(ABC):
    """One composition of a motif. Frames are drawn in order: some scenes remember."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @abstractmethod
    def draw(self, moment: Moment) -> Light:
        """The scene at ``moment``."""


def blurred(field: Field, share: float, stage: Stage) -> Field:
    """``field`` out of focus by ``share`` of the short side, computed on a coarse grid: nothing finer is left of it."""
    sigma = share * stage.short
    step = max(1, int(sigma / 2))
    small = cv2.resize(field, (max(2, stage.width // step), max(2, stage.height // step)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return np.asarray(cv2.resize(soft, (stage.width, stage.height), interpolation=cv2.INTER_LINEAR), np.float32)


def smooth(value: Field) -> Field:
    """Hermite step of 0..1."""
    clipped: Field = np.clip(value, 0, 1)
    return clipped * clipped * (3 - 2 * clipped)


def splat(rows: Field, columns: Field, weights: Field, shape: tuple[int, int]) -> Field:
    """Light of ``weights`` at points, each shared by the four pixels around it. Points outside are dropped."""
    height, width = shape
    inside = (rows >= 0) & (rows < height - 1) & (columns >= 0) & (columns < width - 1)
    rows, columns, weights = rows[inside], columns[inside], weights[inside]
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    down, across = rows - top, columns - left
    index = top * width + left
    places = np.concatenate([index, index + 1, index + width, index + width + 1])
    near = weights * (1 - down)
    far = weights * down
    shares = np.concatenate([near * (1 - across), near * across, far * (1 - across), far * across])
    return np.bincount(places, shares, height * width).astype(np.float32).reshape(shape)
