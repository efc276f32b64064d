"""How trends lean a song: its theme, tempo and energy, within the habits of its artist, and beyond them only as far as
the artist is open to it. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from models.identity import Identity
from models.outlook import Trend

ENERGY_HABIT = 0.15
"""How far a song's energy lies from its artist's."""
_SLOWEST, _FASTEST = 50.0, 200.0
_NOTABLE = 1e-9


@dataclass(frozen=True)
class Pull:
    """Where to a trend draws something, and how strongly, 0 to 1."""

    trend: str
    low: float
    high: float
    weight: float


@dataclass(frozen=True)
class Leaning:
    """What trends do to a song of one artist. ``openness`` is how far beyond its habits they may lead it: at 0 never,
    at 1 by half of the range of its tempo, and by as much energy again as its songs differ in."""

    identity: Identity
    openness: float = 0.0
    trends: tuple[tuple[Trend, float], ...] = ()
    """Those that concern the artist, with their weight for it, the weightiest first."""

    def tempo(self, drawn: float) -> float:
        """``drawn``, in beats a minute, drawn towards the trends."""
        low, high = self.identity.tempo_low, self.identity.tempo_high
        beyond = self.openness * (high - low) / 2
        pulled = _pulled(drawn, self._tempos())
        return min(max(pulled, low - beyond, _SLOWEST), high + beyond, _FASTEST)

    def energy(self, drawn: float) -> float:
        """``drawn``, 0 to 1, drawn towards the trends."""
        reach = (1 + self.openness) * ENERGY_HABIT
        pulled = _pulled(drawn, self._energies())
        return min(max(pulled, self.identity.energy - reach), self.identity.energy + reach)

    def theme(self, number: int, turn: str) -> tuple[str, str]:
        """The theme of song ``number``, whose ``turn`` it would be, and the trend that led to it, if one did."""
        draw = random.Random(f"trend:{self.identity.seed}:{self.identity.version}:{number}")
        for trend, weight in self.trends:
            takes, strays = draw.random() < weight, draw.random() < self.openness
            own = tuple(theme for theme in trend.themes if theme in self.identity.themes)
            if found := (own or (trend.themes if strays else ())) if takes else ():
                return found[number % len(found)], trend.name
        return turn, ""

    def words(self) -> tuple[str, ...]:
        """Words the song may use."""
        return tuple(dict.fromkeys(word for trend, _ in self.trends for word in trend.words))[:20]

    def at_work(self, tempo: float, energy: float, theme_by: str) -> tuple[str, ...]:
        """The trends that make a difference to a song that was drawn with this tempo and energy."""
        moved = {theme_by} | {trend.name for trend, _ in self.trends if trend.words}
        if abs(self.tempo(tempo) - tempo) > _NOTABLE:
            moved |= {pull.trend for pull in self._tempos() if not pull.low <= tempo <= pull.high}
        if abs(self.energy(energy) - energy) > _NOTABLE:
            moved |= {pull.trend for pull in self._energies() if pull.low != energy}
        return tuple(trend.name for trend, _ in self.trends if trend.name in moved)

    def _tempos(self) -> tuple[Pull, ...]:
        return tuple(
            Pull(trend.name, trend.tempo_low, trend.tempo_high, weight)
            for trend, weight in self.trends
            if trend.tempo_low is not None and trend.tempo_high is not None
        )

    def _energies(self) -> tuple[Pull, ...]:
        return tuple(
            Pull(trend.name, trend.energy, trend.energy, weight)
            for trend, weight in self.trends
            if trend.energy is not None
        )


def leaning(identity: Identity, trends: Sequence[Trend], openness: float) -> Leaning:
    """What ``trends`` do to the artist's songs: each concerns it as far as its blend is of the trend's genres."""
    shares = {share.genre: share.share for share in identity.genres}
    weighed = [
        (trend, trend.weight * (sum(shares.get(genre, 0.0) for genre in set(trend.genres)) if trend.genres else 1.0))
        for trend in trends
    ]
    concerned = sorted((pair for pair in weighed if pair[1] > 0), key=lambda pair: (-pair[1], pair[0].name))
    return Leaning(identity, openness, tuple(concerned))


def _pulled(value: float, pulls: Sequence[Pull]) -> float:
    """``value`` on its way to where the pulls point together: all of it where their weights make up 1."""
    together = sum(pull.weight for pull in pulls)
    if not together:
        return value
    aim = sum(pull.weight * min(max(value, pull.low), pull.high) for pull in pulls) / together
    return value + (aim - value) * min(1.0, together)
