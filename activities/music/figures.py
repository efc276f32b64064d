"""Figures become notes: what bass, pads and keys play over a chord, read from bars of sixteen steps. Pure."""

from collections.abc import Iterator

from activities.music.rhythm import STEP, velocity
from models.music import BEATS_PER_BAR, Chord, Note

_BASS_LOWEST = 31


def events(figure: str) -> Iterator[tuple[int, int, str]]:
    """Step, length in steps and sign of each note of a figure."""
    step = 0
    while step < len(figure):
        end = step + 1
        if figure[step] not in ".-":
            while end < len(figure) and figure[end] == "-":
                end += 1
            yield step, end - step, figure[step]
        step = end


def chord_notes(figure: str, chord: Chord, bar: int, intensity: float, lift: int = 0) -> list[Note]:
    """One bar of a chordal figure, ``lift`` semitones up."""
    notes = []
    for step, length, sign in events(figure):
        pitches = chord.pitches if sign == "c" else (voice_of(chord, int(sign)),)
        accent = 0.75 if step % 4 == 0 else 0.64
        notes += [
            Note(
                start=bar * BEATS_PER_BAR + step * STEP,
                beats=length * STEP,
                pitch=pitch + lift,
                velocity=velocity(accent, intensity),
            )
            for pitch in pitches
        ]
    return notes


def voice_of(chord: Chord, index: int) -> int:
    """The voice ``index`` of a chord counted from below, going on an octave higher above its top."""
    octave, voice = divmod(index, len(chord.pitches))
    return chord.pitches[voice] + 12 * octave


def bass_notes(figure: str, chord: Chord, following: Chord, bar: int, intensity: float) -> list[Note]:
    """One bar of a bass figure. ``following`` is the chord that the bar leads to."""
    root = _BASS_LOWEST + (chord.root - _BASS_LOWEST) % 12
    target = _BASS_LOWEST + (following.root - _BASS_LOWEST) % 12
    fifth = root + (7 if (chord.root + 7) % 12 in chord.classes else 12)
    pitches = {"r": root, "u": root + 12, "f": fifth, "a": target - 2 if target > root else target + 2}
    return [
        Note(
            start=bar * BEATS_PER_BAR + step * STEP,
            beats=length * STEP,
            pitch=pitches[sign],
            velocity=velocity(0.85 if step % 4 == 0 else 0.72, intensity),
        )
        for step, length, sign in events(figure)
    ]
