"""Scripts into sentences: plain text or a small subset of SSML, cut at sentence ends. Pure, so that the API can refuse
a script while its author waits and a workflow can cut it again to the same segments.

The subset (names as in SSML 1.1, https://www.w3.org/TR/speech-synthesis11/)::

    <speak>..</speak>                        optional root
    <p>..</p>  <s>..</s>                     paragraph, sentence; in plain text a blank line ends a paragraph
    <break time="400ms|1.5s"/>               a pause of 0 to 10 s
    <break strength="none|x-weak|weak|medium|strong|x-strong"/>
    <emphasis level="strong|moderate|none|reduced">..</emphasis>
    <phoneme alphabet="ipa" ph="..">..</phoneme>
    <sub alias="..">..</sub>                 captions show the text, the voice says the alias
    <say-as interpret-as="characters|cardinal|ordinal|date|telephone">..</say-as>
    <prosody rate=".." pitch="..">..</prosody>   rate: x-slow..x-fast, 90%, +10%, 1.2; pitch: x-low..x-high, +10%, -2st

A script without a single tag is plain text: ``<`` and ``&`` stand for themselves. With tags, ``&amp; &lt; &gt; &quot;
&apos;`` and numeric references are read; document types, CDATA, processing instructions and other entities are refused.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from models.errors import ScriptRejected
from models.script import (
    MAX_SCRIPT_CHARACTERS,
    MAX_SEGMENTS,
    Emphasis,
    Pronunciation,
    SayAs,
    Segment,
    Span,
    Utterance,
)

MAX_SENTENCE_CHARACTERS = 600
"""Longer sentences are cut at clause marks, else between words, so that one edit never costs minutes of speech."""
MAX_WORD_CHARACTERS = 100
MAX_PIECE_CHARACTERS = 1_500
"""A sentence with the marks that follow it; beyond this it is hardly a sentence."""
MAX_SPANS = 100
MAX_PAUSE_MS = 10_000
SENTENCE_PAUSE_MS = 250
PARAGRAPH_PAUSE_MS = 600

BREAK_MS = {"none": 0, "x-weak": 100, "weak": 200, "medium": 350, "strong": 600, "x-strong": 1_000}
RATES = {"x-slow": 0.6, "slow": 0.8, "medium": 1.0, "default": 1.0, "fast": 1.2, "x-fast": 1.5}
PITCHES = {"x-low": 0.8, "low": 0.9, "medium": 1.0, "default": 1.0, "high": 1.1, "x-high": 1.25}
SAY_AS = {member.value: member for member in SayAs} | {
    "spell-out": SayAs.CHARACTERS,
    "verbatim": SayAs.CHARACTERS,
    "number": SayAs.CARDINAL,
}
ATTRIBUTES: dict[str, frozenset[str]] = {
    "speak": frozenset({"version", "xml:lang", "xmlns"}),
    "p": frozenset({"xml:lang"}),
    "s": frozenset({"xml:lang"}),
    "break": frozenset({"time", "strength"}),
    "emphasis": frozenset({"level"}),
    "phoneme": frozenset({"alphabet", "ph"}),
    "sub": frozenset({"alias"}),
    "say-as": frozenset({"interpret-as", "format"}),
    "prosody": frozenset({"rate", "pitch"}),
}

_TAG_LIKE = re.compile(r"</?[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>|<!|<\?")
_TAG = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z][\w:-]*)(?P<attributes>[^<>]*?)(?P<empty>/?)>")
_ATTRIBUTE = re.compile(r"""\s+([A-Za-z][\w:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')""")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_XML_DECLARATION = re.compile(r"<\?xml[^<>]*\?>")
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]*);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)(ms|s)")
_FACTOR = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]+)?)(%|st)?")
_UNSEEN = frozenset("\u00ad\u200b\u2060\ufeff")
"""Soft hyphen, zero-width space, word joiner, byte order mark: nothing to show and nothing to say."""

_NOT_TEXT = frozenset("\ufffd\ufffe\uffff")
"""What a failed decoding leaves behind, and two code points that are never characters."""

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_LIST_LINE = re.compile(r"\n(?=[^\S\n]*(?:[-*•‣▪–]\s|[0-9]{1,2}[.)]\s))")
_STOP = re.compile(r"(?P<mark>[.!?…]+)(?P<close>[\"'”’»)\]]*)(?=\s)")
_REST = re.compile(r"\s+(?=[\"'“‘«(\[—–•-]*(?P<word>\w*))")
_LAST_WORD = re.compile(r"[\w.&'’-]+$")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _words(
    "dr mr mrs ms mx prof sr jr st mt gen col lt capt sgt maj gov sen rep rev hon pres messrs mme vs v cf "
    "e.g i.e eg ie approx est dept figs eds resp incl excl al"
)
"""A stop after these never ends a sentence."""
_BEFORE_NUMBERS = _words("no nos fig figs p pp vol sec art ch eq ref jan feb mar apr jun jul aug sep sept oct nov dec")
"""A stop after these ends no sentence when a number follows."""
_BEFORE_NAMES = _words("inc ltd corp co llc plc bros a.m p.m")
"""A stop after these, or after letters with stops ("U.S."), ends a sentence only before a usual opening."""
_OPENINGS = _words(
    "the a an this that these those we our i my you your he she it its they their there here in on at by for from to "
    "with after before as if when while but and so or yet now then today what who how why let next thank thanks please "
    "all no"
)
_LETTER_NOUNS = _words(
    "plan series vitamin type class option group phase grade appendix exhibit section part schedule tier team round"
)
"""After these a single letter is a name ("Plan B."), not an initial."""
_DOTTED = re.compile(r"[A-Za-z](?:\.[A-Za-z])+")
_LONG_WORD = re.compile(rf"\S{{{MAX_WORD_CHARACTERS + 1},}}")
_CLAUSE_END = re.compile(r"[,;:—–](?=\s)")


@dataclass(frozen=True)
class _Style:
    """How a run of characters is spoken. ``unit`` keeps neighbours with equal styles but separate tags apart."""

    alias: str = ""
    ipa: str = ""
    say_as: SayAs | None = None
    emphasis: Emphasis = Emphasis.NONE
    rate: float = 1.0
    pitch: float = 1.0
    unit: int = 0


@dataclass
class _Block:
    """A run of text that no sentence crosses: characters, each with its style and its offset in the source."""

    characters: list[str] = field(default_factory=list)
    styles: list[_Style] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    pauses: dict[int, int] = field(default_factory=dict)
    """Milliseconds of pause before the character at this index."""
    ends_paragraph: bool = False

    def text(self) -> str:
        return "".join(self.characters)

    def pause(self, milliseconds: int) -> None:
        at = len(self.characters)
        self.pauses[at] = min(self.pauses.get(at, 0) + milliseconds, MAX_PAUSE_MS)


def parse_script(source: str, language: str, pronunciations: tuple[Pronunciation, ...]) -> tuple[Segment, ...]:
    """Cut ``source`` into one segment a sentence, in order. Equal arguments give equal segments.

    ``source[start:end]`` of a segment runs from the sentence's first written character through its last. Whitespace
    inside a sentence is collapsed to single spaces, nothing else of the text is changed. A paragraph without a letter
    or digit ("* * *") is a divider and left out. Words of ``pronunciations`` become spans of their own
    (case-insensitive, whole words, the longest first) unless the script already says how to speak them.

    Raises ScriptRejected with the place in ``field`` ("line 3, column 14" or "sentence 7"), what to do in ``action``.
    """
    _check_characters(source)
    blocks = _blocks_of_markup(source) if _TAG_LIKE.search(source) else _blocks_of_text(source)
    _check_words(source, blocks)
    _apply_pronunciations(blocks, pronunciations)
    segments: list[Segment] = []
    for block in blocks:
        sentences = [sentence for sentence in _sentences(block) if any(map(str.isalnum, sentence.characters))]
        leading_ms = sum(ms for at, ms in block.pauses.items() if not block.text()[:at].strip())
        if segments and leading_ms:
            segments[-1] = _paused(segments[-1], leading_ms)
        for number, sentence in enumerate(sentences, start=1):
            if len(segments) >= MAX_SEGMENTS:
                raise ScriptRejected(
                    f"The script has more than {MAX_SEGMENTS} sentences.",
                    field=_where(source, sentence.offsets[0]),
                    code="script.too-long",
                    action="Split it into several renders.",
                )
            ends_paragraph = block.ends_paragraph and number == len(sentences)
            pause_ms = PARAGRAPH_PAUSE_MS if ends_paragraph else SENTENCE_PAUSE_MS
            segments.append(_segment(sentence, language, len(segments), pause_ms))
    if not segments:
        raise ScriptRejected(
            "The script has no words to speak.",
            field="script",
            code="script.empty",
            action="Write at least one sentence.",
        )
    return tuple(segments)


def _where(source: str, offset: int) -> str:
    line = source.count("\n", 0, offset) + 1
    column = offset - (source.rfind("\n", 0, offset) + 1) + 1
    return f"line {line}, column {column}"


def _check_characters(source: str) -> None:
    if len(source) > MAX_SCRIPT_CHARACTERS:
        raise ScriptRejected(
            f"The script has {len(source):,} characters; the most is {MAX_SCRIPT_CHARACTERS:,}.",
            field="script",
            code="script.too-long",
            action="Shorten it or split it into several renders.",
        )
    for offset, character in enumerate(source):
        category = unicodedata.category(character)
        if (category == "Cc" and character not in "\t\n\r") or category == "Cs" or character in _NOT_TEXT:
            raise ScriptRejected(
                f"The character U+{ord(character):04X} is not text. Is this a binary file?",
                field=_where(source, offset),
                code="script.not-text",
                action="Send the script as plain text in UTF-8, without control characters.",
            )


def _check_words(source: str, blocks: list[_Block]) -> None:
    for block in blocks:
        for word in _LONG_WORD.finditer(block.text()):
            raise ScriptRejected(
                f'"{word[0][:30]}..." has {len(word[0])} characters without a space, over {MAX_WORD_CHARACTERS}.',
                field=_where(source, block.offsets[word.start()]),
                code="script.sentence-too-long",
                action="Put spaces between the words, or leave it out.",
            )


def _paused(segment: Segment, milliseconds: int) -> Segment:
    """``segment`` with a pause of at least ``milliseconds`` after it."""
    pause = max(segment.utterance.pause_after_ms, min(milliseconds, MAX_PAUSE_MS))
    return segment.model_copy(update={"utterance": segment.utterance.model_copy(update={"pause_after_ms": pause})})


def _blocks_of_text(source: str) -> list[_Block]:
    blocks: list[_Block] = []
    start = 0
    for end in [match.start() for match in _BLANK_LINE.finditer(source)] + [len(source)]:
        block = _Block(ends_paragraph=True)
        for offset in range(start, end):
            _append(block, source[offset], offset, _Style())
        blocks.extend(_split_lists(block))
        start = end
    return blocks


def _append(block: _Block, character: str, offset: int, style: _Style) -> None:
    if character in _UNSEEN:
        return
    block.characters.append(character)
    block.styles.append(style)
    block.offsets.append(offset)


def _split_lists(block: _Block) -> list[_Block]:
    """Lines that begin with a bullet or a number are sentences, however they end."""
    cuts = [match.start() for match in _LIST_LINE.finditer(block.text())]
    return _cut(block, cuts)


def _cut(block: _Block, cuts: list[int]) -> list[_Block]:
    """``block`` in pieces; only the last one ends the paragraph. A pause at a cut stays with the text before it."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(block.characters)}), len(block.characters)]
    pieces = []
    for start, end in pairwise(edges):
        piece = _Block(block.characters[start:end], block.styles[start:end], block.offsets[start:end])
        piece.pauses = {at - start: ms for at, ms in block.pauses.items() if start < at <= end or at == start == 0}
        pieces.append(piece)
    pieces[-1].ends_paragraph = block.ends_paragraph
    return pieces


class _MarkupReader:
    """Reads tags and text of a script into blocks. Own reader, because no XML parser keeps character offsets and all of
    them know entities and document types, which nobody needs in a script."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.blocks: list[_Block] = []
        self.block = _Block()
        self.stack: list[tuple[str, int, _Style]] = []
        self.style = _Style()
        self.units = 0

    def read(self) -> list[_Block]:
        position = 0
        while position < len(self.source):
            if self.source[position] == "<":
                position = self._read_tag(position)
            elif self.source[position] == "&":
                position = self._read_entity(position)
            else:
                _append(self.block, self.source[position], position, self.style)
                position += 1
        if self.stack:
            name, opened, _ = self.stack[-1]
            raise self._rejected(opened, f"<{name}> is never closed.", f"Add </{name}>.")
        self._end_block(paragraph=True)
        return self.blocks

    def _rejected(self, offset: int, message: str, action: str) -> ScriptRejected:
        return ScriptRejected(message, field=_where(self.source, offset), code="script.markup", action=action)

    def _end_block(self, *, paragraph: bool) -> None:
        if self.block.characters or self.block.pauses:
            self.block.ends_paragraph = paragraph
            self.blocks.append(self.block)
        elif paragraph and self.blocks:
            self.blocks[-1].ends_paragraph = True
        self.block = _Block()

    def _read_entity(self, position: int) -> int:
        match = _ENTITY.match(self.source, position)
        if match is None:
            _append(self.block, "&", position, self.style)
            return position + 1
        name = match[1]
        if name.startswith("#"):
            code = int(name[2:], 16) if name[1] == "x" else int(name[1:])
            character = chr(code) if code in (0x09, 0x0A, 0x0D) or 0x20 <= code <= 0x10FFFF else "\ufffd"
            if character in _NOT_TEXT or (code >= 0x20 and unicodedata.category(character) in ("Cc", "Cs")):
                raise self._rejected(position, f"&{name}; is not a character of text.", "Remove it.")
        else:
            character = _ENTITIES.get(name, "")
            if not character:
                raise self._rejected(
                    position,
                    f"The entity &{name}; is not known.",
                    "Write the character itself, or &amp; for an ampersand.",
                )
        _append(self.block, character, position, self.style)
        return match.end()

    def _read_tag(self, position: int) -> int:
        for skipped in (_COMMENT, _XML_DECLARATION):
            found = skipped.match(self.source, position)
            if found:
                return found.end()
        match = _TAG.match(self.source, position)
        if match is None:
            following = self.source[position + 1 : position + 2]
            if not following or following.isspace() or following.isdigit() or following in "=<-":
                if self.source.startswith("<!", position):
                    raise self._rejected(position, "Document types are not read.", "Remove it.")
                _append(self.block, "<", position, self.style)
                return position + 1
            what = "Only tags and comments are read here" if following in "!?" else "This tag is not complete"
            raise self._rejected(
                position, f"{what}.", "Close it with >, remove it, or write &lt; for a less-than sign."
            )
        name = match["name"].lower()
        if name not in ATTRIBUTES:
            known = ", ".join(f"<{tag}>" for tag in ATTRIBUTES)
            raise self._rejected(
                position, f"The tag <{name[:40]}> is not known.", f"Use {known}, or write &lt; for a less-than sign."
            )
        if match["close"]:
            self._close(name, position)
        else:
            self._open(name, self._attributes(name, match), position, empty=bool(match["empty"]))
        return match.end()

    def _attributes(self, name: str, match: re.Match[str]) -> dict[str, str]:
        text = match["attributes"]
        found: dict[str, str] = {}
        end = 0
        for attribute in _ATTRIBUTE.finditer(text):
            if attribute.start() != end:
                break
            key = attribute[1].lower()
            if key not in ATTRIBUTES[name] or key in found:
                raise self._rejected(
                    match.start("attributes") + attribute.start(1),
                    f'The attribute "{key[:40]}" of <{name}> is {"given twice" if key in found else "not known"}.',
                    f"<{name}> takes: {', '.join(sorted(ATTRIBUTES[name])) or 'nothing'}.",
                )
            found[key] = self._value(attribute[2] if attribute[2] is not None else attribute[3])
            end = attribute.end()
        if text[end:].strip():
            raise self._rejected(
                match.start("attributes") + end,
                f"The attributes of <{name}> are malformed.",
                'Write them as name="value".',
            )
        return found

    @staticmethod
    def _value(text: str) -> str:
        return _ENTITY.sub(lambda match: _ENTITIES.get(match[1], match[0]), text).strip()

    def _open(self, name: str, attributes: dict[str, str], position: int, *, empty: bool) -> None:
        if name == "break":
            self.block.pause(self._pause(attributes, position))
            if not empty:
                self.stack.append((name, position, self.style))
            return
        if name == "speak" and (self.stack or self.blocks or self.block.text().strip()):
            raise self._rejected(position, "<speak> encloses the whole script.", "Move it to the start, or remove it.")
        if name in ("p", "s", "speak"):
            self._end_block(paragraph=name == "p")
        if empty:
            return
        self.stack.append((name, position, self.style))
        self.units += 1
        self.style = self._styled(name, attributes, position)

    def _close(self, name: str, position: int) -> None:
        if not self.stack or self.stack[-1][0] != name:
            expected = f"</{self.stack[-1][0]}> is expected" if self.stack else "no tag is open"
            raise self._rejected(
                position, f"</{name}> closes nothing here: {expected}.", "Close tags in reverse order."
            )
        _, _, self.style = self.stack.pop()
        if name in ("p", "s", "speak"):
            self._end_block(paragraph=name != "s")

    def _pause(self, attributes: dict[str, str], position: int) -> int:
        strength = BREAK_MS.get(attributes.get("strength", "medium"))
        if strength is None:
            raise self._bad(position, "strength", attributes["strength"], "one of " + ", ".join(BREAK_MS))
        if "time" not in attributes:
            return strength
        match = _TIME.fullmatch(attributes["time"])
        milliseconds = round(float(match[1]) * (1 if match[2] == "ms" else 1000)) if match else -1
        if not 0 <= milliseconds <= MAX_PAUSE_MS:
            raise self._bad(
                position, "time", attributes["time"], f'"400ms" or "1.5s", at most {MAX_PAUSE_MS // 1000} s'
            )
        return milliseconds

    def _bad(self, position: int, attribute: str, value: str, allowed: str) -> ScriptRejected:
        return self._rejected(position, f'{attribute}="{value[:60]}" is not usable.', f"Write {allowed}.")

    def _styled(self, name: str, attributes: dict[str, str], position: int) -> _Style:
        style = self.style
        if name == "emphasis":
            level = attributes.get("level", "moderate")
            if level not in set(Emphasis):
                raise self._bad(position, "level", level, "one of " + ", ".join(Emphasis))
            return replace(style, emphasis=Emphasis(level))
        if name == "prosody":
            rate = self._factor(attributes.get("rate", "medium"), RATES, "rate", position)
            pitch = self._factor(attributes.get("pitch", "medium"), PITCHES, "pitch", position)
            return replace(
                style,
                rate=self._bounded(style.rate * rate, "rate", position),
                pitch=self._bounded(style.pitch * pitch, "pitch", position),
            )
        if name in ("phoneme", "sub", "say-as"):
            if style.alias or style.ipa or style.say_as:
                raise self._rejected(
                    position, f"<{name}> stands inside another way of saying it.", "Keep one of the two."
                )
            return self._spoken_as(name, attributes, position)
        return style

    def _spoken_as(self, name: str, attributes: dict[str, str], position: int) -> _Style:
        style = replace(self.style, unit=self.units)
        if name == "phoneme":
            if attributes.get("alphabet", "ipa") != "ipa":
                raise self._bad(position, "alphabet", attributes["alphabet"], '"ipa", the only alphabet read here')
            ipa = attributes.get("ph", "")
            if not 0 < len(ipa) <= 200:
                raise self._bad(position, "ph", ipa, "the pronunciation in IPA, at most 200 characters")
            return replace(style, ipa=ipa)
        if name == "sub":
            alias = attributes.get("alias", "")
            if not any(map(str.isalnum, alias)) or len(alias) > 400:
                raise self._bad(position, "alias", alias, "the words to say, at most 400 characters")
            return replace(style, alias=alias)
        kind = SAY_AS.get(attributes.get("interpret-as", ""))
        if kind is None:
            raise self._bad(position, "interpret-as", attributes.get("interpret-as", ""), "one of " + ", ".join(SAY_AS))
        return replace(style, say_as=kind)

    def _factor(self, text: str, names: dict[str, float], attribute: str, position: int) -> float:
        if text in names:
            return names[text]
        match = _FACTOR.fullmatch(text)
        if match is None or (match[3] == "st" and (attribute == "rate" or len(match[2]) > 4)):
            raise self._bad(position, attribute, text, "one of " + ", ".join(names) + ', or "90%", "+10%", "-5%"')
        number = float(match[2])
        sign = -1.0 if match[1] == "-" else 1.0
        if match[3] == "st":
            return float(2.0 ** (sign * min(number, 60.0) / 12.0))
        if match[3] == "%":
            return 1.0 + sign * number / 100 if match[1] else number / 100
        return number if not match[1] else 0.0

    def _bounded(self, factor: float, attribute: str, position: int) -> float:
        if not 0.5 <= factor <= 2.0:
            raise self._bad(position, attribute, f"{factor:.4g} times", "between half and twice the voice's own")
        return round(factor, 4)


def _blocks_of_markup(source: str) -> list[_Block]:
    blocks: list[_Block] = []
    for block in _MarkupReader(source).read():
        pieces = _cut(block, [match.start() for match in _BLANK_LINE.finditer(block.text())])
        for piece in pieces[:-1]:
            piece.ends_paragraph = True
        blocks.extend(part for piece in pieces for part in _split_lists(piece))
    return blocks


def _apply_pronunciations(blocks: list[_Block], pronunciations: tuple[Pronunciation, ...]) -> None:
    spoken = {item.word.casefold(): item for item in pronunciations if (item.ipa or item.alias) and item.word.strip()}
    if not spoken:
        return
    longest_first = sorted({item.word for item in spoken.values()}, key=lambda word: (-len(word), word))
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)", re.IGNORECASE)
    unit = -1
    for block in blocks:
        for match in pattern.finditer(block.text()):
            item = spoken.get(match[0].casefold())
            styles = block.styles[match.start() : match.end()]
            if item is None or any(style.alias or style.ipa or style.say_as for style in styles):
                continue
            for at in range(match.start(), match.end()):
                block.styles[at] = replace(
                    block.styles[at], ipa=item.ipa, alias="" if item.ipa else item.alias, unit=unit
                )
            unit -= 1


def _sentences(block: _Block) -> list[_Block]:
    """The sentences of a block, the long ones cut."""
    whole = _cut(block, _speaking_cuts(block.text(), _sentence_ends(block.text())))
    return [
        part
        for sentence in whole
        for part in _cut(sentence, _speaking_cuts(sentence.text(), _long_cuts(sentence.text())))
    ]


def _speaking_cuts(text: str, cuts: Iterable[int]) -> list[int]:
    """``cuts`` without those that would leave a piece with no letter or digit (an ellipsis, a lone emoji): it stays
    with the text before it, at the start with what follows, so that no written character is lost."""
    kept: list[int] = []
    start = 0
    for end in [*cuts, len(text)]:
        if any(map(str.isalnum, text[start:end])):
            kept.append(end)
        elif kept:
            kept[-1] = end
        start = end
    return kept[:-1]


def _sentence_ends(text: str) -> Iterator[int]:
    for match in _STOP.finditer(text):
        following = _REST.match(text, match.end())
        if following and _ends_sentence(text[max(match.start() - 80, 0) : match.start()], match["mark"], following):
            yield following.end()


def _ends_sentence(before: str, mark: str, following: re.Match[str]) -> bool:
    """Whether ``mark`` after ``before`` (its last 80 characters) ends a sentence that ``following`` goes on from."""
    word = following["word"]
    if word[:1].islower() and word.islower():
        return False
    last = _LAST_WORD.search(before)
    if mark != "." or last is None:
        return True
    name = last[0].strip("'’-")
    if name.casefold() in _TITLES:
        return False
    if word[:1].isdigit() and name.casefold() in _BEFORE_NUMBERS:
        return False
    if len(name) == 1 and name.isupper() and name != "I":
        previous = _LAST_WORD.search(before[: last.start()].rstrip())
        return previous is not None and previous[0].casefold() in _LETTER_NOUNS
    if name.casefold() in _BEFORE_NAMES or _DOTTED.fullmatch(name):
        return word.casefold() in _OPENINGS
    list_number = name.isdigit() and len(name) <= 2 and not before[: last.start()].strip()
    return not list_number


def _long_cuts(text: str) -> list[int]:
    """Where to cut a sentence of more than MAX_SENTENCE_CHARACTERS: after a clause, else between words."""
    cuts: list[int] = []
    start = 0
    while len(text) - start > MAX_SENTENCE_CHARACTERS:
        window = text[start : start + MAX_SENTENCE_CHARACTERS]
        ends = [match.end() for match in _CLAUSE_END.finditer(window) if match.end() > MAX_SENTENCE_CHARACTERS // 3]
        cut = ends[-1] if ends else max(window.rfind(" "), window.rfind("\n"), window.rfind("\t"))
        if cut <= 0:
            cut = MAX_SENTENCE_CHARACTERS
        start += cut
        cuts.append(start)
    return cuts


def _segment(piece: _Block, language: str, index: int, pause_ms: int) -> Segment:
    where = f"sentence {index + 1}"
    if len(piece.characters) > MAX_PIECE_CHARACTERS:
        raise ScriptRejected(
            f"The sentence has {len(piece.characters):,} characters and few words.",
            field=where,
            code="script.sentence-too-long",
            action="Remove the marks that say nothing.",
        )
    first = next(at for at, character in enumerate(piece.characters) if not character.isspace())
    last = next(at for at in reversed(range(len(piece.characters))) if not piece.characters[at].isspace())
    spans = _spans(piece, first, last)
    if len(spans) > MAX_SPANS:
        raise ScriptRejected(
            f"The sentence has {len(spans)} separately marked parts; the most is {MAX_SPANS}.",
            field=where,
            code="script.markup",
            action="Use fewer tags in this sentence.",
        )
    trailing = sum(ms for at, ms in piece.pauses.items() if at > last)
    utterance = Utterance(
        spans=tuple(spans), language=language, pause_after_ms=max(pause_ms, min(trailing, MAX_PAUSE_MS))
    )
    return Segment(index=index, utterance=utterance, start=piece.offsets[first], end=piece.offsets[last] + 1)


def _spans(piece: _Block, first: int, last: int) -> list[Span]:
    """Runs of equal style from ``first`` to ``last``, whitespace collapsed, cut where a pause stands."""
    spans: list[Span] = []
    text: list[str] = []
    style = piece.styles[first]

    def finish(pause_ms: int) -> None:
        if text:
            spans.append(_span("".join(text), style, pause_ms))
            text.clear()

    spaced = True
    for at in range(first, last + 1):
        character = piece.characters[at]
        pause_ms = piece.pauses.get(at, 0) if at > first else 0
        if pause_ms or piece.styles[at] != style:
            finish(pause_ms)
            style = piece.styles[at]
        if character.isspace():
            if not spaced:
                text.append(" ")
            spaced = True
        else:
            text.append(character)
            spaced = False
    finish(0)
    return spans


def _span(text: str, style: _Style, pause_ms: int) -> Span:
    return Span(
        text=text,
        alias=style.alias,
        ipa=style.ipa,
        say_as=style.say_as,
        emphasis=style.emphasis,
        rate=style.rate,
        pitch=style.pitch,
        pause_after_ms=pause_ms,
    )
