"""How phrases become lines: ways to say something in so many syllables, drawn so that every rhyme is among them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from activities.lyrics.lexicon import COMMON, JOINERS, OPENERS, SHORTS, THEMES, Phrases
from activities.lyrics.sounds import Ear, WordSound

HEADS_PER_TAIL = 6
"""Beginnings tried for each ending: enough that one of them fits the beat."""
_OWN, _COMMON, _MIXED = 1.0, 0.4, 0.15
"""How much a phrase belongs: to the theme of the section, to every theme, to another theme of the song."""


@dataclass(frozen=True)
class Phrase:
    """A part of a line. ``kind`` is its part in the grammar, ``weight`` how much it belongs to the section."""

    kind: str
    words: tuple[str, ...]
    syllables: int
    weight: float

    @property
    def text(self) -> str:
        """As it is read."""
        return " ".join(self.words)


@dataclass(frozen=True)
class Draft:
    """A possible line: its phrases, the last of which carries the rhyme."""

    phrases: tuple[Phrase, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """All words."""
        return tuple(word for phrase in self.phrases for word in phrase.words)

    @property
    def weight(self) -> float:
        """How much of it belongs to the section's theme."""
        told = [phrase.weight for phrase in self.phrases if phrase.kind not in ("opener", "joiner")]
        return sum(told) / len(told)


_KINDS = ("images", "moves", "wants", "things", "places", "ways")
_AFTER = {"images": ("places",), "moves": ("places", "ways"), "wants": ("things",), "things": ("places",)}
"""What may follow what within a clause."""
_COMPLETE = ("images", "moves")


class Grammar:
    """The lines that may be said about themes, of phrases that nothing ``refuses``."""

    def __init__(self, ear: Ear, themes: Sequence[str], refuses: Callable[[str], bool]) -> None:
        self._ear = ear
        self.refuses = refuses
        sources = [(THEMES[themes[0]], _OWN), (COMMON, _COMMON), *((THEMES[name], _MIXED) for name in themes[1:])]
        ear.learn(word for source, _ in sources for words in _all_words(source) for word in words)
        ear.learn(word for text in (*OPENERS, *JOINERS, *SHORTS) for word in text.split())
        self._of: dict[str, list[Phrase]] = {}
        for kind in _KINDS:
            found: dict[tuple[str, ...], Phrase] = {}
            for source, weight in sources:
                for phrase in self._phrases(kind, getattr(source, kind), weight):
                    found.setdefault(phrase.words, phrase)
            self._of[kind] = list(found.values())
        self._of["shorts"] = self._phrases("shorts", SHORTS, _MIXED)
        self._openers = self._phrases("opener", OPENERS, 0)
        self._joiners = self._phrases("joiner", JOINERS, 0)

    def _phrases(self, kind: str, texts: Sequence[str], weight: float) -> list[Phrase]:
        allowed = [tuple(text.split()) for text in texts if not self.refuses(text)]
        return [Phrase(kind, words, self._ear.syllables(words), weight) for words in allowed]

    def sound(self, draft: Draft) -> WordSound:
        """Its last word."""
        return self._ear.sound(draft.words[-1])

    def drafts(self, syllables: int, draw: Random) -> Iterator[Draft]:
        """Lines of exactly so many syllables, no word said twice in a row. Every ending has its turn."""
        seen: set[tuple[str, ...]] = set()
        for kind in (*_KINDS, "shorts"):
            for tail in self._of[kind]:
                for _ in range(HEADS_PER_TAIL):
                    parts = self._before(tail, syllables - tail.syllables, draw)
                    if parts is None:
                        continue
                    draft = Draft((*parts, tail))
                    if draft.words not in seen and _flows(draft.words):
                        seen.add(draft.words)
                        yield draft

    def _before(self, tail: Phrase, left: int, draw: Random) -> tuple[Phrase, ...] | None:
        """Phrases of ``left`` syllables that ``tail`` may follow; None where the draw leads nowhere."""
        if left == 0:
            return () if tail.kind != "wants" else None
        if left < 0 or tail.kind == "wants":
            return None
        if tail.kind == "shorts":
            fitting = [phrase for phrase in self._openers if phrase.syllables == left]
            return (draw.choice(fitting),) if fitting else None
        if tail.kind in _COMPLETE:
            return self._opened(left, draw)
        heads = [
            phrase
            for kind, followers in _AFTER.items()
            if tail.kind in followers
            for phrase in self._of[kind]
            if phrase.syllables <= left
        ]
        if not heads:
            return None
        head = draw.choices(heads, [_share(phrase, left) for phrase in heads])[0]
        before = self._before(head, left - head.syllables, draw) if head.kind != "wants" else None
        if head.kind == "wants":
            before = () if left == head.syllables else self._opened(left - head.syllables, draw)
        return None if before is None else (*before, head)

    def _opened(self, left: int, draw: Random) -> tuple[Phrase, ...] | None:
        """What may come before a clause: an opener, or another clause and a joiner."""
        fitting = [phrase for phrase in self._openers if phrase.syllables == left]
        if fitting and (left < 4 or draw.random() < 0.5):
            return (draw.choice(fitting),)
        joiner = draw.choice(self._joiners) if self._joiners else None
        ends = [
            phrase
            for kind in ("images", "moves", "places", "ways", "things")
            for phrase in self._of[kind]
            if joiner and phrase.syllables <= left - joiner.syllables
        ]
        if not ends or joiner is None:
            return None
        end = draw.choice(ends)
        before = self._before(end, left - joiner.syllables - end.syllables, draw)
        alone = before == () and end.kind not in _COMPLETE
        return None if before is None or alone else (*before, end, joiner)


def _share(phrase: Phrase, left: int) -> float:
    """How readily a beginning is drawn: what fills the line exactly, and what belongs to the theme."""
    return (0.2 + phrase.weight) * (6.0 if phrase.syllables == left else 1.0)


def _flows(words: tuple[str, ...]) -> bool:
    told = [word for word in words if len(word) > 3]
    return len(set(told)) == len(told) and all(one != other for one, other in pairwise(words))


def _all_words(source: Phrases) -> Iterator[list[str]]:
    for kind in _KINDS:
        for text in getattr(source, kind):
            yield text.split()
