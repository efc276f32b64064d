"""What the recogniser hears is held against the script, word by word."""

from pathlib import Path

import numpy as np
import pytest

from activities.quality.recognition import Passage, Recogniser, compare, passages
from models.errors import EngineUnavailable
from tests.quality.conftest import SENTENCES, Sentence, as_speech


@pytest.fixture(scope="module")
def recogniser(whisper: Path) -> Recogniser:
    return Recogniser(whisper, 2)


def test_clear_speech_is_understood_without_an_error(recogniser: Recogniser, sentences: tuple[Sentence, ...]) -> None:
    speech = as_speech(np.concatenate([sentence.speech for sentence in sentences]))
    heard = recogniser.transcribe(speech, "en-GB")
    assert compare(" ".join(SENTENCES), heard, "en").errors == 0


def test_a_wrong_word_is_counted_and_named() -> None:
    found = compare("Revenue grew by 12% at Lumenta.", "Revenue grew by 20 percent at Lou Menta", "en")
    assert (found.errors, found.words) == (3, 7)
    assert found.misheard == ("12 -> 20", "lumenta -> lou menta")


def test_spacing_is_not_hearing() -> None:
    found = compare(
        "Two data centers for the A P I, healthcare too.", "Too datacenters for the API, health care too", "en"
    )
    assert found.misheard == ("2 -> too",)


def test_a_missing_word_and_a_word_too_many_count() -> None:
    assert compare("one plan for all of us", "one for all of of us", "en").errors == 2
    assert compare("Thank you.", "", "en").rate == 1.0


def test_passages_are_filled_but_cut_between_sentences_only() -> None:
    spoken = [Passage(at, at + 9.5, f"sentence {at}") for at in range(0, 50, 10)]
    joined = passages(spoken)
    assert [(passage.start, passage.end) for passage in joined] == [(0, 19.5), (20, 39.5), (40, 49.5)]
    assert " ".join(passage.text for passage in joined) == " ".join(passage.text for passage in spoken)


def test_an_absent_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"model\.bin") as failure:
        Recogniser(tmp_path, 1).sha256()
    assert failure.value.field == "WHISPER_DIR"
