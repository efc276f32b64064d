"""The picture of a population: states over time, what people decided, releases, and what moved artists."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from deploy.simulate.population import Outcome
from models.artist import EventKind, LifeEvent
from models.lifecycle import LifeState

COLOURS = {
    LifeState.CANDIDATE: "#9ecae1",
    LifeState.ACTIVE: "#2b8a5f",
    LifeState.EVOLVING: "#f0a83c",
    LifeState.PAUSED: "#8d7fb8",
    LifeState.RETIRED: "#5b5f66",
}
_INK, _FAINT = "#22262b", "#d9dde2"
_SAMPLES = 400


def draw(outcome: Outcome, title: str, out: Path) -> Path:
    """Write ``out`` (PNG)."""
    with plt.rc_context({"font.size": 10, "axes.edgecolor": _FAINT, "axes.titleweight": "bold", "text.color": _INK}):
        figure, axes = plt.subplots(2, 2, figsize=(15, 9), constrained_layout=True)
        figure.suptitle(title, fontsize=15, fontweight="bold", x=0.01, ha="left")
        _states(axes[0][0], outcome)
        _approval(axes[0][1], outcome)
        _releases(axes[1][0], outcome)
        _causes(axes[1][1], outcome)
        for axis in axes.flat:
            axis.spines[["top", "right"]].set_visible(False)
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, dpi=110, facecolor="white")
        plt.close(figure)
    return out


def states_at(events: list[LifeEvent], moments: list[datetime]) -> list[LifeState]:
    """The state of one artist at each of ``moments``, ascending."""
    state, found, moves = LifeState.CANDIDATE, [], [event for event in events if event.kind is EventKind.MOVED]
    for moment in moments:
        while moves and moves[0].at <= moment:
            state = target_of(moves.pop(0))
        found.append(state)
    return found


def target_of(event: LifeEvent) -> LifeState:
    """Where a move led."""
    return LifeState(event.text.split(" → ")[1].split(":")[0])


_YEAR = timedelta(days=365.25)


def _states(axis: Axes, outcome: Outcome) -> None:
    step = (outcome.ended - outcome.began) / _SAMPLES
    moments = [outcome.began + step * index for index in range(_SAMPLES + 1)]
    lives = [states_at(events, moments) for events in outcome.memory.events.values()]
    counts = [[sum(life[index] is state for life in lives) for index in range(len(moments))] for state in LifeState]
    dates = [(moment - outcome.began) / _YEAR for moment in moments]
    axis.stackplot(dates, counts, colors=[COLOURS[state] for state in LifeState], labels=[s.value for s in LifeState])
    axis.set(title="Where artists stand", ylabel="artists", xlim=(dates[0], dates[-1]), ylim=(0, len(lives)))
    axis.legend(loc="lower left", framealpha=0.9, ncols=2)
    axis.set_xlabel("years")


def _by_quarter(outcome: Outcome, kind: EventKind) -> Counter[int]:
    quarter = timedelta(days=365.25 / 4)
    return Counter(
        int((event.at - outcome.began) / quarter)
        for events in outcome.memory.events.values()
        for event in events
        if event.kind is kind
    )


def _quarters(outcome: Outcome) -> tuple[list[int], list[float]]:
    quarter = timedelta(days=365.25 / 4)
    numbers = list(range(max(1, round((outcome.ended - outcome.began) / quarter))))
    return numbers, [(index + 0.5) / 4 for index in numbers]


def _approval(axis: Axes, outcome: Outcome) -> None:
    numbers, dates = _quarters(outcome)
    released, rejected = _by_quarter(outcome, EventKind.RELEASED), _by_quarter(outcome, EventKind.REJECTED)
    decided = [released[index] + rejected[index] for index in numbers]
    share = [100 * released[index] / max(1, count) for index, count in zip(numbers, decided, strict=True)]
    axis.plot(dates, share, color=COLOURS[LifeState.ACTIVE], linewidth=2.5, marker="o", markersize=4)
    axis.set(title="Approved, of what people decided", ylabel="% a quarter", ylim=(0, 100))
    axis.grid(axis="y", color=_FAINT)
    axis.set_xlabel("years")


def _releases(axis: Axes, outcome: Outcome) -> None:
    numbers, dates = _quarters(outcome)
    bottom = [0] * len(numbers)
    kinds = {
        EventKind.RELEASED: ("released", COLOURS[LifeState.ACTIVE]),
        EventKind.REJECTED: ("rejected", "#c8553d"),
        EventKind.LAPSED: ("nobody answered", "#c9b458"),
        EventKind.FAULT: ("fault (made again)", "#a7adb5"),
    }
    for kind, (label, colour) in kinds.items():
        counts = _by_quarter(outcome, kind)
        heights = [counts[index] for index in numbers]
        axis.bar(dates, heights, width=0.2, bottom=bottom, color=colour, label=label)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axis.set(title="How tracks ended", ylabel="tracks a quarter")
    axis.legend(framealpha=0.9)
    axis.set_xlabel("years")


def _causes(axis: Axes, outcome: Outcome) -> None:
    moves = causes(outcome)
    names = sorted({cause for cause, _ in moves}, key=lambda cause: sum(moves[cause, state] for state in LifeState))
    left = [0] * len(names)
    for state in LifeState:
        widths = [moves[cause, state] for cause in names]
        axis.barh(names, widths, left=left, color=COLOURS[state], label=f"to {state.value}")
        left = [low + width for low, width in zip(left, widths, strict=True)]
    for row, total in enumerate(left):
        axis.text(total, row, f" {total}", va="center")
    axis.set(title="What moved artists, and where to (faults and silence: never)", xlabel="moves")
    axis.margins(x=0.08)
    axis.legend(framealpha=0.9, loc="lower right")


def causes(outcome: Outcome) -> Counter[tuple[str, LifeState]]:
    """How often each cause moved an artist, and where to."""
    return Counter(
        (event.cause.value.replace("_", " "), target_of(event))
        for events in outcome.memory.events.values()
        for event in events
        if event.cause is not None
    )
