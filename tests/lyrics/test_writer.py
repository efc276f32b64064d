"""Words fit the tune to the note, rhyme as asked, come back where they should, and say nothing that is banned."""

from collections import defaultdict

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from activities.lyrics.base import LyricsBrief
from activities.lyrics.lexicon import COMMON, SHORTS, THEMES
from activities.lyrics.policy import Policy
from activities.lyrics.sounds import rhymes
from activities.lyrics.writer import LocalWriter, known_themes
from activities.support.engine import no_progress
from models.errors import InvalidInput, ScriptRejected
from models.music import Grid, Key, LeadLine, LeadNote, LeadSection, LeadSheet, Lyrics, Mode, SectionKind, to_sing

WRITER = LocalWriter()
KINDS = ("images", "moves", "wants", "things", "places", "ways")


def brief(**changes: object) -> LyricsBrief:
    values = {"themes": ("ocean", "memory"), "language": "en", "explicit": False, "banned": (), "notes": "", "seed": 1}
    return LyricsBrief(**{**values, **changes})  # type: ignore[arg-type]


def section(
    kind: SectionKind, counts: list[int], letters: list[str], bar: int, same_as: int | None = None
) -> LeadSection:
    lines = tuple(
        LeadLine(
            notes=tuple(
                LeadNote(start=8 * at + note / 2, beats=0.5, pitch=60, strong=note % 4 == 0) for note in range(count)
            ),
            rhyme=letter,
        )
        for at, (count, letter) in enumerate(zip(counts, letters, strict=True))
    )
    return LeadSection(kind=kind, start_bar=bar, bars=8, lines=lines, same_as=same_as)


@st.composite
def sheets(draw: st.DrawFn) -> LeadSheet:
    """Songs as the topline writes them: four lines a section of 2 to 10 notes, in any of the rhyme habits."""

    def four() -> list[int]:
        return [draw(st.integers(2, 10)) for _ in range(4)]

    habits = st.sampled_from([["A", "A", "B", "B"], ["A", "B", "A", "B"], ["", "A", "", "A"], ["", "", "", ""]])
    chorus, letters = four(), draw(habits)
    return LeadSheet(
        grid=Grid(tempo_bpm=100),
        key=Key(tonic=0, mode=Mode.MAJOR),
        sections=(
            section(SectionKind.VERSE, four(), draw(habits), 0),
            section(SectionKind.CHORUS, chorus, letters, 8),
            section(SectionKind.CHORUS, chorus, letters, 16, same_as=1),
        ),
    )


SHEET = LeadSheet(
    grid=Grid(tempo_bpm=100),
    key=Key(tonic=0, mode=Mode.MAJOR),
    sections=(
        section(SectionKind.VERSE, [8, 7, 8, 7], ["", "A", "", "A"], 0),
        section(SectionKind.CHORUS, [6, 6, 6, 6], ["A", "A", "B", "B"], 8),
    ),
)


def said(lyrics: Lyrics) -> set[str]:
    return {word.text.casefold() for one in lyrics.sections for line in one.lines for word in line.words}


@settings(max_examples=5, phases=(Phase.explicit, Phase.generate))
@given(sheets(), st.lists(st.sampled_from(sorted(THEMES)), min_size=1, max_size=3), st.integers(0, 2**31 - 1))
def test_any_tune_gets_words_that_fit_and_rhyme(sheet: LeadSheet, themes: list[str], seed: int) -> None:
    lyrics = WRITER.write(sheet, brief(themes=tuple(themes), seed=seed), no_progress)
    assert to_sing(sheet, lyrics)
    told: list[str] = []
    for tune, words in zip(sheet.sections, lyrics.sections, strict=True):
        groups = defaultdict(list)
        for notes, line in zip(tune.lines, words.lines, strict=True):
            assert line.syllables == len(notes.notes)
            assert all(
                WRITER._ear.sound(word.text.lower() if word.text != "I" else "I").syllables == word.syllables
                for word in line.words
            )
            groups[notes.rhyme].append(line.words[-1].text)
        for letter, ends in groups.items():
            if letter:
                sounds = [WRITER._ear.sound(end) for end in ends]
                assert all(rhymes(one, other) for one in sounds for other in sounds if one is not other), ends
                assert len(set(ends)) == len(ends)
        if tune.same_as is None:
            told += [line.text for line in words.lines]
        else:
            assert words == lyrics.sections[tune.same_as]
    assert len(set(told)) == len(told)


def test_the_same_request_gives_the_same_song_and_another_seed_or_wish_another() -> None:
    first = WRITER.write(SHEET, brief(), no_progress)
    assert LocalWriter().write(SHEET, brief(), no_progress) == first
    assert WRITER.write(SHEET, brief(seed=2), no_progress) != first
    assert WRITER.write(SHEET, brief(notes="make it sadder"), no_progress) != first


def test_banned_words_are_not_said() -> None:
    banned = tuple(sorted(said(WRITER.write(SHEET, brief(), no_progress)) - {"i", "the", "and", "a"}))
    assert not said(WRITER.write(SHEET, brief(banned=banned), no_progress)) & set(banned)


def test_what_a_reviewer_wants_less_of_is_not_said() -> None:
    for seed in range(4):
        assert "sea" not in said(WRITER.write(SHEET, brief(notes="less sea, please", seed=seed), no_progress))
    assert known_themes(("ocean",), "more fire") == ("fire", "ocean")
    assert known_themes(("ocean",), "no fire") == ("ocean",)


def test_nothing_explicit_is_in_the_lexicon() -> None:
    words = {
        word
        for phrases in THEMES.values()
        for kind in KINDS
        for text in getattr(phrases, kind)
        for word in text.split()
    }
    policy = Policy((), explicit=False)
    assert [word for word in sorted(words) if policy.refuses(word)] == []


def test_the_song_is_about_its_theme_and_its_title_is_the_hook() -> None:
    lyrics = WRITER.write(SHEET, brief(themes=("winter",)), no_progress)
    assert said(lyrics) & {"snow", "ice", "winter", "cold", "white", "frozen", "spring"}
    assert set(lyrics.title.casefold().split()) <= set(lyrics.sections[1].lines[0].text.casefold().split())


def test_an_unknown_theme_is_one_and_the_same() -> None:
    assert known_themes(("zorb",), "") == known_themes(("Zorb",), "")
    assert known_themes(("driving through the rain at midnight",), "")[0] in {"night drive", "city rain"}


def test_another_language_and_a_ban_on_everything_are_refused() -> None:
    with pytest.raises(ScriptRejected, match="English"):
        WRITER.write(SHEET, brief(language="fr"), no_progress)
    phrases = [*SHORTS, *(text for one in (COMMON, *THEMES.values()) for kind in KINDS for text in getattr(one, kind))]
    everything = tuple({word for text in phrases for word in text.split()})
    with pytest.raises(InvalidInput, match="no words are left") as refused:
        WRITER.write(SHEET, brief(banned=everything), no_progress)
    assert refused.value.field == "banned"
