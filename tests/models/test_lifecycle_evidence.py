"""What artists are judged on: figures in whatever order they come, and reflections that evidence supports."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artist import QuietHours
from models.errors import InvalidInput
from models.lifecycle import Ending, Heard, Run, Traits
from models.music import Genre, Mode
from models.performance import AudienceRow, merged, read_csv, report, settled, summarised
from models.reflection import Change, chosen, reflect

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@st.composite
def rows(draw: st.DrawFn) -> AudienceRow:
    listeners = draw(st.integers(0, 1_000))
    streams = listeners + draw(st.integers(0, 3_000))
    return AudienceRow(
        platform=draw(st.sampled_from(("tune", "waves"))),
        day=date(2030, 1, draw(st.integers(1, 5))),
        number=draw(st.integers(1, 3)),
        told_at=NOW + timedelta(hours=draw(st.integers(0, 4))),
        streams=streams,
        listeners=listeners,
        saves=draw(st.integers(0, listeners)),
        skips=draw(st.integers(0, streams)),
    )


@given(st.lists(rows(), max_size=30), st.randoms())
def test_late_doubled_and_corrected_rows_give_the_same_figures_in_any_order(
    told: list[AudienceRow], order: object
) -> None:
    shuffled = told * 2
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert summarised(shuffled) == summarised(told)
    for heard in summarised(told):
        assert 0 <= heard.score <= 1
    for row in settled(told):
        same = [one for one in told if (one.platform, one.day, one.number) == (row.platform, row.day, row.number)]
        assert row.told_at == max(one.told_at for one in same)


@given(st.lists(rows(), min_size=1, max_size=20), st.lists(rows(), min_size=1, max_size=20))
def test_an_earlier_report_that_comes_late_changes_nothing(one: list[AudienceRow], more: list[AudienceRow]) -> None:
    early, late = report(one).heard, report(one + more).heard
    once = merged(merged((), early), late)
    assert merged(once, late) == once
    assert {heard.number for heard in merged(merged((), late), early)} == {heard.number for heard in once}


def test_a_bad_line_of_figures_is_named() -> None:
    header = "platform,day,number,told_at,streams,listeners\n"
    good = "tune,2030-01-01,1,2030-01-02T00:00:00Z,10,5\n"
    assert read_csv(header + good)[0].listeners == 5
    with pytest.raises(InvalidInput, match="line 3"):
        read_csv(header + good + "tune,2030-01-01,1,2030-01-02T00:00:00Z,5,10\n")
    with pytest.raises(InvalidInput, match="told_at"):
        read_csv("platform,day,number,streams,listeners\n")


def run(number: int, ending: Ending, tempo: float, theme: str = "ocean", reason: str = "") -> Run:
    traits = Traits(genre=Genre.LOFI, tempo_bpm=tempo, mode=Mode.MINOR, energy=0.5, theme=theme)
    return Run(at=NOW, number=number, ending=ending, by="ana", reason=reason, traits=traits)


def test_reflection_proposes_what_told_approved_from_rejected() -> None:
    runs = [run(i, Ending.APPROVED if i % 2 else Ending.REJECTED, 90 if i % 2 else 70) for i in range(1, 9)]
    (first, *_) = reflect(runs, ())
    assert (first.change, first.songs, first.supported) == (Change.FASTER, 8, True)
    assert "faster songs did better" in first.reason
    assert chosen((first,), (), (), 0) == first
    assert chosen((first,), (), (first.key,), 0).change is not Change.FASTER
    assert chosen((first,), ("more snow",), (), 0).change is Change.IDEA


def test_reflection_claims_nothing_without_evidence() -> None:
    assert reflect([run(1, Ending.APPROVED, 90), run(2, Ending.REJECTED, 70)], ()) == ()
    faults = [run(i, Ending.FAULT, 60 + i).model_copy(update={"by": ""}) for i in range(1, 20)]
    assert reflect(faults, ()) == ()
    heard = tuple(Heard(number=i, as_of=NOW, listeners=3, score=i % 2) for i in range(1, 20))
    assert reflect([run(i, Ending.APPROVED, 60 + i % 2 * 20) for i in range(1, 20)], heard) == ()


def test_a_theme_that_does_worse_and_a_repeated_complaint_are_proposed() -> None:
    runs = [run(i, Ending.REJECTED, 80, "fire", "lyrics") for i in range(1, 7)]
    runs += [run(i, Ending.APPROVED, 80) for i in range(7, 13)]
    changes = {(proposal.change, proposal.subject) for proposal in reflect(runs, ())}
    assert changes == {(Change.THEME, "fire"), (Change.RHYME, "")}


@given(st.integers(0, 23), st.integers(0, 23), st.integers(-720, 840), st.integers(0, 48 * 60))
def test_quiet_hours_end_when_they_say_over_midnight_and_in_any_zone(
    start: int, end: int, offset: int, minutes: int
) -> None:
    quiet = QuietHours(start=start, end=end, utc_offset_minutes=offset)
    now = NOW + timedelta(minutes=minutes)
    over = quiet.over(now)
    assert now <= over < now + timedelta(days=1)
    assert quiet.over(over) == over
    if over > now:
        local = over + timedelta(minutes=offset)
        assert (local.hour, local.minute) == (end, 0)
