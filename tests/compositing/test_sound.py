"""The film's sound is as loud as asked for, never too loud, and in step with the picture."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from activities.compositing.sound import RATE, Bed, duck_curve, lay_speech, master, measure, mix, read, spoken_gain
from models.errors import MediaRejected, StorageFull


def tick() -> None:
    pass


def noise(path: Path, seconds: float, level: float, channels: int = 1) -> Path:
    rng = np.random.default_rng(3)
    soundfile.write(path, level * rng.standard_normal((int(seconds * RATE), channels)).clip(-3, 3), RATE)
    return path


def bursts(path: Path, seconds: float) -> Path:
    """Something as uneven and as dark as speech: short bursts with decay, and pauses."""
    noise = np.random.default_rng(5).standard_normal(int(seconds * RATE))
    dark = np.convolve(noise, np.hanning(24) / 6, "same")
    at = np.arange(len(dark)) / RATE
    envelope = np.exp(-((at * 4) % 1) * 3) * ((at % 2.4) < 1.8)
    soundfile.write(path, 0.2 * envelope * dark, RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize(("target", "peak"), [(-16.0, -1.0), (-14.0, -1.5), (-23.0, -2.0)])
def test_loudness_and_true_peak_hold_on_the_decoded_file(tmp_path: Path, target: float, peak: float) -> None:
    speech = bursts(tmp_path / "speech.wav", 6)
    mix(speech, 0.0, None, tmp_path / "mixed.wav", tick)
    master(tmp_path / "mixed.wav", target, peak, tmp_path / "sound.m4a", tick)
    samples = np.concatenate(list(read(tmp_path / "sound.m4a", 2, "sound")))
    assert pyloudnorm.Meter(RATE).integrated_loudness(samples) == pytest.approx(target, abs=0.2)
    assert measure(tmp_path / "sound.m4a").true_peak <= peak


def test_speech_begins_at_its_sample_and_never_runs_into_the_next(tmp_path: Path) -> None:
    wavs = [noise(tmp_path / f"{number}.wav", 1.0, 0.1) for number in range(2)]
    lay_speech(wavs, [(4_800, 28_800), (96_000, 150_000)], 200_000, tmp_path / "speech.wav", tick)
    samples, rate = soundfile.read(tmp_path / "speech.wav")
    assert rate == RATE
    assert len(samples) == 200_000
    sounding = np.flatnonzero(np.abs(samples) > 1e-9)
    assert sounding[0] == pytest.approx(4_800, abs=2)
    assert not np.any((sounding >= 28_800) & (sounding < 96_000))
    assert sounding[-1] == pytest.approx(96_000 + RATE, abs=2)


def test_other_rates_are_brought_to_48_khz_without_moving(tmp_path: Path) -> None:
    click = np.zeros(24_000, np.float32)
    click[12_000] = 0.9
    soundfile.write(tmp_path / "click.wav", click, 24_000)
    lay_speech([tmp_path / "click.wav"], [(0, RATE)], RATE, tmp_path / "speech.wav", tick)
    samples, _ = soundfile.read(tmp_path / "speech.wav")
    assert int(np.abs(samples).argmax()) == pytest.approx(24_000, abs=2)


def test_encoding_keeps_sound_in_step(tmp_path: Path) -> None:
    samples = np.zeros(4 * RATE, np.float32)
    samples[::RATE] = 0.5
    samples += 0.01 * np.random.default_rng(1).standard_normal(len(samples)).astype(np.float32)
    soundfile.write(tmp_path / "speech.wav", samples, RATE, subtype="FLOAT")
    mix(tmp_path / "speech.wav", 0.0, None, tmp_path / "mixed.wav", tick)
    master(tmp_path / "mixed.wav", -30.0, -1.0, tmp_path / "sound.m4a", tick)
    heard = np.concatenate(list(read(tmp_path / "sound.m4a", 1, "sound")))[:, 0]
    second = np.abs(heard[RATE - 2_000 : RATE + 2_000])
    assert int(second.argmax()) == pytest.approx(2_000, abs=48)


def test_a_bed_is_looped_faded_and_ducked_by_the_depth_asked_for(tmp_path: Path) -> None:
    speech = tmp_path / "speech.wav"
    soundfile.write(speech, np.zeros(20 * RATE, np.float32), RATE, subtype="FLOAT")
    track = noise(tmp_path / "bed.wav", 3.0, 0.05, channels=2)
    bed = Bed(track, -24.0, -12.0, ((8.0, 9.0), (9.4, 12.0)))
    mix(speech, 0.0, bed, tmp_path / "mixed.wav", tick)
    samples, _ = soundfile.read(tmp_path / "mixed.wav")

    def level(start: float, end: float) -> float:
        return float(20 * np.log10(np.sqrt(np.mean(samples[int(start * RATE) : int(end * RATE)] ** 2))))

    assert level(3, 6) - level(8.1, 12.0) == pytest.approx(12, abs=0.7)
    assert level(14, 18) == pytest.approx(level(3, 6), abs=0.7)
    assert level(0, 0.05) < level(3, 6) - 15
    assert level(19.95, 20) < level(3, 6) - 15
    assert pyloudnorm.Meter(RATE).integrated_loudness(samples[2 * RATE : 7 * RATE]) == pytest.approx(-24, abs=0.7)


def test_the_bed_stays_down_between_words_and_comes_back_after_them() -> None:
    times, levels = duck_curve([(1.0, 1.3), (1.6, 2.0), (8.0, 9.0)], -10)
    at = np.interp([0.0, 1.2, 1.45, 2.1, 5.0, 8.5, 12.0], times, levels)
    assert at == pytest.approx([0, -10, -10, -10, 0, -10, 0])
    assert times == sorted(times)


def test_a_silent_bed_is_refused_by_name(tmp_path: Path) -> None:
    speech = bursts(tmp_path / "speech.wav", 1)
    soundfile.write(tmp_path / "bed.wav", np.zeros((RATE, 2)), RATE)
    with pytest.raises(MediaRejected, match=r"music\.track"):
        mix(speech, 0.0, Bed(tmp_path / "bed.wav", -20, -10, ()), tmp_path / "mixed.wav", tick)


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("mounting a small disk takes root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)], check=False)
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        with pytest.raises(StorageFull):
            lay_speech([], [], 60 * RATE, tmp_path / "speech.wav", tick)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_silent_speech_is_refused_instead_of_amplified(tmp_path: Path) -> None:
    lay_speech([], [], 2 * RATE, tmp_path / "speech.wav", tick)
    with pytest.raises(MediaRejected, match="silent"):
        spoken_gain(tmp_path / "speech.wav", -16, tick)
