"""Cutting what is too long for one call of a model, where a listener expects a pause. Shared by all speech engines."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from activities.speech.normalise import SpokenWord

T = TypeVar("T")

GAPS_MS = {"": 40, ",": 180, ";": 240, ":": 240, "—": 240, "…": 380, ".": 320, "!": 320, "?": 320}
"""Silence between two pieces of one sentence, by the mark they are parted at."""
_COSTS = {".": 0, "!": 0, "?": 0, "…": 0, ";": 10, ":": 10, "—": 10, ",": 25}
_COST_BETWEEN_WORDS = 120


def said_alike(items: Sequence[T], word: Callable[[T], SpokenWord]) -> list[list[T]]:
    """Runs of ``items`` with one rate and no pause asked for inside: what a model without finer inputs says at once."""
    runs: list[list[T]] = []
    for item in items:
        before = word(runs[-1][-1]) if runs else None
        if before is None or before.pause_after_ms or before.rate != word(item).rate:
            runs.append([])
        runs[-1].append(item)
    return runs


def shorten(
    items: Sequence[T], length: Callable[[T], int], mark: Callable[[T], str], limit: int
) -> list[tuple[T, ...]]:
    """``items`` in pieces of at most ``limit`` together, halved near the middle, rather at a mark than between words. A
    single item may be longer."""
    total = sum(map(length, items))
    if total <= limit or len(items) == 1:
        return [tuple(items)]
    reached = 0
    best = (float("inf"), 1)
    for at, item in enumerate(items[:-1], start=1):
        reached += length(item)
        best = min(best, (abs(reached - total / 2) + _COSTS.get(mark(item), _COST_BETWEEN_WORDS), at))
    cut = best[1]
    return shorten(items[:cut], length, mark, limit) + shorten(items[cut:], length, mark, limit)
