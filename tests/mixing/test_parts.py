"""What each part of the desk promises: places to the sample, drifts nobody takes for a mistake, a limiter that lets
nothing through."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.mixing.base import Session
from activities.mixing.dynamics import de_essed, presence
from activities.mixing.eq import Band, Curve, equalised
from activities.mixing.humanise import MOST_DRIFT, chance, drifted, played, wander
from activities.mixing.laying import lay, song_melody, song_timing
from activities.mixing.master import mastered, true_peak
from activities.mixing.presets import PRESETS
from activities.mixing.sound import RATE, Sound, linear, loudness
from activities.mixing.space import Room, impulse
from models.errors import MediaRejected
from models.music import Genre
from tests.mixing.conftest import LEAD_IN_MS, VOICE_RATE


def clicked(session: Session, folder: Path, at_ms: int) -> Session:
    """The session with a click on the section's first beat."""
    voice = np.zeros(VOICE_RATE, np.float32)
    voice[LEAD_IN_MS * VOICE_RATE // 1000] = 0.9
    soundfile.write(folder / "click.wav", voice, VOICE_RATE)
    section = replace(session.vocals[0], lead=folder / "click.wav", doubles=(), at_ms=at_ms)
    return replace(session, vocals=(section,))


@pytest.mark.parametrize("at_ms", [LEAD_IN_MS, 1_234, 60, 5_001])
def test_a_section_begins_on_its_beat_to_the_sample(session: Session, tmp_path: Path, at_ms: int) -> None:
    lead = lay(clicked(session, tmp_path, at_ms).vocals, 6 * RATE).lead
    assert int(np.abs(lead).argmax()) == round(at_ms * RATE / 1000)


def test_sections_that_overlap_are_both_heard(session: Session) -> None:
    section = session.vocals[0]
    once, twice = (
        lay(vocals, 9 * RATE).lead for vocals in ((section,), (section, replace(section, at_ms=section.at_ms + 100)))
    )
    shifted = np.roll(once, round(0.1 * RATE))
    assert np.abs(twice - once - shifted).max() < 0.05


def test_words_and_melody_are_told_in_the_songs_time(session: Session) -> None:
    section = session.vocals[0]
    shift = (section.at_ms - section.lead_in_ms) / 1000
    words = song_timing((section,)).lines[0]
    assert words[0].start == pytest.approx(section.timing.lines[0][0].start + shift, abs=1e-3)
    melody = song_melody((section,), 9.0)
    assert len(melody) == 9 * 80
    voiced = np.flatnonzero(melody)
    assert voiced[0] / 80 == pytest.approx(shift + 20 / 80, abs=1 / 80)
    assert set(melody[voiced]) == {220.0}


def test_a_melody_that_is_none_is_refused(session: Session, tmp_path: Path) -> None:
    (tmp_path / "melody.npy").write_bytes(b"no array")
    with pytest.raises(MediaRejected, match="melody"):
        song_melody((replace(session.vocals[0], melody=tmp_path / "melody.npy"),), 9.0)


def test_a_lead_that_is_no_sound_is_named(session: Session, tmp_path: Path) -> None:
    (tmp_path / "lead.wav").write_bytes(b"RIFF")
    with pytest.raises(MediaRejected, match="lead vocal"):
        lay((replace(session.vocals[0], lead=tmp_path / "lead.wav"),), RATE)


@given(seed=st.integers(0, 2**31 - 1), drift=st.floats(0, 0.05))
@settings(max_examples=15)
def test_no_hand_is_more_than_8_ms_off(seed: int, drift: float) -> None:
    clicks = np.zeros((2, 2 * RATE), np.float32)
    places = np.arange(RATE // 4, 2 * RATE - RATE // 4, RATE // 8)
    clicks[:, places] = 1
    heard = played(clicks, 0.5, drift, 0.5, chance(seed, "keys"))
    for place in places:
        near = np.abs(heard[0, place - RATE // 20 : place + RATE // 20])
        assert abs(int(near.argmax()) - RATE // 20) <= MOST_DRIFT * RATE + 1


@given(late=st.integers(-350, 350))
@settings(max_examples=20)
def test_a_drift_by_whole_samples_moves_and_changes_nothing(late: int) -> None:
    sound = np.random.default_rng(0).standard_normal((2, 5_000)).astype(np.float32)
    moved = drifted(sound, np.full(5_000, late / RATE, np.float32))
    assert np.abs(moved[:, 500:-500] - np.roll(sound, late, axis=1)[:, 500:-500]).max() < 1e-2


def test_a_wander_is_its_seeds(session: Session) -> None:
    assert np.array_equal(wander(RATE, 0.2, chance(1, "a")), wander(RATE, 0.2, chance(1, "a")))
    assert not np.array_equal(wander(RATE, 0.2, chance(1, "a")), wander(RATE, 0.2, chance(1, "b")))


def material(seed: int, crest: float) -> Sound:
    """Noise and a tone under clicks ``crest`` dB above them."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(3 * RATE) / RATE
    tone = np.sin(2 * np.pi * rng.uniform(60, 9_000) * seconds + rng.uniform(0, 6))
    sound = 0.05 * np.stack([tone, np.roll(tone, 40)]) + 0.02 * rng.standard_normal((2, len(seconds)))
    sound[:, :: int(rng.integers(4_000, 40_000))] += 0.05 * linear(crest)
    return sound.astype(np.float32)


@given(seed=st.integers(0, 10_000), crest=st.floats(0, 26), genre=st.sampled_from(Genre))
@settings(max_examples=8)
def test_whatever_comes_the_master_is_loud_enough_and_lets_no_peak_through(
    seed: int, crest: float, genre: Genre
) -> None:
    out = mastered(material(seed, crest), PRESETS[genre].bus)
    assert loudness(out) == pytest.approx(-14, abs=0.5)
    assert true_peak(out) <= linear(-1.0)


def test_a_tone_between_samples_is_seen_by_the_true_peak_meter() -> None:
    # At a quarter of the rate, 45 degrees off: every sample is at 0.707 of the wave's peak.
    tone = np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4).astype(np.float32)
    assert np.abs(tone).max() == pytest.approx(0.7071, abs=1e-3)
    assert true_peak(tone[None]) == pytest.approx(1.0, abs=0.02)


def test_hissing_is_held_down_and_a_vowel_is_left_alone() -> None:
    rng = np.random.default_rng(2)
    seconds = np.arange(RATE) / RATE
    vowel = (0.2 * sum(np.sin(2 * np.pi * 150 * k * seconds) / k for k in range(1, 12))).astype(np.float32)
    noise = rng.standard_normal(RATE // 5).astype(np.float32) * 0.3
    esses = equalised(noise, [Band(Curve.HIGH_PASS, 5_500), Band(Curve.LOW_PASS, 9_000)])
    voice = np.concatenate([vowel, esses, vowel])
    out = de_essed(voice)
    change = [
        10 * np.log10(np.square(out[at]).mean() / np.square(voice[at]).mean())
        for at in (slice(2_000, RATE - 2_000), slice(RATE + 2_000, RATE + RATE // 5 - 1_000))
    ]
    assert change[0] == pytest.approx(0, abs=0.2)
    assert change[1] < -3


def test_presence_is_up_where_somebody_sings_and_down_where_nobody_does() -> None:
    voice = np.zeros(4 * RATE, np.float32)
    voice[RATE : 2 * RATE] = 0.2 * np.sin(np.arange(RATE) * 0.05)
    curve = presence([voice])
    second = len(curve) // 4
    assert curve[: second * 3 // 4].max() < 0.05
    assert curve[second + second // 20 : 2 * second].min() > 0.9
    assert curve[3 * second + second // 2 :].max() < 0.05


@pytest.mark.parametrize("decay", [0.6, 1.5])
def test_a_room_fades_by_60_db_in_its_time(decay: float) -> None:
    response = impulse(Room(decay=decay, before=0.02, bright=8_000), chance(1, "room"))[0]
    left = np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1]
    level = 10 * np.log10(left / left[0])
    at = [int(np.argmax(level < below)) / RATE for below in (-5, -25)]
    assert (at[1] - at[0]) * 3 == pytest.approx(decay, rel=0.15)


@pytest.mark.parametrize(
    ("curve", "hz", "inside", "outside"),
    [
        (Curve.HIGH_PASS, 200.0, 2_000.0, 40.0),
        (Curve.LOW_PASS, 2_000.0, 200.0, 12_000.0),
        (Curve.BAND_PASS, 2_000.0, 2_000.0, 60.0),
    ],
)
def test_a_filter_keeps_what_it_should_and_no_more(curve: Curve, hz: float, inside: float, outside: float) -> None:
    def gain(tone: float, band: Band) -> float:
        wave = np.sin(2 * np.pi * tone * np.arange(RATE) / RATE).astype(np.float32)
        return float(20 * np.log10(np.std(equalised(wave, [band])[RATE // 2 :]) / np.std(wave)))

    assert gain(inside, Band(curve, hz)) == pytest.approx(0, abs=0.2)
    assert gain(outside, Band(curve, hz)) < -20
    assert gain(hz, Band(Curve.BELL, hz, -6.0)) == pytest.approx(-6, abs=0.1)
    assert gain(18_000, Band(Curve.HIGH_SHELF, 4_000, 4.0)) == pytest.approx(4, abs=0.2)
    assert gain(30, Band(Curve.LOW_SHELF, 400, -3.0)) == pytest.approx(-3, abs=0.2)
