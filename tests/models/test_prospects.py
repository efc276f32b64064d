"""Trends lead a song no further than its artist lets them; experiments are balanced, and say no more than they know."""

import random
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.birth import conceive
from models.birth_words import THEMES
from models.experiments import DOUBT, ENOUGH, Outcome, assigned, results
from models.growth import evolve, plan_song, song_theme, varied
from models.identity import Identity, SingingVoice, StyleShare
from models.leaning import ENERGY_HABIT
from models.lifecycle import Ending, Run, Traits
from models.music import Genre, Mode
from models.outlook import Assignment, Experiment, Outlook, Trend, Variant
from models.reflection import Change, chosen
from models.songplan import planned

NOW = datetime(2030, 1, 1, tzinfo=UTC)
VOICE = SingingVoice(styles=(StyleShare(style="af_heart", share=1),), low=55, high=74)
SEEDS = st.integers(0, 2**31 - 1)
NUMBERS = st.integers(1, 500)
ROUNDED = 0.051


def identity(seed: int) -> Identity:
    return conceive(seed, "vela").voiced(VOICE)


@st.composite
def trends(draw: st.DrawFn) -> Trend:
    low, high = sorted((draw(st.floats(50, 200)), draw(st.floats(50, 200))))
    return Trend(
        name=f"t-{draw(st.integers(0, 9_999))}",
        genres=tuple(draw(st.lists(st.sampled_from(Genre), max_size=2, unique=True))),
        themes=tuple(draw(st.lists(st.sampled_from(THEMES), max_size=3, unique=True))),
        tempo_low=low,
        tempo_high=high,
        energy=draw(st.floats(0, 1)),
        weight=draw(st.floats(0.01, 1)),
        set_by="priya",
    )


@given(SEEDS, NUMBERS, st.lists(trends(), max_size=6), st.just(0.0) | st.floats(0, 1))
def test_trends_lead_a_song_no_further_than_its_artist_is_open_to(
    seed: int, number: int, airs: list[Trend], openness: float
) -> None:
    artist = identity(seed)
    found = planned(artist, number, Outlook(trends=tuple(airs)), openness)
    beyond = openness * (artist.tempo_high - artist.tempo_low) / 2 + ROUNDED
    assert artist.tempo_low - beyond <= found.song.tempo_bpm <= artist.tempo_high + beyond
    assert abs(found.song.energy - artist.energy) <= (1 + openness) * ENERGY_HABIT + ROUNDED
    assert found.song.genres == artist.genres and found.song.key in artist.keys
    if openness == 0:
        assert found.traits.theme in artist.themes
    assert set(found.trends) <= {trend.name for trend in airs}
    assert found.identity.themes[0] == found.traits.theme
    assert found == planned(artist, number, Outlook(trends=tuple(airs)), openness)


@given(SEEDS, NUMBERS, st.floats(0, 1))
def test_without_trends_a_song_is_by_its_identity_alone(seed: int, number: int, openness: float) -> None:
    artist = identity(seed)
    found = planned(artist, number, Outlook(), openness)
    assert found.song == plan_song(artist, number, artist.seed)
    assert (found.trends, found.variant, found.wishes) == ((), "", "")
    assert found.traits.theme == song_theme(artist, number)


@given(SEEDS, NUMBERS)
def test_a_trend_of_other_genres_leaves_an_artist_alone(seed: int, number: int) -> None:
    artist = identity(seed)
    others = tuple(genre for genre in Genre if genre not in {share.genre for share in artist.genres})
    trend = Trend(name="t", genres=others, energy=0.99, words=("neon",), weight=1, set_by="priya")
    found = planned(artist, number, Outlook(trends=(trend,)), 1)
    assert (found.song, found.trends) == (plan_song(artist, number, artist.seed), ())


def test_a_heavier_trend_leads_further_and_what_it_changed_nothing_of_is_not_named() -> None:
    artist = identity(5)

    def tempo(weight: float) -> float:
        high = artist.tempo_high
        trend = Trend(name="up", tempo_low=high, tempo_high=high, weight=weight, set_by="priya")
        return planned(artist, 3, Outlook(trends=(trend,)), 0).song.tempo_bpm

    assert plan_song(artist, 3, artist.seed).tempo_bpm < tempo(0.3) < tempo(0.9) <= artist.tempo_high
    wide = Trend(name="wide", tempo_low=50, tempo_high=200, weight=1, set_by="priya")
    assert planned(artist, 3, Outlook(trends=(wide,)), 0).trends == ()


def experiment(*changes: Change, tracks: int = 12, seed: int = 0) -> Experiment:
    variants = tuple(Variant(name=change.value, change=change) for change in changes)
    return Experiment(
        name="spring",
        hypothesis="x",
        variants=(Variant(name="as-ever"), *variants),
        tracks_per_variant=tracks,
        seed=seed,
        created_by="priya",
    )


@given(st.integers(1, 5), SEEDS, st.integers(1, 300), st.integers(1, 60))
def test_variants_come_in_balanced_blocks_and_the_same_seed_is_the_same_order(
    others: int, seed: int, first: int, songs: int
) -> None:
    tried = experiment(*list(Change)[:others], seed=seed)
    order = [assigned(tried, "vela", number).key for number in range(first, first + songs)]
    assert order == [assigned(tried, "vela", number).key for number in range(first, first + songs)]
    counts = Counter(order)
    # Of whole blocks there are as many each; a block that is cut at either end gives one more at most.
    assert max(counts.values()) - min(counts.get(f"spring/{v.name}", 0) for v in tried.variants) <= 2
    whole = [assigned(tried, "vela", number).key for number in range(1, 1 + len(tried.variants) * 4)]
    assert set(Counter(whole).values()) == {4}


def test_another_seed_or_artist_is_another_order() -> None:
    def order(seed: int, artist: str) -> list[str]:
        return [assigned(experiment(Change.FASTER, seed=seed), artist, number).key for number in range(1, 41)]

    assert len({tuple(order(seed, artist)) for seed in (1, 2) for artist in ("vela", "orin")}) == 4


@given(SEEDS, st.sampled_from([change for change in Change if change is not Change.IDEA]))
def test_what_evolution_takes_up_is_what_was_tried(seed: int, change: Change) -> None:
    artist = identity(seed)
    subject = artist.themes[0] if change is Change.THEME else ""
    arm = Assignment(experiment="e", variant=Variant(name="v", change=change, subject=subject))
    tried = varied(artist, arm)
    assert tried.version == artist.version
    songs = [Outcome(variant="v", run=run(n, Ending.APPROVED)) for n in range(1, 13)]
    songs += [Outcome(variant="as-ever", run=run(n, Ending.REJECTED)) for n in range(13, 25)]
    variants = (Variant(name="as-ever"), arm.variant)
    over = Experiment(name="e", hypothesis="x", variants=variants, created_by="priya")
    finding = results(over, songs, {}, 100, NOW).finding
    assert finding is not None and finding.supported
    taken = evolve(artist, chosen((finding,), (), (), 0), 99)
    assert taken.model_copy(update={"version": artist.version}) == tried


def run(number: int, ending: Ending) -> Run:
    traits = Traits(genre=Genre.LOFI, tempo_bpm=80, mode=Mode.MINOR, energy=0.5, theme="ocean")
    return Run(at=NOW, number=number, ending=ending, by="ana", traits=traits)


def decided(seed: int, songs: int, shares: dict[str, float]) -> list[Outcome]:
    draw = random.Random(seed)
    return [
        Outcome(variant=name, run=run(n + 1, Ending.APPROVED if draw.random() < share else Ending.REJECTED))
        for name, share in shares.items()
        for n in range(songs)
    ]


def test_noise_finds_nothing_out_as_seldom_as_is_promised_and_an_effect_is_found() -> None:
    tried = experiment(Change.FASTER, Change.CALMER)
    fair = {"as-ever": 0.5, "faster": 0.5, "calmer": 0.5}

    def found(songs: int, shares: dict[str, float]) -> float:
        told = [results(tried, decided(seed, songs, shares), {}, 100, NOW).finding for seed in range(200)]
        return sum(finding is not None for finding in told) / len(told)

    assert max(found(songs, fair) for songs in (6, 12, 30)) <= 2 * DOUBT
    assert found(30, {**fair, "faster": 0.95}) > 0.85


@pytest.mark.parametrize("songs", [0, 1, ENOUGH - 1])
def test_too_few_songs_are_said_to_be_too_few(songs: int) -> None:
    result = results(experiment(Change.FASTER), decided(1, songs, {"as-ever": 0, "faster": 1}), {}, 100, NOW)
    assert result.conclusion.startswith("too little evidence") and str(ENOUGH) in result.conclusion
    assert (result.winner, result.finding, result.complete) == (None, None, False)
    assert all(one.chance is None for one in result.variants)


def test_a_conclusion_says_by_how_much_of_how_many_and_how_surely() -> None:
    result = results(experiment(Change.FASTER), decided(1, 12, {"as-ever": 0, "faster": 1}), {"faster": 2}, 100, NOW)
    assert result.conclusion.startswith("faster did better than as-ever by 1.00 (12 songs against 12;")
    base, faster = result.variants
    assert (base.approved, faster.approved, faster.under_way, result.complete) == (0, 12, 2, True)
    assert base.approval_within.high == pytest.approx(0.2425, abs=1e-3)
    worse = results(experiment(Change.FASTER), decided(1, 12, {"as-ever": 1, "faster": 0}), {}, 100, NOW)
    assert (worse.winner, worse.finding) == ("as-ever", None)
    even = results(experiment(Change.FASTER), decided(1, 12, {"as-ever": 1, "faster": 1}), {}, 100, NOW)
    assert "no difference" in even.conclusion and even.winner is None


@given(st.lists(st.sampled_from((Ending.FAULT, Ending.LAPSED, Ending.WITHDRAWN)), max_size=40))
def test_faults_and_silence_say_nothing_of_a_variant(endings: list[Ending]) -> None:
    songs = [Outcome(variant="faster", run=run(n, ending)) for n, ending in enumerate(endings, start=1)]
    result = results(experiment(Change.FASTER), songs, {}, 100, NOW)
    assert [(one.decided, one.counted) for one in result.variants] == [(0, 0), (0, 0)]


def test_variants_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ValidationError, match="the same"):
        experiment(Change.FASTER, Change.FASTER)
