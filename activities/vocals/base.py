"""The vocals capability: lines with their notes become a sung section, and an artist gets a voice of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.identity import Delivery, SingingVoice
from models.music import Key, SungLine, SungTiming
from models.song_stages import VoicePrints

MELODY_RATE = 80
"""F0 values a second."""
LEAD_IN = 0.5
"""Seconds before the first beat: more than any consonants before a vowel need."""
TAIL = 0.7
"""Seconds after the last note."""


@dataclass(frozen=True)
class SungFiles:
    """A sung section: mono 16-bit WAV files of equal length, whose first beat is ``lead_in_ms`` after their start.

    ``melody`` is the F0 asked for in Hz, 80 a second, 0 where nothing voiced is: float32 [frames] as ``.npy``.
    """

    lead: Path
    doubles: tuple[Path, ...]
    harmonies: tuple[Path, ...]
    lead_in_ms: int
    timing: SungTiming
    melody: Path
    duration: float
    """Seconds."""


@dataclass(frozen=True)
class CastVoice:
    """A voice of its own, a sample of it (mono WAV, ``duration`` seconds), its speaker embedding (256 numbers of unit
    length), and its largest cosine similarity to any other voice of the house."""

    voice: SingingVoice
    sample: Path
    duration: float
    embedding: tuple[float, ...]
    nearest: float


class VocalEngine(Engine, Protocol):
    """Sings, and finds voices to sing with."""

    def sing(
        self,
        lines: Sequence[SungLine],
        tempo_bpm: float,
        key: Key,
        voice: SingingVoice,
        language: str,
        delivery: Delivery,
        support: bool,
        seed: int,
        folder: Path,
        progress: Progress,
    ) -> SungFiles:
        """Sing a section into ``folder``. Deterministic in its arguments. ``support`` adds doubles and a harmony in
        ``key``. One unit of progress a line and take.

        Raises ScriptRejected for a language or a word the voice cannot sing, UnknownReference for an unknown style,
        EngineUnavailable for absent weights.
        """
        ...

    def cast(self, others: VoicePrints, seed: int, folder: Path, progress: Progress) -> CastVoice:
        """A voice unlike all ``others``, the same for the same seed and others. One unit of progress a voice tried.

        Raises VoiceCrowded when none is left, EngineUnavailable for absent weights.
        """
        ...
