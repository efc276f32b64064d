"""The speech capability: an utterance becomes a WAV file, with timings where the engine knows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from activities.support.engine import Engine, Progress
from models.alignment import Alignment
from models.script import Utterance


@dataclass(frozen=True)
class Voice:
    """The voice to speak with: a stock voice by its engine's name, or an enrolled one by its latents file."""

    name: str
    latents: Path | None = None


@dataclass(frozen=True)
class Spoken:
    """A mono 16-bit WAV at ``sample_rate`` Hz, ending with the utterance's pause, and exact timings if known."""

    wav: Path
    sample_rate: int
    duration: float
    """Seconds."""
    alignment: Alignment | None


class Enrolment(Protocol):
    """A voice learnt from samples."""

    @property
    def latents(self) -> Path:
        """Speaker latents and embedding (safetensors)."""
        ...

    @property
    def seconds(self) -> float:
        """Speech it was learnt from."""
        ...


@runtime_checkable
class EnrollingEngine(Engine, Protocol):
    """A speech engine that learns voices."""

    def enrol(self, samples: Sequence[Path], out: Path) -> Enrolment:
        """Write ``out``. Raises MediaRejected that names sample and figure, EngineUnavailable without weights."""
        ...


@runtime_checkable
class CuttingEngine(Engine, Protocol):
    """A speech engine that takes what was said from a recording."""

    def cut(
        self, recording: Path, sentences: Sequence[str], language: str, folder: Path, progress: Progress
    ) -> Sequence[Spoken]:
        """One WAV for each of ``sentences``, written into ``folder``.

        Raises MediaRejected for a recording that is unfit or says something else, naming the sentence;
        EngineUnavailable without weights.
        """
        ...


class SpeechEngine(Engine, Protocol):
    """Text to speech."""

    def voices(self) -> tuple[str, ...]:
        """Stock voices by name; empty for engines that only speak with enrolled voices."""
        ...

    def speak(self, utterance: Utterance, voice: Voice, seed: int, out: Path, progress: Progress) -> Spoken:
        """Write ``out`` (WAV). Deterministic in its arguments.

        Raises ScriptRejected for text the voice cannot speak, EngineUnavailable for absent weights, UnknownReference
        for an unknown voice, EngineFailed when nothing usable came out.
        """
        ...
