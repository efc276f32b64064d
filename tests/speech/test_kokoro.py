"""Kokoro says what is asked, as it is asked, and knows where in the sound it said it."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from activities.speech import kokoro_graph
from activities.speech.base import Spoken, Voice
from activities.speech.g2p import from_ipa
from activities.speech.kokoro import DEFAULT_VOICE, KokoroEngine
from activities.speech.kokoro_line import MAX_SYMBOLS, lines_of
from activities.speech.kokoro_model import PACKAGED_SHA256, packaged_weights
from activities.speech.kokoro_voices import CATALOGUE, SAMPLE_RATE, VOICES, Accent, Sex
from activities.speech.normalise import speakable
from activities.support.engine import no_progress
from models.alignment import WordTiming
from models.errors import EngineUnavailable, ScriptRejected
from models.script import Pronunciation
from models.ssml import parse_script
from tests.speech.conftest import WEIGHTS, samples_of, sentence

VOICE = Voice(DEFAULT_VOICE)


def say(kokoro: KokoroEngine, script: str, out: Path, *pronunciations: Pronunciation) -> Spoken:
    (segment,) = parse_script(script, "en-GB", pronunciations)
    return kokoro.speak(segment.utterance, VOICE, 0, out / "speech.wav", no_progress)


def words(spoken: Spoken) -> dict[str, WordTiming]:
    assert spoken.alignment
    return {word.text: word for word in spoken.alignment.words}


def level(spoken: Spoken, start: float, end: float) -> float:
    part = samples_of(spoken.wav)[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
    return float(10 * np.log10(np.mean(part**2) + 1e-12))


def median_pitch(spoken: Spoken, word: WordTiming) -> float:
    """Hz, by autocorrelation over 40 ms frames."""
    part = samples_of(spoken.wav)[int(word.start * SAMPLE_RATE) : int(word.end * SAMPLE_RATE)]
    frames = [part[at : at + 960] for at in range(0, len(part) - 960, 240)]
    loud = max(float(np.mean(frame**2)) for frame in frames)
    found = []
    for frame in frames:
        if np.mean(frame**2) < loud / 10:
            continue
        correlation = np.correlate(frame, frame, "full")[959:]
        lag = 60 + int(np.argmax(correlation[60:300]))
        if correlation[lag] > 0.5 * correlation[0]:
            found.append(SAMPLE_RATE / lag)
    return float(np.median(found))


@pytest.fixture(scope="module")
def plain(kokoro: KokoroEngine, tmp_path_factory: pytest.TempPathFactory) -> Spoken:
    return say(kokoro, "Our margin rose again.", tmp_path_factory.mktemp("plain"))


def test_the_cut_graph_gives_the_samples_of_the_whole_one(kokoro: KokoroEngine) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    whole = onnxruntime.InferenceSession(packaged_weights().read(), options)
    tokens = np.array([0, 50, 83, 54, 156, 57, 135, 4, 0], np.int64)
    style = kokoro._model.styles(DEFAULT_VOICE)[len(tokens) - 3]
    feed = {"tokens": tokens[None], "style": style[None], "speed": np.ones(1, np.float32)}
    kokoro.prepare()
    graph = kokoro._model.graph
    timed = graph.time(tokens, style)
    sung = graph.sing(timed, timed.whole, style)
    samples = graph.sound(sung, sung.pitch, style)
    np.testing.assert_array_equal(samples, whole.run(None, feed)[0].reshape(-1))
    assert len(samples) == timed.whole.sum() * 600


def test_the_sound_is_where_the_timings_say(plain: Spoken) -> None:
    timed = words(plain)
    assert level(plain, 0, timed["Our"].start - 0.005) < -45
    assert all(level(plain, word.start, word.end) > -35 for word in timed.values())
    assert level(plain, timed["again."].end + 0.03, plain.duration) < -45


def test_a_slower_rate_stretches_only_its_words(kokoro: KokoroEngine, plain: Spoken, tmp_path: Path) -> None:
    slow = say(kokoro, 'Our <prosody rate="70%">margin</prosody> rose again.', tmp_path)
    before, after = words(plain), words(slow)
    assert 1.25 < _length(after["margin"]) / _length(before["margin"]) < 1.6
    assert _length(after["rose"]) == pytest.approx(_length(before["rose"]), abs=0.06)


def test_a_lower_pitch_is_lower(kokoro: KokoroEngine, plain: Spoken, tmp_path: Path) -> None:
    low = say(kokoro, '<prosody pitch="-4st">Our margin rose again.</prosody>', tmp_path)
    ratio = median_pitch(low, words(low)["margin"]) / median_pitch(plain, words(plain)["margin"])
    assert ratio == pytest.approx(2 ** (-4 / 12), abs=0.06)


def test_emphasis_makes_a_word_longer_louder_and_higher(kokoro: KokoroEngine, plain: Spoken, tmp_path: Path) -> None:
    strong = say(kokoro, 'Our <emphasis level="strong">margin</emphasis> rose again.', tmp_path)
    before, after = words(plain)["margin"], words(strong)["margin"]
    assert _length(after) > 1.15 * _length(before)
    assert level(strong, after.start, after.end) > level(plain, before.start, before.end) + 1.5
    assert median_pitch(strong, after) > 1.05 * median_pitch(plain, before)


def test_a_break_is_silence_of_that_length_and_later_words_are_later(
    kokoro: KokoroEngine, plain: Spoken, tmp_path: Path
) -> None:
    broken = say(kokoro, 'Our margin<break time="900ms"/> rose again.', tmp_path)
    timed = words(broken)
    gap = timed["rose"].start - timed["margin"].end
    assert gap == pytest.approx(0.9, abs=0.05)
    middle = (timed["rose"].start + timed["margin"].end) / 2
    assert level(broken, middle - 0.3, middle + 0.3) < -50
    assert level(broken, timed["rose"].start, timed["rose"].end) > -35


def test_a_pronunciation_is_what_is_said(kokoro: KokoroEngine, tmp_path: Path) -> None:
    known = Pronunciation(word="Zorbatron", ipa="zɔːbəˈtʃrɒn")
    spoken = say(kokoro, "Meet Zorbatron.", tmp_path, known)
    phonemes = words(spoken)["Zorbatron."].phonemes
    assert "".join(phoneme.phoneme for phoneme in phonemes) == "zɔːbətʃɹɒn"
    assert [phoneme.stress for phoneme in phonemes if phoneme.phoneme == "ɒ"] == [1]


@pytest.mark.parametrize(("ipa", "unknown"), [("ʘa", "bilabial click"), ("k7", "digit seven"), ("kst", "no vowel")])
def test_sounds_no_english_voice_has_are_refused_by_name(ipa: str, unknown: str) -> None:
    with pytest.raises(ScriptRejected, match=unknown):
        from_ipa(ipa, british=False)


def test_a_long_sentence_is_cut_at_clause_marks_into_lines_the_model_takes(kokoro: KokoroEngine) -> None:
    text = ", ".join(["we delivered every single order on schedule this year"] * 9) + "."
    phones = kokoro._model.phonemisers[Accent.BRITISH].phonemise(speakable(sentence(text)))
    lines = lines_of(phones)
    assert all(len(line.text) <= MAX_SYMBOLS and line.parts[-1].mark in (",", ".") for line in lines)
    assert sum(len(line.parts) for line in lines) == len(text.split())


def test_spelled_out_text_longer_than_the_model_takes_is_still_spoken_in_lines(kokoro: KokoroEngine) -> None:
    (segment,) = parse_script(f"<say-as interpret-as='characters'>{'QX7' * 33}</say-as>", "en-GB", ())
    lines = lines_of(kokoro._model.phonemisers[Accent.BRITISH].phonemise(speakable(segment.utterance)))
    assert len(lines) > 1
    assert all(len(line.text) <= MAX_SYMBOLS for line in lines)


def test_the_catalogue_offers_women_and_men_with_two_accents(kokoro: KokoroEngine) -> None:
    assert set(kokoro.voices()) == set(VOICES)
    assert {(voice.sex, voice.accent) for voice in CATALOGUE} == {(sex, accent) for sex in Sex for accent in Accent}
    assert VOICES["bf_emma"].description == "Emma, female, British"


def test_the_packaged_model_is_the_pinned_one() -> None:
    assert packaged_weights().compute_sha256() == PACKAGED_SHA256


def test_a_machine_without_exact_signed_products_makes_the_same_sound(
    plain: Spoken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kokoro_graph, "_signed_is_exact", lambda: False)
    unsigned = KokoroEngine(None, WEIGHTS / "kokoro-js" / "voices", tmp_path)
    spoken = say(unsigned, "Our margin rose again.", tmp_path)
    assert spoken.wav.read_bytes() == plain.wav.read_bytes()


def test_a_model_of_another_kind_is_unavailable_and_names_the_setting(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"not an ONNX file at all" * 100)
    with pytest.raises(EngineUnavailable) as refused:
        KokoroEngine(model, WEIGHTS / "kokoro-js" / "voices", tmp_path).prepare()
    assert refused.value.field == "KOKORO_MODEL"
    with pytest.raises(EngineUnavailable, match="not there"):
        KokoroEngine(tmp_path / "absent.onnx", WEIGHTS / "kokoro-js" / "voices", tmp_path).prepare()


@pytest.mark.parametrize("content", [None, b"\0" * 512 * 1024])
def test_an_absent_or_changed_voice_file_is_unavailable(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / f"{DEFAULT_VOICE}.bin").write_bytes(content)
    engine = KokoroEngine(None, tmp_path, WEIGHTS / "prepared")
    with pytest.raises(EngineUnavailable) as refused:
        engine.speak(sentence("Hello."), VOICE, 0, tmp_path / "a.wav", no_progress)
    assert refused.value.field == "KOKORO_VOICES_DIR"


def _length(word: WordTiming) -> float:
    return word.end - word.start
