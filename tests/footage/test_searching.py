"""What is searched for fits the song, is never too long for a library, and is the same each time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.footage.searching import LONGEST, colour_word, searches
from models.identity import Motif
from tests.footage.conftest import brief


@given(
    seed=st.integers(0, 2**31 - 1),
    motif=st.sampled_from(list(Motif)),
    themes=st.lists(st.text(max_size=40), min_size=1, max_size=6),
)
def test_searches_are_few_short_and_the_same_each_time(seed: int, motif: Motif, themes: list[str]) -> None:
    asked = brief(seed=seed, motif=motif, themes=tuple(themes))
    found = searches(asked)
    assert 1 <= len(found) <= 5 and len(set(found)) == len(found)
    assert all(words == words.strip() and 0 < len(words) <= LONGEST for words in found)
    assert found == searches(asked)


def test_the_songs_own_theme_comes_first_and_the_motif_in_its_colour() -> None:
    first, second, *_ = searches(brief(themes=("winter", "fire")))
    assert first in ("snow falling", "frozen lake")
    assert second.startswith("pink ")


@pytest.mark.parametrize(
    ("palette", "word"),
    [
        (("#101010", "#2040d0", "#f0f0f0"), "blue"),
        (("#100500", "#c03010", "#f0f0f0"), "red"),
        (("#051005", "#20a030", "#f0f0f0"), "green"),
        (("#101010", "#505050", "#f0f0f0"), "dark"),
    ],
)
def test_colours_are_called_what_people_call_them(palette: tuple[str, ...], word: str) -> None:
    assert colour_word(palette) == word
