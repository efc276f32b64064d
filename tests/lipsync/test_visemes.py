"""What the viseme engine promises of every utterance: contacts happen, silence is shut, nothing jumps or flaps."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.lipsync import visemes
from activities.lipsync.base import ARKIT
from activities.lipsync.visemes import VisemeEngine, articulate, frame_count, letters
from models.alignment import Alignment, PhonemeTiming, WordTiming
from models.errors import EngineFailed, MediaRejected

CONSONANTS = [
    "p",
    "b",
    "t",
    "d",
    "k",
    "ɡ",
    "f",
    "v",
    "θ",
    "ð",
    "s",
    "z",
    "ʃ",
    "ʒ",
    "h",
    "tʃ",
    "dʒ",
    "ʧ",
    "t͡ʃ",
    "m",
    "n",
]
CONSONANTS += ["ŋ", "l", "ɫ", "ɹ", "w", "j", "ɾ", "ʔ", "n̩"]
VOWELS = ["i", "ɪ", "ɛ", "æ", "ɑ", "ɒ", "ɔ", "ʊ", "u", "ʌ", "ə", "ɚ", "ɝ", "ɜː", "ɐ", "ᵊ", "ᵻ", "eɪ", "aɪ", "ɔɪ", "aʊ"]
VOWELS += ["oʊ", "əʊ", "ɪə", "eə", "ʊə"]
ENGLISH = CONSONANTS + VOWELS
MOUTH = {index for index, name in enumerate(ARKIT) if name.startswith(("mouth", "jaw"))}


def column(curves: np.ndarray, name: str) -> np.ndarray:
    return curves[:, ARKIT.index(name)]


def opening(curves: np.ndarray) -> np.ndarray:
    return column(curves, "jawOpen") - column(curves, "mouthClose")


def phonemes(*sounds: tuple[str, float], start: float = 0.2, stress: int = 1) -> tuple[PhonemeTiming, ...]:
    """Sounds with their durations one after another; ``_`` is a pause."""
    timings, clock = [], start
    for symbol, seconds in sounds:
        if symbol != "_":
            vowel = any(visemes._viseme(letter).vowel for letter in letters(symbol))
            timings.append(
                PhonemeTiming(phoneme=symbol, start=clock, end=clock + seconds, stress=stress if vowel else 0)
            )
        clock += seconds
    return tuple(timings)


def curves_of(timings: tuple[PhonemeTiming, ...], fps: int = 25, seed: int = 0, tail: float = 0.3) -> np.ndarray:
    frames = frame_count(timings[-1].end + tail, fps)
    return articulate(timings, np.zeros(len(timings)), frames, fps, seed)


sentences = st.lists(
    st.tuples(st.sampled_from([*ENGLISH, "_", "ʘ"]), st.floats(0.02, 0.4)), min_size=1, max_size=40
).filter(lambda sounds: any(symbol != "_" for symbol, _ in sounds))


@settings(max_examples=60, deadline=None)
@given(sentences, st.sampled_from([24, 25, 30, 50, 60]), st.integers(0, 2**31 - 1), st.integers(0, 2))
def test_any_utterance_stays_in_bounds_moves_within_its_speed_and_starts_and_ends_neutral(sounds, fps, seed, stress):
    curves = curves_of(phonemes(*sounds, stress=stress), fps, seed)
    assert curves.dtype == np.float32 and curves.shape[1] == 52
    assert np.isfinite(curves).all() and curves.min() >= 0 and curves.max() <= 1
    assert not curves[:, [i for i in range(52) if i not in MOUTH]].any()
    assert not curves[0].any() and not curves[-1].any()
    steps = np.abs(np.diff(opening(curves)))
    assert steps.max(initial=0) <= visemes.OPENING_SPEED / fps + 1e-5
    limit = max(visemes.SHAPE_SPEED * (1 + visemes.SEED_ASYMMETRY), 2 * visemes.OPENING_SPEED) / fps
    assert np.abs(np.diff(curves, axis=0)).max(initial=0) <= limit + 1e-5
    assert opening(curves).min() >= -1e-6


@settings(max_examples=60, deadline=None)
@given(sentences, st.sampled_from([24, 25, 30, 60]))
def test_every_bilabial_shuts_the_lips_for_a_frame_however_short(sounds, fps):
    timings = phonemes(*sounds, ("ɑ", 0.1), ("b", 0.02), ("ɑ", 0.1))
    curves = curves_of(timings, fps)
    for phoneme in timings:
        if phoneme.phoneme in visemes.LABIAL:
            frame = int((phoneme.start + phoneme.end) / 2 * fps)
            assert opening(curves)[frame] <= 1e-6, phoneme


@pytest.mark.parametrize("sound", ["f", "v"])
def test_labiodentals_bring_the_lower_lip_to_the_teeth(sound):
    curves = curves_of(phonemes(("ɑ", 0.15), (sound, 0.07), ("ɑ", 0.15)))
    frame = int(0.385 * 25)
    assert column(curves, "mouthRollLower")[frame] > 0.5
    assert opening(curves)[frame] <= visemes.DENTAL_GAP + 0.01


def test_rounding_starts_before_the_rounded_vowel_sounds():
    rounded = column(curves_of(phonemes(("s", 0.12), ("t", 0.08), ("u", 0.2))), "mouthPucker")
    spread = column(curves_of(phonemes(("s", 0.12), ("t", 0.08), ("i", 0.2))), "mouthPucker")
    during_s = slice(int(0.26 * 25), int(0.32 * 25) + 1)
    assert rounded[during_s].max() > 0.15 > 3 * spread[during_s].max()


def test_a_diphthong_moves_from_its_nucleus_to_its_glide():
    curves = curves_of(phonemes(("h", 0.06), ("aʊ", 0.3), ("s", 0.1)))
    early, late = int((0.26 + 0.10) * 25), int((0.26 + 0.26) * 25)
    assert column(curves, "jawOpen")[early] > column(curves, "jawOpen")[late] + 0.1
    assert column(curves, "mouthPucker")[late] > column(curves, "mouthPucker")[early] + 0.15


def test_short_unstressed_syllables_do_not_flap():
    weak = phonemes(*[("t", 0.06), ("ə", 0.05)] * 6, stress=0)
    strong = phonemes(*[("t", 0.08), ("ɑ", 0.20)] * 4, stress=1)
    middle = slice(10, -12)
    assert np.ptp(opening(curves_of(weak))[middle]) < 0.05
    assert np.ptp(opening(curves_of(strong))[middle]) > 0.2


def test_stress_and_loudness_open_the_mouth_wider():
    sounds = (("t", 0.08), ("ɛ", 0.15), ("t", 0.08))
    stressed, unstressed = (opening(curves_of(phonemes(*sounds, stress=stress))).max() for stress in (1, 0))
    assert stressed > 1.2 * unstressed
    timings = phonemes(*sounds)
    frames = frame_count(timings[-1].end + 0.3, 25)
    loud, soft = (opening(articulate(timings, np.full(3, db), frames, 25, 0)).max() for db in (6.0, -6.0))
    assert loud > 1.1 * soft


def test_long_pauses_are_shut_and_short_ones_do_not_snap():
    curves = curves_of(phonemes(("ɑ", 0.2), ("_", 0.7), ("ɑ", 0.2), ("_", 0.10), ("ɑ", 0.2)))
    assert opening(curves)[int(0.62 * 25) : int(0.92 * 25)].max() < 0.03
    assert curves[int(0.7 * 25) : int(0.85 * 25)].max() < 0.05
    assert opening(curves)[int((1.1 + 0.2 + 0.11) * 25)] > 0.05


@pytest.mark.parametrize("symbol", ENGLISH)
def test_every_english_phoneme_has_a_viseme(symbol):
    assert letters(symbol)
    assert all(visemes._viseme(letter) is not visemes.UNKNOWN for letter in letters(symbol))


def alignment_of(timings: tuple[PhonemeTiming, ...], duration: float) -> Alignment:
    word = WordTiming(text="word", start=timings[0].start, end=timings[-1].end, phonemes=timings)
    return Alignment(words=(word,), duration=duration, source="test")


def tone(path: Path, duration: float, until: float) -> Path:
    seconds = np.arange(round(duration * 48_000)) / 48_000
    sound = np.where(seconds < until, 0.3 * np.sin(2 * np.pi * 150 * seconds), 0.0)
    sf.write(path, np.stack([sound, sound], axis=1), 48_000, subtype="PCM_16")
    return path


def test_the_file_is_deterministic_counts_its_frames_and_varies_with_the_seed(tmp_path):
    timings = phonemes(("h", 0.08), ("ɛ", 0.1), ("l", 0.07), ("oʊ", 0.2))
    alignment = alignment_of(timings, duration=1.03)
    wav = tone(tmp_path / "tone.wav", 1.03, until=1.03)
    written = []
    for index, seed in enumerate([5, 5, 6]):
        out = tmp_path / f"{index}.curves"
        assert VisemeEngine().curves(alignment, wav, 25, seed, out) == math.ceil(1.03 * 25) == len(np.load(out))
        written.append(out.read_bytes())
    assert written[0] == written[1] != written[2]


def test_a_phoneme_stretched_over_silence_does_not_hold_the_mouth_open(tmp_path):
    timings = phonemes(("h", 0.1), ("ɑ", 1.2))
    wav = tone(tmp_path / "tone.wav", 1.7, until=0.6)
    VisemeEngine().curves(alignment_of(timings, 1.7), wav, 25, 0, tmp_path / "out.npy")
    curves = np.load(tmp_path / "out.npy")
    assert opening(curves)[int(0.5 * 25)] > 0.25
    assert opening(curves)[int(0.9 * 25) :].max() < 0.03


def test_no_words_is_a_closed_mouth(tmp_path):
    wav = tone(tmp_path / "tone.wav", 0.5, until=0.0)
    silence = Alignment(words=(), duration=0.5, source="test")
    assert VisemeEngine().curves(silence, wav, 25, 0, tmp_path / "out.npy") == 13
    assert not np.load(tmp_path / "out.npy").any()


def test_bad_input_says_what_is_wrong(tmp_path):
    timings = phonemes(("h", 0.1), ("ɑ", 0.2))
    (tmp_path / "not.wav").write_text("not sound")
    with pytest.raises(MediaRejected, match=r"not\.wav"):
        VisemeEngine().curves(alignment_of(timings, 1.0), tmp_path / "not.wav", 25, 0, tmp_path / "out.npy")
    wav = tone(tmp_path / "tone.wav", 1.0, until=1.0)
    with pytest.raises(EngineFailed, match="out of order"):
        VisemeEngine().curves(alignment_of(timings[::-1], 1.0), wav, 25, 0, tmp_path / "out.npy")
