"""Direction: which composition each shot shows, how its camera moves, and how bright and full it is. Choruses return to
the same pictures and stand above their verses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from activities.artwork.scenes import Moment
from activities.musicvideo.cutting import Shot
from activities.musicvideo.hearing import Curve, Heard
from models.music import SectionKind, SoundAnalysis

_FULL = {
    SectionKind.INTRO: 0.22,
    SectionKind.VERSE: 0.38,
    SectionKind.CHORUS: 0.95,
    SectionKind.BRIDGE: 0.55,
    SectionKind.OUTRO: 0.28,
}
"""How bright and full a kind of section is, before its own energy counts."""
_VARIANTS = {
    SectionKind.INTRO: (3, 0),
    SectionKind.VERSE: (0, 3),
    SectionKind.CHORUS: (1, 2),
    SectionKind.BRIDGE: (2, 0),
    SectionKind.OUTRO: (3, 1),
}
"""The compositions a kind of section goes through, shot by shot."""


@dataclass(frozen=True)
class Look:
    """What a shot is made of: composition and seed of its scene, whether the palette's halves are swapped, and the
    camera from the shot's first frame to its last."""

    variant: int
    seed: int
    swapped: bool
    zoom: tuple[float, float]
    pan: tuple[tuple[float, float], tuple[float, float]]
    turn: tuple[float, float]


def look(shot: Shot, seed: int) -> Look:
    """The look of a shot. A chorus that returns shows the pictures it showed before, from elsewhere."""
    variants = _VARIANTS[shot.kind]
    variant = variants[shot.number % len(variants)]
    scene_seed = int(
        np.random.default_rng((seed, list(SectionKind).index(shot.kind), shot.number % 4)).integers(1 << 30)
    )
    random = np.random.default_rng((seed, shot.section, shot.number, 1))
    lively = 1.0 if shot.kind is SectionKind.CHORUS else 0.6
    # Plain numbers: one of NumPy's own would turn every picture into doubles.
    near, far = float(1.0 + random.uniform(0, 0.1)), float(1.0 + random.uniform(0.1, 0.28) * lively)
    inwards = (shot.number + shot.section) % 2 == 0
    side = random.choice([-1, 1])
    pan = float(random.uniform(0.06, 0.2) * lively * side)
    lift = float(random.uniform(-0.08, 0.08))
    turn = float(random.uniform(0.02, 0.09) * lively * -side)
    return Look(
        variant=variant,
        seed=scene_seed,
        swapped=shot.kind is SectionKind.BRIDGE or (shot.kind is SectionKind.VERSE and shot.returns % 2 == 1),
        zoom=(near, far) if inwards else (far, near),
        pan=((-pan, -lift), (pan, lift)),
        turn=(-turn, turn),
    )


def fullness(shots: Sequence[Shot], analysis: SoundAnalysis, fps: int, frames: int) -> Curve:
    """How bright and full the picture is [frames], 0..1: by section, and by the energy of its beats. It swells into a
    louder section over its last second and never jumps down by more than a cut does."""
    base = np.zeros(frames, np.float32)
    for shot in shots:
        base[shot.first : shot.end] = _FULL[shot.kind]
    last = shots[-1]
    base[last.end :] = _FULL[last.kind]
    if analysis.energy and analysis.beats:
        count = min(len(analysis.energy), len(analysis.beats))
        times = (np.arange(frames) + 0.5) / fps
        energy = np.interp(times, analysis.beats[:count], analysis.energy[:count])
        base += ((energy - float(np.mean(energy))) * 0.35).astype(np.float32)
    kernel = np.hanning(fps + 2)[1:-1]
    wide = np.pad(base, (len(kernel) // 2, len(kernel) - 1 - len(kernel) // 2), mode="edge")
    smooth = np.convolve(wide, kernel / kernel.sum(), mode="valid")[:frames]
    return np.clip(0.35 * base + 0.65 * smooth, 0.1, 1.15).astype(np.float32)


class Movement:
    """The moments of a song, frame by frame."""

    def __init__(self, heard: Heard, full: Curve, fps: int) -> None:
        self._heard, self._full, self._fps = heard, full, fps
        pace = 0.45 + 0.75 * heard.loud + 0.5 * full
        self._flow = np.concatenate([[0.0], np.cumsum(pace) / fps])

    def moment(self, shot: Shot, seen: Look, frame: int) -> Moment:
        """The moment of ``frame``, in ``shot``. The camera moves evenly and leans into the beat a little."""
        heard = self._heard
        share = (frame - shot.first) / max(1, shot.end - shot.first - 1)
        kick = float(heard.kick[frame])
        (left, top), (right, bottom) = seen.pan
        return Moment(
            time=(frame - shot.first) / self._fps,
            flow=float(self._flow[frame]) + 7.3 * shot.section,
            bass=float(heard.bass[frame]),
            mids=float(heard.mids[frame]),
            highs=float(heard.highs[frame]),
            kick=kick,
            density=float(self._full[frame]),
            zoom=(seen.zoom[0] + (seen.zoom[1] - seen.zoom[0]) * share) * (1 + 0.014 * kick),
            pan=(left + (right - left) * share, top + (bottom - top) * share),
            turn=seen.turn[0] + (seen.turn[1] - seen.turn[0]) * share,
        )
