"""The mixing capability: music and sung sections become a mastered song, with its stems and what is sung when."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.music import Genre, Grid, SungTiming


@dataclass(frozen=True)
class StemFile:
    """A part of the mix by name. Stereo WAV at 44.1 kHz, as long as the song."""

    name: str
    wav: Path


@dataclass(frozen=True)
class SungSection:
    """A sung section: mono WAVs of equal length whose first beat comes ``lead_in_ms`` after their start, and at
    ``at_ms`` from the song file's start. ``timing`` counts from the WAVs' start; ``melody`` is F0 in Hz at 80 a second
    (``.npy``)."""

    at_ms: int
    lead_in_ms: int
    lead: Path
    doubles: tuple[Path, ...]
    harmonies: tuple[Path, ...]
    timing: SungTiming
    melody: Path


@dataclass(frozen=True)
class Session:
    """What is on the desk. ``music`` is the mix without voice, used where there are no ``stems``."""

    genre: Genre
    music: Path
    stems: tuple[StemFile, ...]
    vocals: tuple[SungSection, ...]
    grid: Grid
    seed: int


@dataclass(frozen=True)
class Mixed:
    """Stereo WAVs, 44.1 kHz, 24 bit, of equal length. ``stems`` add up to the mix before the master bus; ``vocal`` is
    the lead alone, without room. ``melody`` is float32 [frames] at 80 a second, ``.npy``."""

    master: Path
    instrumental: Path
    vocal: Path
    stems: tuple[StemFile, ...]
    timing: SungTiming
    melody: Path
    duration: float
    """Seconds."""


class MixingEngine(Engine, Protocol):
    """Mixes and masters."""

    def mix(self, session: Session, folder: Path, progress: Progress) -> Mixed:
        """Write everything into ``folder``. Deterministic in its arguments.

        Raises MediaRejected for sound that cannot be read or is silent, naming it; EngineFailed when loudness and peak
        cannot be reached together.
        """
        ...
