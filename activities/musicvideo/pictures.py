"""The pictures of a video before they are enlarged and lettered: generated scenes or graded footage, darkened where
words are, and the ground the cover closes on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from activities.artwork.light import Grade, Picture, develop, ramps
from activities.artwork.painter import relief
from activities.artwork.scenes import Field, Scene, Stage, scene
from activities.artwork.scenes.base import smooth
from activities.musicvideo.base import VideoBrief
from activities.musicvideo.cutting import Cut, Shot
from activities.musicvideo.direction import Look, Movement, look
from activities.musicvideo.plates import Reel
from activities.support.box import Box
from models.music import SectionKind

_EXPOSURE = 1.1
_LATER = 4.0
"""Seconds by which a plate begins later when it is seen again."""


@dataclass(frozen=True)
class Veil:
    """Where words are and when: a soft place [rows, width] from row ``top`` on, 0..1, and its presence frame by frame
    [frames]."""

    presence: NDArray[np.float32]
    top: int
    place: Field


def veil(boxes: Sequence[tuple[int, int, Box]], size: tuple[int, int], stage: Stage, frames: int, fps: int) -> Veil:
    """The veil behind type shown in ``boxes`` (first frame, end, box on a picture of ``size``): a place without an
    edge that could be seen. It stays where the next words follow soon: a shadow that came and went
    with each line would flicker."""
    presence = np.zeros(frames, np.float32)
    if not boxes:
        return Veil(presence, 0, np.zeros((1, stage.width), np.float32))
    for first, end, _ in boxes:
        presence[max(0, first - fps // 2) : end + fps] = 1
    kernel = np.hanning(2 * fps // 3 + 2)[1:-1]
    soft = np.convolve(presence, kernel / kernel.sum(), mode="same").astype(np.float32)
    scale = stage.height / size[1]
    top = min(box.top for _, _, box in boxes) * scale - 0.012 * stage.short
    bottom = max(box.bottom for _, _, box in boxes) * scale + 0.012 * stage.short
    left = min(box.left for _, _, box in boxes) * scale
    right = max(box.right for _, _, box in boxes) * scale
    reach, aside = 0.3 * stage.short, 0.8 * stage.short
    rows = np.arange(stage.height, dtype=np.float32)
    band = smooth(1 - np.maximum(top - rows, 0) / reach) * smooth(1 - np.maximum(rows - bottom, 0) / reach)
    inside = np.flatnonzero(band > 0)
    columns = np.arange(stage.width, dtype=np.float32)
    across = smooth(1 - np.maximum(left - columns, 0) / aside) * smooth(1 - np.maximum(columns - right, 0) / aside)
    return Veil(soft, int(inside[0]), np.ascontiguousarray(band[inside, None] * across[None]))


def plates_of(shots: Sequence[Shot], count: int) -> list[tuple[int, int]]:
    """Which of ``count`` plates each shot shows, and how often it was seen before: footage in its order, but a chorus
    that returns returns to its pictures. Empty without plates."""
    known: dict[tuple[SectionKind, int, int], int] = {}
    laps: dict[int, int] = {}
    found = []
    for shot in shots if count else ():
        key = (shot.kind, shot.number, 0 if shot.kind is SectionKind.CHORUS else shot.section)
        place = known.setdefault(key, len(known)) % count
        found.append((place, laps.get(place, 0)))
        laps[place] = laps.get(place, 0) + 1
    return found


_BRIGHTEST = 60
"""Level of 255 that the brightest of the ground under words is brought down to: a little under ``words.GROUND``."""
_FOLLOWS = 0.2
"""Share of the way that the veil's depth goes in a frame: it follows the picture without flickering."""


class Pictures:
    """All pictures of a video, in order, at the size they are drawn."""

    def __init__(self, brief: VideoBrief, cut: Cut, movement: Movement, veils: Sequence[Veil], stage: Stage) -> None:
        self._brief, self._cut, self._movement, self._veils, self._stage = brief, cut, movement, veils, stage
        self._relief = relief(brief.analysis)
        self._depths: dict[int, float] = {}

    def __iter__(self) -> Iterator[Picture]:
        places = plates_of(self._cut.shots, len(self._brief.plates))
        for number, shot in enumerate(self._cut.shots):
            if places:
                yield from self._footage(*places[number], shot)
            else:
                yield from self._generated(shot)
        yield from self._closing()

    def _generated(self, shot: Shot) -> Iterator[Picture]:
        seen = look(shot, self._brief.seed)
        drawn = self._scene(seen)
        colours = ramps(self._brief.palette, seen.swapped)
        for frame in range(shot.first, min(shot.end, self._cut.closing)):
            moment = self._movement.moment(shot, seen, frame)
            grade = Grade(exposure=_EXPOSURE * (0.58 + 0.58 * moment.density), glow=0.35 + 0.35 * moment.density)
            picture = develop(drawn.draw(moment), colours, drawn.stage, grade, frame)
            yield self._darkened(picture, frame, cut=frame == shot.first)

    def _scene(self, seen: Look) -> Scene:
        stage = Stage(self._stage.width, self._stage.height, seen.seed, seen.variant, self._relief)
        return scene(self._brief.motif, stage)

    def _footage(self, place: int, lap: int, shot: Shot) -> Iterator[Picture]:
        """A shot of the plate at ``place``, each time it is seen from later in it, but never past its end."""
        seen = look(shot, self._brief.seed)
        colours = ramps(self._brief.palette, seen.swapped)
        frames = range(shot.first, min(shot.end, self._cut.closing))
        with Reel(self._brief.plates[place], f"plates[{place}]", self._brief.fps) as reel:
            latest = max(0.0, reel.seconds - (len(frames) + 2) / self._brief.fps)
            for frame, found in zip(frames, reel.frames(min(lap * _LATER, latest)), strict=False):
                moment = self._movement.moment(shot, seen, frame)
                picture = _graded(found, colours.one, self._stage, moment.zoom, moment.density)
                yield self._darkened(picture, frame, cut=frame == shot.first)

    def _darkened(self, picture: Picture, frame: int, *, cut: bool) -> Picture:
        """Words are read on what lies under them: where it is too bright, it is brought down, and no further."""
        for number, one in enumerate(self._veils):
            presence = np.float32(one.presence[frame])
            if presence <= 0.01:
                continue
            part = picture[one.top : one.top + len(one.place)]
            seen = part[::5, ::5].max(axis=2)[one.place[::5, ::5] > 0.9]
            wanted = max(0.0, 1 - _BRIGHTEST / max(1.0, float(np.percentile(seen, 98))))
            before = self._depths.get(number, wanted)
            self._depths[number] = wanted if cut else max(before + (wanted - before) * _FOLLOWS, wanted * 0.93)
            kept = 1 - np.float32(self._depths[number]) * presence * one.place
            part[:] = cv2.multiply(part, cv2.merge([kept] * 3), dtype=cv2.CV_8U)
        return picture

    def _closing(self) -> Iterator[Picture]:
        """The cover out of focus, drawing nearer: what the cover itself is laid on."""
        stage, first = self._stage, self._cut.closing
        ground = closing_ground(self._brief.cover, stage)
        middle = (stage.width / 2, stage.height / 2)
        for frame in range(first, self._cut.frames):
            zoom = 1.08 + 0.012 * (frame - first) / self._brief.fps
            matrix = cv2.getRotationMatrix2D(middle, 0, zoom)
            yield np.asarray(cv2.warpAffine(ground, matrix, (stage.width, stage.height)), np.uint8)


def closing_ground(cover: Path, stage: Stage) -> Picture:
    """The cover over the whole picture, far out of focus and dark, with a shadow where the cover will stand."""
    with Image.open(cover) as found:
        raw = np.asarray(found.convert("RGB"))[..., ::-1]
    side = max(stage.width, stage.height)
    small = cv2.GaussianBlur(cv2.resize(raw, (side // 4, side // 4), interpolation=cv2.INTER_AREA), (0, 0), side / 70)
    large = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
    top, left = (side - stage.height) // 2, (side - stage.width) // 2
    part = large[top : top + stage.height, left : left + stage.width].astype(np.float32)
    away = np.maximum(np.abs(stage.x[None]), np.abs(stage.y[:, None]) - 0.03)
    shadow = 0.6 - 0.34 * smooth(np.asarray(1 - (away - 0.74) / 0.95, np.float32))
    return np.clip(part * shadow[..., None].astype(np.float32), 0, 255).astype(np.uint8)


def _graded(found: Picture, ramp: NDArray[np.uint8], stage: Stage, zoom: float, density: float) -> Picture:
    """Footage over the whole picture, in the palette: its light seen through the ramp, with some of its own colour."""
    height, width = found.shape[:2]
    scale = max(stage.width / width, stage.height / height) * max(1.0, zoom)
    matrix = np.array(
        [[scale, 0, (stage.width - width * scale) / 2], [0, scale, (stage.height - height * scale) / 2]], np.float64
    )
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    fitted = cv2.warpAffine(found, matrix, (stage.width, stage.height), flags=method, borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.convertScaleAbs(cv2.cvtColor(fitted, cv2.COLOR_BGR2GRAY), alpha=0.72 + 0.3 * density)
    return np.asarray(cv2.addWeighted(cv2.applyColorMap(grey, ramp), 0.68, fitted, 0.32, 0), np.uint8)
