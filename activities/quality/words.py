"""Words as they are heard: the script and what the recogniser wrote are brought to one spelling, so that only hearing
counts. Numbers become digits, symbols become words, British spelling becomes American; homophones stay apart."""

import re
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal

from activities.speech.normalise import plain_words

_UNITS = {
    **{"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9},
    **{"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16},
    **{"seventeen": 17, "eighteen": 18, "nineteen": 19},
}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_IRREGULAR = {"first": "one", "second": "two", "third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine"}
_ORDINALS = {
    **_IRREGULAR,
    "twelfth": "twelve",
    **{f"{word}th": word for word in (*_UNITS, *_SCALES, "hundred")},
    **{f"{word[:-1]}ieth": word for word in _TENS},
}
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"

_Replacement = str | Callable[[re.Match[str]], str]


def _cents(match: re.Match[str]) -> str:
    return f"{(Decimal(match[1]) + Decimal(match[3]) / 100).normalize():f} {match[2]}"


_CONTRACTIONS: tuple[tuple[str, _Replacement], ...] = (
    (r"\bokay\b", "ok"),
    (r"\bwon't\b", "will not"),
    (r"\bshan't\b", "shall not"),
    (r"\b(?:can't|cannot)\b", "can not"),
    (r"n't\b", " not"),
    (r"\blet's\b", "let us"),
    (r"\b(it|he|she|that|this|what|there|here|who|where|how)'s\b", r"\1 is"),
    (r"'re\b", " are"),
    (r"'ve\b", " have"),
    (r"'ll\b", " will"),
    (r"\bi'm\b", "i am"),
    (r"'d\b", " would"),
    (r"\bper cent\b", "percent"),
)
_AMERICAN: tuple[tuple[str, _Replacement], ...] = (
    (r"\b([a-z]{3,})is(e|ed|es|ing|er|ers|ation|ations|able)\b", r"\1iz\2"),
    (r"\b([a-z]{3,})ys(e|ed|es|ing|er|ers)\b", r"\1yz\2"),
    (r"\b([a-z]{3,})our(s|ed|ing|ite|ites|able|al|ful|ably)?\b", r"\1or\2"),
    (r"\b(cen|thea|me|li|kilome|centime|spec)tre(s|d)?\b", r"\1ter\2"),
    (r"\bfib(?:re)(s)?\b", r"fiber\1"),
    (r"\b(catal|dial|anal)ogue(s)?\b", r"\1og\2"),
    (r"\b([a-z]*[aeiouy][a-z]*[aeu])ll(ed|ing|er|ers|or|ors|ation)\b", r"\1l\2"),
    (r"\b(def|off|lic)ence(s|d)?\b", r"\1ense\2"),
    (r"\bpractis(e|ed|es|ing)\b", r"practic\1"),
    (r"\bpracticz(e|ed|es|ing)\b|\bpractiz(e|ed|es|ing)\b", r"practic\1\2"),
    (r"\bprogramme(s)?\b", r"program\1"),
    (r"\bgrey\b", "gray"),
    (r"\bcheque(s)?\b", r"check\1"),
    (r"\b(judg|acknowledg)ement(s)?\b", r"\1ment\2"),
    (r"\bageing\b", "aging"),
    (r"\b(fulfi|enro|ski)ll?(ed|ing|ment|ful)?\b", r"\1l\2"),
    (r"\bsceptic", "skeptic"),
)
_DATES: tuple[tuple[str, _Replacement], ...] = (
    (rf"\b({_MONTHS}) (?:the )?(\d{{1,2}})(?:st|nd|rd|th)\b", r"\1 \2"),
    (rf"\b(?:the )?(\d{{1,2}})(?:st|nd|rd|th) (?:of )?({_MONTHS})\b", r"\2 \1"),
    (rf"\b(\d{{1,2}}) ({_MONTHS})\b", r"\2 \1"),
    (r"\b(dollar|euro|pound|cent)\b", r"\1s"),
    (r"\b(\d+) (dollars|euros|pounds) (?:and )?(\d{1,2}) (?:cents|pence)\b", _cents),
)
_READ_AT_ONCE = 1_500
"""Characters; the reader takes no more than 2,000."""
_ORDINAL_READ_AT_ONCE = 1_500
"""Characters; the reader takes no more than 2,000."""
_LITERAL = re.compile(r"\d+(?:st|nd|rd|th)")


def canonical_words(text: str, language: str) -> list[str]:
    """``text`` as comparable words. English is first written out as it is read aloud, so that both sides go through the
    speech engines' own reading of symbols, units and dates; of others only case and punctuation are unified."""
    if not language.casefold().startswith("en"):
        return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())
    read = " ".join(plain_words(line, language) for line in textwrap.wrap(text, _READ_AT_ONCE))
    words = _numbers_as_digits(_replace(read, _CONTRACTIONS).replace("'", "").split())
    return _letters_joined(_replace(_replace(" ".join(words), _DATES), _AMERICAN).split())


def _replace(text: str, rules: tuple[tuple[str, _Replacement], ...]) -> str:
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    return text


def _letters_joined(words: Sequence[str]) -> list[str]:
    """Letters spoken one by one are one acronym, however it was spaced: ``a p i`` is ``api``."""
    joined: list[str] = []
    run = ""
    for word in [*words, ""]:
        if len(word) == 1 and word.isalpha():
            run += word
            continue
        if run:
            joined.append(run)
            run = ""
        if word:
            joined.append(word)
    return joined


def _numbers_as_digits(words: Sequence[str]) -> list[str]:
    """Numbers as digits; whole numbers side by side are one (``twenty twenty six`` is ``2026``)."""
    out: list[str] = []
    at, follows_number = 0, False
    while at < len(words):
        number = _Number(words, at)
        if number.end == at:
            out.append(words[at])
        elif follows_number and out[-1].isdigit():
            out[-1] += number.text
        else:
            out.append(number.text)
        follows_number = number.end > at
        at = max(number.end, at + 1)
    return out


class _Number:
    """The longest number that begins at ``words[at]``; ``end == at`` where none does."""

    def __init__(self, words: Sequence[str], at: int) -> None:
        self._words = words
        self.end = at
        self._total = Decimal(0)
        self._group: Decimal | None = None
        self._last = ""
        self._ordinal = False
        while self.end < len(words) and not self._ordinal and self._take(words[self.end]):
            pass

    @property
    def text(self) -> str:
        """Digits, with the suffix of an ordinal."""
        value = self._total + (self._group or 0)
        digits = f"{value.normalize():f}" if value else "0"
        return digits + (_suffix(int(value)) if self._ordinal else "")

    def _take(self, word: str) -> bool:
        cardinal = _ORDINALS.get(word, word)
        taken = self._take_cardinal(cardinal)
        self._ordinal = taken and cardinal != word
        return taken

    def _take_cardinal(self, word: str) -> bool:
        follower = self._words[self.end + 1] if self.end + 1 < len(self._words) else ""
        begins_group = self._last in {"", "hundred", "scale"}
        if word in _UNITS:
            return (begins_group or (self._last == "tens" and 0 < _UNITS[word] < 10)) and self._add(
                _UNITS[word], "units"
            )
        if word in _TENS:
            return begins_group and self._add(_TENS[word], "tens")
        if word == "hundred":
            return self._group is not None and self._group < 100 and self._multiply()
        if word in _SCALES:
            return self._group is not None and self._scale(_SCALES[word])
        if word == "and":
            number_follows = _ORDINALS.get(follower, follower) in {*_UNITS, *_TENS}
            return self._last in {"hundred", "scale"} and number_follows and self._step()
        if word == "a":
            return not self._last and follower in {*_SCALES, "hundred"} and self._add(1, "units")
        return word == "point" and self._group is not None and self._decimals()

    def _add(self, value: int, kind: str) -> bool:
        self._group = (self._group or Decimal(0)) + value
        self._last = kind
        return self._step()

    def _multiply(self) -> bool:
        self._group = (self._group or Decimal(0)) * 100
        self._last = "hundred"
        return self._step()

    def _scale(self, factor: int) -> bool:
        self._total += (self._group or Decimal(0)) * factor
        self._group, self._last = None, "scale"
        return self._step()

    def _decimals(self) -> bool:
        end = self.end + 1
        digits = ""
        while end < len(self._words) and _UNITS.get(self._words[end], 10) < 10:
            digits += str(_UNITS[self._words[end]])
            end += 1
        if not digits:
            return False
        self._group = (self._group or Decimal(0)) + Decimal(f"0.{digits}")
        self.end, self._last = end, "decimals"
        return True

    def _step(self) -> bool:
        self.end += 1
        return True


def _suffix(value: int) -> str:
    if value % 100 in {11, 12, 13}:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
