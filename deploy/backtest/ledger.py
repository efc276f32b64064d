"""The ledger of recorded runs and the fates that went with it: read line by line, or generated in the same shape."""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.errors import InvalidInput, UnknownReference
from models.lifecycle import Ending

COLUMNS = ("artist", "recorded_at", "outcome")
FATE_COLUMNS = ("artist", "final_state")


_ENDINGS = {
    "approved": Ending.APPROVED,
    "rejected": Ending.REJECTED,
    "aborted": Ending.WITHDRAWN,
    "failed_to_send": Ending.FAULT,
}
_FAILED = "generation_failed_"


def ending_of(outcome: str) -> Ending | None:
    """What an outcome is to an artist: a decision, a fault (``generation_failed_`` and whatever failed), or called off,
    which is nobody's verdict. None for an outcome nobody knows."""
    return Ending.FAULT if outcome.startswith(_FAILED) else _ENDINGS.get(outcome)


@dataclass(frozen=True)
class Entry:
    """A recorded run."""

    artist: str
    at: datetime
    outcome: str
    ending: Ending


def _lines(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line number. Raises UnknownReference without a file, InvalidInput for a header or a row that is
    not of the format."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UnknownReference(f"there is no ledger at {path}", field="ledger", code="ledger.absent") from error
    except (UnicodeDecodeError, OSError) as error:
        raise _malformed(path, 1, f"it cannot be read as text: {error}") from error
    reader = csv.DictReader(text.splitlines(), strict=True)
    try:
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise _malformed(path, 1, f"the header lacks {', '.join(missing)}")
        for row in reader:
            if None in row or any(row[name] in (None, "") for name in columns):
                raise _malformed(path, reader.line_num, f"it must have a value for {', '.join(columns)} and no more")
            yield reader.line_num, row
    except csv.Error as error:
        raise _malformed(path, reader.line_num, str(error)) from error


def _malformed(path: Path, line: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"{path.name}, line {line}: {what}",
        field=f"ledger:{line}",
        code="ledger.malformed",
        action=f"Correct the line. A ledger is CSV with the columns {', '.join(COLUMNS)}.",
    )


def read_ledger(path: Path) -> tuple[Entry, ...]:
    """The runs of a ledger, by time. Raises UnknownReference without a file, InvalidInput that names the line."""
    entries = []
    for number, row in _lines(path, COLUMNS):
        try:
            at = datetime.fromisoformat(row["recorded_at"])
        except ValueError:
            raise _malformed(path, number, f"{row['recorded_at']!r} is no time in ISO 8601") from None
        ending = ending_of(row["outcome"])
        if ending is None:
            known = ", ".join((*_ENDINGS, f"{_FAILED}..."))
            raise _malformed(path, number, f"unknown outcome {row['outcome']!r}; known are {known}")
        entries.append(Entry(row["artist"], at if at.tzinfo else at.replace(tzinfo=UTC), row["outcome"], ending))
    if not entries:
        raise _malformed(path, 2, "there is not a single run in it")
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.artist)))


def read_fates(path: Path) -> dict[str, str]:
    """What the original made of each artist. Raises as :func:`read_ledger` does."""
    return {row["artist"]: row["final_state"] for _, row in _lines(path, FATE_COLUMNS)}


def generated(artists: int = 337, seed: int = 1) -> tuple[Entry, ...]:
    """A ledger of the shape the recorded one has: within days, nearly all runs faults, a decision here and there."""
    draw = random.Random(f"ledger:{seed}")
    weights = {
        "generation_failed_track": 0.88,
        "failed_to_send": 0.09,
        "rejected": 0.018,
        "aborted": 0.01,
        "approved": 0.002,
    }
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    entries = []
    for index in range(artists):
        at = begin + timedelta(minutes=draw.uniform(0, 2 * 1_440))
        for _ in range(draw.randint(1, 12)):
            at += timedelta(minutes=draw.expovariate(1 / 20))
            outcome = draw.choices(tuple(weights), tuple(weights.values()))[0]
            ending = Ending.FAULT if outcome.startswith(_FAILED) else _ENDINGS[outcome]
            entries.append(Entry(f"artist-{index + 1:03d}", at, outcome, ending))
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.artist)))
