"""Reflection is a sceptic: noise seldom leads to a proposal, faults never do, an effect that is there is found, and
what has proved itself is not taken back."""

import random
from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evidence import at_least, bootstrap, chance, wilson
from models.lifecycle import AUTOPILOT, Ending, Heard, Run, Traits
from models.music import Genre, Mode
from models.reflection import COMPLAINTS, DOUBT, EFFECT, OPPOSITE, Change, Proposal, chosen, reflect

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LIVES = 200


def lived(seed: int, songs: int, effect: float = 0.0) -> tuple[list[Run], list[Heard]]:
    """An artist's songs whose approval depends on nothing but, by ``effect``, on whether they are fast."""
    draw = random.Random(seed)
    runs, heard = [], []
    for number in range(1, songs + 1):
        traits = Traits(
            genre=Genre.LOFI,
            tempo_bpm=draw.uniform(70, 90),
            mode=draw.choice((Mode.MINOR, Mode.MAJOR)),
            energy=draw.random(),
            theme=("ocean", "fire", "winter")[number % 3],
        )
        approved = draw.random() < 0.5 + (effect / 2 if traits.tempo_bpm > 80 else -effect / 2)
        reason = "" if approved else draw.choice((*COMPLAINTS, "other"))
        ending = Ending.APPROVED if approved else Ending.REJECTED
        runs.append(Run(at=NOW, number=number, ending=ending, by="ana", reason=reason, traits=traits))
        if approved:
            score = min(1.0, max(0.0, draw.gauss(0.5, 0.15)))
            heard.append(Heard(number=number, as_of=NOW, listeners=1_000, score=score))
    return runs, heard


@pytest.mark.parametrize("songs", [10, 20, 40, 100])
def test_noise_leads_to_a_proposal_as_seldom_as_is_promised(songs: int, record_property: pytest.FixtureRequest) -> None:
    proposed = sum(bool(reflect(*lived(seed, songs))) for seed in range(LIVES))
    record_property(f"false_proposals_of_{songs}_songs", proposed / LIVES)  # type: ignore[operator]
    # Twice the nominal rate: three standard deviations above it at this many lives.
    assert proposed / LIVES <= 2 * DOUBT


def test_an_effect_that_is_there_is_found() -> None:
    def finds(songs: int, effect: float) -> float:
        found = [[proposal.change for proposal in reflect(*lived(seed, songs, effect))] for seed in range(LIVES)]
        assert not any(Change.SLOWER in changes for changes in found)
        return sum(Change.FASTER in changes for changes in found) / LIVES

    assert finds(100, 0.6) > 0.9
    assert finds(40, 0.6) > 0.5


ENDINGS = st.sampled_from((Ending.FAULT, Ending.LAPSED, Ending.WITHDRAWN))
TRAITS = st.builds(
    Traits,
    genre=st.just(Genre.LOFI),
    tempo_bpm=st.floats(60, 120),
    mode=st.sampled_from((Mode.MINOR, Mode.MAJOR)),
    energy=st.floats(0, 1),
    theme=st.sampled_from(("ocean", "fire")),
)


@given(st.lists(st.tuples(ENDINGS, TRAITS, st.sampled_from(("", *COMPLAINTS))), max_size=60))
def test_faults_and_silence_alone_propose_nothing(runs: list[tuple[Ending, Traits, str]]) -> None:
    ended = [
        Run(at=NOW, number=number, ending=ending, reason=reason, traits=traits)
        for number, (ending, traits, reason) in enumerate(runs, start=1)
    ]
    assert reflect(ended, ()) == ()


@pytest.mark.parametrize("ending", [Ending.FAULT, Ending.LAPSED, Ending.WITHDRAWN])
def test_no_pattern_in_what_was_not_decided_is_evidence(ending: Ending) -> None:
    def patterned(ending: Ending) -> tuple[Proposal, ...]:
        runs = [run.model_copy(update={"ending": ending, "reason": "too_slow"}) for run in lived(1, 60)[0]]
        fast = {run.number for run in runs if run.traits and run.traits.tempo_bpm > 80}
        heard = [Heard(number=run.number, as_of=NOW, listeners=1_000, score=run.number in fast) for run in runs]
        return reflect(runs, heard)

    assert Change.FASTER in {proposal.change for proposal in patterned(Ending.REJECTED)}
    assert patterned(ending) == ()


def test_what_the_autopilot_decides_is_no_opinion() -> None:
    runs = [run.model_copy(update={"by": AUTOPILOT}) for run in lived(1, 60, 0.9)[0]]
    assert reflect(runs, ()) == ()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 60), st.sampled_from((0.0, 0.5, 1.0)))
def test_every_proposal_has_its_evidence_and_none_contradicts_another(seed: int, songs: int, effect: float) -> None:
    proposals = reflect(*lived(seed, songs, effect))
    changes = {proposal.change for proposal in proposals}
    for proposal in proposals:
        assert proposal.supported and proposal.effect >= EFFECT and proposal.reason
        assert OPPOSITE.get(proposal.change) not in changes


def test_sources_that_contradict_each_other_are_both_doubted() -> None:
    runs = lived(2, 60, 1.0)[0]
    assert Change.FASTER in {proposal.change for proposal in reflect(runs, ())}
    complaining = [run.model_copy(update={"reason": "too_fast"}) if run.reason else run for run in runs]
    assert not {Change.FASTER, Change.SLOWER} & {proposal.change for proposal in reflect(complaining, ())}


def test_what_has_proved_itself_is_not_taken_back_but_by_a_person() -> None:
    slower = Proposal(change=Change.SLOWER, reason="x", songs=20, effect=0.9)
    assert chosen((slower,), (), (), 0) == slower
    assert chosen((slower,), (), (), 0, proved=(Change.FASTER,)).change is not Change.SLOWER
    assert chosen((slower,), ("slower, please",), (), 0, proved=(Change.FASTER,)).change is Change.IDEA


def test_what_an_experiment_found_out_comes_before_what_songs_as_they_came_suggest() -> None:
    seen = Proposal(change=Change.FASTER, reason="x", songs=20, effect=0.9)
    tried = Proposal(change=Change.SOUND, reason="x", songs=20, effect=0.2, experiment="e/v")
    assert chosen((seen, tried), (), (), 0) == tried


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_interval_of_a_share_holds_the_share_and_is_wide_where_little_is_known(hits: int, misses: int) -> None:
    interval = wilson(hits, hits + misses)
    if hits + misses:
        assert interval.low <= hits / (hits + misses) <= interval.high
    if hits + misses <= 5:
        assert interval.high - interval.low > 0.4


def test_the_intervals_are_those_of_the_books() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 and 15 of 148.
    assert (round(wilson(81, 263).low, 4), round(wilson(81, 263).high, 4)) == (0.2553, 0.3662)
    assert (round(wilson(15, 148).low, 4), round(wilson(15, 148).high, 4)) == (0.0624, 0.1605)
    within = bootstrap([0.2, 0.4, 0.6, 0.8] * 10)
    assert within is not None
    # The standard error of this mean is 0.035.
    assert 0.42 < within.low < 0.45 and 0.55 < within.high < 0.58
    assert bootstrap([0.1, 0.9]) is None


def test_the_chance_of_a_difference_is_counted_where_it_can_be_and_close_to_that_elsewhere() -> None:
    assert chance([1.0] * 4, [0.0] * 4) == pytest.approx(2 / 70)
    assert chance([1.0], []) == 1.0
    assert chance([0.5] * 20, [0.5] * 20) == 1.0
    one, other = [1.0] * 6 + [0.0] * 2, [1.0] * 2 + [0.0] * 6
    dealt = [abs(sum(hand) - 4) >= 2 for hand in combinations((*one, *other), 8)]
    assert chance(one, other) == pytest.approx(sum(dealt) / len(dealt), abs=0.1)
    assert at_least(2, 2, 0.5) == pytest.approx(0.25)
    assert at_least(0, 9, 0.1) == 1.0
