"""hibari, the small voice: 14 MB and thirty times faster than Kokoro, one American woman. It honours rate, pauses,
aliases and pronunciations; emphasis and pitch it cannot. It knows no timings, so an aligner finds them."""

import hashlib
import threading
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from activities.speech.base import Spoken, Voice
from activities.speech.g2p import MARKS, Phonemiser, PhoneWord
from activities.speech.normalise import speakable
from activities.speech.phrases import GAPS_MS, said_alike, shorten
from activities.speech.sound import Samples, silence, trimmed, write_wav
from activities.support.engine import Progress
from models.errors import EngineUnavailable, ScriptRejected, UnknownReference
from models.lanes import Lane
from models.plan import Capability, EngineRef
from models.script import Utterance

NAME = "hibari"
VERSION = "1"
SAMPLE_RATE = 24_000
VOICE = "heart"
"""The one voice in the package; the library fetches others at run time, which this engine never does."""
MAX_SYMBOLS = 250
SLOWEST, FASTEST = 0.5, 2.0


class HibariEngine:
    """Speaks English with one voice. Thread-safe; one core a call; loads at the first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phonemiser = Phonemiser(british=False)

    @property
    def ref(self) -> EngineRef:
        """The engine and the hash of its model. Raises EngineUnavailable when the package is not installed."""
        return EngineRef(capability=Capability.SPEECH, name=NAME, version=VERSION, lane=Lane.CPU, weights=self._sha256)

    @cached_property
    def _sha256(self) -> str:
        try:
            return hashlib.sha256((resources.files("hibari") / "assets" / "hibari.onnx").read_bytes()).hexdigest()
        except (ModuleNotFoundError, OSError) as error:
            raise _unavailable() from error

    def voices(self) -> tuple[str, ...]:
        """The voice in the package."""
        return (VOICE,)

    def speak(self, utterance: Utterance, voice: Voice, seed: int, out: Path, progress: Progress) -> Spoken:
        """See :class:`~activities.speech.base.SpeechEngine`. One unit of progress a piece of at most 250 phonemes."""
        if utterance.language.split("-")[0] != "en":
            raise ScriptRejected(
                f'hibari speaks English, not "{utterance.language}".',
                field="language",
                action="Set the script's language to en, or choose another engine.",
            )
        if voice.name != VOICE:
            raise UnknownReference(f'hibari has no voice "{voice.name[:60]}".', field="voice", action=f"Use {VOICE}.")
        with self._lock:
            model = self._model
        pieces = _pieces(self._phonemiser.phonemise(speakable(utterance)))
        samples: list[Samples] = []
        for done, piece in enumerate(pieces, start=1):
            spoken = " ".join(word.phonemes + word.mark for word in piece)
            speed = float(np.clip(piece[0].word.rate, SLOWEST, FASTEST))
            samples.append(trimmed(model.from_phonemes(spoken, speed=speed, seed=seed), SAMPLE_RATE))
            gap_ms = utterance.pause_after_ms if done == len(pieces) else GAPS_MS.get(piece[-1].mark, GAPS_MS[""])
            samples.append(silence(max(gap_ms, piece[-1].word.pause_after_ms), SAMPLE_RATE))
            progress(done, len(pieces))
        joined = np.concatenate(samples)
        write_wav(out, joined, SAMPLE_RATE)
        return Spoken(wav=out, sample_rate=SAMPLE_RATE, duration=len(joined) / SAMPLE_RATE, alignment=None)

    @cached_property
    def _model(self) -> Any:
        try:
            from hibari import Hibari  # noqa: PLC0415 - so that the catalogue of engines is read without it
        except ModuleNotFoundError as error:
            raise _unavailable() from error
        return Hibari(voice=VOICE, threads=1, g2p=False)


def _pieces(words: tuple[PhoneWord, ...]) -> list[tuple[PhoneWord, ...]]:
    """Words said in one call: cut where the rate changes or a pause is asked for, and where it gets too long."""
    return [
        piece
        for run in said_alike(words, lambda word: word.word)
        for piece in shorten(run, lambda word: len(word.phonemes) + 2, lambda word: word.mark, MAX_SYMBOLS)
        if any(symbol not in MARKS for word in piece for symbol in word.phonemes)
    ]


def _unavailable() -> EngineUnavailable:
    return EngineUnavailable(
        "The package hibari-tts is not installed.", action="Install the packages of the pinned lock again."
    )
