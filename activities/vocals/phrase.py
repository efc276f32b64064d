"""One sung line as numbers: how long each sound lasts and which pitch it has, so that vowels begin on their beats. Pure
arithmetic between the parts of the model's graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activities.speech.g2p import MARKS
from activities.speech.kokoro_graph import FloatArray
from activities.speech.kokoro_line import LAG, UNIT
from activities.vocals.base import MELODY_RATE
from activities.vocals.syllables import STRESSES, SungText
from models.music import LeadNote

FloatVector = NDArray[np.float64]

OBSTRUENTS = frozenset("bdfhkpstvzðɡʃʒʤʧθT")
VOICED_HZ = 55.0
"""The model's F0 is near 10 where nothing is voiced."""


@dataclass(frozen=True)
class Manner:
    """How notes are sung. Times in seconds, depths in semitones, lengths as factors on the spoken ones."""

    consonants: float = 1.15
    first_consonants: float = 1.35
    most_consonants: float = 0.62
    """Share of the time between two vowels' onsets that consonants may take."""
    gap: float = 2.5
    """Units a space between words may last at most."""
    glide: float = 0.04
    early: float = 0.03
    """How long before a vowel its pitch is reached."""
    vibrato: float = 0.22
    vibrato_hz: float = 5.4
    vibrato_after: float = 0.45
    energy: float = 5.0
    """Least energy of a vowel."""
    force_end: float = 0.03
    tail: float = 0.92
    """Share of a note that sounds before a rest."""


@dataclass(frozen=True)
class Timetable:
    """When what is sung: whole units of each token (with the padding at both ends), and the time, from the section's
    first beat, of the first sample of the line."""

    durations: FloatArray
    starts_at: float
    onsets: FloatVector
    """Acoustic onset of each vowel from the line's first sample, in seconds."""
    ends: FloatVector
    """Where it ends."""
    edges: FloatVector
    """Acoustic bounds of all tokens: [tokens + 1]."""


def onsets_of(text: SungText, notes: Sequence[LeadNote], beat: float) -> FloatVector:
    """When each vowel begins, in seconds from the section's first beat. ``beat`` is a beat's length."""
    found = []
    for nucleus in text.nuclei:
        note = notes[nucleus.notes[0]]
        part, parts = nucleus.share
        # A vowel that shares its note comes on an even division of it.
        found.append((note.start + note.beats * part / parts) * beat)
    return np.array(found)


def ends_of(text: SungText, notes: Sequence[LeadNote], beat: float) -> FloatVector:
    """When each vowel's notes end."""
    found = []
    for nucleus in text.nuclei:
        note = notes[nucleus.notes[-1]]
        part, parts = nucleus.share
        found.append((note.start + note.beats * (part + 1) / parts) * beat)
    return np.array(found)


def timetable(text: SungText, notes: Sequence[LeadNote], beat: float, spoken: FloatArray, manner: Manner) -> Timetable:
    """Durations for every token of ``text``. ``spoken`` are the model's own (exact, in units, padding included)."""
    onsets, ends = onsets_of(text, notes, beat) / UNIT, ends_of(text, notes, beat) / UNIT
    symbols = f"^{text.text}$"
    units = np.zeros(len(spoken))
    # Tokens are symbols with the padding before them.
    first = text.nuclei[0].first + 1
    units[0] = min(max(float(spoken[0]), 4.0), 8.0)
    for at in range(1, first):
        units[at] = max(float(spoken[at]), 1.0) * manner.first_consonants
    for number, nucleus in enumerate(text.nuclei):
        begin, stop = nucleus.first + 1, nucleus.last + 1
        final = number == len(text.nuclei) - 1
        until = len(symbols) - 1 if final else text.nuclei[number + 1].first + 1
        between = list(range(stop, until))
        span = (ends[number] - onsets[number]) if final else (onsets[number + 1] - onsets[number])
        marked = [at for at in between if symbols[at] in MARKS]
        for at in between:
            natural = max(float(spoken[at]), 1.0)
            if at in marked:
                units[at] = 1.0
            elif symbols[at] == " ":
                units[at] = min(natural, manner.gap)
            else:
                opens = bool(marked) and at > marked[0]
                units[at] = min(natural, 6.0) * (manner.first_consonants if opens else manner.consonants)
        length = _vowel_span(span, ends[number] - onsets[number], bool(marked), manner)
        taken = float(units[between].sum())
        if taken > manner.most_consonants * span:
            units[between] *= manner.most_consonants * span / taken
            taken = float(units[between].sum())
        if marked:
            vowel = max(min(length, span - taken), 2.0)
            units[marked[0]] += max(span - taken - vowel, 0.0)
        else:
            vowel = max(span - taken, 2.0)
        _spread(units, symbols, begin, stop, vowel, spoken)
    units[-1] = max(float(spoken[-1]), 3.0)
    if symbols[-2] in MARKS:
        units[-2] = max(units[-2], 6.0)
    edges = np.rint(np.cumsum(units))
    durations = np.maximum(np.diff(edges, prepend=0.0), 1.0)
    bounds = np.concatenate([[0.0], np.cumsum(durations)]) * UNIT - LAG
    vowel_starts = np.array([bounds[nucleus.first + 1] for nucleus in text.nuclei])
    vowel_ends = np.array([bounds[nucleus.last + 1] for nucleus in text.nuclei])
    # Least squares over the line: rounding to units leaves no onset more than half a unit from its beat.
    starts_at = float(np.mean(onsets * UNIT - vowel_starts))
    return Timetable(durations.astype(np.float32), starts_at, vowel_starts, vowel_ends, bounds)


def _vowel_span(span: float, note: float, rests: bool, manner: Manner) -> float:
    return min(span, note * manner.tail) if rests else span


def _spread(units: FloatVector, symbols: str, begin: int, stop: int, length: float, spoken: FloatArray) -> None:
    """A vowel's symbols over ``length`` units: marks as long as spoken, at most a third; the vowel has the rest."""
    vowel = begin + (symbols[begin] in STRESSES)
    for at in range(begin, stop):
        units[at] = max(min(float(spoken[at]), length / 3), 1.0) if at != vowel else 0.0
    units[vowel] = max(length - float(units[begin:stop].sum()), 1.0)


def melody(
    notes: Sequence[LeadNote],
    beat: float,
    table: Timetable,
    predicted: FloatArray,
    cents: float,
    manner: Manner,
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """F0 in Hz, two values a unit, and which of them are sung; elsewhere the model's own unvoiced values stay.

    ``predicted`` is the model's F0 for these durations: it knows best where consonants are voiced.
    """
    frames = len(predicted)
    times = (np.arange(frames) + 0.5) / MELODY_RATE
    pitches = np.zeros(frames)
    steps = sorted(_changes(notes, beat, table))
    level = steps[0][1]
    edges = [max(int((at - manner.early) * MELODY_RATE), 0) for at, _ in steps[1:]] + [frames]
    begin = 0
    for edge, following in zip(edges, [*(pitch for _, pitch in steps[1:]), level], strict=True):
        pitches[begin:edge] = level
        begin, level = edge, following
    width = max(round(manner.glide * MELODY_RATE), 1)
    kernel = np.hanning(width + 2)[1:-1]
    smooth = np.convolve(np.pad(pitches, width, mode="edge"), kernel / kernel.sum(), "same")[width:-width]
    depth = np.zeros(frames)
    for start, end in zip(table.onsets, table.ends, strict=True):
        if end - start > manner.vibrato_after:
            inside = (times >= start) & (times < end)
            depth[inside] = np.clip((times[inside] - start - 0.25) / 0.3, 0, 1) * manner.vibrato
    sung = smooth + depth * np.sin(2 * np.pi * manner.vibrato_hz * times) + cents / 100
    hertz = 440.0 * 2 ** ((sung - 69) / 12)
    voiced = predicted > VOICED_HZ
    for start, end in zip(table.onsets, table.ends, strict=True):
        voiced |= (times >= start + 0.01) & (times < max(end - manner.force_end, start + 0.06))
    result = np.where(voiced, hertz, np.minimum(predicted, VOICED_HZ / 4))
    return result.astype(np.float32), voiced


def carried(text: SungText, table: Timetable, voiced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the voiced frames carry the tune: vowels, nasals and liquids. Air held back for
    b, d, v or z pulls the pitch down, in every voice, and nobody hears a note there."""
    times = (np.arange(len(voiced)) + 0.5) / MELODY_RATE
    result = voiced.copy()
    for symbol, start, end in zip(text.text, table.edges[1:], table.edges[2:], strict=False):
        if symbol in OBSTRUENTS:
            result[(times >= start) & (times < end)] = False
    return result


def _changes(notes: Sequence[LeadNote], beat: float, table: Timetable) -> list[tuple[float, float]]:
    """(time from the line's first sample, MIDI pitch) of each note."""
    return [(note.start * beat - table.starts_at, float(note.pitch)) for note in notes]


def lifted(energy: FloatArray, table: Timetable, manner: Manner) -> FloatArray:
    """The model's energy with vowels at no less than the manner's: it fades what it takes for a long sentence's end."""
    times = (np.arange(len(energy)) + 0.5) / MELODY_RATE
    result = energy.copy()
    for start, end in zip(table.onsets, table.ends, strict=True):
        inside = (times >= start + 0.02) & (times < end - 0.03)
        result[inside] = np.maximum(result[inside], manner.energy)
    return result
