"""Rhythm: sixteen steps a bar, swing, grooves and fills. Pure."""

from collections.abc import Mapping
from random import Random
from typing import Final

from activities.music.grammar import CRASH, HIGH_TOM, KICK, LOW_TOM, MIDDLE_TOM, SNARE, Groove
from models.music import BEATS_PER_BAR, Note

STEPS: Final = 16
STEP: Final = BEATS_PER_BAR / STEPS
_ACCENTS: Final[Mapping[str, float]] = {"X": 1.0, "x": 0.78, "o": 0.5}
_DRUM_BEATS: Final = 0.2


def swung(beat: float, swing: float) -> float:
    """Where a straight ``beat`` is played: the second eighth of each beat comes late by ``swing`` eighths, what lies
    between moves in proportion."""
    whole, part = divmod(beat, 1)
    late = 0.5 + 0.5 * swing
    return float(whole + (part * late / 0.5 if part <= 0.5 else late + (part - 0.5) * (1 - late) / 0.5))


def swing_notes(notes: tuple[Note, ...], swing: float) -> tuple[Note, ...]:
    """The notes as they are played: starts and ends swung."""
    if not swing:
        return notes
    moved = []
    for note in notes:
        start = swung(note.start, swing)
        beats = swung(note.start + note.beats, swing) - start
        moved.append(note.model_copy(update={"start": round(start, 6), "beats": round(beats, 6)}))
    return tuple(moved)


def velocity(accent: float, intensity: float) -> int:
    """MIDI velocity of an accent (0 to 1) in a section of an intensity (0 to 1)."""
    return max(1, min(127, round(127 * accent * (0.55 + 0.45 * intensity))))


def groove_notes(groove: Groove, bar: int, intensity: float, rng: Random) -> list[Note]:
    """One bar of a groove."""
    notes = []
    for drum, bars in groove.items():
        for step, mark in enumerate(rng.choice(bars)):
            if mark in _ACCENTS:
                notes.append(_hit(bar * BEATS_PER_BAR + step * STEP, drum, velocity(_ACCENTS[mark], intensity)))
    return notes


def fill_notes(bar: int, intensity: float, rng: Random) -> list[Note]:
    """The second half of a bar, filled: down the toms, on the snare, or stuttering."""
    rows: tuple[tuple[str, tuple[int, ...]], ...] = (
        ("x.x.xxxx", (SNARE, SNARE, HIGH_TOM, MIDDLE_TOM, MIDDLE_TOM, LOW_TOM)),
        ("xxxxxxxX", (SNARE,) * 8),
        ("x..x..xx", (HIGH_TOM, MIDDLE_TOM, LOW_TOM, KICK)),
        ("o.oxoxxX", (SNARE, SNARE, SNARE, SNARE, HIGH_TOM, LOW_TOM)),
    )
    pattern, drums = rng.choice(rows)
    hits = [step for step, mark in enumerate(pattern) if mark != "."]
    first = bar * BEATS_PER_BAR + BEATS_PER_BAR / 2
    return [
        _hit(first + step * STEP, drums[index % len(drums)], velocity(0.6 + 0.35 * step / 8, intensity))
        for index, step in enumerate(hits)
    ]


def crash_note(bar: int, intensity: float) -> Note:
    """A cymbal on the first beat of a bar."""
    return _hit(bar * BEATS_PER_BAR, CRASH, velocity(0.85, intensity))


def _hit(start: float, drum: int, strength: int) -> Note:
    return Note(start=start, beats=_DRUM_BEATS, pitch=drum, velocity=strength)
