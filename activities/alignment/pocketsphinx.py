"""Acoustic forced alignment on CPU with PocketSphinx: its model and dictionary are in the wheel, so any English audio
can be aligned without a download. Apart because it alone imports the decoder."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pocketsphinx
import soundfile as sf
import soxr
from numpy.typing import NDArray

from activities.alignment.g2p import arpabet, from_arpabet, with_stress
from activities.alignment.timings import wav_seconds
from activities.alignment.words import Heard, HeardWord, Token, captioned, captions
from activities.support.engine import Progress
from models.alignment import Alignment
from models.engines import find_engine
from models.errors import EngineFailed, EngineUnavailable
from models.plan import Capability, EngineRef
from models.script import Utterance

Samples = NDArray[np.int16]

RATE: Final = 16_000
FRAME_SECONDS: Final = 0.01
"""The decoder's feature hop."""
WINDOW_SECONDS: Final = 30.0
"""Longest audio aligned to phones in one piece: that pass holds frames times states, 1.2 GB for 190 s of speech."""
PIECE_SECONDS: Final = 15.0
"""Longer audio is cut at the widest gap between words after this much."""
BLOCK_SECONDS: Final = 5.0
"""Audio handed to the decoder at once in the coarse pass: it holds the interpreter's lock meanwhile."""
REFERENCE_WORD: Final = "the"
"""Any word of the dictionary: a decoder measures the cepstral mean only while it has something to align."""
WORST_SCORE: Final = -45.0
"""Mean acoustic score of a frame, relative to the best sound there could be. Measured: -9 to -25 for the right text,
below -69 where other text was forced onto the audio."""


@dataclass(frozen=True)
class _Span:
    """A token's frames in the whole audio."""

    start: int
    end: int


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
        samples = _load(wav)
        heard: list[HeardWord] = []
        windows = _windows(samples, tokens)
        for done, (first, last, begin, end) in enumerate(windows, start=1):
            heard += _align(samples[begin:end], tokens[first:last], begin / RATE)
            progress(done, len(windows))
        return captioned(words, heard, duration, self.ref.name)


def _load(wav: Path) -> Samples:
    """The file as 16 kHz mono, whatever it was. Read and converted in blocks."""
    with sf.SoundFile(wav) as sound:
        resampler = soxr.ResampleStream(sound.samplerate, RATE, 1, dtype="float32")
        blocks = [
            resampler.resample_chunk(block.mean(axis=1))
            for block in sound.blocks(1 << 16, dtype="float32", always_2d=True)
        ]
        blocks.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    pieces = [(np.clip(block, -1, 1) * 32767).astype(np.int16) for block in blocks]
    return np.concatenate(pieces)


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
    per_frame = round(RATE * FRAME_SECONDS)
    windows: list[tuple[int, int, int, int]] = []
    first = begin = 0
    while begin + WINDOW_SECONDS * RATE < len(samples):
        origin = begin // per_frame
        near = [i for i in range(first + 1, len(spans)) if spans[i].start - origin <= WINDOW_SECONDS / FRAME_SECONDS]
        late = [i for i in near if spans[i - 1].end - origin >= PIECE_SECONDS / FRAME_SECONDS] or near[-1:]
        if not late:
            break
        cut = max(late, key=lambda i: (spans[i].start - spans[i - 1].end, -i))
        end = (spans[cut - 1].end + spans[cut].start) // 2 * per_frame
        windows.append((first, cut, begin, end))
        first, begin = cut, end
    windows.append((first, len(tokens), begin, len(samples)))
    return windows


def _coarse(samples: Samples, tokens: Sequence[Token]) -> list[_Span]:
    """Where each token roughly is, in little memory: words only, with the cepstral mean of the first half minute."""
    # A decoder that has taken a whole utterance at once crashes when it is then fed in blocks: one for each.
    listener = _decoder()
    listener.set_align_text(REFERENCE_WORD)
    listener.start_utt()
    listener.process_raw(samples[: int(WINDOW_SECONDS * RATE)].tobytes(), no_search=True, full_utt=True)
    decoder = _decoder()
    decoder.set_cmn(listener.get_cmn(True))
    listener.end_utt()
    names = _teach(decoder, tokens)
    decoder.set_align_text(" ".join(names))
    decoder.start_utt()
    block = int(BLOCK_SECONDS * RATE)
    for at in range(0, len(samples), block):
        decoder.process_raw(samples[at : at + block].tobytes())
    decoder.end_utt()
    if decoder.hyp() is None:
        raise _does_not_fit(0.0)
    spans = [_Span(s.start_frame, s.end_frame + 1) for s in decoder.seg() if not _is_filler(s.word)]
    if len(spans) != len(names):
        raise _does_not_fit(0.0)
    return spans


def _align(samples: Samples, tokens: Sequence[Token], offset: float) -> Iterator[HeardWord]:
    """Words and phones of one piece, with ``offset`` seconds added."""
    decoder = _decoder()
    names = _teach(decoder, tokens)
    sound = samples.tobytes()
    decoder.set_align_text(" ".join(names))
    _listen(decoder, sound)
    if decoder.hyp() is None:
        raise _does_not_fit(offset)
    decoder.set_alignment()
    _listen(decoder, sound)
    alignment = decoder.get_alignment()
    if alignment is None:
        raise _does_not_fit(offset)
    # An entry's phones live in the iteration that yields it: they are read before the next word is asked for.
    found = [
        (word.name, [(phone.name, phone.start, phone.duration, phone.score) for phone in word]) for word in alignment
    ]
    found = [(name.partition("(")[0], phones) for name, phones in found if not _is_filler(name)]
    if [name for name, _ in found] != list(names):
        raise _does_not_fit(offset)
    frames = sum(phone[2] for _, phones in found for phone in phones)
    if sum(phone[3] for _, phones in found for phone in phones) < WORST_SCORE * frames:
        raise _does_not_fit(offset)
    for token, (_, phones) in zip(tokens, found, strict=True):
        sounds = with_stress(tuple(from_arpabet(phone[0]) for phone in phones), token.sounds)
        times = [offset + FRAME_SECONDS * phone[1] for phone in phones]
        times.append(offset + FRAME_SECONDS * (phones[-1][1] + phones[-1][2]))
        heard = tuple(map(Heard, token.sounds if token.exact else sounds, times[:-1], times[1:]))
        yield HeardWord(times[0], times[-1], heard)


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
