"""The lyrics capability: a tune and themes become words that fit it."""

from dataclasses import dataclass
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


class LyricsEngine(Engine, Protocol):
    """Writes words for a tune."""

    def write(self, lead: LeadSheet, brief: LyricsBrief, progress: Progress) -> Lyrics:
        """Words with as many syllables a line as ``lead`` has notes, rhymed as it asks. Deterministic in its arguments.
        One unit of progress a section.

        Raises ScriptRejected for a language the engine does not write, InvalidInput when the banned words leave
        nothing to say.
        """
        ...
