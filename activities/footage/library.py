"""What hosted libraries of footage share: searching with several words, choosing by the seed, and taking clips until
there are enough."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from activities.footage import plates
from activities.footage.base import FootageBrief, Plate
from activities.footage.searching import searches
from activities.support.engine import Progress
from activities.support.provider import Provider
from models.errors import EngineFailed, MediaRejected, ProviderFault, StudioError

LEAST = 4
"""Plates without which a video would show the same again and again."""
_SPOILT = 6
"""Clips that may be broken before the library is given up."""


@dataclass(frozen=True)
class Rendition:
    """One file of a clip."""

    url: str
    width: int
    height: int


@dataclass(frozen=True)
class Candidate:
    """A clip that a search found."""

    clip: int
    author: str
    page: str
    seconds: float
    renditions: tuple[Rendition, ...]

    def file(self, brief: FootageBrief) -> Rendition | None:
        """The smallest file that is large enough for a plate, else the largest that will do."""
        shape = brief.shape
        usable = [one for one in self.renditions if plates.fits(one.width, one.height, self.seconds, shape)]
        usable.sort(key=lambda one: (min(one.width, one.height), one.url))
        ample = [one for one in usable if min(one.width, one.height) >= plates.SHORT_SIDE]
        return ample[0] if ample else usable[-1] if usable else None


@dataclass(frozen=True)
class Library:
    """One library: its HTTP side, its licence by name, and how it is searched."""

    provider: Provider
    licence: str
    search: Callable[[str, FootageBrief], tuple[Candidate, ...]]

    def find(self, brief: FootageBrief, out: Path, progress: Progress) -> tuple[Plate, ...]:
        """See :class:`~activities.footage.base.FootageEngine`. One unit of progress a plate."""
        self.provider.check_key()
        made: list[Plate] = []
        faults: list[StudioError] = []
        try:
            for candidate in self._candidates(brief):
                progress(len(made), brief.count)
                try:
                    made.append(self._taken(candidate, brief, out / f"plate-{len(made):02d}.mp4"))
                except (ProviderFault, MediaRejected, EngineFailed) as fault:
                    # One broken clip of a library says nothing about the others.
                    faults.append(fault)
                if len(made) == brief.count or len(faults) == _SPOILT:
                    break
            if len(made) < LEAST:
                raise self._too_few(len(made), faults)
            progress(len(made), len(made))
        except BaseException:
            for plate in made:
                plate.video.unlink(missing_ok=True)
            raise
        return tuple(made)

    def _candidates(self, brief: FootageBrief) -> list[Candidate]:
        """What fits of all that the searches find, from each search in turn, in an order by the seed."""
        by_search = []
        for words in searches(brief):
            found = [one for one in self.search(words, brief) if one.file(brief)]
            found.sort(key=lambda one: one.clip)
            random.Random(f"{brief.seed}:{words}").shuffle(found)
            by_search.append(found)
        mixed = [one for row in zip_longest(*by_search) for one in row if one is not None]
        return list({one.clip: one for one in reversed(mixed)}.values())[::-1]

    def _taken(self, candidate: Candidate, brief: FootageBrief, out: Path) -> Plate:
        rendition = candidate.file(brief)
        assert rendition is not None
        received = out.with_suffix(".received")
        try:
            self.provider.download(rendition.url, received)
            name = f"clip {candidate.clip} of {self.provider.name}"
            plates.make_plate(received, brief.shape, brief.fps, out, name)
        finally:
            received.unlink(missing_ok=True)
        return Plate(out, plates.SECONDS, candidate.author, candidate.page, self.licence)

    def _too_few(self, count: int, faults: list[StudioError]) -> StudioError:
        """A passing fault where files broke off; a lack where there is nothing to be had."""
        passing = [fault for fault in faults if isinstance(fault, ProviderFault)]
        if passing:
            return passing[-1]
        spoilt = f"; {len(faults)} were of no use, the last: {faults[-1].message}" if faults else ""
        return EngineFailed(
            f"{self.provider.name} has {count} clips that fit instead of {LEAST}{spoilt}", code="footage.too_few"
        )


def whole(value: Any) -> int:
    """A number of an answer that may be absent or null."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def text(value: Any, longest: int) -> str:
    """A text of an answer that may be absent or null."""
    return " ".join(value.split())[:longest] if isinstance(value, str) else ""


def records(value: Any) -> list[dict[str, Any]]:
    """The objects of an answer's list; whatever else is in it is left out."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def link(value: Any) -> str:
    """A web address, or nothing."""
    address = text(value, 500)
    return address if address.startswith(("https://", "http://")) else ""
