"""The quality capability: measure the finished file as a viewer gets it.

What is seen of a segment (``see``) and heard in the sound (``hear``) is measured as soon as it is there, while the rest
of the film is still being made. The packets that were measured are remembered, so that the report on the finished file
knows them again there and measures anew whatever it does not find.
"""

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.alignment import Alignment
from models.base import Contract
from models.layout import Layout
from models.quality import QualityReport, Thresholds


class Stillness(Contract):
    """Stretches of pictures that stand still, in frames: the longest and where it begins, and those at both ends, which
    may go on in the neighbouring segment."""

    longest: int
    longest_at: int
    leading: int
    trailing: int


class SegmentSight(Contract):
    """What is seen of one composed segment.

    ``opening`` is the measured inner-lip gap over face height for each frame (None where no face was found); ``black``
    counts black frames, the first of them at ``black_at``; ``packets`` is the sha256 of its video packets, which proves
    that the finished file holds these very frames.
    """

    opening: tuple[float | None, ...]
    planned: tuple[float, ...]
    """``jawOpen`` minus ``mouthClose`` of the curves, per frame."""
    black: int
    black_at: int
    still: Stillness
    packets: str


class WordErrors(Contract):
    """Errors against the words of the script, and each as ``expected -> heard``."""

    errors: int = 0
    words: int = 0
    misheard: tuple[str, ...] = ()

    def __add__(self, other: "WordErrors") -> "WordErrors":
        return WordErrors(
            errors=self.errors + other.errors,
            words=self.words + other.words,
            misheard=self.misheard + other.misheard,
        )

    @property
    def rate(self) -> float | None:
        """Share of the script's words; None without words."""
        return self.errors / self.words if self.words else None


class CaptionTiming(Contract):
    """``shifts``: per word, seconds by which its caption comes after the spoken word. ``worst`` is the largest and
    its word; ``unaligned`` counts words of segments whose sound does not fit their text."""

    shifts: tuple[float, ...]
    worst: tuple[float, str]
    unaligned: int

    @property
    def error(self) -> float | None:
        """Median absolute shift in seconds; None where fewer than half of the words could be compared."""
        if not self.shifts or self.unaligned > len(self.shifts):
            return None
        return statistics.median(abs(shift) for shift in self.shifts)

    @property
    def tendency(self) -> float:
        """Median shift in seconds, with its sign."""
        return statistics.median(self.shifts) if self.shifts else 0.0


class Hearing(Contract):
    """What is heard in a film's sound: the words, its loudness in LUFS and true peak in dBTP (None for silence), and
    when its words come. ``packets`` is the sha256 of its audio packets, as a finished file carries them."""

    heard: str
    errors: WordErrors
    timing: CaptionTiming
    loudness: float | None
    true_peak: float | None
    packets: str


@dataclass(frozen=True)
class SpokenPart:
    """What was planned to be heard of one segment: its start in seconds of the film, its words and their times."""

    start: float
    alignment: Alignment
    text: str


@dataclass(frozen=True)
class FinishedSegment(SpokenPart):
    """A segment of the finished file, with what was seen of it when it was composed."""

    sight: SegmentSight


class QualityEngine(Engine, Protocol):
    """Measures."""

    def see(self, picture: Path, curves: Path, progress: Progress) -> SegmentSight:
        """Look at every frame of a composed segment."""
        ...

    def hear(self, sound: Path, parts: tuple[SpokenPart, ...], language: str, progress: Progress) -> Hearing:
        """Listen to the sound of a film (a sound file or a video)."""
        ...

    def report(
        self,
        video: Path,
        segments: tuple[FinishedSegment, ...],
        hearing: Hearing | None,
        layout: Layout,
        thresholds: Thresholds,
        language: str,
        progress: Progress,
    ) -> QualityReport:
        """All figures of the finished ``video``. ``hearing`` counts where the file carries that very sound."""
        ...
