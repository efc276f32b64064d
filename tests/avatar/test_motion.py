"""What the motion promises: neutral ends, natural rates, nothing jerks, and the same for the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.avatar.base import Performance
from activities.avatar.motion import COLUMN, GAZE_RANGE, HEAD_LIMITS, HEAD_SPEED, Motion, move
from activities.lipsync.base import ARKIT
from models.alignment import Alignment, PhonemeTiming, WordTiming
from models.errors import EngineFailed, MediaRejected
from models.script import Tone
from tests.avatar.conftest import Spoken

RATE = 16_000


def perform(
    folder: Path, seconds: float, fps: int = 25, seed: int = 1, loud: float | None = None, tone: Tone = Tone.CONFIDENT
) -> Performance:
    """A voice of 120 Hz that says a word every half second; the word at ``loud`` is louder and higher."""
    words, samples = [], np.zeros(int(seconds * RATE))
    for index, start in enumerate(np.arange(0.1, seconds - 0.5, 0.5)):
        stressed = loud is not None and abs(start - loud) < 0.01
        times = np.arange(int(0.3 * RATE)) / RATE
        voice = sum(np.sin(2 * np.pi * (190 if stressed else 120) * k * times) / k for k in range(1, 6))
        at = int(start * RATE)
        samples[at : at + len(times)] = (0.3 if stressed else 0.08) * voice * np.hanning(len(times))
        sound = PhonemeTiming(phoneme="ɑ", start=start, end=start + 0.3, stress=1)
        words.append(WordTiming(text=f"w{index}", start=start, end=start + 0.3, phonemes=(sound,)))
    wav, curves = folder / "voice.wav", folder / "curves.npy"
    soundfile.write(wav, samples, RATE)
    np.save(curves, np.zeros((int(np.ceil(seconds * fps)), len(ARKIT)), np.float32))
    return Performance(curves, wav, Alignment(words=tuple(words), duration=seconds, source="test"), tone, fps, seed)


def shut(motion: Motion, side: str = "Left") -> list[np.ndarray]:
    """The frames of each blink."""
    frames = np.flatnonzero(motion.face[:, COLUMN[f"eyeBlink{side}"]] > 0.02)
    return np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1) if len(frames) else []


def test_first_and_last_frame_are_neutral(spoken: Spoken) -> None:
    motion = move(spoken.performance)
    for frame in (0, -1):
        assert not motion.face[frame].any()
        assert not motion.head[frame].any()
        assert motion.breath[frame] == 0


def test_the_mouth_is_the_performances(spoken: Spoken) -> None:
    curves = np.load(spoken.performance.curves)
    moved = move(spoken.performance).face
    for name in ("jawOpen", "mouthClose", "mouthPucker", "mouthFunnel", "mouthRollLower"):
        assert np.array_equal(moved[2:-2, COLUMN[name]], curves[2:-2, COLUMN[name]])


def test_equal_arguments_give_equal_motion_and_another_seed_another(spoken: Spoken) -> None:
    first, again = move(spoken.performance), move(spoken.performance)
    other = move(replace(spoken.performance, seed=8))
    assert all(np.array_equal(getattr(first, part), getattr(again, part)) for part in ("face", "head", "breath"))
    assert not np.allclose(first.head, other.head)


def test_two_sentences_with_one_seed_do_not_sway_alike(tmp_path: Path) -> None:
    performance = perform(tmp_path, 4.0)
    words = tuple(word.model_copy(update={"text": f"{word.text}x"}) for word in performance.alignment.words)
    other = replace(performance, alignment=performance.alignment.model_copy(update={"words": words}))
    assert not np.allclose(move(performance).head, move(other).head)


@settings(max_examples=25, deadline=None)
@given(
    seconds=st.floats(0.05, 9.0),
    fps=st.sampled_from((10, 24, 25, 30, 60)),
    seed=st.integers(0, 2**31 - 1),
    tone=st.sampled_from(list(Tone)),
)
def test_any_segment_moves_within_bounds(
    tmp_path_factory: pytest.TempPathFactory, seconds: float, fps: int, seed: int, tone: Tone
) -> None:
    motion = move(perform(tmp_path_factory.mktemp("any"), seconds, fps, seed, tone=tone))
    frames = int(np.ceil(seconds * fps))
    assert motion.face.shape == (frames, 52) and motion.head.shape == (frames, 3) and motion.breath.shape == (frames,)
    assert motion.face.min() >= 0 and motion.face.max() <= 1
    assert motion.breath.min() >= 0 and motion.breath.max() <= 1
    assert (np.abs(motion.head) <= np.array(HEAD_LIMITS) + 1e-6).all()
    assert np.abs(np.diff(motion.head, axis=0)).max(initial=0) * fps <= HEAD_SPEED + 1e-4
    assert not motion.face[[0, -1]].any() and not motion.head[[0, -1]].any()


def test_eyes_blink_12_to_20_times_a_minute(tmp_path: Path) -> None:
    for seed in range(5):
        assert 12 <= len(shut(move(perform(tmp_path, 60.0, seed=seed)))) <= 20


def test_short_segments_in_a_row_blink_at_the_same_rate(tmp_path: Path) -> None:
    blinks = sum(len(shut(move(perform(tmp_path, 3.0, seed=seed)))) for seed in range(80))
    assert 10 <= blinks / 4 <= 20


def test_a_blink_lasts_150_to_250_ms_and_falls_faster_than_it_rises(tmp_path: Path) -> None:
    fps = 60
    motion = move(perform(tmp_path, 60.0, fps=fps))
    for frames in shut(motion):
        blink = motion.face[frames, COLUMN["eyeBlinkLeft"]]
        lowest = int(blink.argmax())
        assert 0.14 <= (len(frames) + 1) / fps <= 0.26
        assert blink[lowest] > 0.9
        assert lowest < len(frames) - 1 - lowest


def test_a_stressed_word_nods_and_lifts_the_brows(tmp_path: Path) -> None:
    at = 3.1
    motion = move(perform(tmp_path, 6.0, loud=at))
    word = slice(int(at * 25), int((at + 0.5) * 25))
    before = slice(int((at - 0.6) * 25), int((at - 0.1) * 25))
    assert motion.head[word, 1].max() - motion.head[before, 1].mean() > 0.02
    assert motion.face[word, COLUMN["browInnerUp"]].max() > 0.15
    assert motion.face[before, COLUMN["browInnerUp"]].max() < 0.1


def test_the_eyes_stay_on_the_viewer_while_the_head_turns(tmp_path: Path) -> None:
    performance = perform(tmp_path, 20.0)
    # Without pauses between words nothing asks the eyes to wander off.
    motion = move(replace(performance, alignment=Alignment(words=(), duration=20.0, source="test")))
    eyes = motion.face[:, COLUMN["eyeLookOutLeft"]] - motion.face[:, COLUMN["eyeLookInLeft"]]
    assert np.abs(motion.head[:, 0]).max() > 0.01
    assert np.abs(eyes * GAZE_RANGE + motion.head[:, 0]).max() <= 0.05 * GAZE_RANGE + 1e-6


def test_a_tone_has_its_own_manner(tmp_path: Path) -> None:
    confident, cautious = (move(perform(tmp_path, 8.0, tone=tone)) for tone in (Tone.CONFIDENT, Tone.CAUTIOUS))
    middle = len(confident.face) // 2
    assert confident.face[middle, COLUMN["mouthSmileLeft"]] > cautious.face[middle, COLUMN["mouthSmileLeft"]]
    assert cautious.face[middle, COLUMN["browInnerUp"]] > 0.1
    assert np.abs(cautious.head).sum() < np.abs(confident.head).sum()


def test_silence_without_words_still_lives(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE * 10), RATE)
    np.save(tmp_path / "none.npy", np.zeros((250, 52), np.float32))
    empty = Alignment(words=(), duration=10.0, source="test")
    motion = move(Performance(tmp_path / "none.npy", tmp_path / "silence.wav", empty, Tone.CONFIDENT, 25, 1))
    assert shut(motion)
    assert np.abs(motion.head).max() > 0.003


def test_curves_of_another_shape_are_refused(tmp_path: Path) -> None:
    performance = perform(tmp_path, 2.0)
    np.save(performance.curves, np.zeros((50, 51), np.float32))
    with pytest.raises(EngineFailed, match=r"\(50, 51\)"):
        move(performance)


def test_a_file_that_is_no_sound_is_refused(tmp_path: Path) -> None:
    performance = perform(tmp_path, 2.0)
    performance.wav.write_bytes(b"not a wave file")
    with pytest.raises(MediaRejected, match=r"voice\.wav"):
        move(performance)
