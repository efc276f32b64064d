"""A language model over an OpenAI-compatible chat completions API: vLLM, Ollama and llama.cpp on one's own machine as
well as hosted ones. What it writes is checked line by line; lines that do not fit are asked for again, with the
reasons."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from activities.lyrics import prompt
from activities.lyrics.base import TITLE, Breach, LyricsBrief, Rule
from activities.lyrics.checks import LONGEST_WORD, MOST_WORDS, Checks
from activities.support.engine import Progress
from activities.support.provider import Patience, Provider
from models.base import canonical_sha256
from models.errors import EngineUnavailable, ScriptRejected
from models.lanes import Lane
from models.music import LeadSheet, LyricLine, Lyrics, LyricSection, LyricWord
from models.plan import Capability, EngineRef

NAME: Final = "llm"
VERSION: Final = "1"
PATIENCE: Final = Patience(answer=240.0)
"""A model on processors writes a few tokens a second."""
REPAIRS: Final = 4
"""How often lines that do not fit are asked for again, at most."""
_REGROUPED: Final = 2
"""The repair from which on all lines of a rhyme are asked for: the first may end on a word that nothing rhymes with."""
_SEEDS: Final = 2**31
_MOST_SYLLABLES: Final = 8
_UNWRITTEN: Final = "la"


class LanguageModelWriter:
    """Words by a language model. ``url`` is the API's base (``http://localhost:11434/v1``), ``model`` the model's name
    there; ``key`` may be empty, as servers of one's own want none. Thread-safe."""

    def __init__(
        self, url: str, key: str, model: str, patience: Patience = PATIENCE, checks: Checks | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._provider = Provider("The language model", "LYRICS_LLM_KEY", url, key, patience, headers)
        self._url = url
        self._model = model
        self._checks = checks or Checks()

    @property
    def ref(self) -> EngineRef:
        """The engine; its model stands for its weights. Raises EngineUnavailable without an address or a model."""
        self._check()
        weights = canonical_sha256({"model": self._model})
        return EngineRef(capability=Capability.LYRICS, name=NAME, version=VERSION, lane=Lane.IO, weights=weights)

    def write(self, lead: LeadSheet, brief: LyricsBrief, progress: Progress) -> Lyrics:
        """See :class:`~activities.lyrics.base.LyricsEngine`. One unit of progress an answer.

        Raises ProviderFault (``provider.unfit``, which does not pass by itself) for words that still break a rule after
        the last repair.
        """
        self._check()
        if brief.language.split("-")[0] != "en":
            raise ScriptRejected(
                f'The language model\'s words are checked in English, not in "{brief.language}".',
                field="language",
                action="Set the artist's language to en, or choose another lyrics engine.",
            )
        with self._provider.job():
            return self._written(lead, brief, progress)

    def _check(self) -> None:
        for value, setting in ((self._url, "LYRICS_LLM_URL"), (self._model, "LYRICS_LLM_MODEL")):
            if not value:
                raise EngineUnavailable(
                    "The language model that writes lyrics is not set up.",
                    field=setting,
                    action=f"Set {setting} on the worker of the io lane.",
                )

    def _written(self, lead: LeadSheet, brief: LyricsBrief, progress: Progress) -> Lyrics:
        draft = _Draft(lead, self._checks, brief, self._source)
        talk = [{"role": "system", "content": prompt.SYSTEM}, {"role": "user", "content": prompt.song(lead, brief)}]
        draft.take(self._answer(talk, brief.seed))
        for repair in range(REPAIRS):
            progress(repair + 1, REPAIRS + 1)
            breaches = draft.breaches()
            if not breaches:
                break
            wanted = draft.wanted(breaches, whole_rhymes=repair + 1 >= _REGROUPED)
            asked = [
                {"role": "assistant", "content": draft.as_json()},
                {"role": "user", "content": prompt.again(wanted, draft.said, breaches)},
            ]
            draft.take(self._answer([*talk, *asked], brief.seed + repair + 1), only=wanted)
        progress(REPAIRS + 1, REPAIRS + 1)
        if breaches := draft.breaches():
            first = breaches[0]
            place = "the title" if first.section == TITLE else f"line {first.line + 1} of section {first.section + 1}"
            raise self._provider.fault(
                f"wrote {len(breaches)} lines that do not fit even after {REPAIRS} repairs; {place}: {first.why}",
                "unfit",
                lasts=True,
            )
        return draft.lyrics()

    @property
    def _source(self) -> str:
        # A model that is a file is called by its name alone: where it lies is nobody's business.
        name = self._model.rsplit("/", 1)[-1] if self._model.startswith("/") else self._model
        return f"llm/{name}"[:60]

    def _answer(self, talk: Sequence[Mapping[str, str]], seed: int) -> prompt.Answer:
        asked = {
            "model": self._model,
            "messages": list(talk),
            "response_format": {"type": "json_object"},
            "seed": seed % _SEEDS,
        }
        answer = self._provider.ask("POST", "/chat/completions", json=asked)
        choices = answer.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        message = first.get("message") if isinstance(first, dict) else None
        if not isinstance(message, dict):
            raise self._provider.fault("answered without a message", "shape")
        if isinstance(refusal := message.get("refusal"), str) and refusal:
            raise self._provider.fault(f"refuses to write this song: {refusal[:200]}", "refused", lasts=True)
        if not isinstance(content := message.get("content"), str):
            raise self._provider.fault("answered without words", "shape")
        return prompt.read(content)


class _Draft:
    """The song as far as it is written."""

    def __init__(self, lead: LeadSheet, checks: Checks, brief: LyricsBrief, source: str) -> None:
        self._lead = lead
        self._checks = checks
        self._brief = brief
        self._source = source
        self.said: dict[str, str] = {}
        self._places = {
            prompt.line_id(at, number): (at, number)
            for at, section in enumerate(lead.sections)
            if section.same_as is None
            for number in range(len(section.lines))
        }

    def take(self, answer: prompt.Answer, only: frozenset[str] | None = None) -> None:
        """Keep what was asked for: of several ways to say a line the one with which the song breaks fewest rules."""
        if answer.title and (only is None or "title" in only):
            self.said["title"] = answer.title
        for name, ways in answer.lines.items():
            if name in self._places and (only is None or name in only):
                self.said[name] = min((self._faults(name, way), at, way) for at, way in enumerate(ways))[2]

    def _faults(self, name: str, way: str) -> int:
        before = self.said.get(name, "")
        self.said[name] = way
        found = len(self.breaches())
        self.said[name] = before
        return found

    def breaches(self) -> tuple[Breach, ...]:
        """All that is wrong with it."""
        missing = [Breach(TITLE, 0, Rule.SHAPE, "is missing")] if not self.said.get("title") else []
        for name, (section, line) in self._places.items():
            words = self.said.get(name, "").split()
            if not words:
                missing.append(Breach(section, line, Rule.SHAPE, "is missing"))
            elif len(words) > MOST_WORDS or any(len(word) > LONGEST_WORD for word in words):
                missing.append(Breach(section, line, Rule.WORDS, "has too many words, or too long ones"))
        told = {(one.section, one.line) for one in missing}
        found = self._checks.breaches(self._lead, self.lyrics(), self._brief)
        return (*missing, *(one for one in found if (one.section, one.line) not in told))

    def wanted(self, breaches: Sequence[Breach], *, whole_rhymes: bool) -> frozenset[str]:
        """What is to be written anew."""
        names = set()
        for breach in breaches:
            if breach.section == TITLE:
                names.add("title")
                continue
            names.add(prompt.line_id(breach.section, breach.line))
            if whole_rhymes and breach.rule is Rule.RHYME:
                lines = self._lead.sections[breach.section].lines
                letter = lines[breach.line].rhyme
                names |= {prompt.line_id(breach.section, at) for at, one in enumerate(lines) if one.rhyme == letter}
        return frozenset(names)

    def as_json(self) -> str:
        """What has been said, as the model said it."""
        lines = {name: text for name, text in self.said.items() if name != "title"}
        return json.dumps({"title": self.said.get("title", ""), "lines": lines}, ensure_ascii=False)

    def lyrics(self) -> Lyrics:
        """The song. What is not written stands as a syllable that :meth:`breaches` tells of."""
        sections: list[LyricSection] = []
        for at, tune in enumerate(self._lead.sections):
            if tune.same_as is not None and tune.same_as < at:
                sections.append(sections[tune.same_as])
                continue
            texts = [self.said.get(prompt.line_id(at, number), "") for number in range(len(tune.lines))]
            sections.append(LyricSection(kind=tune.kind, lines=tuple(map(self._line, texts))))
        title = self.said.get("title") or _UNWRITTEN
        lyrics = Lyrics(title=title, sections=tuple(sections), source=self._source)
        return lyrics.model_copy(update={"explicit": self._checks.explicit(lyrics)})

    def _line(self, text: str) -> LyricLine:
        words = [word[:LONGEST_WORD] for word in text.split()[:MOST_WORDS]] or [_UNWRITTEN]
        words[0] = words[0][:1].upper() + words[0][1:]
        return LyricLine(words=tuple(LyricWord(text=word, syllables=self._syllables(word)) for word in words))

    def _syllables(self, word: str) -> int:
        try:
            return min(self._checks.sound(word).syllables, _MOST_SYLLABLES)
        except ScriptRejected:
            return 1
