"""Two spellings of what sounds the same are the same words; two words that sound the same are not."""

import pytest

from activities.quality.words import canonical_words

SAME = (
    ("Revenue grew by 12% to $4.2 million.", "revenue grew by twelve percent to four point two million dollars"),
    ("In 2026, we hired 1,250 people.", "In twenty twenty-six we hired one thousand two hundred and fifty people"),
    ("two thousand and twenty six", "2026"),
    ("On 3 March 2026", "on the third of March 2026"),
    ("On March 3, 2026", "on March third, twenty twenty-six"),
    ("Our CEO and the API", "our C.E.O. and the A P I"),
    ("Q3 results on a 5G network", "Q three results on a five G network"),
    ("R&D, year-over-year", "r and d year over year"),
    ("We won't; it's fine; we can't", "we will not it is fine we cannot"),
    ("The organised centre travelled in colour", "the organized center traveled in color"),
    ("licence, practise, defence, grey", "license practice defense gray"),
    ("the 21st, the 305th", "the twenty-first, the three hundred and fifth"),
    ("10-15 people at 9:30", "ten to fifteen people at nine thirty"),
    ("a $1 million deal, £3.50", "a one million dollar deal, three pounds and fifty pence"),
    ("0.5 and 4.0 and 25,000", "zero point five and four point zero and twenty five thousand"),
    ("a hundred", "100"),
    ("7 a.m. in the U.S.", "seven am in the US"),
)
DIFFERENT = (
    ("our results", "are results"),
    ("their plan", "there plan"),
    ("we filled it", "we filed it"),
    ("fifteen", "fifty"),
    ("12%", "12"),
    ("million", "billion"),
    ("first quarter", "fourth quarter"),
    ("we can", "we cannot"),
    ("four", "for"),
    ("two", "to"),
)


@pytest.mark.parametrize(("written", "heard"), SAME)
def test_spellings_of_the_same_sounds_are_the_same_words(written: str, heard: str) -> None:
    assert canonical_words(written, "en-GB") == canonical_words(heard, "en-GB")


@pytest.mark.parametrize(("written", "heard"), DIFFERENT)
def test_what_means_something_else_stays_different(written: str, heard: str) -> None:
    assert canonical_words(written, "en") != canonical_words(heard, "en")


def test_other_languages_keep_their_words() -> None:
    assert canonical_words("Größe: 12 Äpfel!", "de") == ["grösse", "12", "äpfel"]
