"""An artist is judged on decisions and audience: only legal moves, never for a fault, never for silence."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Conflict, InvalidInput
from models.lifecycle import (
    AUTOPILOT,
    LEGAL,
    Cause,
    Ending,
    Facts,
    Heard,
    LifePolicy,
    LifeState,
    Move,
    Run,
    Standing,
    check_policy,
    judge,
    moved,
)

BORN = datetime(2030, 1, 1, tzinfo=UTC)
POLICY = LifePolicy()
ENDINGS = st.sampled_from(Ending)
STEPS = st.tuples(st.integers(-3, 60), ENDINGS, st.floats(0, 1), st.booleans(), st.booleans())
"""Days that pass (a clock may jump back), how a track ends, its audience, whether the autopilot decides, whether
there is an idea."""


class Lived:
    """An artist on paper: facts come in, the rules are asked after each."""

    def __init__(self, state: LifeState = LifeState.CANDIDATE) -> None:
        home = state if state in {LifeState.CANDIDATE, LifeState.ACTIVE} else LifeState.ACTIVE
        self.now = BORN
        self.standing = Standing(state=state, since=BORN, counted_from=BORN, home=home)
        self.facts = Facts(last_active=BORN)
        self.moves: list[Move] = []

    def wait(self, days: float, *, excused: bool = False) -> None:
        self.now += timedelta(days=days)
        self.facts = self.facts.model_copy(update={"excused": excused})
        self._judge()

    def end(self, ending: Ending, score: float | None = None, by: str = "ana") -> None:
        number = len(self.facts.runs) + 1
        run = Run(
            at=self.now,
            number=number,
            ending=ending,
            by=by if ending.decided else "",
            trial=self.standing.state is LifeState.EVOLVING,
        )
        heard = self.facts.heard
        if score is not None and ending is Ending.APPROVED:
            heard = (*heard, Heard(number=number, as_of=self.now, listeners=1_000, score=score))
        changes = {"runs": (*self.facts.runs, run)[-100:], "heard": heard[-60:], "last_active": self.now}
        self.facts = self.facts.model_copy(update={**changes, "excused": ending is Ending.FAULT})
        self._judge()

    def _judge(self) -> None:
        for _ in range(5):
            move = judge(self.standing, self.facts, self.now, POLICY)
            if move is None:
                return
            self.standing = moved(self.standing, move, self.facts, self.now, POLICY)
            self.moves.append(move)
        raise AssertionError(f"it never settles: {self.moves[-5:]}")


@given(st.sampled_from(LifeState), st.lists(STEPS, max_size=60))
def test_any_sequence_of_facts_leads_to_legal_moves_only(
    state: LifeState, steps: list[tuple[int, Ending, float, bool, bool]]
) -> None:
    lived = Lived(state)
    for days, ending, score, autopilot, idea in steps:
        if idea:
            lived.facts = lived.facts.model_copy(update={"last_idea": lived.now})
        lived.wait(days)
        lived.end(ending, score, AUTOPILOT if autopilot else "ana")
    for move in lived.moves:
        assert move.cause in LEGAL[move.source][move.target]
        assert move.reason
    if state is LifeState.RETIRED:
        assert not lived.moves


@given(
    st.sampled_from((LifeState.CANDIDATE, LifeState.ACTIVE, LifeState.EVOLVING)),
    st.lists(st.tuples(st.floats(0, 400), st.sampled_from((Ending.FAULT, Ending.LAPSED)), st.booleans()), max_size=60),
)
def test_faults_and_unanswered_questions_move_nobody(state: LifeState, steps: list[tuple[float, Ending, bool]]) -> None:
    lived = Lived(state)
    for days, ending, _ in steps:
        # While a fault is unmended or a question open, the artist is excused: it waits, and is not idle.
        lived.wait(days, excused=True)
        lived.end(ending)
    assert lived.moves == []


@given(st.lists(STEPS, max_size=40), st.data())
def test_faults_put_between_decisions_change_no_verdict(
    steps: list[tuple[int, Ending, float, bool, bool]], data: st.DataObject
) -> None:
    plain, disturbed = Lived(), Lived()
    for days, ending, score, autopilot, _ in steps:
        by = AUTOPILOT if autopilot else "ana"
        for lived in (plain, disturbed):
            lived.wait(abs(days) % 20, excused=True)
        for _ in range(data.draw(st.integers(0, 2))):
            disturbed.end(data.draw(st.sampled_from((Ending.FAULT, Ending.LAPSED, Ending.WITHDRAWN))))
        if ending.decided:
            for lived in (plain, disturbed):
                lived.end(ending, score, by)
    assert [(move.target, move.cause) for move in disturbed.moves] == [
        (move.target, move.cause) for move in plain.moves
    ]


@given(st.sampled_from(LifeState), st.lists(st.floats(0, 300), max_size=30))
def test_silence_retires_nobody(state: LifeState, days: list[float]) -> None:
    lived = Lived(state)
    for day in days:
        lived.wait(day)
    assert lived.standing.state is state or lived.standing.state is LifeState.PAUSED
    assert all(move.cause is Cause.INACTIVE for move in lived.moves)


def test_rejections_in_a_row_retire_and_what_is_no_decision_neither_counts_nor_interrupts() -> None:
    lived = Lived()
    for ending in (Ending.REJECTED, Ending.FAULT, Ending.REJECTED, Ending.LAPSED, Ending.REJECTED, Ending.REJECTED):
        lived.wait(3)
        lived.end(ending)
    assert lived.standing.state is LifeState.CANDIDATE
    lived.end(Ending.REJECTED)
    assert lived.moves[-1].cause is Cause.REJECTED_IN_A_ROW


def test_approval_promotes_only_when_people_gave_it() -> None:
    people, autopilot = Lived(), Lived()
    for _ in range(10):
        people.wait(2)
        people.end(Ending.APPROVED)
        autopilot.wait(2)
        autopilot.end(Ending.APPROVED, by=AUTOPILOT)
    assert people.standing.state is LifeState.ACTIVE
    assert autopilot.standing.state is LifeState.CANDIDATE


def evolving() -> Lived:
    lived = Lived(LifeState.ACTIVE)
    for ending in "raRaRRRaRR":
        lived.wait(2)
        lived.end(Ending.APPROVED if ending == "a" else Ending.REJECTED)
    assert lived.standing.state is LifeState.EVOLVING
    assert lived.standing.before is not None
    assert lived.standing.before.approval == pytest.approx(0.3)
    return lived


def test_an_evolution_proves_better_or_is_rolled_back_and_three_failures_in_a_row_retire() -> None:
    lived = evolving()
    for ending in (Ending.APPROVED, Ending.FAULT, Ending.APPROVED, Ending.LAPSED, Ending.REJECTED, Ending.APPROVED):
        lived.wait(2)
        lived.end(ending)
    assert (lived.moves[-1].target, lived.moves[-1].cause) == (LifeState.ACTIVE, Cause.PROVED)
    lived = evolving()
    for _ in range(4):
        lived.wait(2)
        lived.end(Ending.REJECTED)
    assert (lived.moves[-1].target, lived.moves[-1].cause) == (LifeState.ACTIVE, Cause.ROLLED_BACK)
    assert lived.standing.failed_evolutions == 1
    lived = evolving()
    lived.standing = lived.standing.model_copy(update={"failed_evolutions": 2})
    for _ in range(4):
        lived.wait(2)
        lived.end(Ending.REJECTED)
    assert (lived.moves[-1].target, lived.moves[-1].cause) == (LifeState.RETIRED, Cause.EVOLUTIONS_FAILED)


def test_an_evolution_that_nobody_heard_is_rolled_back_and_not_counted() -> None:
    lived = evolving()
    for ending in (Ending.REJECTED, Ending.APPROVED, Ending.REJECTED, Ending.REJECTED):
        lived.wait(2)
        lived.end(ending)
    assert lived.standing.state is LifeState.EVOLVING
    lived.wait(15)
    assert (lived.moves[-1].cause, lived.standing.failed_evolutions) == (Cause.UNPROVEN, 0)


def test_a_pause_has_ways_out() -> None:
    def paused(**changes: object) -> Lived:
        lived = Lived(LifeState.PAUSED)
        lived.standing = lived.standing.model_copy(update=changes)
        return lived

    rested = paused(cause=Cause.REFUSED, until=BORN + timedelta(days=30))
    rested.wait(30)
    assert (rested.moves[-1].target, rested.moves[-1].cause) == (LifeState.EVOLVING, Cause.RESTED)
    inspired = paused(cause=Cause.INACTIVE)
    inspired.facts = inspired.facts.model_copy(update={"last_idea": BORN + timedelta(days=1)})
    inspired.wait(1)
    assert (inspired.moves[-1].target, inspired.moves[-1].cause) == (LifeState.ACTIVE, Cause.IDEA)
    by_person = paused(cause=Cause.PERSON)
    by_person.wait(3_000)
    assert by_person.moves == []
    too_often = paused(cause=Cause.REFUSED, until=BORN + timedelta(days=30), rested_days=60)
    too_often.wait(30)
    assert too_often.moves[-1].cause is Cause.RESTED_TOO_OFTEN


@given(st.sampled_from(LifeState), st.sampled_from(LifeState), st.sampled_from(Cause))
def test_what_is_not_legal_is_refused(source: LifeState, target: LifeState, cause: Cause) -> None:
    standing = Standing(state=source, since=BORN, counted_from=BORN)
    move = Move(source=source, target=target, cause=cause, reason="x")
    if cause in LEGAL[source].get(target, ()):
        assert moved(standing, move, Facts(last_active=BORN), BORN, POLICY).state is target
    else:
        with pytest.raises(Conflict):
            moved(standing, move, Facts(last_active=BORN), BORN, POLICY)


def test_contradictions_are_named_all_at_once() -> None:
    check_policy(POLICY, timedelta(days=3))
    upside_down = LifePolicy(pause_below=0.5, evolve_below=0.4, promote_above=0.3, window_days=400)
    with pytest.raises(InvalidInput) as refused:
        check_policy(upside_down, timedelta(days=60))
    for name in ("pause_below", "promote_above", "reach_days", "min_decisions"):
        assert name in refused.value.message
