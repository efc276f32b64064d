"""How late an instrument is heard after its notes begin, found by playing it alone: some basses take 50 ms to speak, a
music box clicks 60 ms before it sounds. Whoever plays in time begins that much earlier."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import soxr

from activities.music.tone import RATE as PLAYED_RATE
from activities.music.tone import Stereo
from activities.support.onsets import RATE, onset_curve, onsets
from models.music import Note, Part

Attacks = Mapping[int, float]
"""Seconds from a note's beginning until it is heard, by pitch."""

TEMPO_BPM: Final = 60.0
"""The trial's: a note a second."""
_DRUMS: Final = range(35, 82)
_NOTES: Final = range(28, 101, 2)
_VELOCITY: Final = 80
_SOUNDS_BEATS: Final = 0.45
_BEFORE, _AFTER = 0.1, 0.5
_LATEST: Final = 0.3
_MASKED_DB: Final = -25.0
"""Under its loudest, a note's beginning is lost among the notes around it."""
_MOST_STRUCK, _MOST_SUSTAINED = 0.08, 0.02
"""Seconds. A sound that swells has no moment at which it begins; it is not begun far ahead of its chord."""


def trial(program: int, *, drums: bool) -> tuple[Part, float]:
    """What is played to find the attacks of ``program``, at ``TEMPO_BPM``, and its length in beats."""
    pitches = _DRUMS if drums else _NOTES
    notes = (
        Note(start=beat, beats=_SOUNDS_BEATS, pitch=pitch, velocity=_VELOCITY) for beat, pitch in enumerate(pitches)
    )
    return Part(stem="trial", program=program, drums=drums, notes=tuple(notes)), len(pitches)


def attacks(played: Part, heard: Stereo, count_in: float, *, struck: bool) -> Attacks:
    """The attacks in ``heard``, in which the trial ``played`` begins after ``count_in`` seconds. Pitches that sound
    nothing have none."""
    sound = soxr.resample(heard.mean(axis=1), PLAYED_RATE, RATE).astype(np.float32)
    found = {}
    for note in played.notes:
        begin = count_in + note.start * 60 / TEMPO_BPM
        alone = sound[round((begin - _BEFORE) * RATE) : round((begin + _AFTER) * RATE)]
        times, heights = onsets(onset_curve(alone, _MASKED_DB))
        after = (times > _BEFORE) & (times < _BEFORE + _LATEST)
        if after.any():
            late = float(times[after][int(np.argmax(heights[after]))]) - _BEFORE
            found[note.pitch] = min(late, _MOST_STRUCK if struck else _MOST_SUSTAINED)
    return found


def ahead(found: Attacks, pitch: int) -> float:
    """Seconds by which a note of ``pitch`` is begun early: the attack of the nearest pitch that was heard."""
    return found[min(found, key=lambda tried: (abs(tried - pitch), tried))] if found else 0.0
