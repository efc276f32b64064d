"""The same seed is the same artist; another seed is plainly another; a brief steers; songs keep to their length."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.birth import conceive, read_brief
from models.birth_words import THEMES
from models.errors import InvalidInput, TooLarge
from models.growth import LONGEST_S, SHORTEST_S, evolve, plan_song, singing_of, song_theme
from models.identity import Identity, SingingVoice, StyleShare
from models.music import Genre, Mode, SectionKind
from models.names import imitated
from models.reflection import Change, Proposal

VOICE = SingingVoice(styles=(StyleShare(style="af_heart", share=1),), low=55, high=74)
SEEDS = st.integers(0, 2**31 - 1)


def identity(seed: int, brief: str = "") -> Identity:
    return conceive(seed, "vela", brief).voiced(VOICE)


@given(SEEDS)
def test_the_same_seed_is_the_same_artist(seed: int) -> None:
    assert identity(seed) == identity(seed)
    assert set(identity(seed).themes) <= set(THEMES)


def test_different_seeds_are_plainly_different_artists() -> None:
    artists = [identity(seed) for seed in range(100)]
    assert len({artist.name for artist in artists}) > 95
    assert {artist.genres[0].genre for artist in artists} == set(Genre)
    assert len({artist.palette for artist in artists}) == 100
    assert len({(artist.genres, artist.keys, artist.themes) for artist in artists}) == 100


@given(SEEDS, st.integers(1, 500))
def test_a_song_is_long_enough_and_not_too_long_and_has_its_parts(seed: int, number: int) -> None:
    artist = identity(seed)
    plan = plan_song(artist, number, seed)
    assert SHORTEST_S - 1 <= plan.duration_ms / 1000 <= LONGEST_S + 1
    assert artist.tempo_low <= plan.tempo_bpm <= artist.tempo_high
    kinds = [section.kind for section in plan.form]
    assert kinds[0] is SectionKind.INTRO
    assert kinds[-1] is SectionKind.OUTRO
    assert kinds.count(SectionKind.CHORUS) >= 2
    assert plan == plan_song(artist, number, seed)
    assert song_theme(artist, number) == singing_of(artist, number).themes[0]


def test_every_tempo_has_a_form() -> None:
    for tempo in range(50, 200):
        artist = identity(1).model_copy(update={"tempo_low": float(tempo), "tempo_high": float(tempo)})
        assert SHORTEST_S - 1 <= plan_song(artist, 1, 1).duration_ms / 1000 <= LONGEST_S + 1


def test_a_brief_steers() -> None:
    asked = "A slow, sad cinematic singer who writes about winter and the ocean, all in blue, drawn with crystals."
    for seed in range(10):
        artist = identity(seed, asked)
        assert artist.genres[0].genre is Genre.CINEMATIC
        assert set(artist.themes[:2]) == {"winter", "ocean"}
        assert {key.mode for key in artist.keys} == {Mode.MINOR}
        assert artist.motif.value == "crystals"
        assert artist.tempo_high < 100
    assert not read_brief("no explicit songs").explicit
    assert read_brief("explicit and loud").explicit


@pytest.mark.parametrize(
    ("brief", "code"),
    [
        ("Eine Sängerin, die über den Winter und das Meer singt, mit einer ruhigen Stimme.", "artist.brief_language"),
        ("Une chanteuse qui chante la mer et les nuits dans la ville.", "artist.brief_language"),
        ("певица о зиме и море", "artist.brief_language"),
        ("冬の歌を歌うアーティスト", "artist.brief_language"),
        ("12345 !!!", "artist.brief_words"),
        ("x" * 100_000, "artist.brief_long"),
    ],
)
def test_a_brief_that_cannot_be_followed_is_refused_with_what_to_do(brief: str, code: str) -> None:
    with pytest.raises(TooLarge if code.endswith("long") else InvalidInput) as refused:
        conceive(1, "vela", brief)
    assert (refused.value.code, refused.value.field) == (code, "brief")


def test_names_imitate_nobody_on_the_operators_list() -> None:
    names = {identity(seed).name for seed in range(60)}
    drawn_again = {conceive(seed, "vela", known=names).silent.name for seed in range(60)}
    assert not any(imitated(name, names) for name in drawn_again)
    with pytest.raises(InvalidInput) as refused:
        conceive(1, "vela", name="Taylor Swyft", known=("Taylor Swift",))
    assert refused.value.code == "artist.name_imitates"


KNOWN = ("Taylor Swift", "Beyoncé", "The Weeknd", "P!nk", "Blink-182", "Björk", "U2", "Кино", "Sigur Rós")


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("taylor  swift", "Taylor Swift"),
        ("TaylorSwift", "Taylor Swift"),
        ("Swift Taylor", "Taylor Swift"),
        ("Tаylоr Swіft", "Taylor Swift"),
        ("𝓣𝓪𝔂𝓵𝓸𝓻 Ｓｗｉｆｔ", "Taylor Swift"),
        ("T\u200baylor Sw\u0336i\u0336ft", "Taylor Swift"),
        ("Taylor Swift!", "Taylor Swift"),
        ("Tay10r Swift", "Taylor Swift"),
        ("BEYONCE", "Beyoncé"),
        ("Вeyonce", "Beyoncé"),
        ("Weeknd", "The Weeknd"),
        ("Pink", "P!nk"),
        ("blink 182", "Blink-182"),
        ("Bjork", "Björk"),
        ("u2", "U2"),
        ("кино", "Кино"),
        ("Sigur Ros", "Sigur Rós"),
    ],
)
def test_no_dress_makes_an_imitation_another_name(name: str, like: str) -> None:
    assert imitated(name, KNOWN) == like
    with pytest.raises(InvalidInput) as refused:
        conceive(1, "vela", name=name, known=KNOWN)
    assert (refused.value.code, refused.value.field) == ("artist.name_imitates", "name")


@pytest.mark.parametrize("name", ["Vela Noor", "Taylor Quick", "Pinto", "Weekly", "Ubi", "Наутилус", "Blake", "!!!"])
def test_other_names_are_free(name: str) -> None:
    assert imitated(name, KNOWN) == ""


def test_a_slug_imitates_nobody_either() -> None:
    with pytest.raises(InvalidInput) as refused:
        conceive(1, "taylor-swift", known=KNOWN)
    assert (refused.value.code, refused.value.field) == ("artist.name_imitates", "id")


@pytest.mark.parametrize("brief", ["A polka artist from the mountains", "She sings country songs", "A slow bossa nova"])
def test_a_genre_that_nobody_plays_is_refused_and_those_there_are_are_named(brief: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_brief(brief)
    assert refused.value.code == "artist.genre_unknown"
    assert all(genre.value in refused.value.action for genre in Genre)


@pytest.mark.parametrize("brief", ["Country roads in the rain", "Ambient with a hint of tango", "Metal and glass", ""])
def test_words_that_only_sound_like_genres_are_no_fault(brief: str) -> None:
    read_brief(brief)


@given(SEEDS, st.sampled_from(Change), st.sampled_from((*THEMES, "a fast song about fire", "")))
@example(61_294, Change.IDEA, "memory")
def test_an_evolution_is_the_same_artist_changed(seed: int, change: Change, subject: str) -> None:
    before = identity(seed)
    after = evolve(before, Proposal(change=change, subject=subject, reason="x", songs=4, effect=0.5), seed)
    assert after.version == before.version + 1
    assert (after.name, after.voice, after.genres[0].genre) == (before.name, before.voice, before.genres[0].genre)
    unchanged = {name for name in Identity.model_fields if getattr(after, name) == getattr(before, name)}
    assert len(Identity.model_fields) - len(unchanged) <= 5
    if before.energy not in {0.1, 1.0}:
        assert len(unchanged) < len(Identity.model_fields) - 1
