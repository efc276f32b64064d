"""Captions: timed words become cues of at most two lines; written as SRT, as VTT with word times, and drawn word by
word for burning in."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from activities.compositing import ass
from activities.compositing.colours import readable, rgb
from activities.compositing.frame import Anchor, Frame
from activities.compositing.typeface import LINE_HEIGHT, Face
from models.alignment import Alignment
from models.layout import Brand

LINE_CHARACTERS = 42
"""Longest line of a caption file: the usual limit of broadcasters' timed-text guides, as are the durations below."""
_SHORTEST, _LONGEST = 1.0, 6.0
_LINGER = 0.4
"""Seconds a cue stays after its last word, if the next one leaves room."""
_GAP = 0.04
"""A cue that is not followed at once ends this much before the next."""
_BOX = "#0c121a"
_WEAK = frozenset(
    (
        *("a", "an", "the", "and", "or", "but", "nor", "of", "to", "in", "on", "at", "by", "for", "from", "with", "as"),
        *("is", "are", "was", "were", "be", "been", "has", "have", "had", "will", "would", "can", "could", "should"),
        *("our", "your", "their", "his", "her", "its", "my", "this", "that", "these", "those", "we", "you", "they"),
        *("he", "she", "it", "i", "not", "no", "if", "so", "than"),
    )
)
"""Words that read on: a line should not end after one."""


@dataclass(frozen=True)
class TimedWord:
    """A word as shown, in seconds of whatever the cue's times are in."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Cue:
    """One caption: one or two lines of words."""

    start: float
    end: float
    lines: tuple[tuple[TimedWord, ...], ...]

    @property
    def words(self) -> tuple[TimedWord, ...]:
        """All words in order."""
        return tuple(word for line in self.lines for word in line)


def cues(spoken: Iterable[tuple[Alignment, float]], characters: int = LINE_CHARACTERS) -> tuple[Cue, ...]:
    """Cues for sentences spoken one after the other. ``spoken`` gives each alignment and the second it begins at.

    A cue never spans two sentences, has at most two lines of ``characters``, begins with its first word and lasts at
    least a second where the next one leaves room. Cues do not overlap.
    """
    grouped: list[tuple[tuple[TimedWord, ...], ...]] = []
    for alignment, offset in spoken:
        words = [TimedWord(" ".join(w.text.split()), w.start + offset, w.end + offset) for w in alignment.words]
        pieces = [piece for word in words if word.text for piece in _broken(word, characters)]
        grouped.extend(_grouped(pieces, characters))
    timed: list[Cue] = []
    for lines, following in zip(grouped, [*grouped[1:], None], strict=False):
        start, spoken_until = lines[0][0].start, lines[-1][-1].end
        end = max(spoken_until + _LINGER, start + _SHORTEST)
        if following:
            room = following[0][0].start
            end = room if end > room - 3 * _GAP else min(end, room - _GAP)
        timed.append(Cue(start, max(end, start + 0.001), lines))
    return tuple(timed)


def _broken(word: TimedWord, characters: int) -> list[TimedWord]:
    """A word that fits no line, as hyphenated pieces that share its time by length."""
    if len(word.text) <= characters:
        return [word]
    step = -(-len(word.text) // -(-len(word.text) // (characters - 1)))
    parts = [word.text[at : at + step] for at in range(0, len(word.text), step)]
    length = word.end - word.start
    return [
        TimedWord(
            part if number == len(parts) - 1 else part + "-",
            word.start + length * number / len(parts),
            word.start + length * (number + 1) / len(parts),
        )
        for number, part in enumerate(parts)
    ]


def _grouped(words: Sequence[TimedWord], characters: int) -> list[tuple[tuple[TimedWord, ...], ...]]:
    """The words of one sentence as cues with the least sum of costs, by dynamic programming over where each begins."""
    best: list[float] = [0.0] + [math.inf] * len(words)
    choice: list[tuple[int, int]] = [(0, 0)] * (len(words) + 1)
    for end in range(1, len(words) + 1):
        for begin in range(end - 1, -1, -1):
            if _length(words[begin:end]) > 2 * characters + 1:
                break
            cost, split = _two_lines(words[begin:end], characters)
            total = best[begin] + cost + _cue_cost(words, begin, end)
            if total < best[end]:
                best[end], choice[end] = total, (begin, begin + split)
    found: list[tuple[tuple[TimedWord, ...], ...]] = []
    end = len(words)
    while end:
        begin, split = choice[end]
        found.append(tuple(tuple(line) for line in (words[begin:split], words[split:end]) if line))
        end = begin
    return found[::-1]


def _length(words: Sequence[TimedWord]) -> int:
    return sum(len(word.text) for word in words) + len(words) - 1


def _break_cost(word: TimedWord) -> float:
    """How badly a line ends after ``word``: best after punctuation, worst after an article or a preposition."""
    if word.text[-1] in '.!?;:,—–)”"':
        return 0.0
    return 3.0 if word.text.lower() in _WEAK else 1.0


def _two_lines(words: Sequence[TimedWord], characters: int) -> tuple[float, int]:
    """The least cost of setting ``words`` in one or two lines, and where the second begins (0: one line)."""
    if _length(words) <= characters:
        return 0.0, 0
    splits = []
    for split in range(1, len(words)):
        upper, lower = _length(words[:split]), _length(words[split:])
        if upper <= characters and lower <= characters:
            splits.append((_break_cost(words[split - 1]) + abs(upper - lower) / characters, split))
    return min(splits, default=(math.inf, 0))


def _cue_cost(words: Sequence[TimedWord], begin: int, end: int) -> float:
    """Fewer cues, none too short or too long, each ending where the sentence breathes."""
    length = words[end - 1].end - words[begin].start
    cost = 2.0 + 4 * max(0.0, _SHORTEST + 0.3 - length) + 4 * max(0.0, length - _LONGEST)
    if end < len(words):
        pause = words[end].start - words[end - 1].end
        cost += 2.5 * _break_cost(words[end - 1]) - min(1.0, 3 * max(0.0, pause))
    return cost


def srt(found: Sequence[Cue]) -> str:
    """SubRip text."""
    blocks = []
    for number, cue in enumerate(found, start=1):
        lines = "\n".join(" ".join(word.text for word in line) for line in cue.lines)
        blocks.append(f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{lines}\n")
    return "\n".join(blocks)


def vtt(found: Sequence[Cue]) -> str:
    """WebVTT with a time before each word but a cue's first, which begins with the cue."""
    blocks = ["WEBVTT\n"]
    for cue in found:
        lines = []
        for line in cue.lines:
            timed = (
                _vtt_text(word.text) if word is cue.words[0] else f"<{_clock(word.start, '.')}>{_vtt_text(word.text)}"
                for word in line
            )
            lines.append(" ".join(timed))
        blocks.append(f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n" + "\n".join(lines) + "\n")
    return "\n".join(blocks)


def _vtt_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


def burnt(alignment: Alignment, frame: Frame, place: Anchor, brand: Brand, frames: int, fps: int) -> list[ass.Shown]:
    """The captions of one segment of ``frames`` frames at ``place`` on a dark rounded ground, the word being spoken in
    a colour of the brand's."""
    accent = _highlight(brand)
    shown: list[ass.Shown] = []
    for cue in cues([(alignment, 0.0)], frame.caption_characters):
        first, end = round(cue.start * fps), min(frames, round(cue.end * fps))
        if end <= first:
            continue
        ground, text_at = _ground(cue, frame, place)
        shown.append(ass.Shown(first, end, ground))
        starts = [max(first, round(word.start * fps)) for word in cue.words]
        for number, (begin, until) in enumerate(pairwise([*starts, end])):
            if until > begin:
                shown.append(ass.Shown(begin, min(until, end), ass.Drawing(6, text_at + _lit(cue, number, accent))))
    return shown


def _highlight(brand: Brand) -> str:
    """The accent, else the primary colour, lightened until it reads; a warm yellow where both would come out grey and
    the spoken word would look faded instead of lit."""
    for candidate in (brand.accent, brand.primary):
        lightened = readable(candidate, _BOX, 6)
        if max(rgb(lightened)) - min(rgb(lightened)) >= 56:
            return lightened
    return "#ffd166"


def _ground(cue: Cue, frame: Frame, place: Anchor) -> tuple[ass.Drawing, str]:
    """The rounded ground behind a cue and the tags that centre its text on it."""
    size = frame.caption_size
    texts = [" ".join(word.text for word in line) for line in cue.lines]
    widest = max(Face.SEMIBOLD.width(text, size) for text in texts)
    limit = place.room - 2 * size * 0.6
    if widest > limit:
        size, widest = int(size * limit / widest), limit
    width, height = widest + 2 * size * 0.6, len(texts) * size * LINE_HEIGHT + 2 * size * 0.3
    centre, top = place.left + place.room / 2, place.bottom - height
    tags = f"{{{ass.colour(_BOX)}{ass.opacity(0.74)}}}"
    ground = ass.Drawing(5, tags + ass.rounded(centre - width / 2, top, width, height, size * 0.36))
    text_at = ass.type_at(Face.SEMIBOLD, size, centre, top + height / 2, 5)
    return ground, f"{{{text_at}{ass.colour('#ffffff')}}}"


def _lit(cue: Cue, number: int, accent: str) -> str:
    """The cue's text with word ``number`` in ``accent``."""
    lines, at = [], 0
    for line in cue.lines:
        words = []
        for word in line:
            text = ass.escape(word.text)
            words.append(f"{{{ass.colour(accent)}}}{text}{{{ass.colour('#ffffff')}}}" if at == number else text)
            at += 1
        lines.append(" ".join(words))
    return "\\N".join(lines)
