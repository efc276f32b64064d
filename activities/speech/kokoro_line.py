"""One line of phonemes as sound: how rate, emphasis, pitch and pauses change it, where its words and phonemes lie in
it, and how lines are joined. Arithmetic on arrays; the model itself is in ``kokoro_graph``."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from activities.speech.g2p import MARKS, PRIMARY, SECONDARY, PhoneWord, to_ipa
from activities.speech.kokoro_graph import FloatArray, KokoroGraph
from activities.speech.kokoro_voices import SAMPLE_RATE
from activities.speech.phrases import GAPS_MS, shorten
from activities.speech.sound import BLOCKS_PER_SECOND, LEAD_IN, bounds, faded, heard, silence
from models.alignment import PhonemeTiming, WordTiming
from models.script import Emphasis

MAX_SYMBOLS = 250
"""The model takes 510 tokens; its intonation is best well below."""
UNIT_SAMPLES = 600
UNIT = UNIT_SAMPLES / SAMPLE_RATE
LAG = 0.0625
"""Seconds by which the sound runs ahead of the durations. misaki's ``join_timestamps`` takes three units, 0.075;
against pocketsphinx's forced alignment of 529 words that is 12 ms too early in the median."""

MODES = {
    Emphasis.NONE: (1.0, 1.0, 0.0),
    Emphasis.REDUCED: (0.92, 0.96, -2.5),
    Emphasis.MODERATE: (1.12, 1.09, 1.5),
    Emphasis.STRONG: (1.28, 1.18, 3.0),
}
"""Emphasis as (length, pitch, dB)."""
BLOCK = SAMPLE_RATE // BLOCKS_PER_SECOND
RAMP = 0.03


@dataclass(frozen=True)
class Part:
    """A spoken word of a caption word: phonemes without spaces, and the mark after it."""

    owner: int
    phonemes: str
    mark: str


@dataclass(frozen=True)
class Line:
    """What is spoken in one call of the model. ``words`` are all caption words of the sentence, for looking up."""

    parts: tuple[Part, ...]
    words: tuple[PhoneWord, ...]

    @property
    def text(self) -> str:
        """The symbols given to the model."""
        return " ".join(part.phonemes + part.mark for part in self.parts)

    @property
    def owners(self) -> list[int | None]:
        """The caption word of each symbol of ``text``; None for marks and the spaces between caption words."""
        owners: list[int | None] = []
        for at, part in enumerate(self.parts):
            owners += [part.owner] * len(part.phonemes) + [None] * len(part.mark)
            if at + 1 < len(self.parts):
                inside = self.parts[at + 1].owner == part.owner and not part.mark
                owners.append(part.owner if inside else None)
        return owners


@dataclass(frozen=True)
class Placed:
    """The sound of a line without the silence around it, its words and phonemes in seconds from its start."""

    samples: FloatArray
    words: tuple[tuple[PhoneWord, WordTiming], ...]
    mark: str


def lines_of(words: tuple[PhoneWord, ...]) -> tuple[Line, ...]:
    """Cut a sentence into lines of at most MAX_SYMBOLS, at clause marks where there are any."""
    parts: list[Part] = []
    for owner, word in enumerate(words):
        groups = word.phonemes.split()
        spoken = [group for group in groups if group not in MARKS]
        for group in groups:
            if group not in MARKS:
                parts.append(Part(owner, group, ""))
            elif parts:
                parts[-1] = replace(parts[-1], mark=group)
        # The model needs a mark to be silent at.
        mark = word.mark or ("," if word.word.pause_after_ms else "")
        if spoken and mark:
            parts[-1] = replace(parts[-1], mark=mark)
    if parts and parts[-1].mark not in (".", "!", "?", "…"):
        parts[-1] = replace(parts[-1], mark=".")
    lines = shorten(parts, lambda part: len(part.phonemes + part.mark) + 1, lambda part: part.mark, MAX_SYMBOLS)
    return tuple(Line(line, words) for line in lines)


def perform(graph: KokoroGraph, line: Line, tokens: NDArray[np.int64], style: FloatArray) -> Placed:
    """Speak ``line``. ``tokens`` are its symbols between two zeros."""
    timed = graph.time(tokens, style)
    owners: list[int | None] = [None, *line.owners, None]
    length, pitch, gain_db = _modes(line, owners)
    durations = _durations(timed.raw, timed.whole, length)
    sung = graph.sing(timed, durations, style)
    melody = sung.pitch * _smooth(np.repeat(pitch, 2 * durations.astype(int)), 4)
    samples = graph.sound(sung, melody.astype(np.float32), style)
    ends = np.cumsum(durations, dtype=np.float64) * UNIT - LAG
    starts = np.concatenate([[0.0], ends[:-1]])
    samples = samples * _gain(gain_db, ends, len(samples))
    placed = _place(line, owners, np.maximum(starts, 0.0), np.maximum(ends, 0.0), samples)
    return _with_pauses(placed)


def _modes(line: Line, owners: list[int | None]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """For each token: factor on its length, factor on its pitch, gain in dB."""
    length = np.ones(len(owners), np.float32)
    pitch = np.ones(len(owners), np.float32)
    gain = np.zeros(len(owners), np.float32)
    last = None
    for at, owner in enumerate(owners):
        last = owner if owner is not None else last
        if last is None:
            continue
        word = line.words[last].word
        stretch, lift, loud = MODES[word.emphasis]
        # Pauses follow the rate of speech, but emphasis belongs to the word alone.
        length[at] = (stretch if owner is not None else 1.0) / word.rate
        pitch[at] = word.pitch * (lift if owner is not None else 1.0)
        gain[at] = loud if owner is not None else 0.0
    return length, pitch, gain


def _durations(raw: FloatArray, whole: FloatArray, factor: FloatArray) -> FloatArray:
    """Whole units. Where nothing is changed, the model's own; else the exact ones scaled, rounded without drift."""
    wanted = np.where(factor == 1.0, whole, np.maximum(raw, 1.0) * factor).astype(np.float64)
    ends = np.rint(np.cumsum(wanted))
    return np.maximum(np.diff(ends, prepend=0.0), 1.0).astype(np.float32)


def _smooth(values: FloatArray, width: int) -> FloatArray:
    """Moving average over ``2 * width + 1`` values, so that a change of pitch is a glide."""
    if np.all(values == values[0]):
        return values
    padded = np.pad(values, width, mode="edge")
    return np.convolve(padded, np.full(2 * width + 1, 1 / (2 * width + 1)), mode="valid").astype(np.float32)


def _gain(gain_db: FloatArray, ends: NDArray[np.float64], count: int) -> FloatArray:
    """Gain of each sample, ramped over RAMP seconds."""
    if not gain_db.any():
        return np.ones(1, np.float32)
    edges = np.clip(np.rint(ends * SAMPLE_RATE), 0, count).astype(int)
    edges[-1] = count
    steps = np.repeat(gain_db, np.diff(edges, prepend=0)).astype(np.float64)
    width = int(RAMP * SAMPLE_RATE) // 2
    sums = np.cumsum(np.pad(steps, (width + 1, width), mode="edge"))
    smooth = (sums[2 * width + 1 :] - sums[: -2 * width - 1]) / (2 * width + 1)
    return np.power(10.0, smooth / 20.0).astype(np.float32)


def _place(
    line: Line, owners: list[int | None], starts: NDArray[np.float64], ends: NDArray[np.float64], samples: FloatArray
) -> Placed:
    """Trim the silence around the line, and say where each word and phoneme is in what is left."""
    found = heard(samples, SAMPLE_RATE)
    begin, stop = bounds(found, len(samples), SAMPLE_RATE)
    text = [" ", *line.text, " "]
    words = []
    for owner in dict.fromkeys(part.owner for part in line.parts):
        at = [place for place, whose in enumerate(owners) if whose == owner]
        # The space after a word is its release; before a mark there is silence, which is nobody's.
        following = at[-1] + 1
        if text[following] in MARKS or following == len(text) - 1:
            end = _last_heard(found, starts[at[-1]], ends[at[-1]])
        else:
            end = (starts[following] + ends[following]) / 2 if text[following] == " " else ends[at[-1]]
        start = max(starts[at[0]], begin / SAMPLE_RATE + LEAD_IN / 2)
        if text[at[0] - 1] == " " and at[0] > 1 and text[at[0] - 2] not in MARKS:
            start = (starts[at[0] - 1] + ends[at[0] - 1]) / 2
        phonemes = _phonemes([text[place] for place in at], starts[at], ends[at], start, end, begin / SAMPLE_RATE)
        timing = WordTiming(
            text=line.words[owner].word.text[:120],
            start=_seconds(start, begin),
            end=_seconds(max(end, start), begin),
            phonemes=phonemes,
        )
        words.append((line.words[owner], timing))
    return Placed(faded(samples[begin:stop], SAMPLE_RATE), tuple(words), line.parts[-1].mark)


def _last_heard(found: NDArray[np.bool_], start: float, end: float) -> float:
    """Where the sound of a phoneme before a pause ends: the model counts the pause into the phoneme."""
    first, last = int(start * SAMPLE_RATE / BLOCK), int(end * SAMPLE_RATE / BLOCK)
    sounding = np.flatnonzero(found[first : last + 1])
    if not len(sounding):
        return float(end)
    return min(float((first + sounding[-1] + 1) * BLOCK / SAMPLE_RATE), float(end))


def _phonemes(
    symbols: list[str], starts: NDArray[np.float64], ends: NDArray[np.float64], first: float, last: float, begin: float
) -> tuple[PhonemeTiming, ...]:
    """The phonemes of one word within ``first``..``last``. A stress mark's time belongs to its vowel, that of a length
    mark or a space to the phoneme before."""
    found: list[tuple[str, float, float, int]] = []
    stress, opened = 0, 0.0
    for symbol, start, end in zip(symbols, starts, ends, strict=True):
        if symbol in (PRIMARY, SECONDARY):
            stress, opened = (1 if symbol == PRIMARY else 2), start
        elif symbol in ("ː", " ") and found:
            name, since, _, strength = found[-1]
            found[-1] = (name + "ː" if symbol == "ː" else name, since, end, strength)
        elif symbol not in MARKS and symbol != " ":
            found.append((to_ipa(symbol), opened if stress else start, end, stress))
            stress = 0
    timings = []
    for at, (name, start, end, strength) in enumerate(found):
        opens = first if at == 0 else min(max(start, first), last)
        closes = last if at == len(found) - 1 else min(max(end, first), last)
        timings.append(
            PhonemeTiming(
                phoneme=name, start=_round(opens - begin), end=_round(max(closes, opens) - begin), stress=strength
            )
        )
    return tuple(timings)


def _seconds(time: float, begin: int) -> float:
    return _round(time - begin / SAMPLE_RATE)


def _round(seconds: float) -> float:
    return round(max(float(seconds), 0.0), 4)


def _with_pauses(placed: Placed) -> Placed:
    """Lengthen the silence after words that ask for a pause. The last word's is left to :func:`join`."""
    for at, (word, timing) in enumerate(placed.words[:-1]):
        following = placed.words[at + 1][1]
        missing = word.word.pause_after_ms / 1000 - (following.start - timing.end)
        if word.word.pause_after_ms and missing > 0:
            place = _quietest(placed.samples, timing.end, following.start)
            quiet = np.zeros(round(missing * SAMPLE_RATE), np.float32)
            samples = np.concatenate([placed.samples[:place], quiet, placed.samples[place:]])
            later = tuple((other, shifted(moved, len(quiet) / SAMPLE_RATE)) for other, moved in placed.words[at + 1 :])
            placed = Placed(samples, placed.words[: at + 1] + later, placed.mark)
    return placed


def _quietest(samples: FloatArray, start: float, end: float) -> int:
    """The quietest 5 ms between two times, as a sample index."""
    first = min(int(start * SAMPLE_RATE), len(samples) - BLOCK)
    count = max(int((end - start) * SAMPLE_RATE) // BLOCK, 1)
    blocks = samples[first : first + count * BLOCK]
    blocks = blocks[: len(blocks) // BLOCK * BLOCK].reshape(-1, BLOCK)
    return first + int(np.argmin(np.mean(blocks**2, axis=1))) * BLOCK + BLOCK // 2


def shifted(word: WordTiming, seconds: float) -> WordTiming:
    """``word`` later by ``seconds``."""
    return word.model_copy(
        update={
            "start": _round(word.start + seconds),
            "end": _round(word.end + seconds),
            "phonemes": tuple(
                phoneme.model_copy(
                    update={"start": _round(phoneme.start + seconds), "end": _round(phoneme.end + seconds)}
                )
                for phoneme in word.phonemes
            ),
        }
    )


def join(lines: list[Placed], pause_after_ms: int) -> tuple[FloatArray, tuple[WordTiming, ...]]:
    """One sentence: its lines with the gaps of their marks between them, and ``pause_after_ms`` of silence after it."""
    pieces: list[FloatArray] = []
    words: list[WordTiming] = []
    reached = 0
    for at, line in enumerate(lines):
        pause_ms = line.words[-1][0].word.pause_after_ms
        last = at == len(lines) - 1
        gap_ms = max(pause_after_ms if last else GAPS_MS.get(line.mark, 40), pause_ms)
        gap = silence(gap_ms, SAMPLE_RATE)
        pieces += [line.samples, gap]
        for _, timing in line.words:
            words.extend(apart(shifted(timing, reached / SAMPLE_RATE)))
        reached += len(line.samples) + len(gap)
    return np.concatenate(pieces), _in_order(words)


def apart(word: WordTiming) -> list[WordTiming]:
    """A timing that covers several caption words, shared out by their letters; a lone mark stays with its word."""
    texts: list[str] = []
    for text in word.text.split():
        if texts and not any(map(str.isalnum, text)):
            texts[-1] += f" {text}"
        else:
            texts.append(text)
    if len(texts) < 2:
        return [word]
    edges = word.start + (word.end - word.start) * np.cumsum([0, *(len(text) for text in texts)]) / sum(map(len, texts))
    found = []
    for text, start, end in zip(texts, edges[:-1], edges[1:], strict=True):
        last = end == edges[-1]
        phonemes = tuple(p for p in word.phonemes if start <= p.start and (p.start < end or last))
        closes = max(end, phonemes[-1].end if phonemes else end)
        found.append(WordTiming(text=text, start=_round(start), end=_round(closes), phonemes=phonemes))
    return found


def _in_order(words: list[WordTiming]) -> tuple[WordTiming, ...]:
    """A caption word whose parts fell into two lines is one word again; no word begins before the last one ends."""
    ordered: list[WordTiming] = []
    for word in words:
        start = max(word.start, ordered[-1].end) if ordered else word.start
        ordered.append(word.model_copy(update={"start": start, "end": max(word.end, start)}))
    return tuple(ordered)
