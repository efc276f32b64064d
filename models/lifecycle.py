"""The lifecycle of an artist: what may become of one, and why, as a pure function over counted facts. Decisions and
audience count; faults, outages and unanswered questions are kept apart and never move an artist."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from models.approval import Principal
from models.base import Contract, Note
from models.errors import Conflict, InvalidInput
from models.music import Bpm, Genre, Mode

AUTOPILOT = "autopilot"
"""Who decides where a decision within policy is taken by the house."""

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=1, le=3_650)]


class LifeState(StrEnum):
    """Where an artist stands. Retired is final."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    EVOLVING = "evolving"
    PAUSED = "paused"
    RETIRED = "retired"


class Cause(StrEnum):
    """Why an artist moves. There is none for a fault, nor for silence."""

    APPROVED_OFTEN = "approved_often"
    HEARD_GLADLY = "heard_gladly"
    APPROVED_SELDOM = "approved_seldom"
    HEARD_UNGLADLY = "heard_ungladly"
    REFUSED = "refused"
    """Approved so seldom that it rests."""
    INACTIVE = "inactive"
    PROVED = "proved"
    """The trial tracks were better than what was before."""
    ROLLED_BACK = "rolled_back"
    """They were not: a failed evolution."""
    UNPROVEN = "unproven"
    """Nothing could be learnt from them: rolled back, and not counted."""
    PERSON = "person"
    IDEA = "idea"
    RECOVERED = "recovered"
    RESTED = "rested"
    REJECTED_IN_A_ROW = "rejected_in_a_row"
    EVOLUTIONS_FAILED = "evolutions_failed"
    RESTED_TOO_OFTEN = "rested_too_often"


_C, _S = Cause, LifeState
_HARDSHIP = {
    _S.EVOLVING: frozenset({_C.APPROVED_SELDOM, _C.HEARD_UNGLADLY}),
    _S.PAUSED: frozenset({_C.REFUSED, _C.INACTIVE, _C.PERSON}),
    _S.RETIRED: frozenset({_C.REJECTED_IN_A_ROW, _C.PERSON}),
}
_SETTLED = frozenset({_C.PROVED, _C.ROLLED_BACK, _C.UNPROVEN})
_AWAKE = frozenset({_C.PERSON, _C.IDEA, _C.RECOVERED, _C.RESTED})

LEGAL: dict[LifeState, dict[LifeState, frozenset[Cause]]] = {
    _S.CANDIDATE: {**_HARDSHIP, _S.ACTIVE: frozenset({_C.APPROVED_OFTEN, _C.HEARD_GLADLY})},
    _S.ACTIVE: _HARDSHIP,
    _S.EVOLVING: {
        _S.CANDIDATE: _SETTLED,
        _S.ACTIVE: _SETTLED,
        _S.PAUSED: frozenset({_C.PERSON}),
        _S.RETIRED: frozenset({_C.EVOLUTIONS_FAILED, _C.PERSON}),
    },
    _S.PAUSED: {
        _S.CANDIDATE: _AWAKE,
        _S.ACTIVE: _AWAKE,
        _S.EVOLVING: _AWAKE,
        _S.RETIRED: frozenset({_C.RESTED_TOO_OFTEN, _C.PERSON}),
    },
    _S.RETIRED: {},
}
"""What may follow each state, and for which causes. Whatever is not here is refused."""


class LifePolicy(Contract):
    """The thresholds an artist is judged by. :func:`check_policy` finds those that contradict each other."""

    window_days: Days = 30
    reach_days: Days = 365
    """A slow artist's window reaches back this far for its ``min_decisions``."""
    min_decisions: Annotated[int, Field(ge=1, le=100)] = 10
    pause_below: Share = 0.20
    evolve_below: Share = 0.40
    promote_above: Share = 0.85
    min_heard: Annotated[int, Field(ge=1, le=50)] = 5
    """Releases with enough listeners before the audience counts."""
    min_listeners: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """Listeners from which on a release's figures mean something."""
    audience_evolve_below: Share = 0.25
    audience_promote_above: Share = 0.70
    inactive_days: Days = 45
    rest_days: Days = 30
    """How long an artist rests that was refused; then it tries again."""
    rest_retire_days: Days = 90
    """Days at rest for verdicts, all rests since the last success together, after which it retires."""
    rejections_retire: Annotated[int, Field(ge=1, le=100)] = 5
    """In a row, by people."""
    trial_tracks: Annotated[int, Field(ge=1, le=20)] = 4
    trial_margin: Share = 0.10
    """By how much trial tracks have to be approved more often; within it the audience decides."""
    hearing_days: Days = 14
    """How long the audience of trial tracks is waited for where approval alone does not tell."""
    failed_evolutions_retire: Annotated[int, Field(ge=1, le=100)] = 3
    """In a row."""
    openness: Share = 0.25
    """How far beyond its habits trends may lead its songs; at 0 never."""


def check_policy(policy: LifePolicy, gap: timedelta = timedelta(0)) -> None:
    """Refuse thresholds that contradict each other, or the least time between two tracks.

    Raises InvalidInput that names every contradiction.
    """
    rules = (
        (policy.pause_below < policy.evolve_below, "pause_below must be below evolve_below: no artist would evolve"),
        (
            policy.evolve_below < policy.promote_above,
            "evolve_below must be below promote_above: one figure would promote and evolve",
        ),
        (
            policy.audience_evolve_below < policy.audience_promote_above,
            "audience_evolve_below must be below audience_promote_above",
        ),
        (policy.window_days <= policy.reach_days, "reach_days must be at least window_days"),
        (
            policy.rest_days <= policy.rest_retire_days,
            "rest_days must be at most rest_retire_days: an artist would retire before its first rest is over",
        ),
        (
            policy.hearing_days <= policy.reach_days,
            "hearing_days must be at most reach_days: what is waited for would not count",
        ),
        (
            gap * policy.min_decisions <= timedelta(days=policy.reach_days),
            f"{policy.min_decisions} decisions (min_decisions) never fall into {policy.reach_days} days (reach_days) "
            f"with {gap.total_seconds() / 86_400:g} days between tracks",
        ),
    )
    wrong = [words for holds, words in rules if not holds]
    if wrong:
        raise InvalidInput(
            f"the thresholds contradict each other: {'; '.join(wrong)}",
            field="policy",
            code="artist.policy",
            action="Change the named thresholds together.",
        )


class Ending(StrEnum):
    """How a track ended, as far as its artist is concerned. Only the first two are decisions."""

    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    """Nobody answered: not a no."""
    FAULT = "fault"
    """It could not be made or sent: not the artist's."""
    WITHDRAWN = "withdrawn"
    """Called off by a person."""

    @property
    def decided(self) -> bool:
        """Whether somebody judged it."""
        return self in {Ending.APPROVED, Ending.REJECTED}


class Traits(Contract):
    """What a song was like, for finding out what goes down well."""

    genre: Genre
    tempo_bpm: Bpm
    mode: Mode
    energy: Share
    theme: Annotated[str, Field(max_length=40)]
    variant: Annotated[str, Field(max_length=130)] = ""


class Run(Contract):
    """A track that ended: a typed fact."""

    at: AwareDatetime
    number: Annotated[int, Field(ge=1, le=100_000)]
    ending: Ending
    version: Annotated[int, Field(ge=1, le=10_000)] = 1
    trial: bool = False
    by: Annotated[str, Field(max_length=80)] = ""
    """Who decided: a person, or :data:`AUTOPILOT`."""
    reason: Annotated[str, Field(max_length=80)] = ""
    """The reason code of a rejection, the error code of a fault."""
    traits: Traits | None = None

    @property
    def judged(self) -> bool:
        """Whether a person decided: the autopilot only says that every figure holds."""
        return self.ending.decided and self.by != AUTOPILOT


class Heard(Contract):
    """How the audience took a release, over all platforms so far."""

    number: Annotated[int, Field(ge=1, le=100_000)]
    as_of: AwareDatetime
    listeners: Annotated[int, Field(ge=0)]
    score: Share
    """0 is turned off at once, 1 is kept and played again."""


class Facts(Contract):
    """What an artist is judged on, and what excuses it. Bounded: the latest of each."""

    runs: Annotated[tuple[Run, ...], Field(max_length=100)] = ()
    """In the order in which they ended."""
    heard: Annotated[tuple[Heard, ...], Field(max_length=60)] = ()
    """One a release, by number."""
    last_active: AwareDatetime
    """When it last made, tried, was asked about, or was told something."""
    last_idea: AwareDatetime | None = None
    excused: bool = False
    """A track is under way, a question open, a fault unmended or the budget spent: no inactivity of its own."""


class Before(Contract):
    """How the identity did that an evolution sets out to better. None where nothing is known."""

    approval: Share | None
    audience: Share | None


class Standing(Contract):
    """Where an artist stands and what that has to remember."""

    state: LifeState = LifeState.CANDIDATE
    since: AwareDatetime
    cause: Cause = Cause.PERSON
    reason: Note = ""
    who: Principal = "house"
    counted_from: AwareDatetime
    """Facts before this moment have led to their verdict already."""
    home: LifeState = LifeState.CANDIDATE
    """What it returns to from evolving and, where it was evolving, from a pause too."""
    until: AwareDatetime | None = None
    """When a pause ends by itself."""
    awaits_provider: bool = False
    """Paused until a provider has recovered."""
    before: Before | None = None
    interrupted: bool = False
    """A pause came while it was evolving: the trial goes on afterwards."""
    failed_evolutions: Annotated[int, Field(ge=0, le=1_000)] = 0
    rested_days: Annotated[float, Field(ge=0)] = 0
    """At rest for verdicts since the last success."""


class Move(Contract):
    """From one state to another, for a cause, in words, by somebody (``house``: the rules)."""

    source: LifeState
    target: LifeState
    cause: Cause
    reason: Note
    who: Principal = "house"
    until: AwareDatetime | None = None
    awaits_provider: bool = False


def check_move(move: Move) -> None:
    """Raise Conflict for a move that is not in :data:`LEGAL`."""
    if move.cause not in LEGAL[move.source].get(move.target, frozenset()):
        raise Conflict(
            f"an artist that is {move.source.value} cannot become {move.target.value} ({move.cause.value})",
            code="artist.retired" if move.source is LifeState.RETIRED else "artist.move",
        )


def share_approved(runs: Sequence[Run]) -> float | None:
    """The share of people's decisions that were approvals; None without any."""
    judged = [run for run in runs if run.judged]
    return sum(run.ending is Ending.APPROVED for run in judged) / len(judged) if judged else None


def mean_score(heard: Sequence[Heard], policy: LifePolicy) -> float | None:
    """The mean score of those with enough listeners; None without any."""
    scores = [one.score for one in heard if one.listeners >= policy.min_listeners]
    return sum(scores) / len(scores) if scores else None


def window(standing: Standing, facts: Facts, now: datetime, policy: LifePolicy) -> tuple[Run, ...]:
    """People's decisions that count now: of the last ``window_days``, or the last ``min_decisions`` where those are
    fewer, none older than ``reach_days`` or than what was judged before."""
    from_ = max(standing.counted_from, now - timedelta(days=policy.reach_days))
    judged = [run for run in facts.runs if run.judged and not run.trial and run.at > from_]
    recent = [run for run in judged if run.at > now - timedelta(days=policy.window_days)]
    return tuple(recent if len(recent) >= policy.min_decisions else judged[-policy.min_decisions :])


def rejections_in_a_row(standing: Standing, facts: Facts) -> int:
    """People's latest decisions that were rejections. What was not decided neither counts nor interrupts."""
    count = 0
    for run in reversed(facts.runs):
        if run.judged and not run.trial and run.at > standing.counted_from:
            if run.ending is not Ending.REJECTED:
                break
            count += 1
    return count


def audience(standing: Standing, facts: Facts, policy: LifePolicy) -> float | None:
    """The mean score of releases since the last verdict; None where too few were heard by enough."""
    numbers = {run.number for run in facts.runs if not run.trial and run.at > standing.counted_from}
    told = [one for one in facts.heard if one.number in numbers and one.listeners >= policy.min_listeners]
    return mean_score(told, policy) if len(told) >= policy.min_heard else None


def judge(standing: Standing, facts: Facts, now: datetime, policy: LifePolicy) -> Move | None:
    """The move that the facts call for now, if any: the gravest first. Pure; never for faults, never for silence."""
    match standing.state:
        case LifeState.CANDIDATE | LifeState.ACTIVE:
            return _at_work(standing, facts, now, policy)
        case LifeState.EVOLVING:
            return _on_trial(standing, facts, now, policy)
        case LifeState.PAUSED:
            return _at_rest(standing, facts, now, policy)
        case LifeState.RETIRED:
            return None


def _at_work(standing: Standing, facts: Facts, now: datetime, policy: LifePolicy) -> Move | None:
    def move(target: LifeState, cause: Cause, reason: str) -> Move:
        return Move(source=standing.state, target=target, cause=cause, reason=reason)

    row = rejections_in_a_row(standing, facts)
    if row >= policy.rejections_retire:
        return move(LifeState.RETIRED, Cause.REJECTED_IN_A_ROW, f"{row} tracks in a row were rejected")
    counted = window(standing, facts, now, policy)
    share = share_approved(counted)
    if share is not None and len(counted) >= policy.min_decisions:
        words = f"{share:.0%} of {len(counted)} decisions were approvals"
        if share < policy.pause_below:
            rest = move(LifeState.PAUSED, Cause.REFUSED, f"{words}, fewer than {policy.pause_below:.0%}")
            return rest.model_copy(update={"until": now + timedelta(days=policy.rest_days)})
        if share < policy.evolve_below:
            return move(LifeState.EVOLVING, Cause.APPROVED_SELDOM, f"{words}, fewer than {policy.evolve_below:.0%}")
        if share > policy.promote_above and standing.state is LifeState.CANDIDATE:
            return move(LifeState.ACTIVE, Cause.APPROVED_OFTEN, f"{words}, more than {policy.promote_above:.0%}")
    score = audience(standing, facts, policy)
    if score is not None and score < policy.audience_evolve_below:
        words = f"the audience's score is {score:.2f}, below {policy.audience_evolve_below:.2f}"
        return move(LifeState.EVOLVING, Cause.HEARD_UNGLADLY, words)
    if score is not None and score > policy.audience_promote_above and standing.state is LifeState.CANDIDATE:
        words = f"the audience's score is {score:.2f}, above {policy.audience_promote_above:.2f}"
        return move(LifeState.ACTIVE, Cause.HEARD_GLADLY, words)
    if not facts.excused and now - max(facts.last_active, standing.since) >= timedelta(days=policy.inactive_days):
        return move(LifeState.PAUSED, Cause.INACTIVE, f"nothing was made in {policy.inactive_days} days")
    return None


def _trials(standing: Standing, facts: Facts) -> tuple[Run, ...]:
    return tuple(run for run in facts.runs if run.trial and run.ending.decided and run.at > standing.counted_from)


def _on_trial(standing: Standing, facts: Facts, now: datetime, policy: LifePolicy) -> Move | None:
    """What the trial tracks prove, once enough are decided; those that failed or lapsed are made again."""
    trials = _trials(standing, facts)
    if len(trials) < policy.trial_tracks:
        return None
    before = standing.before or Before(approval=None, audience=None)
    approval = share_approved(trials)
    if approval is not None and before.approval is not None:
        words = f"{approval:.0%} of {len(trials)} trial tracks were approved, {before.approval:.0%} before"
        if approval > before.approval + policy.trial_margin:
            return _settled(standing, Cause.PROVED, words, policy)
        if approval < before.approval - policy.trial_margin or approval == 0:
            return _settled(standing, Cause.ROLLED_BACK, words, policy)
    numbers = {run.number for run in trials}
    score = mean_score([one for one in facts.heard if one.number in numbers], policy)
    heard_out = now - trials[-1].at >= timedelta(days=policy.hearing_days)
    if score is None or before.audience is None:
        if not heard_out:
            return None
        return _settled(standing, Cause.UNPROVEN, "approval alone does not tell, and no audience was there", policy)
    if not heard_out:
        return None
    words = f"the audience's score of the trial tracks is {score:.2f}, {before.audience:.2f} before"
    return _settled(standing, Cause.PROVED if score > before.audience else Cause.ROLLED_BACK, words, policy)


def _settled(standing: Standing, cause: Cause, words: str, policy: LifePolicy) -> Move:
    failed = standing.failed_evolutions + 1
    if cause is Cause.ROLLED_BACK and failed >= policy.failed_evolutions_retire:
        return Move(
            source=standing.state,
            target=LifeState.RETIRED,
            cause=Cause.EVOLUTIONS_FAILED,
            reason=f"{failed} evolutions in a row have failed; in the last, {words}",
        )
    return Move(source=standing.state, target=standing.home, cause=cause, reason=words)


def _at_rest(standing: Standing, facts: Facts, now: datetime, policy: LifePolicy) -> Move | None:
    def awake(cause: Cause, reason: str) -> Move:
        changed = standing.cause is Cause.REFUSED or standing.interrupted
        target = LifeState.EVOLVING if changed else standing.home
        return Move(source=standing.state, target=target, cause=cause, reason=reason)

    if standing.cause is Cause.PERSON and standing.until is None:
        # Whom a person has paused waits for a person, or for the provider that was named: however long.
        return None
    if standing.cause in {Cause.REFUSED, Cause.INACTIVE} and facts.last_idea and facts.last_idea > standing.since:
        return awake(Cause.IDEA, "somebody had an idea")
    if standing.until is None or now < standing.until:
        return None
    rested = standing.rested_days + _rested(standing, now)
    if standing.cause is Cause.REFUSED and rested >= policy.rest_retire_days:
        return Move(
            source=standing.state,
            target=LifeState.RETIRED,
            cause=Cause.RESTED_TOO_OFTEN,
            reason=f"{rested:.0f} days at rest without a success between them",
        )
    return awake(Cause.RESTED, "the rest is over")


def _rested(standing: Standing, now: datetime) -> float:
    """Days at rest: no more than the rest was to take, for whatever wakes it later is no fault of the artist's. A clock
    that was put back counts as none."""
    until = now if standing.until is None else min(now, standing.until)
    return max(0.0, (until - standing.since) / timedelta(days=1))


def before_of(standing: Standing, facts: Facts, now: datetime, policy: LifePolicy) -> Before:
    """How the present identity does, for its successor to better."""
    numbers = {run.number for run in facts.runs if not run.trial and run.at > standing.counted_from}
    heard = [one for one in facts.heard if one.number in numbers]
    return Before(
        approval=share_approved(window(standing, facts, now, policy)),
        audience=mean_score(heard, policy),
    )


def moved(standing: Standing, move: Move, facts: Facts, now: datetime, policy: LifePolicy) -> Standing:
    """The standing after ``move``. Raises Conflict where it is illegal."""
    if move.source is not standing.state:
        raise Conflict(f"the artist is {standing.state.value}, not {move.source.value}", code="artist.move")
    check_move(move)
    rested = standing.rested_days
    if standing.state is LifeState.PAUSED and standing.cause is Cause.REFUSED:
        rested += _rested(standing, now)
    failed = standing.failed_evolutions
    if move.cause in {Cause.PROVED, Cause.APPROVED_OFTEN, Cause.HEARD_GLADLY}:
        failed, rested = 0, 0.0
    elif move.cause in {Cause.ROLLED_BACK, Cause.EVOLUTIONS_FAILED}:
        failed += 1
    home = standing.home if move.source in {LifeState.EVOLVING, LifeState.PAUSED} else move.source
    evolves = move.target is LifeState.EVOLVING
    interrupts = move.target is LifeState.PAUSED and move.source is LifeState.EVOLVING
    goes_on = evolves and standing.interrupted
    before = standing.before if interrupts or goes_on else None
    if evolves and not goes_on:
        before = standing.before or before_of(standing, facts, now, policy)
    if move.cause is Cause.REFUSED:
        # What it did before its rest is what it has to better after it.
        before = before_of(standing, facts, now, policy)
    return Standing(
        state=move.target,
        since=now,
        cause=move.cause,
        reason=move.reason,
        who=move.who,
        counted_from=standing.counted_from if interrupts or goes_on else now,
        home=move.target if move.target in {LifeState.CANDIDATE, LifeState.ACTIVE} else home,
        until=move.until,
        awaits_provider=move.awaits_provider,
        before=before,
        interrupted=interrupts,
        failed_evolutions=failed,
        rested_days=rested,
    )


def wakes_at(standing: Standing, facts: Facts, policy: LifePolicy) -> datetime | None:
    """The next moment at which time alone may move the artist; None where it may not."""
    match standing.state:
        case LifeState.CANDIDATE | LifeState.ACTIVE:
            if facts.excused:
                return None
            return max(facts.last_active, standing.since) + timedelta(days=policy.inactive_days)
        case LifeState.EVOLVING:
            trials = _trials(standing, facts)
            if len(trials) < policy.trial_tracks:
                return None
            return trials[-1].at + timedelta(days=policy.hearing_days)
        case LifeState.PAUSED:
            return standing.until
        case LifeState.RETIRED:
            return None
