"""``python -m deploy.backtest [--ledger path.csv] [--fates path.csv]``: what the lifecycle makes of a recorded history,
state by state, beside what the original made of it."""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

from deploy.backtest.ledger import Entry, generated, read_fates, read_ledger
from deploy.backtest.lives import Fate, harmed_in_original, lived
from deploy.settings import ROOT
from models.errors import StudioError
from models.lifecycle import LifePolicy, LifeState

DEFAULT = ROOT.parent / "shared" / "data" / "run_ledger.csv"


def report(entries: tuple[Entry, ...], lives: tuple[Fate, ...], fates: dict[str, str]) -> list[str]:
    """The lines to print."""
    now = Counter(fate.state for fate in lives)
    then = Counter(fates[fate.artist].lower() for fate in lives if fate.artist in fates)
    outcomes = Counter(entry.outcome for entry in entries)
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
    lines = [f"{len(entries):,} runs of {len(lives):,} artists: {told}", ""]
    lines.append(f"{'state':<28}{'here':>8}{'original':>10}" if fates else f"{'state':<28}{'here':>8}")
    for state in LifeState:
        lines.append(f"{state.value:<28}{now[state]:>8,}" + (f"{then[state.value]:>10,}" if fates else ""))
    harmed = sum(fate.harmed_by_faults for fate in lives)
    beside = f"{harmed_in_original(fates, lives):>10,}" if fates else ""
    lines.append(f"{'harmed by faults alone':<28}{harmed:>8,}{beside}")
    return lines


def main(arguments: list[str]) -> int:
    """Print the report. 1 where faults alone harmed anybody, 2 where the ledger cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m deploy.backtest", description=__doc__)
    parser.add_argument("--ledger", type=Path, help="CSV: artist, recorded_at, outcome (default: $LEDGER)")
    parser.add_argument("--fates", type=Path, help="CSV: artist, final_state (default: run_fates.csv beside it)")
    given = parser.parse_args(arguments)
    named = given.ledger or (Path(os.environ["LEDGER"]) if os.environ.get("LEDGER") else None)
    try:
        return _show(named, given.fates)
    except StudioError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n{error.action}\n")
        return 2


def _show(named: Path | None, fates: Path | None) -> int:
    ledger = named or DEFAULT
    if named is None and not ledger.exists():
        sys.stdout.write("no ledger lies here: one of the same shape was GENERATED, seed 1\n")
        entries, original = generated(), dict[str, str]()
    else:
        entries = read_ledger(ledger)
        beside = fates or ledger.with_name("run_fates.csv")
        original = read_fates(beside) if fates or beside.exists() else {}
        sys.stdout.write(f"ledger: {ledger.name}\n")
    lives = lived(entries, LifePolicy())
    sys.stdout.write("\n".join(report(entries, lives, original)) + "\n")
    return 1 if any(fate.harmed_by_faults for fate in lives) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
