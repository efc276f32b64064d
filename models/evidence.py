"""How sure a few songs make one: intervals and tests for small counts, that reflection and experiments share. Pure, and
equal for equal numbers: what is drawn is drawn from a seed."""

import random
from collections.abc import Sequence
from itertools import combinations
from math import comb
from statistics import NormalDist
from typing import Annotated

from pydantic import Field

from models.base import Contract

_EXACT = 1_000
"""Ways to deal the songs out, up to which every one is tried."""
_DRAWN = 1_000
_TIE = 1e-9


class Interval(Contract):
    """Where the true value lies, nineteen times in twenty."""

    low: Annotated[float, Field(ge=0, le=1)]
    high: Annotated[float, Field(ge=0, le=1)]


def wilson(hits: int, of: int) -> Interval:
    """The 95 % interval of a share (E. B. Wilson 1927): it stays within 0 and 1, and is wide where ``of`` is small."""
    if of == 0:
        return Interval(low=0, high=1)
    z = NormalDist().inv_cdf(0.975)
    share, spread = hits / of, z * z / of
    centre = (share + spread / 2) / (1 + spread)
    reach = z * ((share * (1 - share) + spread / 4) / of) ** 0.5 / (1 + spread)
    return Interval(low=max(0.0, min(share, centre - reach)), high=min(1.0, max(share, centre + reach)))


def bootstrap(values: Sequence[float]) -> Interval | None:
    """The 95 % interval of a mean of values from 0 to 1: percentiles of means drawn with replacement (B. Efron 1979).
    None of fewer than three, of which nothing can be said."""
    if len(values) < 3:
        return None
    draw = random.Random(f"bootstrap:{len(values)}:{sum(values):.9f}")
    means = sorted(sum(draw.choices(values, k=len(values))) / len(values) for _ in range(_DRAWN))
    return Interval(low=max(0.0, means[round(0.025 * _DRAWN)]), high=min(1.0, means[round(0.975 * _DRAWN) - 1]))


def chance(one: Sequence[float], other: Sequence[float]) -> float:
    """How often songs that nothing distinguishes differ in their means as much as these two groups do, in either
    direction: a permutation test (R. A. Fisher 1935). Exact where there are few songs; else by the normal curve that
    sums of samples drawn without replacement come near to. 1 where a group is empty."""
    if not one or not other:
        return 1.0
    together, count = (*one, *other), len(one)
    whole, total = sum(together), len(together)
    middle = whole * count / total
    seen = abs(sum(one) - middle)
    if comb(total, count) <= _EXACT:
        ways = [abs(sum(dealt) - middle) >= seen - _TIE for dealt in combinations(together, count)]
        return sum(ways) / len(ways)
    spread = sum((value - whole / total) ** 2 for value in together) / (total - 1)
    if spread < _TIE:
        return 1.0
    return 2 * NormalDist().cdf(-seen / (spread * count * (total - count) / total) ** 0.5)


def at_least(hits: int, of: int, share: float) -> float:
    """How often at least ``hits`` of ``of`` come up where each does with the probability ``share`` (binomial tail)."""
    return min(1.0, sum(comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(hits, of + 1)))
