"""Acoustic alignment of real speech: any rate, unknown words, figures, long recordings, and text that is not said."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile as sf
import soxr

from activities.alignment.g2p import parse_ipa
from activities.alignment.pocketsphinx import PocketsphinxEngine
from activities.support.engine import no_progress
from models.errors import EngineFailed
from models.script import Span, Utterance
from tests.alignment.conftest import SENTENCES, utterance


def align(path, text, progress=no_progress, **span):
    return PocketsphinxEngine().align(path, utterance(text, **span), None, progress)


def test_words_are_where_the_sound_is(speech):
    alignment = align(speech["plain"], SENTENCES["plain"])
    sound, _ = sf.read(speech["plain"])
    power = np.array([np.sqrt(np.mean(part**2)) for part in np.array_split(sound, int(alignment.duration * 100))])
    loud = power > 0.1 * power.max()
    spoken = np.zeros(len(power), bool)
    for word in alignment.words:
        spoken[int(word.start * 100) : int(word.end * 100)] = True
    assert (loud & spoken).sum() >= 0.97 * loud.sum()
    silence = np.flatnonzero(~loud & (power < 0.005 * power.max()))
    assert spoken[silence].mean() < 0.2


def test_a_figure_is_one_caption_word_with_all_that_is_said_for_it(speech):
    words = {word.text: word for word in align(speech["figures"], SENTENCES["figures"]).words}
    assert "".join(p.phoneme for p in words["12%"].phonemes).startswith("twɛlvp")
    assert len([p for p in words["CEO,"].phonemes if p.stress]) == 3
    assert "".join(p.phoneme for p in words["$4.5"].phonemes).endswith("faɪv")
    assert words["12%"].end - words["12%"].start > 0.5


def test_a_word_no_dictionary_has_is_found_by_its_guessed_sound(speech):
    first = align(speech["figures"], SENTENCES["figures"]).words[0]
    assert first.text == "Zorbatron"
    assert "".join(phoneme.phoneme for phoneme in first.phonemes) == "zɔɹbætɹɑn"
    assert [phoneme.stress for phoneme in first.phonemes if phoneme.stress] == [1, 2]


def test_a_given_pronunciation_is_the_one_that_is_timed(voice, tmp_path):
    sf.write(tmp_path / "a.wav", voice("Welcome to Nighkee today."), 24_000)
    spans = (Span(text="Welcome to "), Span(text="Nike", ipa="ˈnaɪki"), Span(text=" today."))
    word = PocketsphinxEngine().align(tmp_path / "a.wav", Utterance(spans=spans), None, no_progress).words[2]
    assert word.text == "Nike"
    assert tuple((p.phoneme, p.stress) for p in word.phonemes) == parse_ipa("ˈnaɪki")


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (96_000, 1)])
def test_any_rate_and_channels_give_the_same_times(speech, tmp_path, rate, channels):
    sound, original = sf.read(speech["plain"])
    changed = np.stack([soxr.resample(sound, original, rate)] * channels, axis=1)
    sf.write(tmp_path / "changed.flac", changed, rate)
    reference = align(speech["plain"], SENTENCES["plain"])
    other = align(tmp_path / "changed.flac", SENTENCES["plain"])
    starts = [abs(a.start - b.start) for a, b in zip(reference.words, other.words, strict=True)]
    assert np.median(starts) <= 0.02 and max(starts) <= 0.1


@pytest.mark.parametrize(
    "text",
    [SENTENCES["figures"], SENTENCES["plain"].replace("officer", "officer and managing director"), "Good morning."],
    ids=["another sentence", "more words than are said", "a small part of what is said"],
)
def test_text_that_is_not_what_is_spoken_is_refused(speech, text):
    with pytest.raises(EngineFailed, match="not what is spoken") as raised:
        align(speech["plain"], text)
    assert raised.value.code == "alignment.does_not_fit"


@pytest.mark.parametrize(
    "sound",
    [np.zeros(48_000), np.full(32_000, 0.5), np.random.default_rng(0).normal(0, 0.1, 48_000), np.zeros(1)],
    ids=["silence", "constant", "noise", "one sample"],
)
def test_audio_without_speech_is_refused(tmp_path, sound):
    sf.write(tmp_path / "sound.wav", sound, 16_000)
    with pytest.raises(EngineFailed, match="not what is spoken"):
        align(tmp_path / "sound.wav", SENTENCES["plain"])


def test_long_speech_is_aligned_piece_by_piece(long_speech, speech):
    path, text, begins = long_speech
    calls = []
    words = PocketsphinxEngine().align(path, text, None, lambda *call: calls.append(call)).words
    assert len(calls) >= 2 and calls[-1][0] == calls[-1][1]
    alone = align(speech["plain"], SENTENCES["plain"]).words
    expected = np.array([begin + word.start for begin in begins for word in alone])
    error = np.abs(np.array([word.start for word in words]) - expected)
    assert np.median(error) <= 0.02 and error.max() <= 0.25


def test_long_recordings_may_begin_and_end_with_silence_but_not_with_other_speech(speech, tmp_path):
    sound, rate = sf.read(speech["plain"])
    silence = np.zeros(rate * 20)
    sf.write(tmp_path / "quiet.wav", np.concatenate([silence, sound, silence]), rate)
    shifted = align(tmp_path / "quiet.wav", SENTENCES["plain"]).words
    alone = align(speech["plain"], SENTENCES["plain"]).words
    assert np.median([abs(a.start - 20 - b.start) for a, b in zip(shifted, alone, strict=True)]) <= 0.02
    sf.write(tmp_path / "more.wav", np.concatenate([sound] * 8), rate)
    with pytest.raises(EngineFailed, match="not what is spoken"):
        align(tmp_path / "more.wav", SENTENCES["plain"])


def test_other_languages_are_left_to_other_aligners(speech):
    german = Utterance(spans=(Span(text="Guten Morgen."),), language="de")
    with pytest.raises(EngineFailed, match="'de'"):
        PocketsphinxEngine().align(speech["plain"], german, None, no_progress)


def test_two_calls_at_once_do_not_disturb_each_other(speech):
    alone = {name: align(speech[name], text) for name, text in SENTENCES.items()}
    engine = PocketsphinxEngine()
    with ThreadPoolExecutor(2) as pool:
        names = [*SENTENCES] * 2
        together = pool.map(lambda n: engine.align(speech[n], utterance(SENTENCES[n]), None, no_progress), names)
    assert list(together) == [alone[name] for name in names]


def test_progress_can_stop_it(speech):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        align(speech["plain"], SENTENCES["plain"], stop)
