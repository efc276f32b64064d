"""``python -m activities.vocals.survey VOICES CACHE``: make every style sing by itself, others sized and lifted,
and write down what casting foretells voices by. Run again when the singer's styles change; it takes minutes."""

import json
import sys
from pathlib import Path

import numpy as np

from activities.speech.kokoro_voices import SAMPLE_RATE
from activities.vocals.casting import FORMANTS, LIFTS, POOL, Singer, ranged
from activities.vocals.foresight import FILE, FloatArray, traits
from activities.vocals.singer import KokoroSinger
from activities.vocals.voiceprint import Listener

SIZED = 150
"""How many sized and lifted voices the shifts are fitted to."""


def survey(singer: KokoroSinger, seed: int = 3) -> dict[str, dict[str, list[object]]]:
    """Embeddings of the styles, and how formants and lifts shift them, by least squares."""
    listener, draw = Listener(), np.random.default_rng(seed)

    def heard(one: Singer, formant: float, lift: int) -> FloatArray:
        sample = singer.sample(ranged(((one, 1.0),), formant, lift))
        return np.asarray(listener.embed(sample, SAMPLE_RATE), np.float64)

    styles = {one.style: heard(one, 1.0, 0) for pool in POOL.values() for one in pool}
    shifts = {}
    for sex, pool in POOL.items():
        rows, moved = [], []
        for number in range(SIZED // 2):
            one, formant, lift = pool[number % len(pool)], float(draw.choice(FORMANTS)), int(draw.choice(LIFTS))
            rows.append(traits(formant, lift))
            moved.append(heard(one, formant, lift) - styles[one.style])
        shifts[sex] = np.linalg.lstsq(np.array(rows), np.array(moved), rcond=None)[0]
    return {
        "styles": {name: np.round(embedding, 3).tolist() for name, embedding in styles.items()},
        "shifts": {sex: np.round(shift, 3).tolist() for sex, shift in shifts.items()},
    }


if __name__ == "__main__":
    voices, cache = map(Path, sys.argv[1:])
    FILE.write_text(json.dumps(survey(KokoroSinger(None, voices, cache)), separators=(",", ":")) + "\n")
