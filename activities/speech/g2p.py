"""Spoken words into Kokoro's phoneme alphabet by hibari's lexicon, and that alphabet to and from IPA. Shared by the
engines that speak phonemes."""

import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from activities.speech.normalise import SpokenWord
from models.errors import ScriptRejected

PRIMARY, SECONDARY = "ˈ", "ˌ"
VOWELS = frozenset("AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵊᵻ")
MARKS = frozenset(";:,.!?—…")
LONGEST_LETTER_RUN = 8
"""More letters than this are spelled in groups."""

_LETTER_NAMES = {
    "A": "A", "B": "bi", "C": "si", "D": "di", "E": "i", "F": "ɛf", "G": "ʤi", "H": "Aʧ", "I": "I", "J": "ʤA",
    "K": "kA", "L": "ɛl", "M": "ɛm", "N": "ɛn", "O": "O", "P": "pi", "Q": "kju", "R": "ɑɹ", "S": "ɛs", "T": "ti",
    "U": "ju", "V": "vi", "W": "dˈʌbəlju", "X": "ɛks", "Y": "wI", "Z": "zi",
}  # fmt: skip
_BRITISH_LETTERS = {"O": "Q", "R": "ɑː", "Z": "zɛd"}

_TO_IPA = {
    "A": "eɪ", "I": "aɪ", "W": "aʊ", "O": "oʊ", "Q": "əʊ", "Y": "ɔɪ",
    "ʧ": "tʃ", "ʤ": "dʒ", "T": "ɾ", "ᵊ": "ə", "ᵻ": "ɪ", "a": "æ",
}  # fmt: skip
"""Kokoro writes diphthongs and affricates as one symbol (misaki's alphabet); everything else is IPA already."""

_FROM_IPA = (
    ("͡", ""), ("tʃ", "ʧ"), ("dʒ", "ʤ"), ("eɪ", "A"), ("aɪ", "I"), ("aʊ", "W"), ("oʊ", "O"), ("əʊ", "Q"), ("ɔɪ", "Y"),
    ("ɝ", "ɜɹ"), ("ɚ", "əɹ"), ("ɾ", "T"), ("r", "ɹ"), ("ɻ", "ɹ"), ("g", "ɡ"), ("ɫ", "l"), ("ʔ", "t"),
    ("'", PRIMARY), ("’", PRIMARY), (":", "ː"), ("̩", ""), ("̯", ""), ("ʰ", ""), (".", ""), ("-", ""), ("‿", ""),
    ("/", ""), ("[", ""), ("]", ""), ("ɨ", "ᵻ"), ("y", "i"), ("ø", "ɜ"), ("x", "k"), ("ʀ", "ɹ"),
    ("ʁ", "ɹ"), ("ɒ̃", "ɔn"),
)  # fmt: skip
_KNOWN = frozenset("bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθT") | VOWELS | {PRIMARY, SECONDARY, "ː", " "}


@dataclass(frozen=True)
class PhoneWord:
    """A caption word as phonemes of Kokoro's alphabet (spaces between spoken words, marks inside and after it)."""

    word: SpokenWord
    phonemes: str
    mark: str


class Phonemiser:
    """hibari's grapheme-to-phoneme converter for one accent. Loading takes about half a second; calls are serialised,
    because its unknown-word network keeps state between the steps of one call."""

    def __init__(self, *, british: bool) -> None:
        self.british = british
        self._lock = threading.Lock()
        self._g2p: Any = None

    def phonemise(self, words: tuple[SpokenWord, ...]) -> tuple[PhoneWord, ...]:
        """Phonemes of each word, read in the context of the whole sentence ("the" before a vowel, "read", "live").

        Raises ScriptRejected for an IPA pronunciation with symbols no English voice has, and for a word that no phoneme
        came out of.
        """
        readings = [tuple(self._forced(word)) for word in words]
        text, owners = _line(words, readings)
        found: list[list[str]] = [[] for _ in words]
        with self._lock:
            for owner, phonemes in self._tokens(text, owners, readings):
                found[owner].append(phonemes)
        phone_words = tuple(
            PhoneWord(word, " ".join("".join(parts).split()), word.mark)
            for word, parts in zip(words, found, strict=True)
        )
        for phone_word in phone_words:
            if not any(symbol in VOWELS or symbol.isalpha() for symbol in phone_word.phonemes):
                raise ScriptRejected(
                    f'The voice finds no way to say "{phone_word.word.text[:40]}".',
                    field=f'word "{phone_word.word.text[:60]}"',
                    code="script.unspeakable",
                    action='Say how it sounds: <sub alias="..."> or <phoneme ph="...">.',
                )
        return phone_words

    def _forced(self, word: SpokenWord) -> Iterator[tuple[str, str]]:
        """The spoken words of ``word`` as (text for the tagger, phonemes or empty); letter names joined into one."""
        if word.ipa:
            yield _safe(" ".join(word.spoken)), from_ipa(word.ipa, british=self.british)
            return
        letters: list[str] = []
        for said in (*word.spoken, ""):
            if _is_letter(said) and len(letters) < LONGEST_LETTER_RUN:
                letters.append(said)
                continue
            if letters in (["I"], ["I's"]):
                yield letters[0], ""
            elif letters:
                yield "".join(letters).replace("'", ""), self._spelled(letters)
            letters = [said] if _is_letter(said) else []
            if said and not letters:
                yield said, said if said in MARKS else ""

    def _spelled(self, letters: list[str]) -> str:
        """Letter names as one word, the last one stressed: ``CEO`` is sˌiˌiˈO."""
        names = [self._letter(letter[0]) for letter in letters]
        stressed = [_with_stress(name, PRIMARY if at == len(names) - 1 else SECONDARY) for at, name in enumerate(names)]
        return "".join(stressed) + (_plural(names[-1]) if letters[-1][1:] else "")

    def _letter(self, letter: str) -> str:
        if not self.british:
            return _LETTER_NAMES[letter]
        name = _BRITISH_LETTERS.get(letter, _LETTER_NAMES[letter])
        return name + "ː" if name[-1] in "iu" else name

    def _tokens(
        self, text: str, owners: list[tuple[int, int, int, int]], readings: list[tuple[tuple[str, str], ...]]
    ) -> Iterator[tuple[int, str]]:
        """(caption word, phonemes) for each token of ``text``, in order."""
        if self._g2p is None:
            from hibari.g2p import G2P  # noqa: PLC0415 - half a second and 10 MB that only speech needs

            self._g2p = G2P(british=self.british)
        tokens = self._g2p.tokenize(text)
        self._force(tokens, text, owners, readings)
        position = 0
        for token in self._g2p.phonemize_tokens(tokens):
            position = max(text.find(token.text, position), position)
            owner = next((index for start, end, index, _ in owners if start <= position < end), None)
            position += len(token.text)
            if owner is not None:
                yield owner, (token.phonemes or "") + (" " if token.whitespace else "")

    @staticmethod
    def _force(
        tokens: list[Any],
        text: str,
        owners: list[tuple[int, int, int, int]],
        readings: list[tuple[tuple[str, str], ...]],
    ) -> None:
        position = 0
        given: set[tuple[int, int]] = set()
        for token in tokens:
            position = max(text.find(token.text, position), position)
            for start, end, index, part in owners:
                phonemes = readings[index][part][1]
                if start <= position < end and phonemes:
                    token.phonemes = "" if (index, part) in given else phonemes
                    token.rating = 5
                    given.add((index, part))
            position += len(token.text)


def _line(
    words: tuple[SpokenWord, ...], readings: list[tuple[tuple[str, str], ...]]
) -> tuple[str, list[tuple[int, int, int, int]]]:
    """The sentence as one line for the tagger, and (start, end, word, part) of each spoken part in it."""
    line = ""
    owners: list[tuple[int, int, int, int]] = []
    for index, (word, parts) in enumerate(zip(words, readings, strict=True)):
        for part, (text, _) in enumerate(parts):
            line += " " if line else ""
            owners.append((len(line), len(line) + len(text), index, part))
            line += text
        line += word.mark if parts else ""
    return line, owners


def _safe(text: str) -> str:
    """Letters for the tagger, whatever the written word was."""
    return "".join(character for character in text if character.isalpha()) or "name"


def _is_letter(said: str) -> bool:
    return (len(said) == 1 or said[1:] == "'s") and said[:1].isalpha() and said[:1].isupper()


def _with_stress(phonemes: str, stress: str) -> str:
    if PRIMARY in phonemes:
        return phonemes.replace(PRIMARY, stress)
    first = next(at for at, symbol in enumerate(phonemes) if symbol in VOWELS)
    return phonemes[:first] + stress + phonemes[first:]


def _plural(phonemes: str) -> str:
    if phonemes[-1] in "szʃʒʧʤ":
        return "ᵻz"
    return "s" if phonemes[-1] in "ptkfθ" else "z"


def from_ipa(ipa: str, *, british: bool) -> str:
    """IPA of General American or RP in Kokoro's alphabet; stress marks move from the syllable to its vowel.

    Raises ScriptRejected naming the first symbol that no English voice has.
    """
    text = unicodedata.normalize("NFC", ipa.strip())
    for written, symbol in _FROM_IPA:
        text = text.replace(written, symbol)
    text = text.replace("e", "ɛ").replace("a", "æ").replace("o", "ɔ")
    text = text.replace("æ", "a") if british else text.replace("ː", "").replace("ɒ", "ɑ")
    unknown = next((symbol for symbol in text if symbol not in _KNOWN), None)
    if unknown is not None or not any(symbol in VOWELS for symbol in text):
        name = f"{unknown!r} ({unicodedata.name(unknown, 'unnamed').lower()})" if unknown else "no vowel"
        raise ScriptRejected(
            f'The pronunciation "{ipa[:60]}" has {name}, which an English voice cannot say.',
            field=f'pronunciation "{ipa[:60]}"',
            code="script.pronunciation",
            action="Write it in the IPA symbols of General American or RP.",
        )
    placed: list[str] = []
    waiting = ""
    for symbol in text:
        if symbol in (PRIMARY, SECONDARY):
            waiting = symbol
            continue
        if waiting and symbol in VOWELS:
            placed.append(waiting)
            waiting = ""
        placed.append(symbol)
    phonemes = "".join(placed)
    return phonemes if PRIMARY in phonemes else _with_stress(phonemes.replace(SECONDARY, ""), PRIMARY)


def to_ipa(symbol: str) -> str:
    """One symbol of Kokoro's alphabet in IPA."""
    return _TO_IPA.get(symbol, symbol)
