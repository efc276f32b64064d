"""The synthetic world that artists are put before: reviewers and an audience with tastes that drift, outages, and
people who do not answer. Pure and seeded: the same world judges the same song alike."""

import math
import random
from datetime import UTC, datetime, timedelta

from models.birth_words import THEMES
from models.identity import Identity
from models.lifecycle import Heard
from models.music import Genre, Mode
from models.performance import score

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_BRIGHT = (Mode.MAJOR, Mode.LYDIAN, Mode.MIXOLYDIAN)
_YEAR = timedelta(days=365.25)


class World:
    """What people like, and when things break."""

    def __init__(self, seed: str) -> None:
        draw = random.Random(f"world:{seed}")
        self._seed = seed
        self._waves = {genre: (draw.uniform(4, 9), draw.uniform(0, math.tau), draw.gauss(0, 0.5)) for genre in Genre}
        self._themes = {theme: draw.gauss(0, 0.7) for theme in THEMES}
        self._tempo = {genre: draw.uniform(-0.8, 0.8) for genre in Genre}
        self._energy = draw.uniform(-0.6, 0.6)
        self._bright = draw.choice((-0.5, 0.5))

    def outage(self, now: datetime) -> bool:
        """Whether the provider of music is away: for some days, twice a year or so."""
        week = (now - EPOCH) // timedelta(days=7)
        draw = random.Random(f"outage:{self._seed}:{week}")
        begins, lasts = draw.uniform(0, 5), draw.uniform(0.5, 6)
        into = ((now - EPOCH) / timedelta(days=1)) % 7
        return draw.random() < 0.05 and begins <= into <= begins + lasts

    def unanswered(self, track_id: str) -> bool:
        """Whether nobody decides on this track."""
        return random.Random(f"silent:{self._seed}:{track_id}").random() < 0.05

    def appeal(self, identity: Identity, tempo: float, energy: float, mode: Mode, theme: str, now: datetime) -> float:
        """How much a song is liked, 0 to 1, by where taste has drifted to."""
        years = (now - EPOCH) / _YEAR
        fashion = 0.0
        for share in identity.genres:
            period, phase, level = self._waves[share.genre]
            fashion += share.share * (level + 0.9 * math.sin(math.tau * years / period + phase))
        lead = identity.genres[0].genre
        lively = self._tempo[lead] * (tempo - _HOME[lead]) / 12
        mood = self._bright if mode in _BRIGHT else -self._bright
        gift = random.Random(f"gift:{self._seed}:{identity.artist}").gauss(0.5, 0.9)
        liked = gift + fashion + self._themes.get(theme, 0) + lively + self._energy * (energy - 0.5) * 2 + mood
        return 1 / (1 + math.exp(-1.1 * liked))

    def complaint(self, tempo: float, energy: float, mode: Mode, theme: str, identity: Identity) -> str:
        """The reason code of who rejects it: what a change would help most."""
        lead = identity.genres[0].genre
        lively = self._tempo[lead] * (tempo - _HOME[lead])
        if self._themes.get(theme, 0) < -0.5:
            return "lyrics"
        if lively < -2:
            return "too_slow" if self._tempo[lead] > 0 else "too_fast"
        if (mode in _BRIGHT) != (self._bright > 0):
            return "too_dark" if self._bright > 0 else "other"
        return "boring" if self._energy > 0 and energy < 0.6 else "other"

    def approves(self, track_id: str, appeal: float) -> bool:
        """Whether the reviewer lets it out: more likely the more it appeals."""
        return random.Random(f"decide:{self._seed}:{track_id}").random() < appeal

    def heard(self, track_id: str, number: int, appeal: float, age: timedelta, now: datetime) -> Heard:
        """The audience of a release of that age."""
        draw = random.Random(f"hear:{self._seed}:{track_id}")
        listeners = int(80 + 4_000 * appeal**2 * draw.lognormvariate(0, 0.6) * (1 - math.exp(-age.days / 40)))
        liked = max(0.02, min(0.98, appeal + draw.gauss(0, 0.08)))
        streams = int(listeners * (1 + 2 * liked))
        skips, saves = int(streams * (0.75 - 0.6 * liked)), int(listeners * 0.22 * liked)
        value = score(streams, listeners, saves, skips)
        return Heard(number=number, as_of=now, listeners=listeners, score=value)


_HOME = {
    Genre.ELECTRONIC: 123,
    Genre.AMBIENT: 72,
    Genre.LOFI: 80,
    Genre.HYPERPOP: 154,
    Genre.CINEMATIC: 96,
}
