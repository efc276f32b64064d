"""What a listener understands: the finished sound is transcribed and compared with the script, word by word."""

import hashlib
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jiwer
import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel  # type: ignore[import-untyped]  # ships no types
from faster_whisper.transcribe import Segment  # type: ignore[import-untyped]  # ships no types

from activities.quality.base import WordErrors
from activities.quality.sound import SPEECH_RATE
from activities.quality.weights import MODEL_FILES
from activities.quality.words import canonical_words
from activities.support.engine import Progress
from models.errors import EngineUnavailable

_BEAM = 2
"""Over four voices and 680 words: one error at 2 and at 5, four at 1; 2 costs a tenth more than 1."""
_SETTING = "WHISPER_DIR"


def _primary(language: str) -> str:
    """The recogniser's name for a BCP 47 tag's language."""
    return language.split("-")[0].lower()


class TimedWord(NamedTuple):
    """A word as it was heard, in seconds."""

    text: str
    start: float
    end: float


class Recogniser:
    """faster-whisper, loaded once on first use from ``directory`` (a CTranslate2 model). Thread-safe."""

    def __init__(self, directory: Path, threads: int) -> None:
        self._directory = directory
        self._threads = threads
        self._lock = threading.Lock()
        self._model: WhisperModel | None = None

    def _complete(self) -> list[Path]:
        paths = [self._directory / name for name in MODEL_FILES]
        absent = [path.name for path in paths if not path.is_file()]
        if absent:
            raise EngineUnavailable(
                f"The recogniser's model lacks {', '.join(absent)} in its directory.", field=_SETTING
            )
        return paths

    def _loaded(self) -> WhisperModel:
        with self._lock:
            if self._model is None:
                self._complete()
                self._model = WhisperModel(
                    str(self._directory),
                    device="cpu",
                    compute_type="int8",
                    cpu_threads=self._threads,
                    local_files_only=True,
                )
            return self._model

    def sha256(self) -> str:
        """Over the model's files, in order. Raises EngineUnavailable when one is absent."""
        digest = hashlib.sha256()
        for path in self._complete():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    def transcribe(self, speech: npt.NDArray[np.int16], language: str) -> str:
        """What is said in ``speech`` (mono, 16 kHz)."""
        short = len(speech) <= 30 * SPEECH_RATE
        return " ".join(piece.text.strip() for piece in self._heard(speech, language, without_timestamps=short))

    def _heard(self, speech: npt.NDArray[np.int16], language: str, **options: bool) -> Iterable[Segment]:
        """Greedy in temperature, so that the same sound gives the same words; without context or prompt, so that
        nothing but the sound speaks for a word."""
        segments, _ = self._loaded().transcribe(
            speech.astype(np.float32) / 32768,
            language=_primary(language),
            beam_size=_BEAM,
            temperature=0.0,
            condition_on_previous_text=False,
            **options,
        )
        heard: Iterable[Segment] = segments
        return heard

    def timed_words(self, speech: npt.NDArray[np.int16], language: str, progress: Progress) -> tuple[TimedWord, ...]:
        """Every word heard in ``speech`` (as :meth:`transcribe`), of any length, and when. Progress is in seconds."""
        whole = len(speech) // SPEECH_RATE
        words: list[TimedWord] = []
        for segment in self._heard(speech, language, word_timestamps=True):
            for piece in segment.words or ():
                # A piece without a space before it goes on with the word before: ``4`` and ``.2``.
                if words and not piece.word.startswith(" "):
                    words[-1] = TimedWord(words[-1].text + piece.word, words[-1].start, piece.end)
                else:
                    words.append(TimedWord(piece.word.strip(), piece.start, piece.end))
            progress(min(int(segment.end), whole), whole)
        return tuple(words)

    def language(self, speech: npt.NDArray[np.int16]) -> tuple[str, float]:
        """The language that the first half minute of ``speech`` is most likely in (ISO 639-1), and how likely."""
        name, likely, _ = self._loaded().detect_language(speech[: 30 * SPEECH_RATE].astype(np.float32) / 32768)
        return name, float(likely)


@dataclass(frozen=True)
class Passage:
    """A stretch of sound to transcribe by itself, in seconds, and the words that belong there."""

    start: float
    end: float
    text: str


_LONGEST_SECONDS = 28.0
"""The recogniser works on 30 s at a time and costs the same for less: passages are filled up to a little below."""


def passages(sentences: Sequence[Passage]) -> list[Passage]:
    """Neighbouring sentences joined into passages the recogniser takes in one go, cut only between sentences, so that
    what it imagines in one cannot spread into the next."""
    joined: list[Passage] = []
    for sentence in sentences:
        if joined and sentence.end - joined[-1].start <= _LONGEST_SECONDS:
            last = joined.pop()
            sentence = Passage(last.start, sentence.end, f"{last.text} {sentence.text}")
        joined.append(sentence)
    return joined


def compare(expected: str, heard: str, language: str) -> WordErrors:
    """Substitutions, deletions and insertions after both sides were brought to one spelling. Words that differ only in
    where they are spaced (``data center``, ``datacenter``) were heard right."""
    reference, hypothesis = canonical_words(expected, language), canonical_words(heard, language)
    closed = {*reference, *hypothesis}
    reference, hypothesis = _compounded(reference, closed), _compounded(hypothesis, closed)
    if not reference or not hypothesis:
        missed = tuple(f"{word} -> (nothing)" for word in reference)
        added = tuple(f"(nothing) -> {word}" for word in hypothesis)
        return WordErrors(errors=len(reference) + len(hypothesis), words=len(reference), misheard=missed + added)
    output = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    errors = output.substitutions + output.deletions + output.insertions
    misheard = _misheard(output.alignments[0], reference, hypothesis)
    return WordErrors(errors=errors, words=len(reference), misheard=misheard)


_LONGEST_COMPOUND = 3


def _compounded(words: Sequence[str], closed: set[str]) -> list[str]:
    """``words`` with neighbours joined wherever either side writes them as one of the ``closed`` words."""
    joined: list[str] = []
    at = 0
    while at < len(words):
        spans = range(min(_LONGEST_COMPOUND, len(words) - at), 1, -1)
        span = next((span for span in spans if "".join(words[at : at + span]) in closed), 1)
        joined.append("".join(words[at : at + span]))
        at += span
    return joined


def _misheard(
    chunks: Sequence[jiwer.AlignmentChunk], reference: Sequence[str], hypothesis: Sequence[str]
) -> tuple[str, ...]:
    """Each run of neighbouring differences as ``expected -> heard``."""
    runs: list[tuple[list[str], list[str]]] = []
    in_run = False
    for chunk in chunks:
        if chunk.type != "equal":
            if not in_run:
                runs.append(([], []))
            runs[-1][0].extend(reference[chunk.ref_start_idx : chunk.ref_end_idx])
            runs[-1][1].extend(hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx])
        in_run = chunk.type != "equal"
    return tuple(f"{' '.join(a) or '(nothing)'} -> {' '.join(b) or '(nothing)'}" for a, b in runs)
