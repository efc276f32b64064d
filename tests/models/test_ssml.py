"""Scripts become sentences: nothing is lost, nothing is moved, and what cannot be spoken is refused at its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ScriptRejected
from models.script import MAX_SCRIPT_CHARACTERS, MAX_SEGMENTS, Emphasis, Pronunciation, SayAs
from models.ssml import MAX_SENTENCE_CHARACTERS, MAX_WORD_CHARACTERS, parse_script


def sentences(source: str) -> list[str]:
    return [segment.utterance.text for segment in parse_script(source, "en", ())]


def spaced(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Good morning. Welcome!", ["Good morning.", "Welcome!"]),
        ("I am Dr. Sarah J. Mitchell, e.g. the CFO.", ["I am Dr. Sarah J. Mitchell, e.g. the CFO."]),
        ("We grew 3.5 percent. Great.", ["We grew 3.5 percent.", "Great."]),
        ('He said "Yes." Then he left.', ['He said "Yes."', "Then he left."]),
        ('"Really?" she asked.', ['"Really?" she asked.']),
        ("Wait… what? Well... Done.", ["Wait… what?", "Well...", "Done."]),
        ("The U.S. Treasury acted. In the U.S. We won.", ["The U.S. Treasury acted.", "In the U.S.", "We won."]),
        ("Acme Inc. CEO Jane spoke at 9 a.m. Monday.", ["Acme Inc. CEO Jane spoke at 9 a.m. Monday."]),
        ("See No. 5 and Fig. 3. No. We do.", ["See No. 5 and Fig. 3.", "No.", "We do."]),
        ("Plan B. Then we go. J. K. Rowling wrote.", ["Plan B.", "Then we go.", "J. K. Rowling wrote."]),
        ("Sales rose. iPhone led.", ["Sales rose.", "iPhone led."]),
        (
            "Goals:\n- one thing\n- another\n1. first\n2. second",
            ["Goals:", "- one thing", "- another", "1. first", "2. second"],
        ),
        ("One line\nand the same sentence.", ["One line and the same sentence."]),
        ("A title\n\nA sentence", ["A title", "A sentence"]),
        ("Great. 😀 Next. 😀", ["Great.", "😀 Next. 😀"]),
        ("a < b & c > d is 5 <3 fine.", ["a < b & c > d is 5 <3 fine."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(source: str, expected: list[str]) -> None:
    assert sentences(source) == expected


def test_a_paragraph_ends_with_a_longer_pause() -> None:
    first, second, third = parse_script("One. Two.\n\nThree.", "en", ())
    assert first.utterance.pause_after_ms < second.utterance.pause_after_ms == third.utterance.pause_after_ms


def test_every_tag_of_the_subset_says_how_its_text_is_spoken() -> None:
    segment, last = parse_script(
        "<speak><p>We <emphasis level='strong'>won</emphasis><break time='1.5s'/> "
        '<prosody rate="+10%" pitch="-12st"><sub alias="World Wide Web">WWW</sub></prosody> '
        '<phoneme alphabet="ipa" ph="ˈkaɪoʊ">Kyo</phoneme> <say-as interpret-as="characters">AT&amp;T</say-as>.</p>'
        "<s>End</s></speak>",
        "en",
        (),
    )
    won, _, alias, _, ipa, _, spelled, _ = segment.utterance.spans[1:]
    assert (won.text, won.emphasis, won.pause_after_ms) == ("won", Emphasis.STRONG, 1500)
    assert (alias.text, alias.alias, alias.rate, alias.pitch) == ("WWW", "World Wide Web", 1.1, 0.5)
    assert (ipa.text, ipa.ipa) == ("Kyo", "ˈkaɪoʊ")
    assert (spelled.text, spelled.say_as) == ("AT&T", SayAs.CHARACTERS)
    assert segment.utterance.text == "We won WWW Kyo AT&T."
    assert last.utterance.text == "End"


def test_a_break_between_sentences_is_the_pause_of_the_first() -> None:
    first, second = parse_script('<p>One.</p><break time="3s"/><p>Two.</p>', "en", ())
    assert first.utterance.pause_after_ms == 3_000
    assert second.utterance.pause_after_ms < 3_000


def test_pronunciations_cover_whole_words_and_yield_to_the_script() -> None:
    known = (Pronunciation(word="Zorbatron", ipa="zˈɔɹbətɹɑn"), Pronunciation(word="Q", alias="queue"))
    (segment,) = parse_script("<p>ZORBATRON's Zorbatrons met Q and <sub alias='x'>Zorbatron</sub>.</p>", "en", known)
    marked = [(span.text, span.ipa or span.alias) for span in segment.utterance.spans if span.ipa or span.alias]
    assert marked == [("ZORBATRON", "zˈɔɹbətɹɑn"), ("Q", "queue"), ("Zorbatron", "x")]


def test_an_edited_sentence_leaves_the_others_as_they_were() -> None:
    before = parse_script("One fish. Two fish. Red fish.", "en", ())
    after = parse_script("One fish. Two big fish. Red fish.", "en", ())
    assert [a.utterance == b.utterance for a, b in zip(before, after, strict=True)] == [True, False, True]


@pytest.mark.parametrize(
    ("source", "field", "message"),
    [
        ("", "script", "no words"),
        (" \n\t ", "script", "no words"),
        ("... !! — ?", "script", "no words"),
        ("😀", "script", "no words"),
        ("<speak><break/></speak>", "script", "no words"),
        ("a" * (MAX_SCRIPT_CHARACTERS + 1), "script", "characters"),
        ("Hi. " * (MAX_SEGMENTS + 1), "line 1, column 1601", "sentences"),
        ("One.\nTwo \x00 three.", "line 2, column 5", "U+0000"),
        ("%PDF-1.7\n\x93\x8c binary", "line 2, column 1", "binary"),
        ("One.\nA\ufffdB", "line 2, column 2", "U+FFFD"),
        ("Fine. " + "x" * (MAX_WORD_CHARACTERS + 1), "line 1, column 7", "without a space"),
        ("Hi <foo>there</foo>.", "line 1, column 4", "<foo>"),
        ("<script>alert(1)</script>", "line 1, column 1", "<script>"),
        ("<p>Never closed", "line 1, column 1", "never closed"),
        ("<p><s>Crossed</p></s>", "line 1, column 14", "</s>"),
        ("Hello</p>", "line 1, column 6", "no tag is open"),
        ("<break time='20s'/>Hi", "line 1, column 1", "20s"),
        ("<break strength='huge'/>Hi", "line 1, column 1", "huge"),
        ("<prosody rate='9'>Hi</prosody>", "line 1, column 1", "9 times"),
        ("<prosody pitch='200Hz'>Hi</prosody>", "line 1, column 1", "200Hz"),
        ("<emphasis level=strong>Hi</emphasis>", "line 1, column 10", "malformed"),
        ("<emphasis loud='1'>Hi</emphasis>", "line 1, column 11", "loud"),
        ("<say-as interpret-as='poem'>Hi</say-as>", "line 1, column 1", "poem"),
        ("<phoneme alphabet='x-sampa' ph='a'>Hi</phoneme>", "line 1, column 1", "x-sampa"),
        ("<sub alias=''>Hi</sub>", "line 1, column 1", "alias"),
        ('<!DOCTYPE x [<!ENTITY e "boom">]><p>&e;</p>', "line 1, column 1", "tags and comments"),
        ("<p>&boom;</p>", "line 1, column 4", "&boom;"),
        ("<p>&#0;</p>", "line 1, column 4", "&#0;"),
        (". " * 2_000 + "a", "sentence 1", "few words"),
    ],
)
def test_what_cannot_be_spoken_is_refused_with_its_place(source: str, field: str, message: str) -> None:
    with pytest.raises(ScriptRejected) as refused:
        parse_script(source, "en", ())
    assert message in refused.value.message
    assert refused.value.field == field
    assert refused.value.action


def test_a_very_long_sentence_is_cut_at_its_clauses() -> None:
    source = ", ".join(f"clause number {number} of a sentence that goes on" for number in range(60)) + "."
    parts = sentences(source)
    assert len(parts) > 3
    assert all(len(part) <= MAX_SENTENCE_CHARACTERS and part[-1] in ",." for part in parts)
    assert " ".join(parts) == source


WORDS = (
    "revenue 3.5% $4.2m Dr. e.g. U.S. CEO growth!? Q3. «yes» … — 😀 naïve a<b R&D No. 5 (really?) Inc. 'so' I. you’re "
    "Jones, end. The"
)
_words = st.sampled_from(WORDS.split())
_plain = st.lists(st.tuples(_words, st.sampled_from([" ", "\n", "  ", "\n\n", "\t"])), max_size=60).map(
    lambda parts: "".join(word + space for word, space in parts)
)


@given(_plain)
def test_plain_text_is_kept_whole_and_in_order(source: str) -> None:
    try:
        segments = parse_script(source, "en", ())
    except ScriptRejected:
        assert not any(map(str.isalnum, source))
        return
    # A paragraph of marks alone is a divider, and no sentence.
    spoken = "".join(part for part in source.split("\n\n") if any(map(str.isalnum, part)))
    assert spaced(" ".join(segment.utterance.text for segment in segments)).replace(" ", "") == "".join(spoken.split())
    assert [segment.index for segment in segments] == list(range(len(segments)))
    for segment in segments:
        assert spaced(source[segment.start : segment.end]) == segment.utterance.text
    starts = [edge for segment in segments for edge in (segment.start, segment.end)]
    assert starts == sorted(starts)


_fragments = st.sampled_from(
    ["<speak>", "</speak>", "<p>", "</p>", "<s>", "</s>", "<break time='1s'/>", "<break>", "</break>", "</prosody>",
     "<prosody rate='2'>", "<emphasis>", "</emphasis>", "&amp;", "&#65;", "&lt", "<", ">", "<!--", "-->", "<?xml ?>",
     "Hello", "one. ", "\n\n", "<sub alias='a b'>", "</sub>", "'", '"', "\x07", "é", "<b>"]
)  # fmt: skip
_bytes = st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=300), st.lists(_fragments, max_size=25).map("".join), _bytes))
def test_any_source_is_parsed_or_refused_with_an_action(source: str) -> None:
    try:
        segments = parse_script(source, "en", (Pronunciation(word="Hello", alias="hallo"),))
    except ScriptRejected as refused:
        assert refused.field
        assert refused.action
        return
    assert all(any(map(str.isalnum, segment.utterance.text)) for segment in segments)
    assert segments == parse_script(source, "en", (Pronunciation(word="Hello", alias="hallo"),))
