"""Written words become the words an English speaker says, and each caption word keeps its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.speech.normalise import plain_words, speakable, spoken_text
from models.errors import ScriptRejected
from models.script import SayAs, Span, Utterance
from models.ssml import parse_script
from tests.speech.conftest import sentence


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("grew 12% to 3.5 %", "grew twelve percent to three point five percent"),
        ("$3.5 million, €1,200.50 and £2bn", "three point five million dollars one thousand two hundred euros and "
         "fifty cents and two billion pounds"),
        ("a $5 million deal of $1.99", "a five million dollar deal of one dollar and ninety nine cents"),
        ("$2-3 billion or USD 5m", "two to three billion dollars or five million dollars"),
        ("on 12 March 2026, March 3rd", "on the twelfth of march twenty twenty six march third"),
        ("2026-03-12 in the 1990s", "march twelfth twenty twenty six in the nineteen nineties"),
        ("from 2024–2026, since 1905", "from twenty twenty four to twenty twenty six since nineteen oh five"),
        ("at 9:30am, 10:05 p.m. or 14:00", "at nine thirty a m ten oh five p m or fourteen hundred"),
        ("the 1st, 21st and 103rd", "the first twenty first and one hundred and third"),
        ("1/2, 3/4 and 2½", "one half three quarters and two and a half"),
        ("3-5 of 1,250 and -7", "three to five of one thousand two hundred and fifty and minus seven"),
        ("the CEO's AI and KPIs", "the c e o's a i and k p i's"),
        ("NASA, NATO and OPEC", "nasa nato and opec"),
        ("EBITDA in Q3 of FY26", "ee bit dah in q three of f y twenty six"),
        ("5 km at 100 km/h, 16GB, 3 kg", "five kilometres at one hundred kilometres per hour sixteen gigabytes three "
         "kilograms"),
        ("mail a.b@acme.com", "mail a dot b at acme dot com"),
        ("see https://www.acme.com/about", "see w w w dot acme dot com slash about"),
        ("R&D, P&L & more", "r and d p and l and more"),
        ("GPT-4, X200, A320 and B2B", "g p t four x two hundred a three twenty and b two b"),
        ("Mr. Smith vs. Dr. Jones, No. 5", "mister smith versus doctor jones number five"),
        ("10x, 25 bps, 10k users", "ten times twenty five basis points ten thousand users"),
        ("5m customers and 5 m", "five million customers and five m"),
        ("WE ARE GROWING FAST", "we are growing fast"),
        ("Zürich café™ — naïve", "zurich cafe naive"),
        ("version v2.0 at −5°C", "version version two point zero at minus five degrees celsius"),
        ("24/7 #1 choice", "twenty four seven number one choice"),
        ("ＡＢ１２ full width", "a b twelve full width"),
    ],
)  # fmt: skip
def test_numbers_names_and_symbols_are_read_out(written: str, said: str) -> None:
    assert spoken_text(sentence(written)) == said


def test_british_and_american_dates_differ() -> None:
    assert spoken_text(sentence("03/04/2026", "en-US")) == "march fourth twenty twenty six"
    assert spoken_text(sentence("03/04/2026", "en-GB")) == "the third of april twenty twenty six"


def test_each_caption_word_keeps_what_is_said_for_it() -> None:
    words = speakable(sentence("Sales — up 12%, to $3.5 million (great)!"))
    assert [(word.text, word.spoken, word.mark) for word in words] == [
        ("Sales —", ("Sales",), "—"),
        ("up", ("up",), ""),
        ("12%,", ("twelve", "percent"), ","),
        ("to", ("to",), ""),
        ("$3.5", ("three", "point", "five"), ""),
        ("million", ("million", "dollars"), ""),
        ("(great)!", ("great",), "!"),
    ]


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (SayAs.CHARACTERS, "A1-b", "a one dash b"),
        (SayAs.CARDINAL, "2026", "two thousand and twenty six"),
        (SayAs.ORDINAL, "3", "third"),
        (SayAs.TELEPHONE, "+44 20 7946", "plus four four two zero seven nine four six"),
        (SayAs.DATE, "2026-03-12", "march twelfth twenty twenty six"),
    ],
)
def test_say_as_is_obeyed(kind: SayAs, text: str, said: str) -> None:
    assert spoken_text(Utterance(spans=(Span(text="It is "), Span(text=text, say_as=kind)))) == f"it is {said}"


def test_an_alias_is_one_caption_word_with_its_punctuation() -> None:
    (segment,) = parse_script("See (<sub alias='the 3 Ws'>WWW</sub>), now.", "en", ())
    words = speakable(segment.utterance)
    assert [(word.text, " ".join(word.spoken)) for word in words] == [
        ("See", "See"), ("(WWW),", "the three Ws"), ("now.", "now"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("We love 😀 it.", "U+1F600, grinning face"),
        ("Привет to all.", "cyrillic capital letter pe"),
        ("Say 你好 now.", "U+4F60"),
        ("A مرحبا b.", "arabic letter meem"),
        ("x \ue000 y", "U+E000"),
    ],
)
def test_other_scripts_and_emoji_are_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(ScriptRejected, match="cannot speak") as refused:
        speakable(sentence(text))
    assert named in refused.value.message
    assert refused.value.field.startswith('word "')


def test_a_say_as_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ScriptRejected, match="ordinal"):
        speakable(Utterance(spans=(Span(text="tomorrow", say_as=SayAs.ORDINAL),)))


def test_what_a_recogniser_wrote_compares_with_what_was_said() -> None:
    said = spoken_text(sentence("On 12 March 2026, revenue rose 12% to $3.5 million."))
    assert plain_words("On 12 March 2026 revenue rose 12 percent to $3.5 million") == said
    assert plain_words("...") == ""
    assert plain_words("Привет 2") == "two"


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), min_size=1, max_size=60))
def test_latin_text_is_read_or_refused_with_a_name_and_its_caption_words_are_kept(text: str) -> None:
    try:
        utterance = sentence(text)
        words = speakable(utterance)
    except ScriptRejected as refused:
        assert refused.field
        return
    assert "".join("".join(word.text for word in words).split()) == "".join(utterance.text.split())
    assert all(word.spoken for word in words)
