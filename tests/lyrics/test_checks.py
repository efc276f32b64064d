"""Words are held to the tune and to the house's policy by the same rules, whoever wrote them."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from activities.lyrics.base import TITLE, Rule
from activities.lyrics.checks import Checks
from activities.lyrics.lexicon import THEMES
from activities.lyrics.writer import LocalWriter
from activities.support.engine import no_progress
from models.music import Lyrics
from tests.lyrics.sheets import brief, small, topline, written

CHECKS = Checks()
WRITER = LocalWriter()
VERSE = ("hold me by hand", "walk on the sand")
CHORUS = ("silver is the sea", "silver follows me")
COUNTS = {"silver": 2, "follows": 2, "never": 2, "away": 2, "darling": 2, "naked": 2, "about": 2, "again": 2}


def words(
    *verse: str, chorus: tuple[str, str] = CHORUS, again: tuple[str, str] | None = None, title: str = ""
) -> Lyrics:
    return written(verse or VERSE, chorus, again or chorus, title=title or "Silver Sea", counts=COUNTS)


def broken(lyrics: Lyrics, **asked: object) -> list[tuple[int, int, Rule]]:
    return [(one.section, one.line, one.rule) for one in CHECKS.breaches(small(), lyrics, brief(**asked))]


def test_fit_words_break_nothing() -> None:
    assert broken(words()) == []


@settings(max_examples=6, phases=(Phase.explicit, Phase.generate), deadline=None)
@given(st.integers(0, 2**31 - 1), st.lists(st.sampled_from(sorted(THEMES)), min_size=1, max_size=3), st.booleans())
def test_the_writers_words_always_pass(seed: int, themes: list[str], explicit: bool) -> None:
    lead, asked = topline(seed), brief(themes=tuple(themes), seed=seed, explicit=explicit, banned=("sea", "the night"))
    lyrics = WRITER.write(lead, asked, no_progress)
    assert CHECKS.breaches(lead, lyrics, asked) == ()
    assert not CHECKS.explicit(lyrics)


@pytest.mark.parametrize(
    ("lyrics", "expected"),
    [
        (words("hold me by", VERSE[1]), (0, 0, Rule.SYLLABLES)),
        (words("hold me by light", VERSE[1]), (0, 1, Rule.RHYME)),
        (words(VERSE[0], "walk on my hand"), (0, 1, Rule.RHYME)),
        (words("walk on the sand", "walk on the sand"), (0, 1, Rule.AGAIN)),
        (words("away again", VERSE[1]), (0, 0, Rule.STRESS)),
        (words("hold 2 the hand", VERSE[1]), (0, 0, Rule.WORDS)),
        (words("hold <b> the hand", VERSE[1]), (0, 0, Rule.WORDS)),
        (words("der mit und hand", VERSE[1]), (0, 0, Rule.LANGUAGE)),
        (words(again=("silver follows me", "silver is the sea")), (2, 0, Rule.RETURN)),
    ],
    ids=lambda value: value[2].value if isinstance(value, tuple) else "",
)
def test_each_rule_of_the_tune_is_held(lyrics: Lyrics, expected: tuple[int, int, Rule]) -> None:
    assert expected in broken(lyrics)


def test_syllables_that_a_word_does_not_have_are_not_taken_on_trust() -> None:
    lyrics = written(("water by hand", "walk on the sand"), CHORUS, CHORUS, counts={**COUNTS, "water": 1, "by": 2})
    assert (0, 0, Rule.SYLLABLES) in broken(lyrics)


@pytest.mark.parametrize(
    "text", ["damn this old hand", "DAMN this old hand", "d-a-m-n this hand", "dämn this old hand"]
)
def test_explicit_words_are_refused_unless_they_may_be(text: str) -> None:
    lyrics = words(text, VERSE[1])
    assert (0, 0, Rule.EXPLICIT) in broken(lyrics)
    assert Rule.EXPLICIT not in {rule for *_, rule in broken(lyrics, explicit=True)}


def test_explicit_is_what_was_found_and_not_what_was_allowed() -> None:
    assert CHECKS.explicit(words("damn this old hand", VERSE[1]))
    assert CHECKS.explicit(words(title="Damn"))
    assert not CHECKS.explicit(words())
    assert not CHECKS.explicit(words("pass the old class", VERSE[1]))


@pytest.mark.parametrize(
    ("verse", "topic"),
    [
        (("go kill yourself now", "walk on the sand"), "self-harm"),
        (("faggots in the land", "walk on the sand"), "slurs"),
        (("little girl in bed", "naked on the sand"), "minors"),
    ],
)
def test_what_is_unsafe_is_refused_even_where_explicit_words_may_be(verse: tuple[str, str], topic: str) -> None:
    found = CHECKS.breaches(small(), words(*verse), brief(explicit=True))
    assert any(one.rule is Rule.UNSAFE and topic in one.why for one in found)


def test_a_banned_word_or_phrase_is_found_wherever_it_stands() -> None:
    assert (1, 0, Rule.BANNED) in broken(words(), banned=("Sea",))
    assert (0, 0, Rule.BANNED) in broken(words(), banned=("by hand",))
    assert (TITLE, 0, Rule.BANNED) in broken(words(title="Gold"), banned=("gold",))
    assert broken(words(), banned=("se", "hand by", "")) == []


def test_a_missing_section_or_line_is_named() -> None:
    assert broken(written(VERSE, CHORUS)) == [(0, 0, Rule.SHAPE)]
    assert (0, 0, Rule.SHAPE) in broken(written(VERSE[:1], CHORUS, CHORUS, counts=COUNTS))
