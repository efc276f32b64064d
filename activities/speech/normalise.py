"""Written words into spoken words: numbers, money, dates, acronyms, units and symbols as an English speaker reads them.
Apart from the engines because every voice needs it, and because each caption word keeps the words spoken for it."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from num2words import num2words

from activities.speech import lexicon
from models.errors import ScriptRejected
from models.script import Emphasis, SayAs, Span, Utterance

DASHES = "—–"
_LEAD = re.compile(r"^(?:[\"“”‘«»(\[{¿¡•*_‣▪]|['’](?![0-9]{2}s?\b)|[—–-](?![0-9.$€£¥]))+")
_TAIL = re.compile(r"[\"'“”‘’«»()\[\]{}.,;:!?…—–*_-]+$")
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
_SCALE = r"(?:thousand|million|billion|trillion|tn|trn|bn|mn|mm|mio|[kKmMbBtT])"
_MONEY = re.compile(
    rf"(?P<sign>[-−+~])?(?P<symbol>(?:US|C|A|HK|NZ|S)?\$|[€£¥₹])(?P<low>{_NUMBER})(?P<lowscale>{_SCALE})?"
    rf"(?:[-–—](?P<again>(?:US|C|A|HK|NZ|S)?\$|[€£¥₹])?(?P<high>{_NUMBER}))?(?P<scale>{_SCALE})?(?P<more>\+)?"
)
_QUANTITY = re.compile(
    rf"(?P<sign>[-−+~±<>≤≥]|\+/-)?(?P<low>{_NUMBER})(?:(?P<to>[-–—])(?P<high>{_NUMBER}))?(?P<unit>[^\W\d_][^\W\d_]{{0,5}}(?:/[a-zA-Z]{{1,3}})?[²³]?"
    r"|%|‰|°[CF]?|[x×])?(?P<more>\+)?"
)
_ORDINAL = re.compile(r"([0-9]{1,6}|[0-9]{1,3}(?:,[0-9]{3})+)(st|nd|rd|th)", re.IGNORECASE)
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_SLASH_DATE = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4}|[0-9]{2})")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])(?::([0-5][0-9]))?\s?([aApP]\.?[mM])?")
_HOUR = re.compile(r"(1[0-2]|[1-9])([aApP])\.?[mM]")
_FRACTION = re.compile(r"(?:([0-9]+)[ -]?)?([0-9]{1,2})[/⁄]([0-9]{1,3})")
_YEAR = re.compile(r"(1[1-9]|20)[0-9]{2}")
_YEARS = re.compile(r"((?:1[1-9]|20)[0-9]{2})[-–—/]((?:1[1-9]|20)?[0-9]{2})")
_DECADE = re.compile(r"(['’]|1[1-9]|20)([0-9])0s")
_VERSION = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+){1,4})")
_TELEPHONE = re.compile(r"\+[0-9][0-9().-]{6,}")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(
    r"(?:https?://|www\.)\S+|(?:[A-Za-z0-9-]+\.)+(?:com|org|net|edu|gov|io|co|uk|de|fr|eu|ai|dev|app|tv|info)(?:/\S*)?"
)
_DOTTED = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")
_PERIOD = re.compile(r"(FY|CY|Q|H)([0-9]{1,4})(?:[-–/]?['’]?([0-9]{2,4}))?")
_RAISED = "¹²³⁰⁴-⁹₀-₉¼-¾⅐-⅞"
_RUNS = re.compile(rf"[^\W\d_{_RAISED}]+(?:['’][^\W\d_{_RAISED}]+)*|[0-9]+(?:\.[0-9]+)?|\S")


@dataclass(frozen=True)
class SpokenWord:
    """One caption word and what is said for it.

    ``text`` is the caption word with its punctuation (several words where one alias or pronunciation covers them all).
    ``spoken`` are the words said: lower case or as written; a single capital letter other than ``I`` is that letter's
    name; ``—`` and ``,`` are short pauses. ``ipa``, when set, is the exact pronunciation and ``spoken`` its reading.
    ``mark`` is the punctuation a voice hears after the word. The rest is how it is said.
    """

    text: str
    spoken: tuple[str, ...]
    ipa: str = ""
    mark: str = ""
    emphasis: Emphasis = Emphasis.NONE
    rate: float = 1.0
    pitch: float = 1.0
    pause_after_ms: int = 0


@dataclass
class _Token:
    """A whitespace-delimited word as written, taken apart, with the span that says how it is spoken."""

    text: str
    lead: str
    core: str
    tail: str
    span: Span
    fixed: tuple[str, ...] | None = None
    pause_after_ms: int = 0

    @property
    def low(self) -> str:
        return self.core.casefold()


def speakable(utterance: Utterance) -> tuple[SpokenWord, ...]:
    """What is said for each caption word of ``utterance``, in order. At least one word.

    Raises ScriptRejected naming the character that no English reading exists for (other scripts, emoji), with the word
    in ``field``.
    """
    tokens = _tokens(utterance)
    reader = _Reader(tokens, british=utterance.language.casefold().startswith("en-gb"))
    spoken = reader.read()
    words: list[SpokenWord] = []
    waiting = ""
    for at, (token, said) in enumerate(zip(tokens, spoken, strict=True)):
        word = _word(token, said, last=at == len(tokens) - 1)
        if word.spoken or word.ipa:
            words.append(replace(word, text=waiting + word.text))
            waiting = ""
        elif words:
            before = words[-1]
            pause = max(before.pause_after_ms, word.pause_after_ms)
            mark = before.mark or word.mark
            words[-1] = replace(before, text=f"{before.text} {word.text}", mark=mark, pause_after_ms=pause)
        else:
            waiting += f"{word.text} " if word.text else ""
    if not words:
        raise ScriptRejected(
            f'There is nothing to say in "{utterance.text[:60]}".', field="sentence", code="script.unspeakable"
        )
    return tuple(words)


def spoken_text(utterance: Utterance) -> str:
    """The words said, in lower case and without punctuation: the reference for a recogniser."""
    return " ".join(_heard(word) for word in speakable(utterance))


def plain_words(text: str, language: str = "en") -> str:
    """``text`` as it would be read aloud, in lower case without punctuation: for comparing what a recogniser wrote with
    :func:`spoken_text`. Never raises: what cannot be read is left out."""
    readable = "".join(character if _is_readable(character) else " " for character in text)[:2_000].strip()
    if not any(map(str.isalnum, readable)):
        return ""
    return spoken_text(Utterance(spans=(Span(text=readable),), language=language))


def _heard(word: SpokenWord) -> str:
    said = " ".join(part for part in word.spoken if part not in {"—", ","})
    return re.sub(r"[^a-z0-9' ]", " ", said.casefold().replace("’", "'").replace("-", " "))


def _tokens(utterance: Utterance) -> list[_Token]:
    """Caption words with their spans. A span that is said in one piece (alias, IPA, say-as) is one token."""
    tokens: list[_Token] = []
    glue = False
    for span in utterance.spans:
        whole = bool(span.alias or span.ipa or span.say_as)
        pieces = [span.text.strip()] if whole and span.text.strip() else span.text.split()
        for number, piece in enumerate(pieces):
            joins = number == 0 and glue and not span.text[:1].isspace() and tokens
            if joins and _join(tokens[-1], piece, span, whole=whole):
                continue
            tokens.append(_token(piece, span, utterance.language, whole=whole))
        if pieces:
            glue = not span.text[-1:].isspace()
        elif span.text:
            glue = False
        if tokens:
            tokens[-1].pause_after_ms = max(tokens[-1].pause_after_ms, span.pause_after_ms)
    return tokens


def _token(text: str, span: Span, language: str, *, whole: bool) -> _Token:
    if not whole:
        return _take_apart(text, span)
    fixed = _fixed(span, language)
    lead = match[0] if (match := _LEAD.match(text)) else ""
    tail = match[0] if (match := _TAIL.search(text[len(lead) :])) else ""
    return _Token(text, lead, text[len(lead) : len(text) - len(tail)], tail, span, fixed)


def _take_apart(text: str, span: Span) -> _Token:
    lead = match[0] if (match := _LEAD.match(text)) else ""
    rest = text[len(lead) :]
    tail = match[0] if (match := _TAIL.search(rest)) else ""
    return _Token(text, lead, rest[: len(rest) - len(tail)], tail, span)


def _join(before: _Token, piece: str, span: Span, *, whole: bool) -> bool:
    """Put ``piece``, written without a space after ``before``, into the same caption word where one reading covers
    both: punctuation after anything, or a word said in one piece after an opening bracket or quote."""
    if not any(map(str.isalnum, piece)):
        before.text += piece
        before.tail += piece
        return True
    if whole and not any(map(str.isalnum, before.text)) and before.fixed is None:
        taken = _token(piece, span, "en", whole=True)
        before.lead, before.core, before.tail = before.text + taken.lead, taken.core, taken.tail
        before.text, before.span, before.fixed = before.text + piece, span, taken.fixed
        return True
    if not whole and before.fixed is None and before.span.emphasis == span.emphasis:
        merged = _take_apart(before.text + piece, before.span)
        before.text, before.lead, before.core, before.tail = merged.text, merged.lead, merged.core, merged.tail
        return True
    return False


def _fixed(span: Span, language: str) -> tuple[str, ...]:
    """What is said for a span that says so itself."""
    if span.ipa:
        return (span.text.strip(),)
    if span.alias:
        return tuple(
            part
            for word in speakable(Utterance(spans=(Span(text=span.alias),), language=language))
            for part in word.spoken
        )
    return _said_as(span, language)


def _said_as(span: Span, language: str) -> tuple[str, ...]:
    text = span.text.strip()
    number = text.replace(",", "").replace(" ", "")
    if span.say_as is SayAs.CHARACTERS:
        return tuple(_characters(text))
    if span.say_as is SayAs.TELEPHONE:
        return tuple(_telephone(text))
    if span.say_as is SayAs.ORDINAL and (match := re.fullmatch(r"([0-9]{1,9})(?:st|nd|rd|th)?", number)):
        return tuple(ordinal(int(match[1])))
    if span.say_as is SayAs.CARDINAL and re.fullmatch(rf"[-−]?(?:{_NUMBER})", number):
        return tuple(cardinal(number))
    if span.say_as is SayAs.DATE:
        return tuple(
            part for word in speakable(Utterance(spans=(Span(text=text),), language=language)) for part in word.spoken
        )
    raise ScriptRejected(
        f'"{text[:40]}" cannot be said as {span.say_as}.',
        field=f'word "{text[:40]}"',
        code="script.unspeakable",
        action="Write digits inside this say-as, or remove the tag.",
    )


def _word(token: _Token, said: list[str], *, last: bool) -> SpokenWord:
    span = token.span
    return SpokenWord(
        text=token.text,
        spoken=tuple(said),
        ipa=span.ipa if token.fixed is not None else "",
        mark=_mark(token, last=last),
        emphasis=span.emphasis,
        rate=span.rate,
        pitch=span.pitch,
        pause_after_ms=token.pause_after_ms,
    )


def _mark(token: _Token, *, last: bool) -> str:
    tail = token.tail if token.core else token.text
    for mark in "?!":
        if mark in tail:
            return mark
    if "…" in tail or "..." in tail:
        return "…"
    if "." in tail and (last or not _is_abbreviation(token)):
        return "."
    for mark in ";:,":
        if mark in tail:
            return mark
    if any(dash in tail for dash in DASHES) or (not token.core and tail == "-"):
        return "—"
    return "," if ")" in tail and not last else ""


def _is_abbreviation(token: _Token) -> bool:
    return token.low in lexicon.ABBREVIATIONS or len(token.core) == 1 or bool(_DOTTED.fullmatch(token.core))


def cardinal(number: str) -> list[str]:
    """``1200``, ``-3``, ``3.50`` or ``.5`` in words, every decimal digit said."""
    sign = ["minus"] if number[:1] in "-−" else []
    whole, _, decimals = number.lstrip("-−+").replace(",", "").partition(".")
    words = _words(num2words(int(whole or "0"))) if len(whole) <= 15 else _digits(whole)
    return sign + words + (["point", *_digits(decimals)] if decimals else [])


def ordinal(number: int) -> list[str]:
    """``21`` becomes ``twenty-first``."""
    return _words(num2words(number, to="ordinal"))


def year(number: int) -> list[str]:
    """``2026`` becomes ``twenty twenty-six``; ``2005`` ``two thousand and five``; ``1905`` ``nineteen oh five``."""
    return _words(num2words(number, to="year").replace("oh-", "oh "))


def _words(text: str) -> list[str]:
    return text.replace(",", "").split()


def _digits(text: str) -> list[str]:
    return [lexicon.DIGITS[int(digit)] for digit in text]


def _characters(text: str) -> list[str]:
    said: list[str] = []
    for character in text:
        if character.isdecimal() and character.isascii():
            said.append(lexicon.DIGITS[int(character)])
        elif character.isalpha():
            said.extend(letter.upper() for letter in _latin(character, text))
        elif character in lexicon.CHARACTER_NAMES:
            said.extend(lexicon.CHARACTER_NAMES[character].split())
        elif not character.isspace():
            raise _unspeakable(character, text)
    return said


def _telephone(text: str) -> list[str]:
    said: list[str] = []
    for group in re.findall(r"\+|[0-9]+|[A-Za-z]+", text):
        if said and said[-1] != "plus":
            said.append(",")
        said.extend(["plus"] if group == "+" else _digits(group) if group.isdigit() else [group])
    return said


def _plain(character: str) -> str:
    """Full-width and other presentation forms as the ASCII character they stand for; raised digits stay raised."""
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded.isascii() and character not in "¹²³" else character


def _is_readable(character: str) -> bool:
    if character.isspace() or character.isascii():
        return True
    try:
        _latin(character, character)
    except ScriptRejected:
        return character in lexicon.SYMBOLS or character in lexicon.SILENT
    return True


def _latin(character: str, word: str) -> str:
    """``character`` as letters of the English alphabet."""
    if character.isascii() and character.isalpha():
        return character
    if character in lexicon.LATIN:
        return lexicon.LATIN[character]
    folded = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    if folded and all(part.isascii() and part.isalpha() for part in folded):
        return folded
    if folded and all(part in lexicon.LATIN for part in folded):
        return "".join(lexicon.LATIN[part] for part in folded)
    raise _unspeakable(character, word)


def _unspeakable(character: str, word: str) -> ScriptRejected:
    name = unicodedata.name(character, "unnamed").lower()
    return ScriptRejected(
        f"This voice cannot speak {character!r} (U+{ord(character):04X}, {name}).",
        field=f'word "{word[:60]}"',
        code="script.unspeakable",
        action='Write it in Latin letters, remove it, or say how it sounds: <sub alias="..."> or <phoneme ph="...">.',
    )


class _Reader:
    """Reads tokens left to right; a rule may look at the neighbours and say several tokens at once."""

    def __init__(self, tokens: list[_Token], *, british: bool) -> None:
        self.tokens = tokens
        self.british = british
        self.said: list[list[str]] = [[] for _ in tokens]
        letters = [token.core for token in tokens if len(token.core) > 1 and token.core.isalpha()]
        self.shouting = len(letters) >= 3 and sum(core.isupper() for core in letters) > 0.6 * len(letters)
        self.rules: tuple[Callable[[int], int], ...] = (
            self._money,
            self._date,
            self._years,
            self._quantity,
            self._clock,
            self._fraction,
            self._name_of_period,
            self._address,
            self._currency_code,
        )

    def read(self) -> list[list[str]]:
        at = 0
        while at < len(self.tokens):
            at += self._read(at)
        return self.said

    def _read(self, at: int) -> int:
        token = self.tokens[at]
        if token.fixed is not None:
            self.said[at] = list(token.fixed)
            return 1
        token.core = "".join(_plain(character) for character in token.core if character not in lexicon.SILENT)
        if any(character.isdigit() or character in lexicon.MARKS_OF_RULES for character in token.core):
            for rule in self.rules:
                taken = rule(at)
                if taken:
                    return taken
        self.said[at] = self._generic(token.core) if not self._preset(at) else self.said[at]
        return 1

    def _near(self, at: int) -> _Token | None:
        return self.tokens[at] if 0 <= at < len(self.tokens) and self.tokens[at].fixed is None else None

    def _low(self, at: int) -> str:
        token = self._near(at)
        return token.low if token else ""

    def _joined(self, at: int) -> bool:
        """Whether nothing stands between token ``at`` and the next one."""
        following = self._near(at + 1)
        return following is not None and not self.tokens[at].tail and not following.lead

    def _preset(self, at: int) -> bool:
        """Whole tokens with a reading of their own: titles, units after a number, ``a.m.``."""
        core, low = self.tokens[at].core, self.tokens[at].low
        if low in lexicon.ABBREVIATIONS and (self.tokens[at].tail[:1] == "." or low in lexicon.WITHOUT_STOP):
            self.said[at] = lexicon.ABBREVIATIONS[low].split()
            return True
        if low == "no" and self.tokens[at].tail[:1] == "." and self._low(at + 1)[:1].isdigit():
            self.said[at] = ["number"]
            return True
        if core in lexicon.READINGS:
            self.said[at] = lexicon.READINGS[core].split()
            return True
        return False

    def _scale(self, at: int, scale: str | None) -> tuple[str, bool]:
        """The word of a scale written with the number, or as the next word (then ``True``)."""
        if scale:
            return lexicon.SCALES[scale.casefold()], False
        following = self._low(at + 1)
        if self._joined(at) and following in lexicon.SCALES and len(following) > 1:
            return lexicon.SCALES[following], True
        return "", False

    def _money(self, at: int) -> int:
        match = _MONEY.fullmatch(self.tokens[at].core)
        if match is None:
            return 0
        one, many, part = lexicon.CURRENCIES[match["symbol"]]
        scale, apart = self._scale(at, match["scale"] or match["lowscale"])
        amounts = [amount for amount in (match["low"], match["high"]) if amount]
        said = lexicon.SIGNS.get(match["sign"] or "", "").split()
        following = self._low(at + (2 if apart else 1))
        attributive = self._low(at - 1) in ("a", "an") and following.isalpha() and not self.tokens[at + apart].tail
        whole, _, cents = amounts[0].partition(".")
        if len(amounts) == 1 and not scale and len(cents) == 2:
            unit = one if attributive or whole.replace(",", "") == "1" else many
            said += [*cardinal(whole or "0"), *unit.split()]
            if int(cents):
                said += ["and", *cardinal(str(int(cents))), part[0] if int(cents) == 1 else part[1]]
        else:
            said += cardinal(amounts[0])
            if match["lowscale"] and match["high"]:
                said.append(lexicon.SCALES[match["lowscale"].casefold()])
            for amount in amounts[1:]:
                said += ["to", *cardinal(amount)]
            unit = one if attributive or (amounts == ["1"] and not scale) else many
            end = ([scale] if scale else []) + unit.split()
            if apart:
                self.said[at + 1] = end
            else:
                said += end
        if match["more"]:
            said.append("plus")
        self.said[at] = said
        return 2 if apart else 1

    def _currency_code(self, at: int) -> int:
        """``USD 5`` and ``EUR 3.5 million``; the code is said after the number."""
        code = self.tokens[at].core
        following = self._near(at + 1)
        if code not in lexicon.CURRENCY_CODES or not self._joined(at) or following is None:
            return 0
        match = re.fullmatch(rf"({_NUMBER})({_SCALE})?", following.core)
        if match is None:
            return 0
        self.said[at] = []
        symbol = lexicon.CURRENCY_CODES[code]
        following.core = f"{symbol}{following.core}"
        following.text = f"{self.tokens[at].text} {following.text}"
        return self._swallow(at)

    def _swallow(self, at: int) -> int:
        """Make token ``at`` part of the next caption word."""
        self.tokens[at].text = ""
        return 1

    def _date(self, at: int) -> int:
        core = self.tokens[at].core
        if match := _ISO_DATE.fullmatch(core):
            return self._say_date(at, int(match[1]), int(match[2]), int(match[3]))
        if match := _SLASH_DATE.fullmatch(core):
            first, second = int(match[1]), int(match[2])
            number = int(match[3]) + (2000 if len(match[3]) == 2 else 0)
            month, day = (second, first) if self.british or first > 12 else (first, second)
            return self._say_date(at, number, month, day)
        if match := re.fullmatch(r"(0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?", core):
            return self._day_and_month(at, int(match[1]), plain=match[0].isdigit())
        return 0

    def _say_date(self, at: int, number: int, month: int, day: int) -> int:
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return 0
        name = lexicon.MONTHS[month - 1]
        if self.british:
            self.said[at] = ["the", *ordinal(day), "of", name, *year(number)]
        else:
            self.said[at] = [name, *ordinal(day), *year(number)]
        return 1

    def _day_and_month(self, at: int, day: int, *, plain: bool) -> int:
        before, after = self._low(at - 1), self._low(at + 1)
        if before in lexicon.MONTH_NAMES and self._joined_to_month(at - 1):
            self.said[at] = ordinal(day)
            return 1
        if after in lexicon.MONTH_NAMES and self._joined(at) and self.tokens[at + 1].core[:1].isupper():
            the = [] if before == "the" else ["the"]
            self.said[at] = [*the, *ordinal(day), "of"]
            return 1
        if not plain:
            self.said[at] = ordinal(day)
            return 1
        return 0

    def _joined_to_month(self, at: int) -> bool:
        token = self.tokens[at]
        return token.core[:1].isupper() and token.tail in ("", ".")

    def _quantity(self, at: int) -> int:
        token = self.tokens[at]
        if match := _ORDINAL.fullmatch(token.core):
            self.said[at] = ordinal(int(match[1].replace(",", "")))
            return 1
        if _TELEPHONE.fullmatch(token.core):
            self.said[at] = _telephone(token.core)
            return 1
        match = _QUANTITY.fullmatch(token.core)
        if match is None or self._is_year(at) or _YEARS.fullmatch(token.core):
            return 0
        unit = match["unit"] or ""
        if unit and unit not in lexicon.UNITS and unit.casefold() not in lexicon.SCALES:
            return 0
        amounts = [amount for amount in (match["low"], match["high"]) if amount]
        said = lexicon.SIGNS.get(match["sign"] or "", "").split() + cardinal(amounts[0])
        for amount in amounts[1:]:
            said += ["to", *cardinal(amount)]
        taken = 1
        one = amounts == ["1"]
        if unit in lexicon.UNITS and not (unit in "mM" and self._low(at + 1) in lexicon.COUNTED):
            said += lexicon.unit(unit, one=one).split()
        elif unit:
            said.append(lexicon.SCALES[unit.casefold()])
        else:
            taken += self._unit_apart(at, one=one)
        if match["more"]:
            said.append("plus")
        self.said[at] = said
        return taken

    def _unit_apart(self, at: int, *, one: bool) -> int:
        following = self._near(at + 1)
        if following is None or not self._joined(at):
            return 0
        core = following.core
        if core in lexicon.UNITS and core not in lexicon.AMBIGUOUS_UNITS:
            self.said[at + 1] = lexicon.unit(core, one=one).split()
            return 1
        if core.casefold() in lexicon.SCALES and len(core) > 1:
            self.said[at + 1] = [lexicon.SCALES[core.casefold()]]
            return 1
        return 0

    def _is_year(self, at: int) -> bool:
        core = self.tokens[at].core
        if not _YEAR.fullmatch(core):
            return False
        following = self._near(at + 1)
        if following is not None and self._joined(at) and following.core in lexicon.UNITS:
            return False
        return core[:2] in ("19", "20") or self._low(at - 1) in lexicon.BEFORE_YEARS

    def _years(self, at: int) -> int:
        core = self.tokens[at].core
        if self._is_year(at):
            self.said[at] = year(int(core))
        elif match := _YEARS.fullmatch(core):
            last = match[2] if len(match[2]) == 4 else match[1][:2] + match[2]
            self.said[at] = [
                *year(int(match[1])),
                "to",
                *(year(int(last)) if len(match[2]) == 4 else cardinal(match[2])),
            ]
        elif match := _DECADE.fullmatch(core):
            century = year(int(match[1]) * 100)[0] if match[1].isdigit() else ""
            decade = {"0": "hundreds", "1": "tens"}.get(match[2]) or num2words(int(match[2]) * 10)[:-1] + "ies"
            self.said[at] = ["two", "thousands"] if (match[1], match[2]) == ("20", "0") else [*century.split(), decade]
        else:
            return 0
        return 1

    def _clock(self, at: int) -> int:
        token = self.tokens[at]
        if match := _HOUR.fullmatch(token.core):
            self.said[at] = [*cardinal(match[1]), match[2].upper(), "M"]
            return 1
        match = _CLOCK.fullmatch(token.core)
        if match is None or (":" not in token.core and not match[4]):
            return 0
        hour, minute = int(match[1]), int(match[2])
        half = [match[4][0].upper(), "M"] if match[4] else []
        if minute:
            minutes = ["oh", *cardinal(str(minute))] if minute < 10 else cardinal(str(minute))
        else:
            minutes = (
                []
                if half or self._low(at + 1).replace(".", "") in ("am", "pm")
                else ["hundred"]
                if hour > 12
                else ["o'clock"]
            )
        self.said[at] = [*cardinal(str(hour)), *minutes, *half]
        return 1

    def _fraction(self, at: int) -> int:
        core = "".join(
            f" {unicodedata.normalize('NFKC', c)}" if c in lexicon.VULGAR else c for c in self.tokens[at].core
        ).strip()
        match = _FRACTION.fullmatch(core)
        if match is None:
            return 0
        top, bottom = int(match[2]), int(match[3])
        if core == "24/7":
            self.said[at] = ["twenty-four", "seven"]
        elif not 0 < top < bottom or bottom > 100:
            return 0
        else:
            whole = [*cardinal(match[1]), "and"] if match[1] else []
            name = {2: "half", 4: "quarter"}.get(bottom) or " ".join(ordinal(bottom))
            plural = {"half": "halves"}.get(name, name + "s")
            one = ["a" if match[1] else "one"]
            self.said[at] = [*whole, *([*one, *name.split()] if top == 1 else [*cardinal(str(top)), *plural.split()])]
        return 1

    def _name_of_period(self, at: int) -> int:
        match = _PERIOD.fullmatch(self.tokens[at].core)
        if match is None or (match[1] in "QH" and len(match[2]) > 1):
            return 0
        letters = list(match[1])
        number = year(int(match[2])) if len(match[2]) == 4 else cardinal(match[2])
        later = [] if not match[3] else year(int(match[3])) if len(match[3]) == 4 else cardinal(match[3])
        self.said[at] = [*letters, *number, *later]
        return 1

    def _address(self, at: int) -> int:
        core = self.tokens[at].core
        if not (_EMAIL.fullmatch(core) or _URL.fullmatch(core)):
            return 0
        said: list[str] = []
        for run in _RUNS.findall(re.sub(r"^https?://", "", core).rstrip("/")):
            if run.isdigit():
                said += _digits(run) if len(run) > 2 or run[0] == "0" else cardinal(run)
            elif run in lexicon.ADDRESS_MARKS:
                said.append(lexicon.ADDRESS_MARKS[run])
            elif re.fullmatch(r"[0-9.]+", run):
                said += cardinal(run)
            elif run.isalpha():
                said += list("WWW") if run.casefold() == "www" else self._letters(run)
        self.said[at] = said
        return 1

    def _generic(self, core: str) -> list[str]:
        """Any other word: runs of letters, digits and symbols, each read by itself."""
        if _DOTTED.fullmatch(core):
            return [letter.upper() for letter in core if letter != "."]
        if match := _VERSION.fullmatch(core):
            numbers = match[1].split(".")
            said = ["version"] if core[0] in "vV" else []
            for place, number in enumerate(numbers):
                said += (["point"] if place else []) + cardinal(number)
            return said
        said = []
        runs = _RUNS.findall(core)
        for place, run in enumerate(runs):
            before = runs[place - 1] if place else ""
            after = runs[place + 1] if place + 1 < len(runs) else ""
            if run == "s" and before[:1].isdigit():
                said[-1] += "s"
            else:
                said += self._run(run, before, after, core)
        return said

    def _run(self, run: str, before: str, after: str, core: str) -> list[str]:
        if run[0].isdigit() and run.isascii():
            return self._number_in_name(run, named=before.isalpha() or before == "-")
        if run[0].isalpha():
            return ["A"] if run == "A" != core else self._letters(run)
        if run == "-":
            return []
        if run in DASHES:
            return ["—"]
        if run in ",;:":
            return [","] if before and after else []
        if run == "#":
            return ["number"] if after[:1].isdigit() else ["hashtag"] if after else ["hash"]
        if run in lexicon.SYMBOLS:
            return lexicon.SYMBOLS[run].split()
        folded = unicodedata.normalize("NFKC", run)
        if folded != run and all(part.isalnum() and part.isascii() for part in folded):
            return self._generic(folded)
        raise _unspeakable(run, core)

    @staticmethod
    def _number_in_name(run: str, *, named: bool) -> list[str]:
        """``X200`` two hundred, ``A320`` three twenty, ``F-35`` thirty-five, ``R2D2`` two."""
        if "." in run or not named or len(run) > 4:
            return cardinal(run)
        if run[0] == "0":
            return _digits(run)
        if len(run) == 3 and run[1:] != "00":
            return [*cardinal(run[0]), *(["oh", *_digits(run[2])] if run[1] == "0" else cardinal(run[1:]))]
        return year(int(run)) if len(run) == 4 else cardinal(run)

    def _letters(self, run: str) -> list[str]:
        folded = "".join(character if character in "'’" else _latin(character, run) for character in run)
        stem, possessive = (folded[:-2], folded[-2:].replace("’", "'")) if folded[-2:] in ("'s", "’s") else (folded, "")
        if stem in lexicon.READINGS:
            return self._ended(lexicon.READINGS[stem].split(), possessive)
        if stem.isupper() and not self.shouting and lexicon.is_spelled(stem):
            return self._ended(list(stem), possessive)
        if stem[-1:] == "s" and len(stem) > 2 and stem[:-1].isupper() and lexicon.is_spelled(stem[:-1]):
            return self._ended(list(stem[:-1]), "'s")
        word = folded.replace("’", "'")
        if word == "A":
            return ["a"]
        return [word.lower() if len(word) > 1 and word.isupper() else word]

    @staticmethod
    def _ended(said: list[str], ending: str) -> list[str]:
        return [*said[:-1], said[-1] + ending]
