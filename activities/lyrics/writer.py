"""The local writer: a grammar and a lexicon of its own, fitted to the tune's notes, stresses and rhymes."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from activities.lyrics.base import LyricsBrief
from activities.lyrics.checks import MOST_WORDS, stressed
from activities.lyrics.grammar import Draft, Grammar
from activities.lyrics.lexicon import THEMES
from activities.lyrics.policy import Policy, has_explicit_words
from activities.lyrics.sounds import Ear, rhymes
from activities.support.engine import Progress
from models.errors import InvalidInput, ScriptRejected
from models.lanes import Lane
from models.music import LeadLine, LeadSection, LeadSheet, LyricLine, Lyrics, LyricSection, LyricWord, SectionKind
from models.plan import Capability, EngineRef

NAME = "writer"
VERSION = "1.1"
"""Counts changes to what the same request is answered with, the lexicon included."""
LEADERS = 24
"""Rhymes that are looked at in full, of those that look best."""
_LESS = re.compile(r"\b(?:no|not|without|avoid|less|fewer|drop|remove)\s+(?:more\s+)?([\w']+)", re.IGNORECASE)


@dataclass
class _Said:
    """What the song has said so far."""

    lines: set[tuple[str, ...]] = field(default_factory=set)
    phrases: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)

    def add(self, draft: Draft) -> None:
        """Remember a line."""
        self.lines.add(draft.words)
        self.phrases.update(phrase.text for phrase in draft.phrases)
        self.endings[draft.words[-1]] += 1


class LocalWriter:
    """Writes English words for a tune. Thread-safe; no weights."""

    def __init__(self) -> None:
        self._ear = Ear()

    @property
    def ref(self) -> EngineRef:
        """The engine. Its lexicon is pinned by its version."""
        return EngineRef(capability=Capability.LYRICS, name=NAME, version=VERSION, lane=Lane.CPU)

    def write(self, lead: LeadSheet, brief: LyricsBrief, progress: Progress) -> Lyrics:
        """See :class:`~activities.lyrics.base.LyricsEngine`."""
        if brief.language.split("-")[0] != "en":
            raise ScriptRejected(
                f'The local writer writes English, not "{brief.language}".',
                field="language",
                action="Set the artist's language to en, or choose another lyrics engine.",
            )
        themes = known_themes(brief.themes, brief.notes)
        policy = Policy((*brief.banned, *less_of(brief.notes)), explicit=brief.explicit)
        draw = Random(_seed(brief))
        said = _Said()
        sections: list[tuple[Draft, ...]] = []
        turn = 0
        for number, section in enumerate(lead.sections):
            if section.same_as is not None and section.same_as < number:
                sections.append(sections[section.same_as])
            else:
                # The chorus keeps to the first theme; the other sections take the themes in turn.
                at = 0 if section.kind is SectionKind.CHORUS else turn % len(themes)
                turn += section.kind is not SectionKind.CHORUS
                grammar = Grammar(self._ear, (*themes[at:], *themes[:at]), policy.refuses)
                sections.append(self._section(grammar, section, said, draw))
            progress(number + 1, len(lead.sections))
        written = tuple(
            LyricSection(kind=tune.kind, lines=tuple(self._line(draft) for draft in drafts))
            for tune, drafts in zip(lead.sections, sections, strict=True)
        )
        lyrics = Lyrics(title=_title(lead, sections), sections=written, source=NAME)
        return lyrics.model_copy(update={"explicit": has_explicit_words(lyrics)})

    def _section(self, grammar: Grammar, section: LeadSection, said: _Said, draw: Random) -> tuple[Draft, ...]:
        chosen: dict[int, Draft] = {}
        groups: dict[str, list[int]] = defaultdict(list)
        for at, line in enumerate(section.lines):
            groups[line.rhyme or f"free {at}"].append(at)
        for places in groups.values():
            lines = [section.lines[at] for at in places]
            for at, draft in zip(places, self._rhymed(grammar, lines, said, draw), strict=True):
                chosen[at] = draft
        return tuple(chosen[at] for at in range(len(section.lines)))

    def _rhymed(self, grammar: Grammar, lines: Sequence[LeadLine], said: _Said, draw: Random) -> tuple[Draft, ...]:
        """Lines that rhyme with one another: the rhyme for which the best of each fit best together."""
        by_rhyme: dict[str, list[list[tuple[float, Draft]]]] = defaultdict(lambda: [[] for _ in lines])
        for at, line in enumerate(lines):
            for draft in grammar.drafts(len(line.notes), draw):
                if len(draft.words) <= MOST_WORDS and draft.words not in said.lines:
                    score = self._score(draft, line, said) + 0.8 * draw.random()
                    by_rhyme[grammar.sound(draft).rhyme][at].append((score, draft))
        ranked = sorted(
            (rhyme for rhyme, found in by_rhyme.items() if all(found)),
            key=lambda rhyme: (-sum(max(one[0] for one in found) for found in by_rhyme[rhyme]), rhyme),
        )
        best: tuple[float, tuple[Draft, ...]] | None = None
        for tried, rhyme in enumerate(ranked):
            if best is not None and tried >= LEADERS:
                break
            ordered = [sorted(found, key=_first, reverse=True) for found in by_rhyme[rhyme]]
            together = self._together(ordered, lambda at, draft: self._fits(draft, lines[at], grammar.refuses))
            if together and (best is None or together[0] > best[0]):
                best = together
        if best is None:
            counts = ", ".join(str(len(line.notes)) for line in lines)
            raise InvalidInput(
                f"no words are left for rhyming lines of {counts} syllables",
                field="banned",
                code="lyrics.nothing_left",
                action="Ban fewer words, or ask for a tune with fewer lines that rhyme.",
            )
        for draft in best[1]:
            said.add(draft)
        return best[1]

    def _fits(self, draft: Draft, line: LeadLine, refuses: Callable[[str], bool]) -> bool:
        """Whether a line holds to what its phrases by themselves cannot: the beat, and what they say together."""
        return stressed([self._ear.sound(word) for word in draft.words], line.notes) and not refuses(
            " ".join(draft.words)
        )

    def _together(
        self, found: list[list[tuple[float, Draft]]], fits: Callable[[int, Draft], bool]
    ) -> tuple[float, tuple[Draft, ...]] | None:
        """One of each that ``fits``, no two ending alike: the line with the least choice first."""
        chosen: dict[int, tuple[float, Draft]] = {}
        order = sorted(range(len(found)), key=lambda at: (len({draft.words[-1] for _, draft in found[at]}), at))
        for at in order:
            taken = [draft for _, draft in chosen.values()]
            apart = (one for one in found[at] if all(self._differ(one[1], other) for other in taken))
            pick = next((one for one in apart if fits(at, one[1])), None)
            if pick is None:
                return None
            chosen[at] = pick
        score = sum(one[0] for one in chosen.values())
        return score, tuple(chosen[at][1] for at in range(len(found)))

    def _differ(self, one: Draft, other: Draft) -> bool:
        sounds = self._ear.sound(one.words[-1]), self._ear.sound(other.words[-1])
        same = {phrase.text for phrase in one.phrases if phrase.kind not in ("opener", "joiner")} & {
            phrase.text for phrase in other.phrases
        }
        return one.words[-1] != other.words[-1] and rhymes(*sounds) and not same

    def _score(self, draft: Draft, line: LeadLine, said: _Said) -> float:
        """How well a line fits its notes and the song."""
        stresses = [stress for word in draft.words for stress in self._ear.sound(word).stresses]
        fit = 0.0
        for stress, note in zip(stresses, line.notes, strict=True):
            if note.strong:
                fit += 1.0 if stress else -1.0
            elif stress:
                fit -= 0.2
        strong = max(sum(note.strong for note in line.notes), 1)
        told = [phrase for phrase in draft.phrases if phrase.kind not in ("opener", "joiner")]
        again = sum(said.phrases[phrase.text] for phrase in told) + 0.3 * sum(
            said.phrases[phrase.text] for phrase in draft.phrases if phrase not in told
        )
        parts = max(len(draft.phrases) - 2, 0)
        bare = any(phrase.kind in ("things", "places", "ways") for phrase in told[:1])
        return (
            2.0 * fit / strong
            + 2.2 * draft.weight
            - 3.0 * again
            - 2.0 * said.endings[draft.words[-1]]
            - 0.5 * parts
            - 0.8 * bare
        )

    def _line(self, draft: Draft) -> LyricLine:
        words = (draft.words[0][:1].upper() + draft.words[0][1:], *draft.words[1:])
        return LyricLine(
            words=tuple(
                LyricWord(text=text, syllables=self._ear.sound(word).syllables)
                for text, word in zip(words, draft.words, strict=True)
            )
        )


def _first(scored: tuple[float, Draft]) -> float:
    return scored[0]


def _seed(brief: LyricsBrief) -> int:
    """The seed and the reviewer's wish together: another wish, other words."""
    return int.from_bytes(hashlib.sha256(f"{brief.seed}/{brief.notes}".encode()).digest()[:8], "big")


def known_themes(asked: Sequence[str], notes: str) -> tuple[str, ...]:
    """The lexicon's themes for what was asked, those the reviewer names first; where none is known, one by the name's
    hash, so that an unknown theme still is one and the same."""
    named = [name for word in _words(_LESS.sub("", notes)) for name in _themes_of(word)]
    wanted = [name for theme in asked for name in _nearest(theme)]
    return tuple(dict.fromkeys((*named, *wanted)))[:3]


def _nearest(theme: str) -> list[str]:
    if theme.casefold() in THEMES:
        return [theme.casefold()]
    found = [name for word in _words(theme) for name in _themes_of(word)]
    names = sorted(THEMES)
    return found or [names[hashlib.sha256(theme.casefold().encode()).digest()[0] % len(names)]]


def _themes_of(word: str) -> list[str]:
    return [name for name, phrases in THEMES.items() if word in phrases.known_by]


def less_of(notes: str) -> tuple[str, ...]:
    """The words that the reviewer wants less of."""
    return tuple(_LESS.findall(notes))


def _words(text: str) -> Iterator[str]:
    yield from re.findall(r"[\w']+", text.casefold())


def _title(lead: LeadSheet, sections: Sequence[tuple[Draft, ...]]) -> str:
    """The hook: the last phrase of the chorus's first line, as titles are written."""
    at = next((at for at, one in enumerate(lead.sections) if one.kind is SectionKind.CHORUS), 0)
    phrases = [phrase for phrase in sections[at][0].phrases if phrase.kind not in ("opener", "joiner")]
    words = phrases[-1].words if len(phrases[-1].words) > 1 else sections[at][0].words[-4:]
    small = {"a", "an", "the", "of", "in", "on", "at", "to", "and", "by", "for", "with", "from", "into"}
    titled = [word if number and word in small else word[:1].upper() + word[1:] for number, word in enumerate(words)]
    return " ".join(titled)[:80]
