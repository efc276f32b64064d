"""The cover painter: a still of the artist's motif, lit and coloured at half size, then grain, type and JPEG at full
size."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from activities.artwork import lettering
from activities.artwork.base import Cover, CoverBrief
from activities.artwork.lettering import LEAST_CONTRAST, Lettering
from activities.artwork.light import Grade, Picture, Ramps, develop, ramps
from activities.artwork.scenes import Field, Light, Moment, Stage, scene
from activities.support.engine import Progress
from models.errors import EngineFailed
from models.lanes import Lane
from models.music import SoundAnalysis
from models.plan import Capability, EngineRef

_REF = EngineRef(capability=Capability.ARTWORK, name="painter", version="2", lane=Lane.CPU)
SIDE, THUMBNAIL = 3000, 600
_DRAWN = 1500
"""Pixels a side at which the scene is drawn; what is finer than two of the cover's is grain, added at full size."""
_UNITS = 4
_RELIEF = 64


def relief(analysis: SoundAnalysis) -> tuple[float, ...]:
    """The song's energy by beat as 64 numbers from its beginning to its end, stretched to 0.1..1: its contour."""
    energy = np.array(analysis.energy or (0.5,), np.float64)
    kernel = np.hanning(min(9, len(energy)) + 2)[1:-1]
    wide = np.convolve(np.pad(energy, len(kernel) // 2, mode="edge"), kernel / kernel.sum(), mode="valid")
    even = np.interp(np.linspace(0, 1, _RELIEF), np.linspace(0, 1, len(wide)), wide)
    low, high = even.min(), even.max()
    stretched = 0.1 + 0.9 * (even - low) / (high - low) if high - low > 1e-3 else np.full(_RELIEF, 0.6)
    return tuple(float(value) for value in np.round(stretched, 4))


class CoverPainter:
    """Paints covers. Thread-safe, one core a call; the same brief gives the same bytes."""

    @property
    def ref(self) -> EngineRef:
        """Who paints."""
        return _REF

    def cover(self, brief: CoverBrief, out: Path, progress: Progress) -> Cover:
        """See :class:`~activities.artwork.base.ArtworkEngine`. Four units of progress."""
        stage = Stage(_DRAWN, _DRAWN, brief.seed, brief.seed % 4, relief(brief.analysis))
        light = _still(brief, stage)
        progress(1, _UNITS)
        colours, ink = ramps(brief.palette, brief.seed // 4 % 2 == 1), lettering.ink(brief.palette[-1])
        small = _lightness(develop(light, colours, stage, _EXPOSURE))
        setting = lettering.set_type(brief.artist, brief.title, small)
        letters = np.asarray(lettering.letter_mask(setting, SIDE))
        progress(2, _UNITS)
        ground = _readable_ground(light, colours, stage, setting, letters, ink)
        full = np.asarray(cv2.resize(ground, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)
        large = _grained(full, brief.seed)
        contrast = lettering.worst_contrast(large, letters, ink)
        if contrast < LEAST_CONTRAST:
            raise EngineFailed(f"The cover's type has a contrast of {contrast:.2f} instead of {LEAST_CONTRAST}.")
        finished = lettering.blend(large, letters, ink)
        progress(3, _UNITS)
        cover = _saved(finished, out, progress)
        return Cover(*cover, contrast=contrast)


_EXPOSURE = Grade(exposure=1.15, glow=0.6, grain=0.0)


def _still(brief: CoverBrief, stage: Stage) -> Light:
    """The motif at the song's fullest, seen from where the seed puts the camera."""
    random = stage.random(20)
    energy = float(np.mean(brief.analysis.energy or (0.5,)))
    moment = Moment(
        time=0.0,
        flow=float(random.uniform(2, 60)),
        bass=0.35 + 0.5 * energy,
        mids=0.5,
        highs=0.55,
        density=0.55 + 0.4 * energy,
        zoom=float(random.uniform(1.0, 1.18)),
        pan=(float(random.uniform(-0.16, 0.16)), float(random.uniform(-0.1, 0.1))),
        turn=float(random.uniform(-0.12, 0.12)),
    )
    return scene(brief.motif, stage).draw(moment)


def _lightness(picture: Picture) -> Field:
    small = cv2.resize(picture, (300, 300), interpolation=cv2.INTER_AREA)
    return np.asarray(np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)) / np.float32(255), np.float32)


def _readable_ground(
    light: Light, colours: Ramps, stage: Stage, setting: Lettering, letters: Picture, ink: str
) -> Picture:
    """The picture, with a shadow under the type that is just deep enough."""
    veil = _veil(setting, stage)
    small = np.asarray(cv2.resize(letters, (stage.width, stage.height), interpolation=cv2.INTER_AREA), np.uint8)
    for depth in (0.25, 0.4, 0.55, 0.7, 0.8, 0.87, 0.92, 0.96, 0.985, 1.0):
        dims = np.asarray(1 - np.float32(depth) * veil, np.float32)
        picture = develop(light, colours, stage, Grade(_EXPOSURE.exposure, _EXPOSURE.glow, 0.0, dims))
        if lettering.worst_contrast(picture, small, ink) >= LEAST_CONTRAST * 1.12:
            break
    return picture


def _veil(setting: Lettering, stage: Stage) -> Field:
    """1 under the type, falling off softly above or below it, never a box."""
    scale = stage.height / SIDE
    top, bottom = setting.box.top * scale, setting.box.bottom * scale
    rows = np.arange(stage.height, dtype=np.float32)
    soft = np.float32(0.2 * stage.height)
    if setting.box.top + setting.box.bottom > SIDE:
        fall = np.clip((rows - (top - soft)) / soft, 0, 1)
    else:
        fall = np.clip(((bottom + soft) - rows) / soft, 0, 1)
    return np.broadcast_to((fall * fall * (3 - 2 * fall))[:, None], (stage.height, stage.width)).astype(np.float32)


def _grained(picture: Picture, seed: int) -> Picture:
    """The grain of a print: stronger in the middle tones than in the shadows."""
    sheet = np.random.default_rng((seed, 21)).normal(0, 1, (1024, 1024)).astype(np.float32)
    sheet = np.tile(sheet, (3, 3))[:SIDE, :SIDE]
    tone = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    sheet = sheet * (np.float32(1.2) + tone * np.float32(0.026))
    grained: Field = picture + sheet[..., None]
    return np.clip(grained, 0, 255).astype(np.uint8)


def _saved(picture: Picture, out: Path, progress: Progress) -> tuple[Path, Path]:
    """The two files; neither is left where the work is stopped."""
    cover, thumbnail = out / "cover.jpg", out / "thumbnail.jpg"
    try:
        image = Image.fromarray(picture[..., ::-1])
        image.save(cover, "JPEG", quality=90, subsampling=0)
        image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS).save(thumbnail, "JPEG", quality=90)
        progress(_UNITS, _UNITS)
    except BaseException:
        cover.unlink(missing_ok=True)
        thumbnail.unlink(missing_ok=True)
        raise
    return cover, thumbnail
