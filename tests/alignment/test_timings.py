"""The synthesiser's timings are taken only where they fit the sound and the sentence."""

import pytest
import soundfile as sf

from activities.alignment.pocketsphinx import PocketsphinxEngine
from activities.alignment.timings import TimingsEngine
from activities.support.engine import no_progress
from models.errors import EngineFailed
from tests.alignment.conftest import SENTENCES, utterance

TEXT = SENTENCES["plain"]


@pytest.fixture(scope="module")
def known(speech):
    return PocketsphinxEngine().align(speech["plain"], utterance(TEXT), None, no_progress)


def align(speech, known, text=TEXT):
    return TimingsEngine().align(speech["plain"], utterance(text), known, no_progress)


def test_fitting_timings_are_kept_as_they_are(speech, known):
    assert align(speech, known).words == known.words


def test_spacing_of_captions_is_not_a_difference(speech, known):
    joined = known.words[0].model_copy(
        update={"text": "Good morning,", "end": known.words[1].end}
        | {"phonemes": known.words[0].phonemes + known.words[1].phonemes}
    )
    align(speech, known.model_copy(update={"words": (joined, *known.words[2:])}))


def test_a_voice_without_timings_leaves_the_work_to_the_next_aligner(speech):
    with pytest.raises(EngineFailed, match="reports no timings"):
        align(speech, None)


def test_timings_of_another_recording_are_refused(speech, known, tmp_path):
    sound, rate = sf.read(speech["plain"])
    sf.write(tmp_path / "short.wav", sound[: len(sound) // 2], rate)
    with pytest.raises(EngineFailed, match="of audio"):
        TimingsEngine().align(tmp_path / "short.wav", utterance(TEXT), known, no_progress)


def test_timings_of_another_sentence_are_refused(speech, known):
    with pytest.raises(EngineFailed, match="differ from the sentence at 'director"):
        align(speech, known, TEXT.replace("officer", "director"))


def spoilt(known, index, **changes):
    words = list(known.words)
    words[index] = words[index].model_copy(update=changes)
    return known.model_copy(update={"words": tuple(words)})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda known: spoilt(known, 3, start=known.words[1].start),
        lambda known: spoilt(known, 3, end=known.words[3].start - 0.01),
        lambda known: spoilt(known, -1, end=known.duration + 1),
        lambda known: spoilt(known, 4, phonemes=known.words[4].phonemes[::-1]),
        lambda known: spoilt(known, 4, phonemes=known.words[5].phonemes),
    ],
    ids=["overlap", "ends before it starts", "after the end", "phonemes out of order", "phonemes of another word"],
)
def test_times_out_of_order_or_out_of_the_audio_are_refused(speech, known, spoil):
    with pytest.raises(EngineFailed, match="in order"):
        align(speech, spoil(known))


def test_a_word_without_phonemes_is_refused(speech, known):
    with pytest.raises(EngineFailed, match=r"'morning,' has no phonemes"):
        align(speech, spoilt(known, 1, phonemes=()))
