"""Caption times are held against the sound by whatever aligner is given, word by word."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from activities.alignment.base import AlignmentEngine
from activities.alignment.pocketsphinx import PocketsphinxEngine
from activities.quality.base import CaptionTiming, SpokenPart
from activities.quality.captions import caption_timing
from activities.quality.sound import SPEECH_RATE, Sound
from models.alignment import Alignment, WordTiming
from tests.quality.conftest import Sentence, as_speech


def timing(sound: Sound, segments: Sequence[SpokenPart], folder: Path) -> CaptionTiming:
    aligner: AlignmentEngine = PocketsphinxEngine()
    return caption_timing(sound, segments, aligner, "en", folder, lambda: None)


def shown(text: str, start: float, words: Sequence[tuple[str, float]], duration: float) -> SpokenPart:
    timed = tuple(WordTiming(text=word, start=at, end=at + 0.1) for word, at in words)
    return SpokenPart(start, Alignment(words=timed, duration=duration, source="test"), text)


def test_words_of_a_segment_whose_sound_is_another_count_as_unaligned(
    sentences: tuple[Sentence, ...], tmp_path: Path
) -> None:
    """Nothing is claimed of captions whose words are not in the sound."""
    sound = Sound(as_speech(sentences[0].speech), -16.0, -1.0)
    seconds = len(sound.speech) / SPEECH_RATE
    other = "Pack my box with five dozen liquor jugs"
    words = [(word, index * 0.3) for index, word in enumerate(other.split())]
    found = timing(sound, [shown(other, 0.0, words, seconds)], tmp_path)
    assert found.unaligned == len(words)
    assert found.error is None


def test_silence_gives_no_times(tmp_path: Path) -> None:
    sound = Sound(np.zeros(3 * SPEECH_RATE, np.int16), None, None)
    found = timing(sound, [shown("Good morning.", 0.0, [("Good", 0.0), ("morning.", 0.4)], 3.0)], tmp_path)
    assert found.error is None


@pytest.mark.parametrize("extra", ["", "really "])
def test_words_are_matched_in_order_where_captions_have_one_more(
    sentences: tuple[Sentence, ...], tmp_path: Path, extra: str
) -> None:
    sentence = sentences[3]
    sound = Sound(as_speech(sentence.speech), -16.0, -1.0)
    spoken = timing(sound, [shown(sentence.text, 0.0, [(w, 0.0) for w in sentence.text.split()], 4.0)], tmp_path)
    starts = [-shift for shift in spoken.shifts]
    words = list(zip(sentence.text.split(), starts, strict=True))
    captions = [(f"{extra}{word}" if index == 4 else word, at) for index, (word, at) in enumerate(words)]
    found = timing(sound, [shown(sentence.text, 0.0, captions, 4.0)], tmp_path)
    assert found.error == pytest.approx(0, abs=1e-9)
    assert found.unaligned == (1 if extra else 0)
