"""What the lead instrument plays: a motif where nobody sings, short answers in the gaps of a sung section. Pure."""

from random import Random
from typing import Final

from activities.music.grammar import Melody
from activities.music.rhythm import STEP, STEPS, velocity
from models.music import BEATS_PER_BAR, Chord, Key, Note

_STARTS: Final = (0, 4, 8, 12, 2, 6, 10, 14, 3, 11, 7, 15, 13, 5, 1, 9)
"""Steps of a bar from the strongest to the weakest."""
ANSWER_STEPS: Final = (12, 14)
"""Where an answer falls in a phrase's last bar: after the voice has ended its line."""


class Motif:
    """A bar of rhythm and contour that returns: what makes an arrangement's melodies one song."""

    def __init__(self, melody: Melody, rng: Random) -> None:
        count = max(1, min(STEPS, round(melody.density + rng.uniform(-0.5, 0.5))))
        pool = _STARTS[: max(count, min(STEPS, count + 3))]
        self.steps = tuple(sorted({0, *rng.sample(pool, count)}))[:count]
        self.moves = tuple(
            rng.choice((-3, 3, 4, -4)) if rng.random() < melody.leap else rng.choice((-1, 1, 1, -1, 2, 0))
            for _ in self.steps
        )
        self._centre = melody.register

    def notes(self, chord: Chord, key: Key, bar: int, intensity: float, turn: int) -> list[Note]:
        """The motif over ``chord`` in ``bar``; odd ``turn`` inverts its contour."""
        ladder = [pitch for pitch in range(self._centre - 10, self._centre + 11) if pitch % 12 in key.scale]
        centre = len(ladder) // 2
        at, notes = centre, []
        for index, step in enumerate(self.steps):
            at = max(0, min(len(ladder) - 1, at + (self.moves[index] if turn % 2 == 0 else -self.moves[index])))
            if step % 4 == 0:
                at = min(range(len(ladder)), key=lambda i: (ladder[i] % 12 not in chord.classes, abs(i - at), i))
            end = self.steps[index + 1] if index + 1 < len(self.steps) else STEPS
            notes.append(
                Note(
                    start=bar * BEATS_PER_BAR + step * STEP,
                    beats=(end - step) * STEP,
                    pitch=ladder[at],
                    velocity=velocity(0.8 if step % 4 == 0 else 0.7, intensity),
                )
            )
            at += (centre - at) // 4
        return notes


def answer(chord: Chord, register: int, bar: int, intensity: float, rng: Random) -> list[Note]:
    """Two notes of the chord at the end of a sung phrase, softly."""
    near = sorted(
        (pitch for pitch in range(register - 8, register + 9) if pitch % 12 in chord.classes),
        key=lambda pitch: (abs(pitch - register), pitch),
    )[:3]
    return [
        Note(
            start=bar * BEATS_PER_BAR + step * STEP,
            beats=2 * STEP,
            pitch=pitch,
            velocity=velocity(0.55, intensity),
        )
        for step, pitch in zip(ANSWER_STEPS, rng.sample(near, min(2, len(near))), strict=False)
    ]
