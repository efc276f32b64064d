"""Whether captions appear with the words: the finished sound is aligned again and compared with the times shown."""

import difflib
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from activities.alignment.base import AlignmentEngine
from activities.quality.base import CaptionTiming, SpokenPart
from activities.quality.sound import SPEECH_RATE, Sound
from activities.support.engine import no_progress
from models.alignment import Alignment, WordTiming
from models.errors import EngineFailed
from models.script import Span, Utterance


def caption_timing(
    sound: Sound,
    segments: Sequence[SpokenPart],
    aligner: AlignmentEngine,
    language: str,
    folder: Path,
    progress: Callable[[], None],
) -> CaptionTiming:
    """Align every segment of ``sound`` with ``aligner``, which gets no times to lean on. ``folder`` is for scratch."""
    shifts: list[tuple[float, str]] = []
    unaligned = 0
    for segment in segments:
        aligned = _align(sound, segment, aligner, language, folder / "segment.wav")
        compared = _shifts(segment.alignment.words, aligned.words) if aligned else []
        shifts += compared
        unaligned += len(segment.alignment.words) - len(compared)
        progress()
    worst = max(shifts, key=lambda shift: abs(shift[0]), default=(0.0, ""))
    return CaptionTiming(shifts=tuple(shift for shift, _ in shifts), worst=worst, unaligned=unaligned)


def _align(sound: Sound, segment: SpokenPart, aligner: AlignmentEngine, language: str, wav: Path) -> Alignment | None:
    write_wav(sound.between(segment.start, segment.start + segment.alignment.duration), wav)
    utterance = Utterance(spans=(Span(text=segment.text),), language=language)
    try:
        return aligner.align(wav, utterance, None, no_progress)
    except EngineFailed:
        return None


def write_wav(samples: npt.NDArray[np.int16], out: Path) -> None:
    """Mono samples at the recogniser's rate as a WAV file."""
    with wave.open(str(out), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(samples.itemsize)
        file.setframerate(SPEECH_RATE)
        file.writeframes(samples.tobytes())


def _shifts(shown: Sequence[WordTiming], spoken: Sequence[WordTiming]) -> list[tuple[float, str]]:
    """Shift and word for every word both sides have, matched in order by their letters and digits."""
    matcher = difflib.SequenceMatcher(
        a=[_letters(word.text) for word in shown], b=[_letters(word.text) for word in spoken], autojunk=False
    )
    return [
        (shown[block.a + offset].start - spoken[block.b + offset].start, shown[block.a + offset].text)
        for block in matcher.get_matching_blocks()
        for offset in range(block.size)
    ]


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
