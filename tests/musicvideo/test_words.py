"""Words keep within the title-safe part of every shape, come when they are sung, and stay words."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.compositing.colours import contrast
from activities.musicvideo import words
from models.errors import InvalidInput
from models.layout import Shape
from models.music import SungTiming, SungWord
from tests.musicvideo.conftest import FPS, PALETTE, WORDS

letters = st.text(alphabet="abcdefghijklmnopqrstuvwxyzÆéßЖ'", min_size=1, max_size=40)
lines = st.lists(st.lists(letters, min_size=1, max_size=16), min_size=1, max_size=4)


def timed(texts: list[list[str]]) -> SungTiming:
    now, found = 0.2, []
    for line in texts:
        found.append(tuple(SungWord(text=t, start=now + 0.3 * n, end=now + 0.3 * n + 0.25) for n, t in enumerate(line)))
        now += 0.3 * len(line) + 0.2
    return SungTiming(lines=tuple(found))


@settings(max_examples=30)
@given(texts=lines, shape=st.sampled_from(list(Shape)), name=letters)
def test_no_word_leaves_the_title_safe_part(texts: list[list[str]], shape: Shape, name: str) -> None:
    width, height = shape.size
    shown = words.captions(timed(texts), shape, FPS, 4_000)
    boxes = [one.box for one in shown]
    boxes.append(words.title(name, f"{name} {name}", PALETTE, shape, FPS, 4_000).box)
    for box in boxes:
        assert box.left >= 0.035 * width
        assert box.right <= 0.965 * width
        assert 0.05 * height <= box.top < box.bottom <= 0.97 * height
    said = "".join(word.text for one in shown for word in one.cue.words).replace("-", "")
    assert said == "".join(text for line in texts for text in line)
    for before, after in itertools.pairwise(shown):
        assert before.end <= after.first


def test_each_word_is_lit_when_it_is_sung() -> None:
    shown = words.captions(WORDS, Shape.WIDE, FPS, 200)
    events = words.lyrics(shown, PALETTE, FPS)
    for one, event in zip(shown, events[1::2], strict=True):
        starts = [int(found) for found in re.findall(r"\\t\((\d+),\d+,[^)]*\)\\t", event.drawing.code)]
        assert len(starts) == len(one.cue.words)
        for word, start in zip(one.cue.words, starts, strict=True):
            assert abs(one.first / FPS + start / 1000 - word.start) < 0.002
        assert one.first <= word.start * FPS
        assert one.end >= one.cue.words[-1].end * FPS - 1
    assert r"\{and\}" in events[1].drawing.code


@pytest.mark.parametrize("palette", [PALETTE, ("#202020", "#303030", "#404040"), ("#000000", "#0000ff", "#ffffff")])
def test_words_can_be_read_before_while_and_after_they_are_sung(palette: tuple[str, ...]) -> None:
    code = words.lyrics(words.captions(WORDS, Shape.WIDE, FPS, 200), palette, FPS)[1].drawing.code
    inks = {f"#{r}{g}{b}" for b, g, r in re.findall(r"\\1c&H(..)(..)(..)&", code)}
    assert len(inks) >= 2
    assert all(contrast(ink, words.GROUND) >= 4.5 for ink in inks)


def test_letters_that_cannot_be_set_are_named() -> None:
    with pytest.raises(InvalidInput) as told:
        words.captions(timed([["夜"]]), Shape.WIDE, FPS, 200)
    assert told.value.field == "timing"
