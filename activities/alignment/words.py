"""Between captions and aligners: a caption word becomes the words an aligner listens for, and what it heard becomes the
caption word's times again. Apart because every acoustic aligner needs both directions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from activities.alignment.g2p import Sound, parse_ipa, pronounce
from activities.speech.normalise import SpokenWord, speakable
from models.alignment import Alignment, PhonemeTiming, WordTiming
from models.errors import EngineFailed
from models.script import Utterance

_PAUSES = {"—", ","}


@dataclass(frozen=True)
class Token:
    """One word to listen for. ``text`` is lower case, ``a-z`` and apostrophes; a letter's name is the letter and a stop
    (``k.``). ``sounds`` is how it is expected; with ``exact`` nothing else is."""

    text: str
    sounds: tuple[Sound, ...]
    exact: bool = False


class Heard(NamedTuple):
    """A sound with its times in seconds."""

    sound: Sound
    start: float
    end: float


@dataclass(frozen=True)
class HeardWord:
    """A token found in the audio, times in seconds."""

    start: float
    end: float
    sounds: tuple[Heard, ...]


@dataclass(frozen=True)
class Caption:
    """A caption word and the tokens said for it: at least one."""

    text: str
    tokens: tuple[Token, ...]


def captions(utterance: Utterance) -> tuple[Caption, ...]:
    """The caption words of ``utterance`` and what is said for them.

    Raises EngineFailed for a language other than English and for a word whose sound cannot be told; ScriptRejected for
    text that has no reading.
    """
    if not utterance.language.casefold().startswith("en"):
        raise EngineFailed(
            f"This aligner listens to English; the sentence is in {utterance.language!r}.", field="language"
        )
    return tuple(Caption(word.text, tuple(_tokens(word))) for word in speakable(utterance))


def _tokens(word: SpokenWord) -> Iterator[Token]:
    if word.ipa:
        yield _spelt(re.sub(r"[^a-z']", "", word.text.casefold()) or "word", parse_ipa(word.ipa), exact=True)
        return
    for part in word.spoken:
        if part in _PAUSES:
            continue
        letter = re.fullmatch(r"([A-HJ-Z])('s)?", part)
        if letter:
            sounds = parse_ipa("ˈA") + (parse_ipa("z") if letter[2] else ()) if part[0] == "A" else pronounce(part)
            yield _spelt(f"{letter[1].lower()}.{letter[2] or ''}", sounds)
            continue
        for piece in re.findall(r"[A-Za-z']*[A-Za-z][A-Za-z']*", part.replace("’", "'")):
            yield _spelt(piece.lower(), pronounce(piece))


def _spelt(text: str, sounds: tuple[Sound, ...], *, exact: bool = False) -> Token:
    if not sounds:
        raise EngineFailed(
            f"How {text!r} sounds cannot be told.",
            field=f'word "{text[:60]}"',
            action="Give its pronunciation or an alias in the script.",
        )
    return Token(text, sounds, exact)


def captioned(words: Sequence[Caption], heard: Sequence[HeardWord], duration: float, source: str) -> Alignment:
    """The alignment of caption ``words`` from what was heard of their tokens, in the same order and number."""
    remaining = iter(heard)
    timings: list[WordTiming] = []
    for caption in words:
        parts = [next(remaining) for _ in caption.tokens]
        timings.append(
            WordTiming(
                text=caption.text,
                start=round(parts[0].start, 4),
                end=round(min(parts[-1].end, duration), 4),
                phonemes=tuple(_phoneme(sound, duration) for part in parts for sound in part.sounds),
            )
        )
    return Alignment(words=tuple(timings), duration=duration, source=source)


def _phoneme(heard: Heard, duration: float) -> PhonemeTiming:
    sound, start, end = heard
    return PhonemeTiming(
        phoneme=sound.ipa, start=round(start, 4), end=round(min(end, duration), 4), stress=sound.stress
    )


def spread(sounds: tuple[Sound, ...], start: float, end: float) -> tuple[Heard, ...]:
    """``sounds`` over a span of seconds, evenly: for a word whose inside the aligner could not tell."""
    step = (end - start) / len(sounds)
    return tuple(Heard(sound, start + i * step, start + (i + 1) * step) for i, sound in enumerate(sounds))
