"""``python -m deploy.simulate --artists 50 --years 10 --seed 1``: live a population, print its fates, draw them."""

import argparse
import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

from deploy.settings import ROOT
from deploy.simulate.picture import causes, draw
from deploy.simulate.population import Outcome, live
from models.artist import EventKind
from models.errors import StudioError
from models.lifecycle import LifePolicy, LifeState


def report(outcome: Outcome) -> list[str]:
    """The lines to print."""
    lives = outcome.memory.lives.values()
    states = Counter(life.state for life in lives)
    kinds = Counter(event.kind for events in outcome.memory.events.values() for event in events)
    lines = [f"{state.value:<28}{states[state]:>8,}" for state in LifeState]
    lines += [
        "",
        f"{'releases':<28}{kinds[EventKind.RELEASED]:>8,}",
        f"{'rejections':<28}{kinds[EventKind.REJECTED]:>8,}",
    ]
    lines += [
        f"{'questions nobody answered':<28}{kinds[EventKind.LAPSED]:>8,}",
        f"{'faults':<28}{kinds[EventKind.FAULT]:>8,}",
    ]
    lines += [
        "",
        *(f"{f'{cause} → {to.value}':<32}{count:>6,}" for (cause, to), count in causes(outcome).most_common()),
    ]
    lines += ["", f"{'seconds':<28}{outcome.seconds:>8.0f}", f"{'audience reports':<28}{outcome.reports:>8,}"]
    return lines


async def main(arguments: list[str]) -> int:
    """Simulate, print, draw. 2 where the server is not installed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.simulate", description=__doc__)
    parser.add_argument("--artists", type=int, default=50)
    parser.add_argument("--years", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gap-days", type=float, default=28, help="days between two tracks of an artist")
    parser.add_argument("--out", type=Path, default=ROOT / ".studio" / "simulation.png")
    given = parser.parse_args(arguments)
    try:
        outcome = await live(given.artists, given.years, given.seed, LifePolicy(), given.gap_days)
    except StudioError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n{error.action}\n")
        return 2
    sys.stdout.write("\n".join(report(outcome)) + "\n")
    title = f"{given.artists} artists, {given.years:g} years, seed {given.seed}: a synthetic audience"
    sys.stdout.write(f"picture: {draw(outcome, title, given.out)}\n")
    return 0


if __name__ == "__main__":
    code = asyncio.run(main(sys.argv[1:]))
    sys.stdout.flush()
    # A client's native threads may abort an interpreter that ends at once (temporalio/sdk-python#300).
    os._exit(code)
