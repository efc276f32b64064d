"""Acoustic forced alignment on CPU with PocketSphinx: its model and dictionary are in the wheel, so any English audio
can be aligned without a download. Apart because it alone imports the decoder."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pocketsphinx

from activities.alignment.g2p import arpabet, from_arpabet, with_stress
from activities.alignment.words import Heard, HeardWord, Token, captioned, captions
from activities.support.audio import RATE, Samples, mono_16k, wav_seconds
from activities.support.engine import Progress
from models.alignment import Alignment
from models.engines import find_engine
from models.errors import EngineFailed, EngineUnavailable
from models.plan import Capability, EngineRef
from models.script import Utterance

FRAME: Final = 160
FRAME_SECONDS: Final = FRAME / RATE
"""The decoder's feature hop, in samples and seconds."""
WINDOW_SECONDS: Final = 30.0
"""Longest audio aligned to phones in one piece: that pass holds frames times states, 1.2 GB for 190 s of speech."""
PIECE_SECONDS: Final = 15.0
"""Longer audio is cut at the widest gap between words after this much."""
MARGIN_SECONDS: Final = 1.0
"""Silence kept before the first and after the last word of a piece of longer audio."""
BLOCK: Final = 5 * RATE
"""Samples handed to the decoder at once in the coarse pass: it holds the interpreter's lock meanwhile."""
LEFT_OUT: Final = 0.2
"""Share of the sound's energy that may lie outside all pieces: noise and music around the speech."""
REFERENCE_WORD: Final = "the"
"""Any word of the dictionary: a decoder measures the cepstral mean only while it has something to align."""
WORST_SCORE: Final = -35.0
"""Mean acoustic score of a frame, relative to the best sound there could be. Measured: -3 to -25 for the right text
(clean, noisy, clipped, 8 kHz), -44 where half the sentence was missing, below -69 for other text forced onto it."""


class _Span(NamedTuple):
    """A token's frames in the whole audio."""

    start: int
    end: int


class _Phone(NamedTuple):
    """A phone of the decoder: its ARPAbet name, frames, and acoustic score."""

    name: str
    start: int
    frames: int
    score: int


class PocketsphinxEngine:
    """Forced alignment of English speech. A decoder is made for each call, so calls share nothing."""

    @property
    def ref(self) -> EngineRef:
        """Its identity. The acoustic model belongs to the pinned package, as the version does."""
        return find_engine(Capability.ALIGNMENT, "pocketsphinx").ref()

    def align(
        self,
        wav: Path,
        utterance: Utterance,
        known: Alignment | None,  # noqa: ARG002 - the audio alone decides
        progress: Progress,
    ) -> Alignment:
        """Word and phoneme times of ``utterance`` in ``wav``; ``known`` is not looked at.

        Raises MediaRejected for unreadable audio, EngineFailed when the text is not what is spoken, ScriptRejected for
        text without a reading, EngineUnavailable when the acoustic model is absent.
        """
        duration = wav_seconds(wav)
        words = captions(utterance)
        tokens = tuple(token for caption in words for token in caption.tokens)
        samples = mono_16k(wav)
        heard: list[HeardWord] = []
        windows = _windows(samples, tokens)
        for done, (first, last, begin, end) in enumerate(windows, start=1):
            heard += _align(samples[begin:end], tokens[first:last], begin / RATE)
            progress(done, len(windows))
        return captioned(words, heard, duration, self.ref.name)


def _decoder() -> pocketsphinx.Decoder:
    try:
        return pocketsphinx.Decoder(lm=None, loglevel="FATAL", dither=False)
    except RuntimeError as error:
        raise EngineUnavailable(
            "PocketSphinx does not find its acoustic model.",
            field="pocketsphinx",
            action="Install the pinned pocketsphinx package again, then resume the render.",
        ) from error


def _teach(decoder: pocketsphinx.Decoder, tokens: Iterable[Token]) -> list[str]:
    """The decoder's name for each token. Words its dictionary lacks, and exact pronunciations, are added to it."""
    names: list[str] = []
    added: dict[Token, str] = {}
    for token in tokens:
        if not token.exact and decoder.lookup_word(token.text) is not None:
            names.append(token.text)
            continue
        if token not in added:
            added[token] = f"{token.text}#{len(added)}"
            decoder.add_word(added[token], arpabet(token.sounds), True)
        names.append(added[token])
    return names


def _windows(samples: Samples, tokens: Sequence[Token]) -> list[tuple[int, int, int, int]]:
    """Pieces to align one by one: tokens ``[first, last)`` are in samples ``[begin, end)``."""
    if len(samples) <= WINDOW_SECONDS * RATE:
        return [(0, len(tokens), 0, len(samples))]
    spans = _coarse(samples, tokens)
    windows: list[tuple[int, int, int, int]] = []
    last = 0
    while last < len(spans):
        first, last = last, _cut(spans, last)
        begin = max(_middle(spans, first), spans[first].start - _frames(MARGIN_SECONDS), 0)
        end = min(_middle(spans, last), spans[last - 1].end + _frames(MARGIN_SECONDS))
        windows.append((first, last, begin * FRAME, min(end * FRAME, len(samples))))
    _require_silence_between(samples, windows)
    return windows


def _require_silence_between(samples: Samples, windows: Sequence[tuple[int, int, int, int]]) -> None:
    """Pieces leave out long silences. What is left out must not be speech that the text does not have."""
    total = sum(_energy(samples[at : at + BLOCK]) for at in range(0, len(samples), BLOCK))
    kept = sum(_energy(samples[begin:end]) for _, _, begin, end in windows)
    if total - kept > LEFT_OUT * total:
        raise _does_not_fit(0.0)


def _energy(samples: Samples) -> float:
    return float(np.square(samples, dtype=np.float64).sum())


def _cut(spans: Sequence[_Span], first: int) -> int:
    """Where the piece that begins with token ``first`` ends (exclusive): at the widest gap that keeps it short."""

    def length(last: int) -> int:
        return spans[last - 1].end - spans[first].start

    longest = _frames(WINDOW_SECONDS - 2 * MARGIN_SECONDS)
    if length(len(spans)) <= longest:
        return len(spans)
    short = [last for last in range(first + 1, len(spans)) if length(last) <= longest] or [first + 1]
    late = [last for last in short if length(last) >= _frames(PIECE_SECONDS)] or short[-1:]
    return max(late, key=lambda last: (spans[last].start - spans[last - 1].end, -last))


def _middle(spans: Sequence[_Span], index: int) -> int:
    """The frame half way between token ``index`` and the one before it; unbounded at both ends."""
    if index == 0:
        return 0
    if index == len(spans):
        return spans[-1].end + _frames(MARGIN_SECONDS)
    return (spans[index - 1].end + spans[index].start) // 2


def _frames(seconds: float) -> int:
    return round(seconds / FRAME_SECONDS)


def _coarse(samples: Samples, tokens: Sequence[Token]) -> list[_Span]:
    """Where each token roughly is, in little memory: words only, with the cepstral mean of half a minute of speech."""
    # A decoder that has taken a whole utterance at once crashes when it is then fed in blocks: one for each.
    listener = _decoder()
    listener.set_align_text(REFERENCE_WORD)
    listener.start_utt()
    listener.process_raw(_loudest(samples).tobytes(), no_search=True, full_utt=True)
    decoder = _decoder()
    decoder.set_cmn(listener.get_cmn(True))
    listener.end_utt()
    names = _teach(decoder, tokens)
    decoder.set_align_text(" ".join(names))
    decoder.start_utt()
    for at in range(0, len(samples), BLOCK):
        decoder.process_raw(samples[at : at + BLOCK].tobytes())
    decoder.end_utt()
    spans = [_Span(s.start_frame, s.end_frame + 1) for s in decoder.seg() or () if not _is_filler(s.word)]
    if len(spans) != len(names):
        raise _does_not_fit(0.0)
    return spans


def _align(samples: Samples, tokens: Sequence[Token], offset: float) -> Iterator[HeardWord]:
    """Words and phones of one piece, with ``offset`` seconds added."""
    try:
        names, found = _decode(samples.tobytes(), tokens)
    except RuntimeError as error:
        raise _does_not_fit(offset) from error
    phones = [phone for _, phones in found for phone in phones]
    words = [(name, phones) for name, phones in found if not _is_filler(name)]
    if [name for name, _ in words] != names:
        raise _does_not_fit(offset)
    if sum(phone.score for phone in phones) < WORST_SCORE * sum(phone.frames for phone in phones):
        raise _does_not_fit(offset)
    for token, (_, phones) in zip(tokens, words, strict=True):
        sounds = with_stress(tuple(from_arpabet(phone.name) for phone in phones), token.sounds)
        times = [offset + FRAME_SECONDS * phone.start for phone in phones]
        times.append(offset + FRAME_SECONDS * (phones[-1].start + phones[-1].frames))
        heard = tuple(map(Heard, token.sounds if token.exact else sounds, times[:-1], times[1:]))
        yield HeardWord(times[0], times[-1], heard)


def _loudest(samples: Samples) -> Samples:
    """The loudest seconds, up to a window full, in their order: what is speech in a recording with long silences."""
    seconds = samples[: len(samples) // RATE * RATE].reshape(-1, RATE)
    power = np.square(seconds, dtype=np.float32).mean(axis=1)
    chosen = np.sort(np.argsort(-power, kind="stable")[: int(WINDOW_SECONDS)])
    return seconds[chosen].ravel()


def _decode(sound: bytes, tokens: Sequence[Token]) -> tuple[list[str], list[tuple[str, list[_Phone]]]]:
    """The names asked for, and what was found: words and fillers with their phones. Raises RuntimeError (the decoder's
    own) when the words cannot be laid onto the sound."""
    decoder = _decoder()
    names = _teach(decoder, tokens)
    decoder.set_align_text(" ".join(names))
    _listen(decoder, sound)
    decoder.set_alignment()
    _listen(decoder, sound)
    # An entry's phones live in the iteration that yields it: they are read before the next word is asked for.
    return names, [
        (word.name.partition("(")[0], [_Phone(p.name, p.start, p.duration, p.score) for p in word])
        for word in decoder.get_alignment() or ()
    ]


def _listen(decoder: pocketsphinx.Decoder, sound: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


def _is_filler(name: str) -> bool:
    return name[:1] in "<[+"


def _does_not_fit(seconds: float) -> EngineFailed:
    return EngineFailed(
        f"The text is not what is spoken in the audio (from {seconds:.1f} s on).",
        field="audio",
        code="alignment.does_not_fit",
        action="Check that the recording says the sentence word for word, and that it is clear speech.",
    )
