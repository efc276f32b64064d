"""How words sound to the writer: syllables, stress and rhyme, by the phonemiser that sings them."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from activities.speech.g2p import PRIMARY, Phonemiser
from activities.vocals.syllables import STRESSES, sung_words, syllable_count, vowels


@dataclass(frozen=True)
class WordSound:
    """A word's syllables (whether each has the main stress), its sounds, and those from the last stressed vowel on."""

    stresses: tuple[bool, ...]
    phonemes: str
    rhyme: str

    @property
    def syllables(self) -> int:
        """Notes it takes."""
        return len(self.stresses)


class Ear:
    """Looks words up once. Thread-safe."""

    def __init__(self) -> None:
        self._phonemiser = Phonemiser(british=False)
        self._lock = threading.Lock()
        self._known: dict[str, WordSound] = {}

    def learn(self, words: Iterable[str]) -> None:
        """Look all of ``words`` up at once, which is quicker. Raises ScriptRejected for one that cannot be said."""
        with self._lock:
            new = sorted({word for word in words if word not in self._known})
            for word, sound in zip(new, self._phonemiser.phonemise(sung_words(new)) if new else (), strict=True):
                phonemes = sound.phonemes.replace(" ", "")
                found = vowels(phonemes)
                stresses = tuple(phonemes[first] == PRIMARY for first, _ in found) or (False,)
                self._known[word] = WordSound(stresses[: syllable_count(sound)], phonemes, _rhyme(phonemes, found))

    def sound(self, word: str) -> WordSound:
        """How ``word`` sounds."""
        if word not in self._known:
            self.learn([word])
        return self._known[word]

    def syllables(self, words: Sequence[str]) -> int:
        """Notes that ``words`` take."""
        return sum(self.sound(word).syllables for word in words)


def _rhyme(phonemes: str, found: list[tuple[int, int]]) -> str:
    stressed = [first for first, _ in found if phonemes[first] in STRESSES]
    start = stressed[-1] if stressed else found[-1][0] if found else 0
    return "".join(symbol for symbol in phonemes[start:] if symbol not in STRESSES)


def rhymes(one: WordSound, other: WordSound) -> bool:
    """Whether two words rhyme: alike from the last stressed vowel on, and not the same sounds altogether."""
    bare = [sound.phonemes.replace(PRIMARY, "") for sound in (one, other)]
    return one.rhyme == other.rhyme and bare[0] != bare[1]
