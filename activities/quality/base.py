"""The quality capability: measure the finished file as a viewer gets it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.alignment import Alignment
from models.base import Contract
from models.layout import Layout
from models.quality import QualityReport, Thresholds


class SegmentLips(Contract):
    """Face-mesh measures of one composed segment.

    ``opening`` is the measured inner-lip gap over face height for each frame (None where no face was found);
    ``packets`` is the sha256 of its video packets, which proves that the finished file holds these very frames.
    """

    opening: tuple[float | None, ...]
    planned: tuple[float, ...]
    """``jawOpen`` minus ``mouthClose`` of the curves, per frame."""
    packets: str


@dataclass(frozen=True)
class FinishedSegment:
    """What was planned for one segment of the finished file: its start in seconds, words, and lip measures."""

    start: float
    alignment: Alignment
    text: str
    lips: SegmentLips


class QualityEngine(Engine, Protocol):
    """Measures."""

    def lips(self, picture: Path, curves: Path, progress: Progress) -> SegmentLips:
        """Face mesh over every frame of a composed segment."""
        ...

    def report(
        self,
        video: Path,
        segments: tuple[FinishedSegment, ...],
        layout: Layout,
        thresholds: Thresholds,
        language: str,
        progress: Progress,
    ) -> QualityReport:
        """All figures of the finished ``video``."""
        ...  # fmt: skip
