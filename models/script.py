"""Scripts: what is to be said and how. Parsing and cutting into segments are pure functions (``models/ssml.py``)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from models.base import Contract, LanguageTag, Milliseconds


class Tone(StrEnum):
    """How the persona speaks; drives pace, brow and head motion."""

    CONFIDENT = "confident"
    ANALYTICAL = "analytical"
    CAUTIOUS = "cautious"


class ScriptAudience(StrEnum):
    """Whom the script addresses."""

    BOARD = "board"
    EMPLOYEES = "employees"
    PUBLIC = "public"


class Emphasis(StrEnum):
    """SSML emphasis levels that engines honour."""

    REDUCED = "reduced"
    NONE = "none"
    MODERATE = "moderate"
    STRONG = "strong"


class SayAs(StrEnum):
    """SSML ``interpret-as`` values that the normaliser honours."""

    CHARACTERS = "characters"
    CARDINAL = "cardinal"
    ORDINAL = "ordinal"
    DATE = "date"
    TELEPHONE = "telephone"


class Pronunciation(Contract):
    """How a name is spoken everywhere: ``ipa`` in General American or RP symbols, else ``alias`` is read aloud."""

    word: Annotated[str, Field(min_length=1, max_length=60)]
    ipa: Annotated[str, Field(max_length=80)] = ""
    alias: Annotated[str, Field(max_length=120)] = ""


class Span(Contract):
    """A run of text spoken one way, followed by a pause.

    ``text`` is what captions show; ``alias`` (if set) is what is spoken instead; ``ipa`` (if set) is the exact
    pronunciation. ``rate`` and ``pitch`` multiply the voice's own (1.0 = unchanged).
    """

    text: Annotated[str, Field(max_length=2_000)]
    alias: Annotated[str, Field(max_length=400)] = ""
    ipa: Annotated[str, Field(max_length=200)] = ""
    say_as: SayAs | None = None
    emphasis: Emphasis = Emphasis.NONE
    rate: Annotated[float, Field(ge=0.5, le=2.0)] = 1.0
    pitch: Annotated[float, Field(ge=0.5, le=2.0)] = 1.0
    pause_after_ms: Annotated[int, Field(ge=0, le=10_000)] = 0


class Utterance(Contract):
    """One sentence to speak: what an engine gets."""

    spans: Annotated[tuple[Span, ...], Field(min_length=1, max_length=100)]
    language: LanguageTag = "en"
    pause_after_ms: Milliseconds = 250
    """Silence after the sentence, part of the segment's audio."""

    @property
    def text(self) -> str:
        """The sentence as written, for captions and the recogniser's reference."""
        return "".join(span.text for span in self.spans)

    @property
    def said(self) -> str:
        """The sentence as somebody who reads it aloud says it: an alias stands for the text it is given for."""
        return "".join(span.alias or span.text for span in self.spans)


class Segment(Contract):
    """One sentence of a script, in order. ``start`` and ``end`` are character offsets in the script's source.

    ``take`` counts how often it was performed anew on a reviewer's wish: another take has another seed.
    """

    index: Annotated[int, Field(ge=0, lt=400)]
    utterance: Utterance
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]
    take: Annotated[int, Field(ge=0, le=1_000)] = 0


MAX_SCRIPT_CHARACTERS = 40_000
MAX_SEGMENTS = 400
"""A render keeps one history: 400 segments of five steps stay well under Temporal's 10,240-event warning."""
