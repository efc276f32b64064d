"""The voice's chain: tone, de-essing, compression; doubles and harmonies behind it; its room and its echo."""

from dataclasses import dataclass

import numpy as np

from activities.mixing.dynamics import compressed, de_essed, heard_level, levels
from activities.mixing.eq import Band, Curve, equalised
from activities.mixing.humanise import MOST_DRIFT, chance, drifted, wander
from activities.mixing.laying import Voices
from activities.mixing.presets import Preset, Vocal
from activities.mixing.sound import Sound, linear
from activities.mixing.space import echoed, impulse, panned, reverberated

_REFERENCE_DB = -20.0
"""RMS of a voice where it sings, before its place in the mix is known."""
_BACKING = (Band(Curve.HIGH_PASS, 200), Band(Curve.BELL, 2_800, -3.0, 0.8))
"""Behind the lead: less body and less of where words are understood."""
_BACKING_ROOM = 4.0
"""dB more room than the lead has."""


@dataclass(frozen=True)
class Sung:
    """``dry``: the lead alone, [samples]; ``vocals``: the lead with its room and echo; ``backing``: doubles and
    harmonies with theirs; [2, samples], or None where nobody sings so."""

    dry: Sound
    vocals: Sound | None
    backing: Sound | None


def sung_chain(voices: Voices, preset: Preset, tempo_bpm: float, seed: int) -> Sung:
    """All voices at their levels to each other."""
    vocal = preset.vocal
    lead = _levelled(voices.lead)
    if lead is None:
        return Sung(voices.lead, None, None)
    dry = compressed(de_essed(equalised(lead, vocal.bands)), vocal.compression)
    response = impulse(preset.room, chance(seed, "room"))
    wet = reverberated(dry, response) * np.float32(linear(vocal.room))
    wet += echoed(dry, preset.echo, tempo_bpm) * np.float32(linear(vocal.echo))
    behind = _behind(voices, vocal, seed)
    if behind is not None:
        behind += reverberated(behind, response) * np.float32(linear(vocal.room + _BACKING_ROOM))
    return Sung(dry, panned(dry, 0.0) + wet, behind)


def _behind(voices: Voices, vocal: Vocal, seed: int) -> Sound | None:
    groups = (("double", voices.doubles, vocal.doubles), ("harmony", voices.harmonies, vocal.harmonies))
    behind: Sound | None = None
    for name, tracks, level in groups:
        for number, track in enumerate(tracks):
            voice = _levelled(track)
            if voice is None:
                continue
            rng = chance(seed, f"{name} {number}")
            late = 0.5 * MOST_DRIFT * (1 + wander(len(voice), 1.5, rng))
            polished = compressed(
                de_essed(equalised(drifted(voice, late), [*vocal.bands, *_BACKING])), vocal.compression
            )
            wide = vocal.spread * (0.6 if name == "harmony" else 1.0) * (-1 if number % 2 == 0 else 1)
            placed = panned(polished, wide) * np.float32(linear(level))
            behind = placed if behind is None else behind + placed
    return behind


def _levelled(voice: Sound) -> Sound | None:
    """``voice`` at the reference level; None where it is silent."""
    level = heard_level(levels(voice))
    return None if level < -80 else voice * np.float32(linear(_REFERENCE_DB - level))
