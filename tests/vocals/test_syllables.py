"""Every word finds its notes, whatever the phonemiser makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.speech.g2p import Phonemiser
from activities.vocals.syllables import STRESSES, sung_text, sung_words, syllable_count, vowels

PHONEMISER = Phonemiser(british=False)
WORDS = (
    "fire",
    "every",
    "I",
    "don't",
    "tonight",
    "the",
    "memory",
    "river",
    "our",
    "poem",
    "rhythm",
    "ocean",
    "twenty-one",
)
SOUNDS = dict(zip(WORDS, PHONEMISER.phonemise(sung_words(WORDS)), strict=True))


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(1, 4)), min_size=1, max_size=6))
def test_every_note_of_a_word_is_sung_by_one_of_its_vowels_in_order(line: list[tuple[str, int]]) -> None:
    text = sung_text([SOUNDS[word] for word, _ in line], [count for _, count in line], frozenset())
    notes = [note for nucleus in text.nuclei for note in nucleus.notes]
    assert notes == sorted(notes)
    assert set(notes) == set(range(sum(count for _, count in line)))
    owner = [word for word, (_, count) in enumerate(line) for _ in range(count)]
    assert all(owner[note] == nucleus.word for nucleus in text.nuclei for note in nucleus.notes)


def test_a_vowel_takes_the_marks_of_its_stress_and_length() -> None:
    assert [("əɡˈɛn"[first:last]) for first, last in vowels("əɡˈɛn")] == ["ə", "ˈɛ"]
    assert [("sˈiː"[first:last]) for first, last in vowels("sˈiː")] == ["ˈiː"]


def test_a_word_with_too_many_vowels_keeps_its_stress_at_the_head_of_a_note() -> None:
    text = sung_text([SOUNDS["memory"]], [1], frozenset())
    assert [nucleus.share for nucleus in text.nuclei] == [(part, len(text.nuclei)) for part in range(len(text.nuclei))]
    assert text.text[text.nuclei[0].first] in STRESSES


@pytest.mark.parametrize(("word", "count"), [("ocean", 2), ("tonight", 2), ("I", 1), ("river", 2), ("the", 1)])
def test_syllables_are_counted_as_they_are_sung(word: str, count: int) -> None:
    assert syllable_count(SOUNDS[word]) == count


def test_a_rest_is_a_mark_the_model_pauses_at() -> None:
    text = sung_text([SOUNDS["river"], SOUNDS["ocean"]], [2, 2], frozenset({0}))
    assert text.text.count(",") == 1 and text.text.endswith(".")
