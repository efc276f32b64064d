"""Audience figures: what platforms tell of a release day by day, late, doubled and corrected, and the score that comes
of it. The order in which rows arrive never matters. Pure."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from models.base import Contract, Slug, canonical_sha256
from models.errors import InvalidInput
from models.lifecycle import Heard

Count = Annotated[int, Field(ge=0, le=10**12)]
TrackNumber = Annotated[int, Field(ge=1, le=100_000)]

_DELIMITERS = (",", ";", "\t")
_DOUBT = 50
"""Listeners' worth of doubt: a release heard by few is taken for an average one."""
_AVERAGE = 0.45
_SAVE_SCALE = 0.20
"""A release saved by one listener in five is as good as one saved by more."""
_REPEAT_SCALE = 2.0
"""Plays a listener, beyond the first, that are as good as more."""


class AudienceRow(Contract):
    """What one platform told about one day of one release. Told again, the later telling counts."""

    platform: Slug
    day: date
    number: TrackNumber
    told_at: AwareDatetime
    streams: Count
    listeners: Count
    saves: Count = 0
    skips: Count = 0
    """Plays that were broken off within half a minute."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.listeners > self.streams:
            raise ValueError(f"{self.listeners} listeners for {self.streams} streams")
        if self.skips > self.streams:
            raise ValueError(f"{self.skips} skips of {self.streams} streams")
        if self.saves > self.listeners:
            raise ValueError(f"{self.saves} saves by {self.listeners} listeners")
        return self


class AudienceReport(Contract):
    """What an artist's workflow is told: for each release the figures so far. Absolute, so that twice is once."""

    report_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
    heard: Annotated[tuple[Heard, ...], Field(min_length=1, max_length=60)]


class ReportTaken(Contract):
    """The answer to a report: releases whose figures count, and those that were never released or are too old."""

    taken: Annotated[tuple[TrackNumber, ...], Field(max_length=60)]
    unknown: Annotated[tuple[TrackNumber, ...], Field(max_length=60)] = ()


def settled(rows: Iterable[AudienceRow]) -> tuple[AudienceRow, ...]:
    """One row a platform, day and release: the one told last. Of two told at the same moment the greater stands, so
    that the answer is the same in whatever order they came."""
    latest: dict[tuple[int, date, str], AudienceRow] = {}
    for row in rows:
        key = (row.number, row.day, row.platform)
        if key not in latest or _rank(row) > _rank(latest[key]):
            latest[key] = row
    return tuple(latest[key] for key in sorted(latest))


def _rank(row: AudienceRow) -> tuple[datetime, int, int, int, int]:
    return (row.told_at, row.streams, row.listeners, row.saves, row.skips)


def score(streams: int, listeners: int, saves: int, skips: int) -> float:
    """How much a release is liked, 0 to 1: how many let it play, keep it and come back, shrunk towards the average
    while few have heard it."""
    if listeners == 0 or streams == 0:
        return _AVERAGE
    stays = 1 - skips / streams
    keeps = min(1.0, saves / listeners / _SAVE_SCALE)
    returns = min(1.0, (streams / listeners - 1) / _REPEAT_SCALE)
    liked = 0.5 * stays + 0.3 * keeps + 0.2 * returns
    return round((liked * listeners + _AVERAGE * _DOUBT) / (listeners + _DOUBT), 4)


def summarised(rows: Iterable[AudienceRow]) -> tuple[Heard, ...]:
    """The figures of each release over all platforms and days, by number."""
    of: dict[int, list[AudienceRow]] = defaultdict(list)
    for row in settled(rows):
        of[row.number].append(row)
    return tuple(
        Heard(
            number=number,
            as_of=max(row.told_at for row in told),
            listeners=sum(row.listeners for row in told),
            score=score(
                sum(row.streams for row in told),
                sum(row.listeners for row in told),
                sum(row.saves for row in told),
                sum(row.skips for row in told),
            ),
        )
        for number, told in sorted(of.items())
    )


def report(rows: Iterable[AudienceRow]) -> AudienceReport:
    """What the artist is told: the latest 60 releases, under an id that equal figures share.

    Raises InvalidInput where there are no rows.
    """
    heard = summarised(rows)[-60:]
    if not heard:
        raise InvalidInput("there are no figures in it", field="rows", code="audience.empty")
    identity = canonical_sha256([one.model_dump(mode="json") for one in heard])
    return AudienceReport(report_id=identity[:32], heard=heard)


def merged(known: tuple[Heard, ...], told: tuple[Heard, ...], limit: int = 60) -> tuple[Heard, ...]:
    """What is known after ``told``: for each release the later figures; the latest ``limit`` releases."""
    latest = {one.number: one for one in known}
    for one in told:
        if one.number not in latest or (one.as_of, one.listeners) > (
            latest[one.number].as_of,
            latest[one.number].listeners,
        ):
            latest[one.number] = one
    return tuple(latest[number] for number in sorted(latest))[-limit:]


def check_told(rows: Sequence[AudienceRow], now: datetime) -> None:
    """Refuse what was told later than a day from ``now``, or of a day that has not come: it would stand for ever, since
    no correction is told later still. A day is as far as clocks and time zones differ.

    Raises InvalidInput that names the first such row, counted from 1.
    """
    latest = now + timedelta(days=1)
    for at, row in enumerate(rows, start=1):
        if row.told_at > latest or row.day > latest.date():
            raise InvalidInput(
                f"row {at} is from the future: told {row.told_at:%Y-%m-%d %H:%M} of {row.day}",
                field=f"rows:{at}",
                code="audience.future",
                action="Correct the clock or the row, and send the figures again.",
            )


def read_csv(text: str) -> tuple[AudienceRow, ...]:
    """Rows from CSV with the fields of :class:`AudienceRow` as its header, in any order and case; between commas,
    semicolons or tabs, as spreadsheets write it. Empty lines and a byte order mark are passed over.

    Raises InvalidInput that names the line and what is wrong with it.
    """
    lines = text.removeprefix("\ufeff")
    first = lines.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(lines), delimiter=max(_DELIMITERS, key=first.count), strict=True)
    try:
        return _rows(reader)
    except csv.Error as error:
        raise _bad_line(reader.line_num, f"is no CSV: {error}") from error


def _rows(reader: "csv.DictReader[str]") -> tuple[AudienceRow, ...]:
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    required = {name for name, field in AudienceRow.model_fields.items() if field.is_required()}
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInput(f"the header names {', '.join(twice)} twice", field="csv", code="audience.header")
    if missing := required - set(names):
        raise InvalidInput(
            f"the header lacks {', '.join(sorted(missing))}",
            field="csv",
            code="audience.header",
            action=f"Name these columns in the first line: {', '.join(AudienceRow.model_fields)}.",
        )
    rows = []
    for line in reader:
        if None in line:
            raise _bad_line(reader.line_num, f"has more values than the header has names ({len(names)})")
        told = {name: value.strip() for name, value in line.items() if value and value.strip()}
        if not told:
            continue
        try:
            rows.append(AudienceRow.model_validate(told))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise _bad_line(reader.line_num, f"{where}: {first['msg']}" if where else first["msg"]) from error
    return tuple(rows)


def _bad_line(number: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"line {number}, {what}",
        field=f"csv:{number}",
        code="audience.row",
        action="Correct the line and send the figures again.",
    )
