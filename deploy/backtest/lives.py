"""Living through a ledger: each artist's runs as facts, and the rules after each of them and every day until the
ledger's end; once as it was recorded, and once as it would have been without its faults."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.backtest.ledger import Entry
from models.lifecycle import Ending, Facts, LifePolicy, LifeState, Run, Standing, judge, moved

_HARM = frozenset({LifeState.PAUSED, LifeState.RETIRED})


@dataclass(frozen=True)
class Fate:
    """What became of an artist."""

    artist: str
    state: LifeState
    runs: int
    faults: int
    decisions: int
    harmed: bool
    """Whether it was ever paused or retired."""
    harmed_by_faults: bool
    """Whether that would not have been, had there been no faults."""


def lived(entries: Iterable[Entry], policy: LifePolicy) -> tuple[Fate, ...]:
    """The fate of each artist of a ledger, by name."""
    runs: dict[str, list[Entry]] = defaultdict(list)
    end = datetime.min
    for entry in sorted(entries, key=lambda entry: entry.at):
        runs[entry.artist].append(entry)
        end = entry.at
    return tuple(_fate(artist, told, end, policy) for artist, told in sorted(runs.items()))


def _fate(artist: str, told: list[Entry], end: datetime, policy: LifePolicy) -> Fate:
    sound = [entry for entry in told if entry.ending is not Ending.FAULT]
    born = told[0].at
    state, harmed = _life(told, born, end, policy)
    _, harmed_anyway = _life(sound, born, end, policy)
    return Fate(
        artist=artist,
        state=state,
        runs=len(told),
        faults=len(told) - len(sound),
        decisions=sum(entry.ending.decided for entry in told),
        harmed=harmed,
        harmed_by_faults=harmed and not harmed_anyway,
    )


def _life(told: list[Entry], born: datetime, end: datetime, policy: LifePolicy) -> tuple[LifeState, bool]:
    """The last state, and whether it was ever paused or retired."""
    standing = Standing(since=born - timedelta(seconds=1), counted_from=born - timedelta(seconds=1))
    facts, harmed, now = Facts(last_active=born), False, born
    for number, entry in enumerate(told, start=1):
        while now < entry.at:
            standing, hurt = _judged(standing, facts, now, policy)
            harmed, now = harmed or hurt, min(now + timedelta(days=1), entry.at)
        ending = entry.ending
        by = "reviewer" if ending.decided else ""
        run = Run(at=entry.at, number=number, ending=ending, by=by, reason=entry.outcome)
        # Whoever waits for a provider to recover is not idle: the incident is open until a run ends otherwise.
        changes = {"runs": (*facts.runs, run)[-100:], "last_active": now, "excused": ending is Ending.FAULT}
        facts = facts.model_copy(update=changes)
        standing, hurt = _judged(standing, facts, now, policy)
        harmed = harmed or hurt
    while now < end:
        now = min(now + timedelta(days=1), end)
        standing, hurt = _judged(standing, facts, now, policy)
        harmed = harmed or hurt
    return standing.state, harmed


def _judged(standing: Standing, facts: Facts, now: datetime, policy: LifePolicy) -> tuple[Standing, bool]:
    """The standing after every move the rules call for, and whether one of them was to rest or to retire."""
    harmed = False
    while (move := judge(standing, facts, now, policy)) is not None:
        standing = moved(standing, move, facts, now, policy)
        harmed = harmed or standing.state in _HARM
    return standing, harmed


def harmed_in_original(fates: Mapping[str, str], lives: Iterable[Fate]) -> int:
    """Artists that the original had paused or retired though, by the ledger, nobody ever decided about them."""
    undecided = {fate.artist for fate in lives if fate.decisions == 0}
    return sum(state.lower() in {harm.value for harm in _HARM} for name, state in fates.items() if name in undecided)
