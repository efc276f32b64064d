"""Experiments: which variant a song is, and what the songs so far say about the variants, no louder than they can.
Pure."""

import random
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AwareDatetime, Field

from models.base import Contract, Slug
from models.evidence import Interval, bootstrap, chance, wilson
from models.lifecycle import Ending, Heard, Run
from models.outlook import Assignment, Experiment, Variant, assignment_key
from models.reflection import EFFECT, LEAST, Proposal, successes

ENOUGH = 6
"""Decided or heard songs of a variant, below which nothing is said of it."""
DOUBT = 0.05
"""How often variants that nothing distinguishes may be told apart, over all of an experiment's comparisons together."""


def assigned(experiment: Experiment, artist: str, number: int) -> Assignment:
    """How song ``number`` of the artist is made: in each block of as many songs as there are variants every variant
    comes once, in an order drawn from the experiment's seed. A song that is tried again keeps its variant."""
    block, place = divmod(number - 1, len(experiment.variants))
    order = list(experiment.variants)
    random.Random(f"experiment:{experiment.seed}:{experiment.name}:{artist}:{block}").shuffle(order)
    return Assignment(experiment=experiment.name, variant=order[place])


class Outcome(Contract):
    """A song of an experiment, as far as it has come."""

    variant: Slug
    run: Run | None = None
    """Where somebody judged it."""
    heard: Heard | None = None


class VariantResult(Contract):
    """What is known of a variant. Songs that failed, lapsed or were called off say nothing."""

    variant: Variant
    under_way: Annotated[int, Field(ge=0)]
    decided: Annotated[int, Field(ge=0)]
    approved: Annotated[int, Field(ge=0)]
    approval: Annotated[float, Field(ge=0, le=1)] | None
    approval_within: Interval
    """95 % (Wilson)."""
    heard: Annotated[int, Field(ge=0)]
    """Releases with enough listeners."""
    score: Annotated[float, Field(ge=0, le=1)] | None
    score_within: Interval | None
    """95 % (bootstrap); None of fewer than three."""
    counted: Annotated[int, Field(ge=0)]
    """Songs that were decided or heard."""
    success: Annotated[float, Field(ge=0, le=1)] | None
    difference: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Of success, to the first variant."""
    chance: Annotated[float, Field(ge=0, le=1)] | None = None
    """How often chance alone makes a difference as large (permutation test); None of too few songs."""


class ExperimentResult(Contract):
    """What an experiment says by now."""

    variants: Annotated[tuple[VariantResult, ...], Field(max_length=6)]
    complete: bool
    """Every variant has its songs."""
    conclusion: Annotated[str, Field(max_length=600)]
    winner: Slug | None = None
    finding: Proposal | None = None
    """What evolution may take up: only where a change did better than none, and chance would seldom do as much."""
    as_of: AwareDatetime


def results(
    experiment: Experiment,
    songs: Sequence[Outcome],
    under_way: Mapping[str, int],
    min_listeners: int,
    as_of: AwareDatetime,
) -> ExperimentResult:
    """The variants compared with the first of them, which should be the one without a change."""
    of = {variant.name: _successes(songs, variant.name, min_listeners) for variant in experiment.variants}
    base = of[experiment.variants[0].name]
    found = tuple(
        _result(variant, songs, of[variant.name], base, under_way.get(variant.name, 0), min_listeners, first=index == 0)
        for index, variant in enumerate(experiment.variants)
    )
    winner = _winner(found)
    return ExperimentResult(
        variants=found,
        complete=all(one.counted >= experiment.tracks_per_variant for one in found),
        conclusion=_conclusion(found, winner)[:600],
        winner=winner.variant.name if winner else None,
        finding=_finding(experiment, found, winner),
        as_of=as_of,
    )


def _successes(songs: Sequence[Outcome], variant: str, min_listeners: int) -> list[float]:
    found = []
    for song in songs:
        if song.variant == variant and song.run is not None:
            heard = (song.heard,) if song.heard else ()
            found += [success for _, success in successes((song.run,), heard, min_listeners)]
    return found


def _result(
    variant: Variant,
    songs: Sequence[Outcome],
    mine: Sequence[float],
    base: Sequence[float],
    under_way: int,
    min_listeners: int,
    *,
    first: bool,
) -> VariantResult:
    own = [song for song in songs if song.variant == variant.name]
    judged = [song.run for song in own if song.run is not None and song.run.judged]
    approved = sum(run.ending is Ending.APPROVED for run in judged)
    scores = [song.heard.score for song in own if song.heard is not None and song.heard.listeners >= min_listeners]
    comparable = not first and min(len(mine), len(base)) >= max(ENOUGH, LEAST)
    return VariantResult(
        variant=variant,
        under_way=under_way,
        decided=len(judged),
        approved=approved,
        approval=approved / len(judged) if judged else None,
        approval_within=wilson(approved, len(judged)),
        heard=len(scores),
        score=sum(scores) / len(scores) if scores else None,
        score_within=bootstrap(scores),
        counted=len(mine),
        success=sum(mine) / len(mine) if mine else None,
        difference=sum(mine) / len(mine) - sum(base) / len(base) if comparable else None,
        chance=min(1.0, chance(mine, base)) if comparable else None,
    )


def _winner(found: Sequence[VariantResult]) -> VariantResult | None:
    """The variant that is told apart from the first and did best; the first where it is told apart from every other
    and did better."""
    doubt = DOUBT / (len(found) - 1)
    apart = [
        one
        for one in found[1:]
        if one.chance is not None
        and one.difference is not None
        and one.chance <= doubt
        and abs(one.difference) >= EFFECT
    ]
    better = [one for one in apart if (one.difference or 0) > 0]
    if better:
        return max(better, key=lambda one: (one.difference or 0, one.variant.name))
    return found[0] if len(apart) == len(found) - 1 else None


def _conclusion(found: Sequence[VariantResult], winner: VariantResult | None) -> str:
    short = [one for one in found if one.counted < ENOUGH]
    if winner is not None and winner is not found[0]:
        base = found[0]
        words = f"{winner.variant.name} did better than {base.variant.name} by {winner.difference:.2f}"
        words += (
            f" ({winner.counted} songs against {base.counted}; chance does as much {winner.chance:.1%} of the time)"
        )
    elif winner is not None:
        words = f"{winner.variant.name} did better than every other variant"
    elif short:
        words = "too little evidence: " + ", ".join(f"{one.counted} songs of {one.variant.name}" for one in short)
        return f"{words}; at least {ENOUGH} of each are needed before anything is said"
    else:
        words = "no difference was found that chance does not make as easily; that is no proof that there is none"
    return words + (f". Too few songs yet of {', '.join(one.variant.name for one in short)}" if short else "")


def _finding(experiment: Experiment, found: Sequence[VariantResult], winner: VariantResult | None) -> Proposal | None:
    """A proposal, where the first variant is the artist as it is and a changed one won."""
    base = experiment.variants[0]
    if winner is None or winner.difference is None or winner.variant.change is None or base.change is not None:
        return None
    return Proposal(
        change=winner.variant.change,
        subject=winner.variant.subject,
        reason=f"experiment {experiment.name}: {_conclusion(found, winner)}"[:2_000],
        songs=winner.counted + found[0].counted,
        effect=min(1.0, winner.difference),
        experiment=assignment_key(experiment.name, winner.variant.name),
    )
