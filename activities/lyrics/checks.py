"""The rules that words are held to, in one place for every engine: the local writer, a language model, and whoever
comes next."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from activities.lyrics.base import TITLE, Breach, LyricsBrief, Rule
from activities.lyrics.policy import Policy, endangers_minors, has_explicit_words
from activities.lyrics.sounds import Ear, WordSound, rhymes
from models.birth_words import FOREIGN, PLAIN
from models.errors import ScriptRejected
from models.music import LeadNote, LeadSection, LeadSheet, LyricLine, Lyrics, LyricSection

MOST_WORDS = 16
"""Words of a line, by the contract."""
LONGEST_WORD = 40
_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*['’]?")
_WRENCHED = 1
"""Words of a line whose stress the tune may put on the wrong syllable: one passes, as in any song."""
_LOOP = 3
"""How often a longer word may come in one line before it is a loop."""


class Checks:
    """See :class:`~activities.lyrics.base.LyricsChecks`. Thread-safe."""

    def __init__(self, ear: Ear | None = None) -> None:
        self._ear = ear or Ear()

    def explicit(self, lyrics: Lyrics) -> bool:
        """See :class:`~activities.lyrics.base.LyricsChecks`."""
        return has_explicit_words(lyrics)

    def breaches(self, lead: LeadSheet, lyrics: Lyrics, brief: LyricsBrief) -> tuple[Breach, ...]:
        """See :class:`~activities.lyrics.base.LyricsChecks`. In the order of the lines, each section once."""
        if len(lead.sections) != len(lyrics.sections):
            why = f"has {len(lyrics.sections)} sections for {len(lead.sections)} of tune"
            return (Breach(0, 0, Rule.SHAPE, why),)
        policy = Policy(brief.banned, explicit=brief.explicit)
        found = [Breach(TITLE, 0, rule, f"the title {why}") for rule, why in policy.refusals(lyrics.title)]
        told: dict[tuple[str, ...], tuple[int, int]] = {}
        for at, (tune, words) in enumerate(zip(lead.sections, lyrics.sections, strict=True)):
            if tune.same_as is not None and tune.same_as < at:
                if words.lines != lyrics.sections[tune.same_as].lines:
                    found.append(Breach(at, 0, Rule.RETURN, f"does not say what section {tune.same_as + 1} said"))
                continue
            found += [Breach(at, line, rule, why) for line, rule, why in self._section(tune, words, policy, told, at)]
        return tuple(found)

    def _section(
        self,
        tune: LeadSection,
        words: LyricSection,
        policy: Policy,
        told: dict[tuple[str, ...], tuple[int, int]],
        at: int,
    ) -> Iterator[tuple[int, Rule, str]]:
        if len(tune.lines) != len(words.lines):
            yield 0, Rule.SHAPE, f"has {len(words.lines)} lines for {len(tune.lines)} of tune"
            return
        for number, (notes, line) in enumerate(zip(tune.lines, words.lines, strict=True)):
            for rule, why in (*self.line(line, notes.notes), *policy.refusals(line.text)):
                yield number, rule, why
            said = tuple(word.text.casefold() for word in line.words)
            first = told.setdefault(said, (at, number))
            if first != (at, number):
                yield number, Rule.AGAIN, f"is line {first[1] + 1} of section {first[0] + 1} again"
        yield from self._rhymes(tune, words)
        if endangers_minors("\n".join(line.text for line in words.lines)):
            for number in range(len(words.lines)):
                yield number, Rule.UNSAFE, "is unsafe (minors)"

    def line(self, line: LyricLine, notes: Sequence[LeadNote]) -> Iterator[tuple[Rule, str]]:
        """What is wrong with a line by itself, on its notes."""
        texts = [word.text for word in line.words]
        if odd := next((text for text in texts if not _WORD.fullmatch(text) or len(text) > LONGEST_WORD), ""):
            yield Rule.WORDS, f'has "{odd[:LONGEST_WORD]}" in it: write plain words of letters and apostrophes'
            return
        if len(texts) > MOST_WORDS:
            yield Rule.WORDS, f"has {len(texts)} words; at most {MOST_WORDS}"
        said = [text.casefold() for text in texts]
        if loop := next((text for text in said if len(text) > 3 and said.count(text) >= _LOOP), ""):
            yield Rule.AGAIN, f'says "{loop}" {said.count(loop)} times'
        foreign, known = sum(text in FOREIGN for text in said), sum(text in PLAIN for text in said)
        if foreign >= 2 and foreign > known:
            yield Rule.LANGUAGE, "is not in English"
        try:
            sounds = [self.sound(text) for text in texts]
        except ScriptRejected as error:
            yield Rule.WORDS, error.message
            return
        counted = sum(sound.syllables for sound in sounds)
        if counted != len(notes):
            each = ", ".join(f"{text} {sound.syllables}" for text, sound in zip(texts, sounds, strict=True))
            yield Rule.SYLLABLES, f"has {counted} syllables ({each}); it needs exactly {len(notes)}"
        elif [word.syllables for word in line.words] != [sound.syllables for sound in sounds]:
            yield Rule.SYLLABLES, "gives its words other syllables than they have"
        elif not stressed(sounds, notes):
            strong = ", ".join(str(at + 1) for at, note in enumerate(notes) if note.strong)
            yield Rule.STRESS, f"has its stresses off the beat; syllables {strong} fall on strong beats"

    def sound(self, text: str) -> WordSound:
        """How a written word sounds. Raises ScriptRejected for one that cannot be said."""
        return self._ear.sound(text.casefold().replace("’", "'"))

    def _rhymes(self, tune: LeadSection, words: LyricSection) -> Iterator[tuple[int, Rule, str]]:
        groups: dict[str, list[int]] = defaultdict(list)
        for number, notes in enumerate(tune.lines):
            if notes.rhyme:
                groups[notes.rhyme].append(number)
        for numbers in groups.values():
            for later, number in enumerate(numbers):
                end = words.lines[number].words[-1].text
                for other in (words.lines[earlier].words[-1].text for earlier in numbers[:later]):
                    if not self._rhyme(end, other):
                        yield number, Rule.RHYME, f'ends on "{end}", which is no rhyme for "{other}"'
                        break

    def _rhyme(self, one: str, other: str) -> bool:
        try:
            return one.casefold() != other.casefold() and rhymes(self.sound(one), self.sound(other))
        except ScriptRejected:
            return False


def stressed(sounds: Sequence[WordSound], notes: Sequence[LeadNote]) -> bool:
    """Whether stress falls where the beat does: on half of the strong notes or more (rounded down), and in no more than
    one longer word on a wrong syllable alone."""
    beats = [note.strong for note in notes]
    stresses = [stress for sound in sounds for stress in sound.stresses]
    met = sum(stress and beat for stress, beat in zip(stresses, beats, strict=True))
    wrenched, first = 0, 0
    for sound in sounds:
        under = beats[first : first + sound.syllables]
        first += sound.syllables
        right = any(stress and beat for stress, beat in zip(sound.stresses, under, strict=True))
        wrenched += sound.syllables > 1 and any(under) and not right
    return met >= sum(beats) // 2 and wrenched <= _WRENCHED
