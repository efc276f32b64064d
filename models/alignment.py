"""Alignment: when each word and phoneme is spoken. Stored as a JSON artifact, read by lipsync, captions and quality."""

from typing import Annotated

from pydantic import Field

from models.base import Contract


class PhonemeTiming(Contract):
    """One IPA phoneme (General American / RP symbols, no stress marks), times in seconds from the segment's start."""

    phoneme: Annotated[str, Field(min_length=1, max_length=8)]
    start: Annotated[float, Field(ge=0)]
    end: Annotated[float, Field(ge=0)]
    stress: Annotated[int, Field(ge=0, le=2)] = 0


class WordTiming(Contract):
    """One word as captions show it (``text``, with its punctuation), times in seconds, and its phonemes."""

    text: Annotated[str, Field(min_length=1, max_length=120)]
    start: Annotated[float, Field(ge=0)]
    end: Annotated[float, Field(ge=0)]
    phonemes: tuple[PhonemeTiming, ...] = ()


class Alignment(Contract):
    """Words in order, not overlapping. ``source`` is the aligner that made it; ``fell_back_from`` those that failed."""

    words: tuple[WordTiming, ...]
    duration: Annotated[float, Field(ge=0)]
    """Seconds of audio."""
    source: str
    fell_back_from: tuple[str, ...] = ()

    def phonemes(self) -> tuple[PhonemeTiming, ...]:
        """All phonemes in order."""
        return tuple(phoneme for word in self.words for phoneme in word.phonemes)
