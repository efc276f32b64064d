"""The synthesiser's own timings as an aligner: nothing is computed, everything is checked. Apart from the acoustic
aligners because it costs nothing and is exact, when the engine that spoke reports it."""

from pathlib import Path
from typing import Final

from activities.support.audio import wav_seconds
from activities.support.engine import Progress
from models.alignment import Alignment, WordTiming
from models.engines import find_engine
from models.errors import EngineFailed
from models.plan import Capability, EngineRef
from models.script import Utterance

DURATION_TOLERANCE: Final = 0.03
"""Seconds the reported duration may differ from the file's: less than a frame of video."""
ORDER_TOLERANCE: Final = 0.001
"""Seconds of rounding forgiven where one time must not precede another."""


class TimingsEngine:
    """Takes what the synthesiser reported when it fits the audio and the text. Stateless."""

    @property
    def ref(self) -> EngineRef:
        """Its identity; it has no weights."""
        return find_engine(Capability.ALIGNMENT, "timings").ref()

    def align(self, wav: Path, utterance: Utterance, known: Alignment | None, progress: Progress) -> Alignment:
        """``known``, with this engine as its source.

        Raises EngineFailed when there is none, or when it does not fit: another duration than the file's, other words
        than the utterance's, times out of order or outside the audio. Raises MediaRejected for an unreadable file.
        """
        if known is None:
            raise _unfit("the voice that spoke reports no timings")
        duration = wav_seconds(wav)
        if abs(known.duration - duration) > DURATION_TOLERANCE:
            raise _unfit(f"they cover {known.duration:.3f} s of {duration:.3f} s of audio")
        _require_words(known, utterance)
        _require_order(known, duration)
        progress(1, 1)
        return known.model_copy(update={"source": self.ref.name})


def _require_words(known: Alignment, utterance: Utterance) -> None:
    reported = "".join("".join(word.text for word in known.words).split())
    written = "".join(utterance.text.split())
    if reported != written:
        at = next((i for i, (a, b) in enumerate(zip(reported, written, strict=False)) if a != b), len(reported))
        raise _unfit(f"their words differ from the sentence at {written[at : at + 20] or 'its end'!r}")
    for word in known.words:
        if not word.phonemes and any(character.isalnum() for character in word.text):
            raise _unfit(f"the word {word.text!r} has no phonemes")


def _require_order(known: Alignment, duration: float) -> None:
    clock = 0.0
    for word in known.words:
        _require_span(word.start, word.end, clock, duration, word)
        inner = word.start
        for phoneme in word.phonemes:
            _require_span(phoneme.start, phoneme.end, inner, word.end, word)
            inner = phoneme.end
        clock = word.end


def _require_span(start: float, end: float, earliest: float, latest: float, word: WordTiming) -> None:
    if not earliest - ORDER_TOLERANCE <= start <= end <= latest + ORDER_TOLERANCE:
        raise _unfit(
            f"at the word {word.text!r}, {start:.3f}-{end:.3f} s is not within {earliest:.3f}-{latest:.3f} s in order"
        )


def _unfit(why: str) -> EngineFailed:
    return EngineFailed(
        f"The synthesiser's timings cannot be used: {why}.",
        field="known",
        code="alignment.timings_unfit",
        action="Add an acoustic aligner to the plan.",
    )
