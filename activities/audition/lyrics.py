"""What a listener understands of the words: the voice alone is transcribed in passages, and every line gets its share
of what was heard."""

from collections.abc import Sequence
from dataclasses import dataclass

import jiwer

from activities.audition.base import LineHeard
from activities.quality.recognition import Passage, Recogniser, compare, passages
from activities.quality.words import canonical_words
from activities.support.audio import RATE, Samples
from activities.support.engine import Progress

_MARGIN = 0.25
"""Seconds around a passage: consonants begin before a note and words ring on."""


@dataclass(frozen=True)
class SungText:
    """A line and when it is sung, in seconds."""

    text: str
    start: float
    end: float


def heard_lines(
    voice: Samples, lines: Sequence[SungText], language: str, recogniser: Recogniser, progress: Progress
) -> tuple[LineHeard, ...]:
    """What is heard of each line of ``voice`` (16 kHz). One unit of progress a passage."""
    found: list[LineHeard] = []
    groups = _groups(lines)
    for number, group in enumerate(groups, start=1):
        begin = round(max(0.0, group[0].start - _MARGIN) * RATE)
        end = round((group[-1].end + _MARGIN) * RATE)
        heard = recogniser.transcribe(voice[begin:end], language)
        found.extend(_shared(group, heard, language))
        progress(number, len(groups))
    return tuple(found)


def _groups(lines: Sequence[SungText]) -> list[list[SungText]]:
    """Neighbouring lines that the recogniser takes in one go."""
    joined = passages([Passage(line.start, line.end, "") for line in lines])
    groups: list[list[SungText]] = [[] for _ in joined]
    at = 0
    for line in lines:
        if line.end > joined[at].end:
            at += 1
        groups[at].append(line)
    return groups


def _shared(group: Sequence[SungText], heard: str, language: str) -> list[LineHeard]:
    """``heard`` dealt out to the lines: by the best alignment of all their words, what is too much going to the line
    before it. Each line's errors are then counted by itself, so that the sum is never smaller than the whole's."""
    words = [(word, number) for number, line in enumerate(group) for word in canonical_words(line.text, language)]
    said = canonical_words(heard, language)
    shares: list[list[str]] = [[] for _ in group]
    if words and said:
        aligned = jiwer.process_words(" ".join(word for word, _ in words), " ".join(said)).alignments[0]
        for chunk in aligned:
            for offset, word in enumerate(said[chunk.hyp_start_idx : chunk.hyp_end_idx]):
                last = len(words) - 1 if chunk.type != "insert" else chunk.ref_start_idx - 1
                place = max(0, min(chunk.ref_start_idx + offset, last))
                shares[words[place][1]].append(word)
    counted = [compare(line.text, " ".join(share), language) for line, share in zip(group, shares, strict=True)]
    return [
        LineHeard(
            start=round(line.start, 3),
            text=line.text,
            heard=" ".join(share),
            errors=errors.errors,
            words=errors.words,
        )
        for line, share, errors in zip(group, shares, counted, strict=True)
    ]
