"""What every speech engine promises. A new engine is one fixture in conftest.py and one name in ENGINES."""

import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from activities.speech.base import Voice
from activities.support.engine import no_progress
from models.errors import ScriptRejected, UnknownReference
from models.plan import Capability
from tests.speech.conftest import Speaker, samples_of, sentence

ENGINES = ("kokoro", "hibari", "xtts")
every_engine = pytest.mark.parametrize("speaker", ENGINES, indirect=True)

SHORT = sentence("Costs fell by 12%.")
LONG = sentence(
    "Although supply chains were disrupted for much of the year, and although energy prices rose sharply in almost "
    "every market we serve, we kept our promise to customers, we delivered every single order on schedule, and we "
    "finished with less debt and a stronger team than before."
)


@every_engine
def test_speech_is_mono_16_bit_and_ends_with_the_pause(speaker: Speaker, tmp_path: Path) -> None:
    utterance = SHORT.model_copy(update={"pause_after_ms": 700})
    spoken = speaker.engine.speak(utterance, speaker.voice, 1, tmp_path / "a.wav", no_progress)
    with wave.open(str(spoken.wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, spoken.sample_rate)
        assert file.getnframes() / file.getframerate() == pytest.approx(spoken.duration)
    samples = samples_of(spoken.wav)
    pause = samples[-int(0.7 * spoken.sample_rate) :]
    before = samples[-int(0.8 * spoken.sample_rate) : -int(0.7 * spoken.sample_rate)]
    assert not pause.any()
    assert before.any()
    assert 0.01 < np.abs(samples).max() < 1.0


@every_engine
def test_equal_arguments_give_equal_bytes_also_side_by_side(speaker: Speaker, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.wav" for number in range(3)]
    speaker.engine.speak(SHORT, speaker.voice, 7, paths[0], no_progress)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda path: speaker.engine.speak(SHORT, speaker.voice, 7, path, no_progress), paths[1:]))
    assert len({path.read_bytes() for path in paths}) == 1


@every_engine
def test_a_long_sentence_is_spoken_in_pieces_that_report_progress(speaker: Speaker, tmp_path: Path) -> None:
    reports: list[tuple[int, int]] = []
    spoken = speaker.engine.speak(
        LONG, speaker.voice, 0, tmp_path / "a.wav", lambda done, total: reports.append((done, total))
    )
    assert reports == [(number, len(reports)) for number in range(1, len(reports) + 1)]
    assert len(reports) >= 2
    if spoken.alignment:
        assert [word.text for word in spoken.alignment.words] == LONG.text.split()


@every_engine
def test_a_caller_that_stops_it_gets_its_own_error_and_no_file(speaker: Speaker, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        speaker.engine.speak(SHORT, speaker.voice, 0, tmp_path / "a.wav", stop)
    assert not list(tmp_path.iterdir())


@every_engine
@pytest.mark.parametrize(("text", "named"), [("We won 😀 today.", "grinning face"), ("Привет from us.", "cyrillic")])
def test_what_it_cannot_speak_is_refused_by_name(speaker: Speaker, text: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptRejected, match=named) as refused:
        speaker.engine.speak(sentence(text), speaker.voice, 0, tmp_path / "a.wav", no_progress)
    assert refused.value.field
    assert "<sub alias" in refused.value.action
    assert not list(tmp_path.iterdir())


@every_engine
def test_an_unknown_voice_is_named(speaker: Speaker, tmp_path: Path) -> None:
    with pytest.raises(UnknownReference, match="nobody") as refused:
        speaker.engine.speak(SHORT, Voice("nobody"), 0, tmp_path / "a.wav", no_progress)
    assert refused.value.field == "voice"


@every_engine
def test_a_language_it_does_not_speak_is_refused(speaker: Speaker, tmp_path: Path) -> None:
    with pytest.raises(ScriptRejected, match="xx"):
        speaker.engine.speak(sentence("Hello.", "xx"), speaker.voice, 0, tmp_path / "a.wav", no_progress)


@every_engine
def test_it_names_itself_and_its_weights(speaker: Speaker) -> None:
    ref = speaker.engine.ref
    assert ref.capability is Capability.SPEECH
    assert len(ref.weights) == 64
    assert ref == speaker.engine.ref


@every_engine
def test_timings_lie_in_order_inside_the_sound(speaker: Speaker, tmp_path: Path) -> None:
    spoken = speaker.engine.speak(
        sentence("On 12 March 2026 our CEO — finally — spoke."), speaker.voice, 0, tmp_path / "a.wav", no_progress
    )
    if spoken.alignment is None:
        return
    words = spoken.alignment.words
    assert [word.text for word in words] == ["On", "12", "March", "2026", "our", "CEO —", "finally —", "spoke."]
    edges = [edge for word in words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert words[-1].end <= spoken.alignment.duration == spoken.duration
    for word in words:
        assert word.phonemes
        phones = [edge for phoneme in word.phonemes for edge in (phoneme.start, phoneme.end)]
        assert phones == sorted(phones)
        assert word.start <= phones[0]
        assert phones[-1] <= word.end + 0.001
