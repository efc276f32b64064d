"""What every voice performs when it is cast, so that voices are compared by nothing but themselves."""

from models.identity import Delivery, SingingVoice
from models.music import LeadNote, LyricWord, SungLine

SAMPLE_BEAT = 0.6
"""Seconds a beat."""
_SPOKEN = (("I", 1), ("will", 1), ("carry", 2), ("you", 1), ("tonight", 2))
_SUNG = (("and", 1), ("never", 2), ("let", 1), ("you", 1), ("go", 1), ("alone", 2))
_TUNE = (4, 4, 7, 7, 9, 7, 4, 2)
"""Semitones above the voice's lowest note."""


def sample_lines(voice: SingingVoice) -> tuple[tuple[SungLine, Delivery], ...]:
    """A spoken line and a sung one, in the voice's own range."""
    return (
        (_line(_SPOKEN, tuple(voice.low for _ in range(7))), Delivery.SPOKEN),
        (_line(_SUNG, tuple(voice.low + step for step in _TUNE)), Delivery.SUNG),
    )


def _line(words: tuple[tuple[str, int], ...], pitches: tuple[int, ...]) -> SungLine:
    last = len(pitches) - 1
    notes = tuple(
        LeadNote(start=at / 2, beats=1.5 if at == last else 0.5, pitch=pitch, strong=at % 2 == 0)
        for at, pitch in enumerate(pitches)
    )
    return SungLine(words=tuple(LyricWord(text=text, syllables=count) for text, count in words), notes=notes)
