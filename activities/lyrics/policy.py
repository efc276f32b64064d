"""What words may be sung: explicit ones by the artist's leave, banned ones never, unsafe ones never. The lexicons are
data (``policy.toml``). Apart from the tune's constraints, because a refusal is not a matter of fit."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any

from activities.lyrics.base import Rule
from models.music import Lyrics

_NOTHING = re.compile(r"(?!)")


@cache
def _lexicon() -> dict[str, Any]:
    return tomllib.loads(resources.files("activities.lyrics").joinpath("policy.toml").read_text("utf-8"))


def plain(text: str) -> str:
    """``text`` as it is compared: small letters without accents and marks, words parted by single spaces."""
    bare = unicodedata.normalize("NFKD", text.casefold().replace("’", "'")).replace("'", "")
    kept = "".join(letter for letter in bare if not unicodedata.combining(letter))
    words = re.sub(r"[\W_]+", " ", kept).split()
    return " ".join(words)


def _pattern(entries: Sequence[str]) -> re.Pattern[str]:
    """One expression for all ``entries``, on :func:`plain` text."""
    parts = []
    for entry in entries:
        if bare := plain(entry):
            parts.append(re.escape(bare) + (r"\w*" if entry.endswith("*") else ""))
    return re.compile(rf"\b(?:{'|'.join(sorted(parts))})\b") if parts else _NOTHING


@cache
def _explicit() -> re.Pattern[str]:
    return _pattern(_lexicon()["explicit"])


@cache
def _unsafe() -> dict[str, re.Pattern[str]]:
    return {topic: _pattern(entries) for topic, entries in _lexicon()["unsafe"].items()}


@cache
def _minors() -> tuple[re.Pattern[str], re.Pattern[str]]:
    return _pattern(_lexicon()["minors"]["children"]), _pattern(_lexicon()["minors"]["sexual"])


class Policy:
    """What one song may say. ``banned`` are words or phrases; ``explicit`` whether explicit words are allowed."""

    def __init__(self, banned: Sequence[str], *, explicit: bool) -> None:
        self._banned = _pattern([word.rstrip("*") for word in banned])
        self._explicit = explicit

    def refusals(self, text: str) -> Iterator[tuple[Rule, str]]:
        """What ``text`` may not say, and why."""
        said = _said(text)
        if found := self._banned.search(said):
            yield Rule.BANNED, f'says "{found[0]}", which is banned'
        if not self._explicit and (found := _explicit().search(said)):
            yield Rule.EXPLICIT, f'says "{found[0]}", which is explicit'
        for topic, pattern in _unsafe().items():
            if pattern.search(said):
                yield Rule.UNSAFE, f"is unsafe ({topic})"

    def refuses(self, text: str) -> bool:
        """Whether there is anything that ``text`` may not say."""
        return any(True for _ in self.refusals(text))


def endangers_minors(text: str) -> bool:
    """Whether a passage has children and sex in it."""
    said = _said(text)
    return all(pattern.search(said) for pattern in _minors())


def has_explicit_words(lyrics: Lyrics) -> bool:
    """Whether the words as they are written are explicit, whatever was allowed."""
    return bool(_explicit().search(_said(f"{lyrics.title}\n{lyrics.text}")))


def _said(text: str) -> str:
    """The words, and once more with what hyphens and spelling take apart put together: ``f-u-c-k``."""
    joined = re.sub(r"\b(?:\w[\s_.*-]+)+\w\b", lambda spelled: re.sub(r"\W", "", spelled[0]), text)
    hyphened = re.sub(r"(?<=\w)-(?=\w)", "", text)
    return " | ".join(dict.fromkeys(plain(one) for one in (text, joined, hyphened)))
