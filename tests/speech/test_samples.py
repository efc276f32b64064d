"""Recordings are measured before they are used, and refused with the file, the figure and what would do."""

import struct
import subprocess
import wave
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile

from activities.speech.samples import SAMPLE, check_audio, check_samples, load_mono
from models.errors import MediaRejected
from tests.speech.conftest import samples_of

RATE = 24_000
Audio = np.ndarray[Any, np.dtype[np.float64]]


@pytest.fixture(scope="module")
def speech(voice_samples: tuple[Path, ...]) -> Audio:
    return samples_of(voice_samples[0])


def written(path: Path, samples: Audio, rate: int = RATE) -> Path:
    soundfile.write(path, samples, rate)
    return path


def test_good_samples_are_measured(voice_samples: tuple[Path, ...]) -> None:
    report = check_samples(voice_samples)
    assert report.seconds == pytest.approx(sum(soundfile.info(path).duration for path in voice_samples))
    for sample in report.samples:
        assert (sample.sample_rate, sample.channels) == (RATE, 1)
        assert -30 < sample.speech_db < -10
        assert sample.snr_db > 30
        assert sample.clipped_share == 0


def test_the_noise_is_estimated(speech: Audio, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 1, len(speech))
    power = np.mean(speech**2)
    for wanted in (25.0, 18.0):
        noisy = speech + noise * np.sqrt(power / 10 ** (wanted / 10))
        assert check_audio(written(tmp_path / "n.wav", noisy)).snr_db == pytest.approx(wanted, abs=3)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3"])
def test_what_libsndfile_reads_is_read(name: str, speech: Audio, tmp_path: Path) -> None:
    stereo = np.stack([speech, speech], axis=1)
    report = check_audio(written(tmp_path / name, stereo))
    assert report.channels == 2
    assert report.seconds == pytest.approx(len(speech) / RATE, abs=0.1)


@pytest.mark.parametrize("name", ["a.m4a", "a.webm"])
def test_what_only_ffmpeg_reads_is_read(name: str, voice_samples: tuple[Path, ...], tmp_path: Path) -> None:
    path = tmp_path / name
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(voice_samples[0]), "-b:a", "96k", str(path)]
    subprocess.run(command, check=True)
    assert check_audio(path).seconds == pytest.approx(soundfile.info(voice_samples[0]).duration, abs=0.1)
    assert len(load_mono(path, 16_000, 2.0)) == pytest.approx(32_000, abs=2)


def _three_hours(path: Path) -> Path:
    """A WAV of three hours that takes no room: its samples are a hole in the file."""
    size = 3 * 3600 * 44_100 * 2
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, 44_100, 88_200, 2, 16, b"data", size
    )
    path.write_bytes(header)
    with path.open("r+b") as file:
        file.truncate(44 + size)
    return path


def _cut(path: Path, speech: Audio) -> Path:
    whole = written(path, speech).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def _pdf(path: Path) -> Path:
    path.write_bytes(b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n" * 40)
    return path


@pytest.mark.parametrize(
    ("name", "make", "code", "figure"),
    [
        ("silent.wav", lambda p, s: written(p, s * 0), "silent", "0%"),
        ("hush.wav", lambda p, s: written(p, np.pad(s[: RATE // 2], (0, 9 * RATE))), "silent", "%"),
        ("clipped.wav", lambda p, s: written(p, np.clip(s * 12, -1, 1)), "clipped", "%"),
        ("phone.wav", lambda p, s: written(p, s[::3], 8_000), "sample-rate", "8 kHz"),
        ("long.wav", lambda p, _: _three_hours(p), "too-long", "3.0 h"),
        ("blink.wav", lambda p, s: written(p, s[:RATE]), "too-short", "1.00 s"),
        ("cut.wav", _cut, "truncated", "samples"),
        ("cut.flac", _cut, "truncated", "samples"),
        ("faint.wav", lambda p, s: written(p, s * 0.02), "too-quiet", "dB"),
        ("noisy.wav", lambda p, s: written(p, s + np.random.default_rng(0).normal(0, 0.05, len(s))), "noisy", "dB"),
        ("wide.wav", lambda p, s: written(p, np.stack([s] * 6, axis=1)), "channels", "6 channels"),
        ("renamed.wav", lambda p, _: _pdf(p), "unreadable", "recording"),
        ("empty.wav", lambda p, _: (p.write_bytes(b""), p)[1], "unreadable", "recording"),
    ],
)
def test_bad_recordings_are_refused_with_the_figure(
    name: str, make: Any, code: str, figure: str, speech: Audio, tmp_path: Path
) -> None:
    path = make(tmp_path / name, speech)
    with pytest.raises(MediaRejected) as refused:
        check_audio(path, SAMPLE)
    assert refused.value.code == f"audio.{code}"
    assert refused.value.field == name
    assert name in refused.value.message
    assert figure in refused.value.message
    assert refused.value.action


def test_samples_must_be_enough_together(voice_samples: tuple[Path, ...], speech: Audio, tmp_path: Path) -> None:
    with pytest.raises(MediaRejected, match=r"4\.0 s together"):
        check_samples([written(tmp_path / "a.wav", speech[: 4 * RATE])])
    with pytest.raises(MediaRejected, match="0 samples"):
        check_samples([])


def test_a_recorder_that_never_wrote_the_length_is_read(speech: Audio, tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", speech)
    data = bytearray(path.read_bytes())
    data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert check_audio(path).seconds == pytest.approx(len(speech) / RATE, abs=0.01)


def test_the_whole_recording_is_loaded_as_mono_at_the_rate_asked_for(speech: Audio, tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", np.stack([speech, -speech * 0.5], axis=1))
    mono = load_mono(path, RATE, 60.0)
    np.testing.assert_allclose(mono, speech * 0.25, atol=1e-3)
    with wave.open(str(path)) as file:
        assert len(mono) == file.getnframes()
