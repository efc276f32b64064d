"""Figures as platforms and spreadsheets send them: read whatever the separator, and refused by line where wrong."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInput
from models.performance import AudienceRow, check_told, read_csv

NAMES = ("platform", "day", "number", "told_at", "streams", "listeners")
VALUES = ("radio", "2026-11-01", "1", "2026-11-02T06:00:00Z", "9", "7")
ROW = AudienceRow(
    platform="radio",
    day=datetime(2026, 11, 1, tzinfo=UTC).date(),
    number=1,
    told_at=datetime(2026, 11, 2, 6, tzinfo=UTC),
    streams=9,
    listeners=7,
)


@given(
    st.permutations(range(len(NAMES))),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
)
def test_whatever_the_separator_order_quotes_and_marks_the_row_is_the_same(
    order: list[int], separator: str, ending: str, quoted: bool, marked: bool
) -> None:
    def line(parts: tuple[str, ...]) -> str:
        return separator.join(f'"{parts[at]}"' if quoted else f" {parts[at]} " for at in order)

    names = tuple(name.upper() for name in NAMES) if quoted else NAMES
    text = ending.join([line(names), line(VALUES), "", separator * 5, line(VALUES)])
    assert read_csv(("\ufeff" if marked else "") + text) == (ROW, ROW)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (",".join(NAMES) + "\nradio,2026-11-01,1,2026-11-02T06:00:00Z,-9,7", "line 2, streams"),
        (",".join(NAMES) + "\nradio,2026-11-01,1,2026-11-02T06:00:00Z,9,7,8", "line 2, has more values"),
        (",".join(NAMES) + "\nradio,2026-11-01,1,2026-11-02T06:00:00,9,7", "line 2, told_at"),
        (",".join(NAMES) + "\nradio,01.11.2026,1,2026-11-02T06:00:00Z,9,7", "line 2, day"),
        (",".join(NAMES) + '\n"radio,2026-11-01,1', "is no CSV"),
        (",".join(NAMES) + "\n" + "x" * 200_000, "is no CSV"),
        (",".join((*NAMES, "day")), "day twice"),
        (",".join((*NAMES, "likes")) + "\n" + ",".join((*VALUES, "3")), "line 2, likes"),
        ("", "the header lacks"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        read_csv(text)


def test_what_has_not_come_yet_is_refused() -> None:
    now = datetime(2026, 11, 3, tzinfo=UTC)
    check_told((ROW,), now)
    with pytest.raises(InvalidInput, match="row 2"):
        check_told((ROW, ROW.model_copy(update={"day": datetime(2026, 11, 9, tzinfo=UTC).date()})), now)
    with pytest.raises(InvalidInput, match="row 1"):
        check_told((ROW.model_copy(update={"told_at": datetime(2027, 1, 1, tzinfo=UTC)}),), now)
