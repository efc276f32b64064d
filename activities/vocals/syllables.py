"""Which sound is sung on which note: the words of a line as symbols of Kokoro's alphabet, their syllables, and the
notes each takes. Never fails for words the phonemiser knows: too few syllables are drawn out, too many share a note."""

from collections.abc import Sequence
from dataclasses import dataclass

from activities.speech.g2p import PRIMARY, SECONDARY, VOWELS, PhoneWord
from activities.speech.normalise import SpokenWord

STRESSES = frozenset({PRIMARY, SECONDARY})
NUCLEAR = VOWELS - {"ː"}


@dataclass(frozen=True)
class Nucleus:
    """A vowel of a line. ``first`` to ``last`` (exclusive) are its symbols, stress and length marks among them;
    ``notes`` are those it is sung on, of which it may be a later part (``share``: which of how many)."""

    first: int
    last: int
    word: int
    notes: tuple[int, ...]
    share: tuple[int, int]
    stressed: bool


@dataclass(frozen=True)
class SungText:
    """A line as symbols, the symbols of each word as (first, last exclusive), and its vowels in order."""

    text: str
    words: tuple[tuple[int, int], ...]
    nuclei: tuple[Nucleus, ...]


def sung_text(words: Sequence[PhoneWord], syllables: Sequence[int], rests: frozenset[int]) -> SungText:
    """The words of a line on its notes. ``syllables`` are the notes of each word, ``rests`` the words after which there
    is silence. Returns symbols with a mark at each rest and at the end."""
    text = ""
    spans: list[tuple[int, int]] = []
    nuclei: list[Nucleus] = []
    reached = 0
    for at, (word, count) in enumerate(zip(words, syllables, strict=True)):
        phonemes = word.phonemes.replace(" ", "")
        text += " " if text else ""
        begin = len(text)
        text += phonemes
        found = vowels(phonemes)
        for (first, last), (notes, share) in zip(found, _assigned(phonemes, found, count), strict=True):
            nuclei.append(
                Nucleus(
                    begin + first,
                    begin + last,
                    at,
                    tuple(reached + note for note in notes),
                    share,
                    phonemes[first] in STRESSES,
                )
            )
        spans.append((begin, len(text)))
        reached += count
        if at in rests or at == len(words) - 1:
            text += "." if at == len(words) - 1 else ","
    return SungText(text, tuple(spans), tuple(nuclei))


def vowels(phonemes: str) -> list[tuple[int, int]]:
    """The vowels of a word as (first, last exclusive) symbol, each with the marks of its stress and length."""
    found = []
    for at, symbol in enumerate(phonemes):
        if symbol not in NUCLEAR:
            continue
        first = at - 1 if at and phonemes[at - 1] in STRESSES else at
        last = at + 2 if phonemes[at + 1 : at + 2] == "ː" else at + 1
        found.append((first, last))
    return found


def _assigned(phonemes: str, found: list[tuple[int, int]], notes: int) -> list[tuple[tuple[int, ...], tuple[int, int]]]:
    """For each vowel of a word the notes it takes, and its share of them."""
    if len(found) <= notes:
        # The last vowel is drawn out over what is left.
        taken: list[tuple[tuple[int, ...], tuple[int, int]]] = [((at,), (0, 1)) for at in range(len(found))]
        taken[-1] = (tuple(range(len(found) - 1, notes)), (0, 1))
        return taken
    groups = [[at] for at in range(len(found))]
    while len(groups) > notes:
        weakest = min(range(1, len(groups)), key=lambda at: _joint(phonemes, found, groups[at]))
        groups[weakest - 1 : weakest + 1] = [groups[weakest - 1] + groups[weakest]]
    return [((note,), (part, len(group))) for note, group in enumerate(groups) for part in range(len(group))]


def _joint(phonemes: str, found: list[tuple[int, int]], group: list[int]) -> tuple[bool, int, int]:
    """How much a vowel resists being sung on the note of the one before: the stressed most, then by the consonants
    between, then the earlier."""
    first = found[group[0]][0]
    return phonemes[first] in STRESSES, first - found[group[0] - 1][1], -group[0]


def sung_words(texts: Sequence[str]) -> tuple[SpokenWord, ...]:
    """Written words as the phonemiser takes them: letters and apostrophes, parted at hyphens."""
    return tuple(SpokenWord(text, tuple(_said(text)) or (text,)) for text in texts)


def _said(text: str) -> list[str]:
    plain = text.replace("’", "'").lower()
    parts = "".join(character if character.isalpha() or character == "'" else " " for character in plain).split()
    bare = [part.strip("'") for part in parts]
    # The phonemiser reads a lone capital as a letter's name, and a lone small i as well.
    return [("I" + part[1:]) if part == "i" or part.startswith("i'") else part for part in bare if part]


def syllable_count(word: PhoneWord) -> int:
    """How many notes a word takes when each of its vowels has one."""
    return max(len(vowels(word.phonemes.replace(" ", ""))), 1)
