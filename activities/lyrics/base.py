"""The lyrics capability: a tune and themes become words that fit it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.music import LeadSheet, Lyrics


@dataclass(frozen=True)
class LyricsBrief:
    """What the words are about and what they may not say. ``notes`` is what a reviewer asked to change."""

    themes: tuple[str, ...]
    language: str
    explicit: bool
    banned: tuple[str, ...]
    notes: str
    seed: int


class Rule(StrEnum):
    """What the words of a song are held to."""

    SHAPE = "shape"
    """A line for each line of the tune, words for each line."""
    WORDS = "words"
    """Words that a voice can say: letters, few and short enough."""
    LANGUAGE = "language"
    SYLLABLES = "syllables"
    STRESS = "stress"
    RHYME = "rhyme"
    RETURN = "return"
    """A section that returns says the same again."""
    AGAIN = "again"
    """Nothing else is said twice."""
    BANNED = "banned"
    EXPLICIT = "explicit"
    UNSAFE = "unsafe"


TITLE = -1
"""The section of a breach in the title."""


@dataclass(frozen=True)
class Breach:
    """A line (by section and line, from 0) that does not hold to a rule, and why, as a writer can mend it."""

    section: int
    line: int
    rule: Rule
    why: str


class LyricsChecks(Protocol):
    """What every engine's words are held to, whoever wrote them."""

    def breaches(self, lead: LeadSheet, lyrics: Lyrics, brief: LyricsBrief) -> tuple[Breach, ...]:
        """All that is wrong with the words; nothing where they are fit to be sung."""
        ...

    def explicit(self, lyrics: Lyrics) -> bool:
        """Whether there are explicit words in them."""
        ...


class LyricsEngine(Engine, Protocol):
    """Writes words for a tune."""

    def write(self, lead: LeadSheet, brief: LyricsBrief, progress: Progress) -> Lyrics:
        """Words that hold to every :class:`Rule`: as many syllables a line as ``lead`` has notes, rhymed as it asks.
        Deterministic in its arguments where the engine is local. One unit of progress a section or a round.

        Raises ScriptRejected for a language the engine does not write, InvalidInput when the banned words leave
        nothing to say, EngineUnavailable for an absent address or key, ProviderFault when a hosted engine failed.
        """
        ...
