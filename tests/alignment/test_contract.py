"""What every aligner promises: the caption's words in order, phonemes inside them, all within the audio."""

from collections.abc import Callable
from pathlib import Path

import pytest

from activities.alignment.base import AlignmentEngine
from activities.alignment.mfa import MfaEngine
from activities.alignment.pocketsphinx import PocketsphinxEngine
from activities.alignment.timings import TimingsEngine
from activities.support.engine import no_progress
from models.alignment import Alignment
from models.errors import MediaRejected
from models.plan import Capability
from tests.alignment.conftest import SENTENCES, utterance


@pytest.fixture(params=["timings", "pocketsphinx", "mfa"])
def engine(request: pytest.FixtureRequest, mfa_program: Callable[[], str], tmp_path: Path) -> AlignmentEngine:
    if request.param == "mfa":
        return MfaEngine(tmp_path / "mfa", mfa_program())
    return TimingsEngine() if request.param == "timings" else PocketsphinxEngine()


@pytest.fixture(scope="module")
def known(speech: dict[str, Path]) -> dict[str, Alignment]:
    return {
        name: PocketsphinxEngine().align(speech[name], utterance(text), None, no_progress)
        for name, text in SENTENCES.items()
    }


@pytest.mark.parametrize("name", SENTENCES)
def test_words_are_the_captions_in_order_with_phonemes_inside_them(engine, name, speech, known):
    calls = []
    alignment = engine.align(
        speech[name], utterance(SENTENCES[name]), known[name], lambda done, total: calls.append((done, total))
    )
    assert [word.text for word in alignment.words] == SENTENCES[name].split()
    assert alignment.source == engine.ref.name
    assert engine.ref.capability is Capability.ALIGNMENT
    assert alignment.fell_back_from == ()
    clock = 0.0
    for word in alignment.words:
        assert clock <= word.start < word.end <= alignment.duration
        assert word.phonemes
        inner = word.start
        for phoneme in word.phonemes:
            assert inner - 1e-3 <= phoneme.start < phoneme.end <= word.end + 1e-3
            assert not set(phoneme.phoneme) & set("ˈˌ0123456789")
            inner = phoneme.end
        clock = word.end
    assert any(phoneme.stress == 1 for phoneme in alignment.phonemes())
    assert calls[-1][0] == calls[-1][1]


def test_the_same_call_gives_the_same_alignment(engine, speech, known):
    first, second = (
        engine.align(speech["plain"], utterance(SENTENCES["plain"]), known["plain"], no_progress) for _ in range(2)
    )
    assert first == second


def test_a_file_that_is_no_sound_is_named(engine, known, tmp_path):
    path = tmp_path / "voice.wav"
    path.write_bytes(b"%PDF-1.4 not sound")
    with pytest.raises(MediaRejected, match=r"voice\.wav"):
        engine.align(path, utterance(SENTENCES["plain"]), known["plain"], no_progress)
