"""The audition capability: a finished song is listened to and measured against what was planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field

from activities.audition.likeness import SongPrint
from activities.support.engine import Engine, Progress
from models.base import Contract
from models.identity import Delivery
from models.music import Lyrics, Score, SongPlan, SoundAnalysis, SungTiming
from models.quality import Figure, TrackThresholds


@dataclass(frozen=True)
class FinishedSong:
    """A song as it would be released, and what it was made from. ``vocal`` is the lead alone; ``melody`` the F0 asked
    for (``.npy``, Hz at 80 a second); ``cuts`` are, for each of ``videos``, the frames on which it cuts;
    ``stems`` its parts by name, after the desk."""

    master: Path
    vocal: Path
    melody: Path
    timing: SungTiming
    lyrics: Lyrics
    plan: SongPlan
    analysis: SoundAnalysis
    videos: tuple[Path, ...]
    cuts: tuple[Sequence[int], ...]
    language: str
    delivery: Delivery
    thresholds: TrackThresholds
    stems: Mapping[str, Path] = field(default_factory=dict)
    score: Score | None = None
    """What the stems were to play, where it is known."""


class LineHeard(Contract):
    """A line at ``start`` seconds, what was heard of it, and how many of its words were not heard as written."""

    start: float
    text: Annotated[str, Field(max_length=800)]
    heard: Annotated[str, Field(max_length=4_000)]
    errors: int
    words: int


class AuditionReport(Contract):
    """All figures of one song, and line by line what was heard of its words."""

    figures: Annotated[tuple[Figure, ...], Field(max_length=40)]
    lines: Annotated[tuple[LineHeard, ...], Field(max_length=400)]
    tempo_bpm: float | None
    cents: float | None
    """Median distance of the sung pitch to the melody; None where it is spoken or nothing was heard."""
    duration_ms: int


class AuditionEngine(Engine, Protocol):
    """Listens and measures."""

    def audition(self, song: FinishedSong, progress: Progress) -> tuple[AuditionReport, SongPrint]:
        """Measure ``song``. Deterministic in its arguments.

        Raises MediaRejected for sound or video that cannot be read, InvalidInput where words and timings do not belong
        together, EngineUnavailable without the recogniser's weights.
        """
        ...
