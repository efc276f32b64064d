"""The meter reads what the standards' own test signals say."""

import numpy as np
import numpy.typing as npt
import pyloudnorm
import pytest

from activities.quality.loudness import LoudnessMeter

Samples = npt.NDArray[np.float32]


def read(samples: Samples, rate: int = 48_000) -> LoudnessMeter:
    meter = LoudnessMeter(rate, samples.shape[1])
    for start in range(0, len(samples), rate // 3):
        meter.add(samples[start : start + rate // 3])
    meter.close()
    return meter


def tone(level_dbfs: float, seconds: float, hertz: float = 1_000.0, rate: int = 48_000, phase: float = 0.0) -> Samples:
    at = np.arange(round(seconds * rate)) / rate
    wave = 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hertz * at + phase)
    return np.stack([wave, wave], axis=1).astype(np.float32)


@pytest.mark.parametrize("level", [-23.0, -33.0, -16.0])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_stereo_tone_reads_its_level(level: float, rate: int) -> None:
    """EBU Tech 3341, cases 1 and 2: 1 kHz, both channels."""
    assert read(tone(level, 20, rate=rate), rate).integrated == pytest.approx(level, abs=0.1)


def test_quiet_passages_do_not_count() -> None:
    """EBU Tech 3341, case 3: the relative gate leaves -36 dB out beside -23 dB."""
    programme = np.concatenate([tone(-36, 10), tone(-23, 60), tone(-36, 10)])
    assert read(programme).integrated == pytest.approx(-23.0, abs=0.1)


def test_near_silence_does_not_count() -> None:
    """EBU Tech 3341, case 4: the absolute gate at -70 LUFS, before the relative one."""
    programme = np.concatenate([tone(-72, 10), tone(-36, 10), tone(-23, 60), tone(-36, 10), tone(-72, 10)])
    assert read(programme).integrated == pytest.approx(-23.0, abs=0.1)


def test_it_agrees_with_an_independent_meter_on_noise() -> None:
    noise = (np.random.default_rng(1).standard_normal((48_000 * 8, 2)) * 0.05).astype(np.float32)
    independent = pyloudnorm.Meter(48_000).integrated_loudness(noise)
    assert read(noise).integrated == pytest.approx(independent, abs=0.1)


def test_a_peak_between_samples_is_seen() -> None:
    """EBU Tech 3341, case 16: at a quarter of the rate and 45 degrees the samples stay 3 dB below the peaks."""
    samples = tone(-6.0, 1, hertz=12_000, phase=np.pi / 4)
    samples *= np.minimum(1, np.arange(len(samples)) / 4_800)[:, None].astype(np.float32)
    meter = read(samples)
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-9.0, abs=0.1)
    assert meter.true_peak == pytest.approx(-6.0, abs=0.2)


def test_silence_has_no_loudness() -> None:
    meter = read(np.zeros((48_000, 2), np.float32))
    assert meter.integrated is None
    assert meter.true_peak is None
