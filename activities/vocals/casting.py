"""Voices of their own: which styles sing well, how they are blended, and how far a new voice is from the others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activities.vocals.foresight import foresight
from models.errors import Conflict
from models.identity import SingingVoice, StyleShare

GOOD_ENOUGH = 0.83
"""Similarity to the nearest voice at which the search ends before it has tried all."""
CLEAR = 0.6
"""Foretold similarity below which no voice is to be preferred to another: it errs by 0.04."""
MOST_DRAWN, MOST_TRIED = 400, 30
SEMITONES_BELOW, SEMITONES_ABOVE = 2, 12
"""A voice's range around the pitch it speaks at."""
LOWEST = 40
"""Where a bass's range ends (E2): below it consonants drown the tone."""
FORMANTS = (0.88, 0.94, 1.0, 1.07, 1.14)
"""Sizes of the vocal tract that are tried, as factors on the formants: within what one sex spans (Fant, 1960)."""
LIFTS = (-3, 0, 3)
"""Semitones by which a voice lies above the pitch it speaks at."""


class VoiceCrowded(Conflict):
    """No voice is left that is unlike all others."""

    code = "voice.crowded"
    action = "Retire an artist whose voice may be given up, or create the artist with another seed."


@dataclass(frozen=True)
class Singer:
    """A style that is understood when it sings, and the pitch in Hz it speaks at (median over a sentence)."""

    style: str
    speaks_at: float


POOL = {
    sex: tuple(Singer(style, hertz) for style, hertz in styles)
    for sex, styles in {
        "female": (
            ("af_alloy", 134.0), ("af_aoede", 170.0), ("af_bella", 189.0), ("af_heart", 186.0), ("af_jessica", 202.0),
            ("af_kore", 146.0), ("af_nova", 153.0), ("af_river", 176.0), ("af_sarah", 182.0), ("af_sky", 161.0),
            ("bf_alice", 207.0), ("bf_emma", 178.0), ("bf_isabella", 204.0), ("bf_lily", 171.0),
        ),
        "male": (
            ("am_adam", 114.0), ("am_echo", 100.0), ("am_eric", 149.0), ("am_fenrir", 129.0), ("am_liam", 113.0),
            ("am_michael", 110.0), ("am_onyx", 83.0), ("am_puck", 110.0), ("am_santa", 154.0), ("bm_daniel", 121.0),
            ("bm_fable", 115.0), ("bm_george", 139.0), ("bm_lewis", 96.0),
        ),
    }.items()
}  # fmt: skip


def candidates(seed: int, known: NDArray[np.float32]) -> list[SingingVoice]:
    """Voices to try, the most promising first: a leading style and one or two of the same sex that colour it.

    They are drawn by ``seed``; ``known`` are the embeddings [voices, 256] from which a voice has to be apart.
    """
    draw, ahead = np.random.default_rng(seed), foresight()
    drawn: list[tuple[float, SingingVoice]] = []
    for _ in range(MOST_DRAWN):
        sex = "female" if draw.random() < 0.5 else "male"
        pool = POOL[sex]
        count = 2 if draw.random() < 0.6 else 3
        chosen = [pool[at] for at in draw.choice(len(pool), count, replace=False)]
        first = round(float(draw.uniform(0.8, 0.95)), 2)
        rest = [round((1 - first) / (count - 1), 3)] * (count - 2)
        shares = [first, *rest, round(1 - first - sum(rest), 3)]
        formant, lift = FORMANTS[int(draw.integers(len(FORMANTS)))], LIFTS[int(draw.integers(len(LIFTS)))]
        voice = ranged(tuple(zip(chosen, shares, strict=True)), formant, lift)
        if voice.low < LOWEST:
            continue
        near = float((known @ ahead.embedding(voice, sex, lift)).max(initial=-1.0))
        drawn.append((max(near, CLEAR), voice))
    return [voice for _, voice in sorted(drawn, key=lambda one: one[0])[:MOST_TRIED]]


def ranged(blend: tuple[tuple[Singer, float], ...], formant: float, lift: int) -> SingingVoice:
    """The voice of a ``blend`` (styles and their shares), in the range its size gives it, ``lift`` semitones up."""
    speaks = float(np.exp(sum(share * np.log(one.speaks_at) for one, share in blend)))
    middle = round(69 + 12 * np.log2(speaks * formant / 440)) + lift
    return SingingVoice(
        styles=tuple(StyleShare(style=one.style, share=share) for one, share in blend),
        low=middle - SEMITONES_BELOW,
        high=middle + SEMITONES_ABOVE,
        formant=formant,
    )


def crowded(nearest: float, tried: int) -> VoiceCrowded:
    """No voice was far enough from the others."""
    return VoiceCrowded(
        f"{tried} voices were tried, and each is like one of the house's (the least at {nearest:.2f}).", field="others"
    )
