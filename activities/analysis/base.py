"""The analysis capability: a recording becomes a grid, a key, sections and chords."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.music import Chord, Score, SongPlan, SoundAnalysis


@dataclass(frozen=True)
class Heard:
    """What was heard, and the chords a tune is written over: the score's where there is one. Chords are in order, in
    beats from the first downbeat."""

    analysis: SoundAnalysis
    chords: tuple[Chord, ...]
    swing: float = 0.0
    """As the score has it; music that only was heard is taken as straight."""


class AnalysisEngine(Engine, Protocol):
    """Listens to music."""

    def listen(self, audio: Path, score: Score | None, plan: SongPlan, progress: Progress) -> Heard:
        """What ``audio`` is. ``plan`` says what was asked for, in which octave of the tempo it is counted and of which
        sections it should consist. Deterministic in its arguments.

        Raises MediaRejected for a file that is no music: unreadable, silent, or too short for a bar; EngineFailed when
        the recording is not what ``score`` says.
        """
        ...
