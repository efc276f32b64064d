"""How words sound: the packaged English G2P, and IPA to and from ARPAbet. Apart from the aligners because all need it:
for words no dictionary has, and for the stress that acoustic models do not report."""

import functools
import re
import threading
from typing import Final, NamedTuple

from hibari.g2p import G2P


class Sound(NamedTuple):
    """An IPA phoneme without marks, and its stress as in ARPAbet: 0 none, 1 primary, 2 secondary (vowels only)."""

    ipa: str
    stress: int = 0


_ARPABET_TO_IPA: Final = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "EH": "ɛ", "ER": "ɚ", "EY": "eɪ", "IH": "ɪ",
    "IY": "i", "OW": "oʊ", "OY": "ɔɪ", "UH": "ʊ", "UW": "u",
    "B": "b", "CH": "tʃ", "D": "d", "DH": "ð", "F": "f", "G": "ɡ", "HH": "h", "JH": "dʒ", "K": "k", "L": "l", "M": "m",
    "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "V": "v", "W": "w", "Y": "j",
    "Z": "z", "ZH": "ʒ",
}  # fmt: skip
_IPA_TO_ARPABET: Final = {ipa: symbol for symbol, ipa in _ARPABET_TO_IPA.items()} | {
    "ɒ": "AA", "a": "AA", "ɐ": "AH", "ə": "AH", "e": "EH", "ɜ": "ER", "ɝ": "ER", "o": "OW", "əʊ": "OW",
    "ɾ": "D", "ʔ": "T", "ɫ": "L", "x": "K",
}  # fmt: skip
"""Phonemes of other notations fall to the nearest sound the acoustic model knows."""

_SHORTHAND: Final = {"A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "ʧ": "tʃ", "ʤ": "dʒ", "T": "ɾ"}
"""Single letters the G2P (after misaki) writes for two-part sounds."""
_SPELLINGS: Final = {"g": "ɡ", "r": "ɹ", "ᵊ": "ə", "ᵻ": "ɪ", "ɨ": "ɪ", "ʉ": "u", "ɻ": "ɹ"}
_UNITS: Final = sorted({*_IPA_TO_ARPABET, "ʌ"}, key=len, reverse=True)
_VOWELS: Final = frozenset("aeiouɑæɒəɐɛɜɝɚɪɔʊʌ")
_STRESS: Final = {"ˈ": 1, "'": 1, "ˌ": 2}

_lock: Final = threading.Lock()


def is_vowel(ipa: str) -> bool:
    """Whether a phoneme is a vowel or diphthong."""
    return ipa[:1] in _VOWELS


def pronounce(word: str) -> tuple[Sound, ...]:
    """How an English word is spoken (General American); unknown words are guessed from their spelling."""
    with _lock:
        return parse_ipa(_marked(word))


@functools.lru_cache(maxsize=4096)
def _marked(word: str) -> str:
    return str(_english()(word, normalize_text=False))


@functools.cache
def _english() -> G2P:
    return G2P()


def parse_ipa(marked: str) -> tuple[Sound, ...]:
    """The phonemes of an IPA string. A stress mark belongs to the next vowel; length marks and ties are dropped, as are
    symbols that are no English sound."""
    text = "".join(_SHORTHAND.get(c, _SPELLINGS.get(c, c)) for c in marked)
    text = re.sub(r"[əɜ]ɹ", "ɚ", text.replace("\u0361", "").replace("ː", ""))
    sounds: list[Sound] = []
    stress = position = 0
    while position < len(text):
        stress = _STRESS.get(text[position], stress)
        unit = next((unit for unit in _UNITS if text.startswith(unit, position)), "")
        if unit:
            sounds.append(Sound(unit, stress if is_vowel(unit) else 0))
            stress = 0 if is_vowel(unit) else stress
        position += len(unit) or 1
    return tuple(sounds)


def arpabet(sounds: tuple[Sound, ...]) -> str:
    """The sounds as a CMU dictionary line: ARPAbet without stress digits, separated by spaces."""
    return " ".join(_IPA_TO_ARPABET[sound.ipa] for sound in sounds)


def from_arpabet(symbol: str) -> Sound:
    """The sound of an ARPAbet symbol with or without its stress digit. Raises KeyError for any other symbol."""
    stress = int(symbol[-1]) if symbol[-1:].isdigit() else 0
    ipa = _ARPABET_TO_IPA[symbol.rstrip("012")]
    return Sound("ə" if symbol == "AH0" else ipa, stress if is_vowel(ipa) else 0)


def with_stress(phones: tuple[Sound, ...], reference: tuple[Sound, ...]) -> tuple[Sound, ...]:
    """``phones`` (as an acoustic model names them) with the stress of ``reference`` (as the G2P reads the word).

    The n-th vowel takes the n-th stress; where the counts differ, the one at the same share of the word. An unstressed
    /ʌ/ is a schwa.
    """
    stresses = [sound.stress for sound in reference if is_vowel(sound.ipa)]
    total = sum(is_vowel(phone.ipa) for phone in phones)
    if not stresses or not total:
        return phones
    marked: list[Sound] = []
    vowel = 0
    for phone in phones:
        if not is_vowel(phone.ipa):
            marked.append(phone)
            continue
        stress = stresses[vowel * len(stresses) // total]
        marked.append(Sound("ə" if phone.ipa == "ʌ" and not stress else phone.ipa, stress))
        vowel += 1
    return tuple(marked)
