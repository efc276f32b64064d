"""The measures themselves, on sounds whose truth is known."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.audition.lyrics import SungText, heard_lines
from activities.audition.pitch import PITCH_RATE, intonation, pitch
from activities.audition.tempo import TEMPO_RATE, found_tempo, onset_curve
from activities.quality.recognition import Recogniser
from activities.support.audio import RATE, Samples
from activities.support.engine import no_progress
from tests.audition.conftest import LINES, Voice, beat

Hertz = npt.NDArray[np.float64]


def sung(hertz: Hertz, breath: float = 0.02) -> Samples:
    """A voice-like tone (falling harmonics, a little breath) that follows ``hertz``, one a sample; 0 is a breath."""
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    tone = sum(np.sin(k * phase) / k**1.3 for k in range(1, 12)) * (hertz > 0)
    noise = np.random.default_rng(0).standard_normal(len(hertz)) * breath
    made: Samples = ((0.25 * tone + noise) * 20_000).astype(np.int16)
    return made


def cents(found: Hertz, true: Hertz) -> Hertz:
    both = (found > 0) & (true > 0)
    error: Hertz = 1200 * np.log2(found[both] / true[both])
    return error


def at_frames(hertz: Hertz) -> Hertz:
    return hertz[:: RATE // PITCH_RATE]


def test_a_glide_over_two_octaves_is_followed() -> None:
    hertz = np.geomspace(110, 440, 5 * RATE)
    found = pitch(sung(hertz))
    inside = slice(4, -4)
    error = cents(found[inside], at_frames(hertz)[inside])
    assert len(error) > 0.99 * (len(found) - 8)
    assert np.median(np.abs(error)) < 5
    assert np.mean(np.abs(error) < 50) > 0.99


def test_a_vibrato_is_followed_and_centred() -> None:
    seconds = np.arange(3 * RATE) / RATE
    hertz = 220 * 2 ** (0.4 * np.sin(2 * np.pi * 5.5 * seconds) / 12)
    error = cents(pitch(sung(hertz))[4:-4], at_frames(hertz)[4:-4])
    assert np.percentile(np.abs(error), 95) < 15
    assert abs(np.mean(error)) < 3


@given(hertz=st.floats(80, 800), breath=st.floats(0, 0.08))
@settings(max_examples=15)
def test_any_held_note_is_found_without_octave_errors(hertz: float, breath: float) -> None:
    error = cents(pitch(sung(np.full(RATE, hertz), breath))[6:-6], np.full(PITCH_RATE - 12, hertz))
    assert len(error) > 50
    assert np.mean(np.abs(error) < 50) > 0.95


def test_noise_and_silence_have_no_pitch() -> None:
    noise = (np.random.default_rng(3).standard_normal(2 * RATE) * 6_000).astype(np.int16)
    assert np.mean(pitch(noise) > 0) < 0.05
    assert not pitch(np.zeros(RATE, np.int16)).any()


def test_a_voice_a_semitone_off_is_not_in_tune_and_one_that_wavers_by_30_cents_is() -> None:
    notes = np.repeat([196.0, 0.0, 220.0, 261.6], RATE)
    melody = at_frames(notes).astype(np.float32)
    share = {off: intonation(sung(notes * 2 ** (off / 1200)), melody).share for off in (0, 30, 100)}
    assert share[0] is not None
    assert share[30] is not None
    assert share[0] > 0.97
    assert share[30] > 0.95
    assert share[100] is not None
    assert share[100] < 0.05


def test_of_a_voice_that_is_not_there_no_share_is_told() -> None:
    assert intonation(np.zeros(RATE, np.int16), np.full(PITCH_RATE, 220, np.float32)).share is None


@given(tempo=st.floats(62, 180), asked=st.floats(0.9, 1.1))
@settings(max_examples=10)
def test_the_tempo_is_the_sounds_and_not_the_plans(tempo: float, asked: float) -> None:
    sound = soxr.resample(beat(20.0, tempo), 44_100, TEMPO_RATE).astype(np.float32)
    found = found_tempo(onset_curve(sound), tempo * asked)
    assert found == pytest.approx(tempo, rel=0.004)


def test_where_nothing_happens_there_is_no_tempo() -> None:
    assert found_tempo(onset_curve(np.zeros(12 * TEMPO_RATE, np.float32)), 120) is None


def test_words_sung_over_a_long_pause_are_shared_out_to_their_lines(voice: Voice, whisper: Path) -> None:
    speech = (soxr.resample(voice.samples, 44_100, RATE) * 32_767).astype(np.int16)
    apart = np.concatenate([speech[: 12 * RATE], np.zeros(20 * RATE, np.int16), speech])
    lines = [SungText(text, line[0].start, line[-1].end) for text, line in zip(LINES, voice.timing.lines, strict=True)]
    later = [SungText(line.text, line.start + 32, line.end + 32) for line in lines]
    found = heard_lines(apart, [*lines, *later], "en", Recogniser(whisper, 1), no_progress)
    assert [line.text for line in found] == [*LINES, *LINES]
    assert all(line.errors <= 1 for line in found)
