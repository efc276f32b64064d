"""Quality: the figures measured on a finished file before a person is bothered, and the thresholds they must reach."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from models.base import Contract


class Sense(StrEnum):
    """Which side of ``reach`` is good."""

    AT_MOST = "<="
    AT_LEAST = ">="
    WITHIN = "+-"
    """Absolute value at most ``reach``."""


class Figure(Contract):
    """One measured figure against what it must reach. ``holds`` is derived, never given."""

    name: Annotated[str, Field(max_length=60)]
    value: float | None
    """None when it could not be measured; then it does not hold."""
    unit: Annotated[str, Field(max_length=20)] = ""
    sense: Sense
    reach: float
    note: Annotated[str, Field(max_length=300)] = ""

    @property
    def holds(self) -> bool:
        """Whether the figure reaches its threshold."""
        if self.value is None:
            return False
        if self.sense is Sense.AT_MOST:
            return self.value <= self.reach
        if self.sense is Sense.AT_LEAST:
            return self.value >= self.reach
        return abs(self.value) <= self.reach


class Thresholds(Contract):
    """What a render must reach to be offered as fine. The defaults are the studio's promise."""

    word_error_rate: Annotated[float, Field(ge=0, le=1)] = 0.05
    loudness_error_lu: Annotated[float, Field(ge=0, le=20)] = 0.5
    true_peak_dbtp: Annotated[float, Field(ge=-20, le=3)] = -1.0
    caption_error_ms: Annotated[float, Field(ge=0, le=5_000)] = 60.0
    """Median difference between caption word times and forced alignment of the finished audio."""
    face_tracked: Annotated[float, Field(ge=0, le=1)] = 0.99
    lip_correlation: Annotated[float, Field(ge=-1, le=1)] = 0.85
    lip_lag_frames: Annotated[float, Field(ge=0, le=50)] = 1.0
    black_ms: Annotated[float, Field(ge=0)] = 200.0
    frozen_ms: Annotated[float, Field(ge=0)] = 1_000.0
    duration_error_ms: Annotated[float, Field(ge=0)] = 120.0


class TrackThresholds(Contract):
    """Figures below which a track is not offered as if it were fine."""

    lyric_error_rate: Annotated[float, Field(ge=0, le=1)] = 0.35
    pitch_share: Annotated[float, Field(ge=0, le=1)] = 0.80
    """Share of voiced frames within 50 cents of the melody."""
    tempo_error: Annotated[float, Field(ge=0, le=1)] = 0.02
    on_grid: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Share of struck notes heard within 20 ms of the score's place."""
    loudness_error_lu: Annotated[float, Field(ge=0, le=10)] = 0.5
    true_peak_dbtp: Annotated[float, Field(ge=-20, le=0)] = -1.0
    likeness: Annotated[float, Field(ge=0, le=1)] = 0.94
    """Similarity to an earlier track of the house from which on it is the same song. Measured on 18 songs
    of six artists in five genres: other songs of one artist reach 0.86, of other artists 0.40; the same song without
    its voice, mixed otherwise or played 3 % faster is at 0.967 or more."""


class QualityReport(Contract):
    """All figures of one finished file. ``heard`` is what the recogniser understood."""

    figures: Annotated[tuple[Figure, ...], Field(max_length=40)]
    heard: Annotated[str, Field(max_length=60_000)] = ""

    @property
    def passed(self) -> bool:
        """Whether every figure holds."""
        return all(figure.holds for figure in self.figures)

    def failing(self) -> tuple[Figure, ...]:
        """The figures that do not hold."""
        return tuple(figure for figure in self.figures if not figure.holds)
