"""Captions are timed by the words, short enough to read, and say exactly what is said."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.compositing import ass
from activities.compositing.captions import LINE_CHARACTERS, Cue, burnt, cues, srt, vtt
from activities.compositing.frame import frame_of
from models.alignment import Alignment, WordTiming
from models.layout import Brand, Shape
from tests.compositing.conftest import spread

SENTENCE = (
    "Revenue grew by eighteen percent in the third quarter, and our new platform, Veridia, now serves more than "
    "forty thousand customers every day."
)
BRAND = Brand(name="Acme")


@st.composite
def alignments(draw: st.DrawFn) -> Alignment:
    words, at = [], draw(st.floats(0, 2))
    for text in draw(st.lists(st.text("abcdefgh,.-<&{\\é", min_size=1, max_size=60), min_size=1, max_size=30)):
        length = draw(st.floats(0.03, 0.9))
        words.append(WordTiming(text=text, start=at, end=at + length))
        at += length + draw(st.sampled_from([0.0, 0.0, 0.02, 0.5]))
    return Alignment(words=tuple(words), duration=at, source="test")


def text_of(found: tuple[Cue, ...]) -> str:
    return " ".join(word.text for cue in found for word in cue.words)


@settings(max_examples=150, deadline=None)
@given(st.lists(alignments(), min_size=1, max_size=3))
def test_cues_never_overlap_overflow_or_lose_a_letter(spoken: list[Alignment]) -> None:
    offsets = [sum(a.duration for a in spoken[:number]) for number in range(len(spoken))]
    found = cues(zip(spoken, offsets, strict=True))
    for cue in found:
        assert 1 <= len(cue.lines) <= 2
        assert all(len(" ".join(word.text for word in line)) <= LINE_CHARACTERS for line in cue.lines)
        assert cue.start == cue.words[0].start
        assert cue.end > cue.start
    for earlier, later in pairwise(found):
        assert earlier.end <= later.start + 0.001
    said = "".join(word.text for alignment in spoken for word in alignment.words)
    shown = "".join(word.text for cue in found for word in cue.words)
    assert shown.replace("-", "") == said.replace("-", "")


def test_a_cue_ends_at_the_comma_rather_than_after_an_article() -> None:
    found = cues([(spread(SENTENCE, 0.2, 9.2, 9.5), 0.0)])
    assert found[0].words[-1].text == "quarter,"
    assert text_of(found) == SENTENCE


def test_a_short_answer_stays_for_a_second_where_there_is_room() -> None:
    yes = spread("Yes.", 0.1, 0.4, 3.0)
    assert cues([(yes, 0.0)])[0].end >= 1.1
    assert cues([(yes, 0.0), (spread("No, never.", 0.1, 0.9, 1.0), 0.6)])[0].end <= 0.7


def test_a_cue_does_not_outlast_six_seconds_of_speech() -> None:
    found = cues([(spread("slow " * 12, 0.0, 20.0, 20.0), 0.0)])
    assert all(cue.words[-1].end - cue.start <= 6.0 for cue in found)


def test_the_files_carry_the_same_cues_and_vtt_times_each_word() -> None:
    alignment = spread(SENTENCE, 0.2, 9.2, 9.5)
    found = cues([(alignment, 100.0)])
    subrip, web = srt(found), vtt(found)
    assert subrip.startswith("1\n00:01:40,200 --> ")
    assert web.startswith("WEBVTT\n\n00:01:40.200 --> ")
    times = [
        float(m[1]) * 3600 + float(m[2]) * 60 + float(m[3])
        for m in re.finditer(r"(?:^|<)(\d\d):(\d\d):(\d\d\.\d{3})(?:>| -->)", web, re.M)
    ]
    assert times == pytest.approx([word.start + 100 for word in alignment.words], abs=0.001)
    assert re.sub(r"<[^>]*>", "", web).replace("\n", " ").count("thousand customers") == 1


def test_letters_that_mean_something_to_a_player_are_escaped() -> None:
    web = vtt(cues([(spread("R&D <grew> fast", 0, 2, 2), 0.0)]))
    assert "R&amp;D" in web
    assert "&lt;grew&gt;" in web


def test_burnt_words_light_up_on_the_frame_where_they_are_spoken() -> None:
    alignment = spread("Margins held steady", 0.2, 2.0, 2.4)
    frame = frame_of(Shape.WIDE)
    shown = [one for one in burnt(alignment, frame, frame.caption, BRAND, 60, 25) if one.drawing.layer == 6]
    lit = {word: one.first for one in shown for word in re.findall(r"&H05b7f2&\}([^{]+)\{", one.drawing.code)}
    assert lit == {word.text: round(word.start * 25) for word in alignment.words}


def test_burnt_captions_stay_inside_the_segment() -> None:
    frame = frame_of(Shape.TALL)
    shown = burnt(spread(SENTENCE, 0.2, 9.9, 10.0), frame, frame.caption, BRAND, 240, 25)
    assert all(0 <= one.first < one.end <= 240 for one in shown)


@pytest.mark.parametrize("text", ["{\\b1}bold", "a\\Nb", "tab\tand\nline"])
def test_no_word_is_taken_for_a_command(text: str) -> None:
    escaped = ass.escape(text)
    assert not re.search(r"(?<!\\)[{}]", escaped)
    assert not re.search(r"\\[Nnh]", escaped)
    assert "\n" not in escaped
