"""One recording of a whole script, cut into its sentences: the recogniser tells when each word was said, edit distance
which sentence it belongs to, and the sound where between two sentences is the silence to cut in."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final

import jiwer
import numpy as np
import soxr
from numpy.typing import NDArray

from activities.quality.recognition import Recogniser, TimedWord, compare
from activities.speech.base import Spoken, Voice
from activities.speech.normalise import plain_words
from activities.speech.samples import SPEECH, judge_audio, load_mono, measure_audio
from activities.speech.sound import PEAK, Samples, faded, write_wav
from activities.support.audio import RATE as HEARD_RATE
from activities.support.engine import Progress
from models.engines import RECORDING, find_engine
from models.errors import InvalidInput, MediaRejected
from models.plan import Capability, EngineRef
from models.script import Utterance

SAMPLE_RATE: Final = 24_000
"""As the voices speak."""
LEAD_IN: Final = 0.12
"""Seconds of the silence before a sentence that go with it; the rest of a pause belongs to the sentence before."""
TAIL: Final = 0.3
"""Seconds of silence kept after the last word."""
SEARCH: Final = 1.0
"""Seconds around the first and the last word within which the speech begins and ends: the recogniser's times are
rounded, and breaths are no words."""
SURE_OF_LANGUAGE: Final = 0.7
WORST_WORDS: Final = 0.5
"""Share of a sentence's words that may be misheard: names and accents are."""
LEAST_ALIKE: Final = 0.7
"""A sentence with more misheard words still is the right one if so many of its letters were heard in order: "Margin's
held." for "Margins held."."""
MOST_ADDED: Final = 3
"""Words in a row that may be said beside the script: hesitations."""
_LEVEL_HOP: Final = 0.01
_SILENT_DB: Final = 35.0
"""Below loud speech, where no word can be."""
_QUIET_DB: Final = 10.0
"""Above the quietest moment between two sentences, what still is their pause."""

Levels = NDArray[np.float64]
"""dB against full scale of each 10 ms."""


@dataclass(frozen=True)
class _Sentence:
    """What is to be said and what was heard of it. ``letters`` are the script's, without spaces."""

    text: str
    letters: str
    heard: tuple[TimedWord, ...]

    def where(self, number: int) -> str:
        return f"sentence {number + 1} (“{self.text.strip()[:60]}”)"


class RecordedSpeech:
    """Cuts recordings. Thread-safe; the recogniser (``whisper_dir``: a CTranslate2 model) loads at the first use."""

    def __init__(self, whisper_dir: Path, *, threads: int = 2) -> None:
        self._recogniser = Recogniser(whisper_dir, threads)
        self._lock = threading.Lock()

    @property
    def ref(self) -> EngineRef:
        """Raises EngineUnavailable when the recogniser's weights are absent."""
        with self._lock:
            return find_engine(Capability.SPEECH, RECORDING).ref(self._weights)

    @cached_property
    def _weights(self) -> str:
        return self._recogniser.sha256()

    def voices(self) -> tuple[str, ...]:
        """None: it says what was recorded."""
        return ()

    def speak(self, utterance: Utterance, voice: Voice, seed: int, out: Path, progress: Progress) -> Spoken:  # noqa: ARG002 - the Protocol's
        """Raises InvalidInput: there is no voice here."""
        raise InvalidInput(
            "A recording says only what was recorded.",
            field="engine",
            code="recording.no_voice",
            action="Name a voice's engine, or give the render a recording.",
        )

    def cut(
        self, recording: Path, sentences: Sequence[str], language: str, folder: Path, progress: Progress
    ) -> tuple[Spoken, ...]:
        """One WAV for each of ``sentences`` in ``folder``: together the recording, from its first word to its last.

        Raises MediaRejected: a recording unfit by its sound (``check_audio``), in another language, or of another text,
        with the sentence where it leaves the script.
        """
        _require_fit(recording)
        samples = load_mono(recording, SAMPLE_RATE, SPEECH.longest)
        # Turned down as a whole, so that no sentence is quieter than its neighbours.
        samples *= min(1.0, PEAK / max(float(np.abs(samples).max()), 1e-9))
        speech = (soxr.resample(samples, SAMPLE_RATE, HEARD_RATE) * 32767).astype(np.int16)
        levels = _levels(samples)
        heard = _audible(self._recogniser.timed_words(speech, language, progress), levels)
        found = _assigned(sentences, heard, language)
        try:
            _require_script(found, language)
        except MediaRejected:
            # Who reads another language aloud hears of that rather than of the first word that differs.
            self._require_language(speech, language)
            raise
        spoken = []
        for number, (begin, end) in enumerate(pairwise(_cuts(levels, len(samples), found))):
            wav = folder / f"sentence-{number:03}.wav"
            write_wav(wav, faded(samples[begin:end], SAMPLE_RATE), SAMPLE_RATE)
            spoken.append(Spoken(wav, SAMPLE_RATE, (end - begin) / SAMPLE_RATE, None))
        return tuple(spoken)

    def _require_language(self, speech: NDArray[np.int16], language: str) -> None:
        heard, likely = self._recogniser.language(speech)
        if likely >= SURE_OF_LANGUAGE and heard != language.split("-")[0].lower():
            raise _refused(
                f"The recording is in {heard!r}, the script in {language!r}.",
                "language",
                "Record the script in its language, or save the script in the recording's.",
            )


def _require_fit(recording: Path) -> None:
    try:
        judge_audio(measure_audio(recording, SPEECH.longest, "the recording"), SPEECH)
    except MediaRejected as error:
        error.field = "recording"
        raise


def _refused(message: str, code: str, action: str) -> MediaRejected:
    return MediaRejected(message, field="recording", code=f"recording.{code}", action=action)


def _letters(text: str, language: str) -> str:
    """How ``text`` is read aloud, as letters without spaces: what is spaced otherwise is no difference."""
    read = plain_words(text, language) if language.casefold().startswith("en") else text.casefold()
    return "".join(filter(str.isalnum, read))


def _assigned(sentences: Sequence[str], heard: Sequence[TimedWord], language: str) -> tuple[_Sentence, ...]:
    """Each sentence with the words that were heard of it, by the least edits between the letters of both."""
    written = [_letters(text, language) for text in sentences]
    said = [_letters(word.text, language) for word in heard]
    owners = _with_neighbours(_owners(written, said), heard)
    words: list[list[TimedWord]] = [[] for _ in sentences]
    for word, owner in zip(heard, owners, strict=True):
        words[owner].append(word)
    return tuple(
        _Sentence(text, letters, tuple(of)) for text, letters, of in zip(sentences, written, words, strict=True)
    )


def _owners(written: Sequence[str], said: Sequence[str]) -> list[int | None]:
    """For each word that was said, the sentence most of its letters stand in; None for a word that is in none."""
    votes: list[Counter[int]] = [Counter() for _ in said]
    if not "".join(said):
        return [None] * len(said)
    sentence_of = [number for number, letters in enumerate(written) for _ in letters]
    word_of = [number for number, letters in enumerate(said) for _ in letters]
    for chunk in jiwer.process_characters("".join(written), "".join(said)).alignments[0]:
        if chunk.type in {"equal", "substitute"}:
            sentences = sentence_of[chunk.ref_start_idx : chunk.ref_end_idx]
            words = word_of[chunk.hyp_start_idx : chunk.hyp_end_idx]
            for word, sentence in zip(words, sentences, strict=True):
                votes[word][sentence] += 3 if chunk.type == "equal" else 1
    return [vote.most_common(1)[0][0] if vote else None for vote in votes]


def _with_neighbours(owners: Sequence[int | None], heard: Sequence[TimedWord]) -> list[int]:
    """A word that is in no sentence joins the nearer of the words around it that are. Never decreasing."""
    known = [(at, owner) for at, owner in enumerate(owners) if owner is not None]
    places = [at for at, _ in known]
    result: list[int] = []
    for at, word in enumerate(heard):
        after = bisect_left(places, at)
        around = known[max(0, after - 1) : after + 1] if owners[at] is None else known[after : after + 1]
        distances = [(max(heard[other].start - word.end, word.start - heard[other].end), own) for other, own in around]
        owner = min(distances)[1] if distances else 0
        result.append(max(owner, result[-1] if result else 0))
    return result


def _require_script(found: Sequence[_Sentence], language: str) -> None:
    """Raises MediaRejected that names the first sentence which is not what was recorded."""
    for number, sentence in enumerate(found):
        heard = " ".join(word.text for word in sentence.heard)
        if not heard:
            raise _refused(
                f"The recording does not have {sentence.where(number)}.",
                "sentence_missing",
                "Record the whole script, sentence by sentence as it is written; was the file cut off?",
            )
        errors = compare(sentence.text, heard, language)
        if (errors.rate or 0.0) > WORST_WORDS and not _alike(sentence.letters, _letters(heard, language)):
            raise _refused(
                f"The recording leaves the script at {sentence.where(number)}: there it says “{heard[:120]}”.",
                "text",
                "Record the script as it is written, or write the script as it was recorded.",
            )
        for change in errors.misheard:
            expected, _, added = change.partition(" -> ")
            if expected == "(nothing)" and len(added.split()) > MOST_ADDED:
                raise _refused(
                    f"At {sentence.where(number)} the recording also says “{added[:120]}”.",
                    "text",
                    "Cut that out of the recording, or write it into the script.",
                )


def _alike(written: str, said: str) -> bool:
    return bool(written and said) and 1 - jiwer.cer(written, said) >= LEAST_ALIKE


def _cuts(levels: Levels, count: int, found: Sequence[_Sentence]) -> list[int]:
    """Where each sentence begins, and where the last one ends, in samples of ``count``."""
    first, last = found[0].heard[0], found[-1].heard[-1]
    cuts = [_before(_pause(levels, first.start - SEARCH, _middle(first)))]
    for earlier, later in pairwise(found):
        cuts.append(_before(_pause(levels, _middle(earlier.heard[-1]), _middle(later.heard[0]))))
    rest = _pause(levels, _middle(last), last.end + SEARCH)
    cuts.append(min(rest[1], rest[0] + TAIL))
    return [min(max(0, round(cut * SAMPLE_RATE)), count) for cut in cuts]


def _middle(word: TimedWord) -> float:
    return (word.start + word.end) / 2


def _before(pause: tuple[float, float]) -> float:
    """Where in a pause the next sentence begins: shortly before its sound, never before the pause's middle."""
    return max((pause[0] + pause[1]) / 2, pause[1] - LEAD_IN)


def _audible(heard: Sequence[TimedWord], levels: Levels) -> list[TimedWord]:
    """``heard`` without what the recogniser imagines in silence: farewells, mostly."""
    silent = float(np.percentile(levels, 95)) - _SILENT_DB

    def sounds(word: TimedWord) -> bool:
        begin = max(0, int(word.start / _LEVEL_HOP))
        return bool(levels[begin : int(word.end / _LEVEL_HOP) + 1].max(initial=-np.inf) > silent)

    return [word for word in heard if sounds(word)]


def _levels(samples: Samples) -> Levels:
    """dB of each 10 ms, over 30 ms."""
    hop = int(_LEVEL_HOP * SAMPLE_RATE)
    powers = np.mean(samples[: len(samples) // hop * hop].reshape(-1, hop).astype(np.float64) ** 2, axis=1)
    smooth = np.convolve(powers, np.ones(3) / 3, mode="same")
    levels: Levels = 10 * np.log10(smooth + 1e-10)
    return levels


def _pause(levels: Levels, begin: float, end: float) -> tuple[float, float]:
    """The longest stretch of quiet between two times, in seconds: a pause outlasts the closures within words."""
    low = max(0, round(begin / _LEVEL_HOP))
    high = max(low + 1, min(len(levels), round(end / _LEVEL_HOP)))
    quiet = levels[low:high] <= levels[low:high].min() + _QUIET_DB
    edges = np.flatnonzero(np.diff(np.concatenate(([False], quiet, [False]))))
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return (low + int(starts[longest])) * _LEVEL_HOP, (low + int(ends[longest])) * _LEVEL_HOP
