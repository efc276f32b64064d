"""Whether a song is played in time: what is struck in its stems, after the desk, is heard where the score has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from activities.music.instruments import struck
from activities.support.onsets import RATE, heard_late, onset_curve, onsets
from models.errors import MediaRejected
from models.music import Part, Score

ON_GRID_SECONDS: Final = 0.02
VOICES: Final = frozenset({"vocals", "backing"})
"""The stems in which somebody sings."""
_REACH_SECONDS: Final = 0.06
"""Where a note is looked for. What is further off is another note, or none."""


@dataclass(frozen=True)
class Timing:
    """``struck`` notes were asked for, several at once counted as one; ``heard`` of them were heard near their place,
    ``on_grid`` within 20 ms of it. ``median`` distance in seconds; None where nothing was heard. ``loosest`` is
    the stem with the smallest share."""

    struck: int
    heard: int
    on_grid: int
    median: float | None
    loosest: str

    @property
    def share(self) -> float | None:
        """Of the notes asked for, those on the grid."""
        return self.on_grid / self.struck if self.struck else None


def timing(score: Score, first_beat: float, stems: Mapping[str, Path]) -> Timing:
    """How the ``stems`` keep to the notes of ``score``, whose first downbeat is at ``first_beat`` seconds. Swing is in
    the score; what a hand adds to it has to stay within the 20 ms. What swells has no onset and is not counted.

    Raises MediaRejected for a stem that cannot be read.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for part in score.parts:
        if part.stem in stems and (part.drums or struck(part.program)):
            times, heights = onsets(onset_curve(_mono(stems[part.stem], part.stem)))
            found[part.stem] = heard_late(_planned(part, score, first_beat), times, heights, _REACH_SECONDS)
    away = np.abs(np.concatenate([*found.values(), np.zeros(0)]))
    heard = away[~np.isnan(away)]
    return Timing(
        struck=len(away),
        heard=len(heard),
        on_grid=_close(heard),
        median=float(np.median(heard)) if len(heard) else None,
        loosest=min(found, key=lambda stem: _close(np.abs(found[stem])) / len(found[stem]), default=""),
    )


def music_of(stems: Mapping[str, Path]) -> NDArray[np.float32] | None:
    """The song without its voice, mono at ``RATE``; None without stems. Raises MediaRejected as above."""
    parts = [_mono(wav, stem) for stem, wav in stems.items() if stem not in VOICES]
    if not parts:
        return None
    music = np.zeros(max(map(len, parts)), np.float32)
    for part in parts:
        music[: len(part)] += part
    return music


def _close(away: NDArray[np.float64]) -> int:
    return int(np.count_nonzero(away <= ON_GRID_SECONDS))


def _planned(part: Part, score: Score, first_beat: float) -> NDArray[np.float64]:
    beat = 60 / score.tempo_bpm
    return np.unique([round(first_beat + note.start * beat, 5) for note in part.notes])


def _mono(wav: Path, stem: str) -> NDArray[np.float32]:
    try:
        samples, rate = sf.read(wav, dtype="float32", always_2d=True)
    except (sf.LibsndfileError, OSError) as error:
        raise MediaRejected(f"The stem {stem} is not readable sound: {error}.", field=f"stems.{stem}") from error
    resampled: NDArray[np.float32] = soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)
    return resampled
