"""Chance that can be had again: every decision of a song draws from a stream of its own, so that what one part draws
does not change what another does."""

from random import Random


def stream(seed: int, *names: object) -> Random:
    """The stream of that name in the song of ``seed``."""
    return Random("/".join(str(part) for part in (seed, *names)))
