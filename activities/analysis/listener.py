"""The local listener: librosa's onsets, beats and chroma, pyloudnorm's loudness. What was composed here is compared
with its score; what came from elsewhere is taken as it was heard."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import librosa
import numpy as np
import pyloudnorm
import soundfile as sf
import soxr
from numpy.typing import NDArray

from activities.analysis.base import Heard
from activities.analysis.harmony import find_chords, find_key, find_sections
from activities.analysis.tempo import HOP, RATE, Pulse, find_pulse, first_downbeat, onset_envelope
from activities.support.engine import Progress
from models.errors import EngineFailed, MediaRejected
from models.lanes import Lane
from models.music import BEATS_PER_BAR, Grid, Score, SongPlan, SoundAnalysis
from models.plan import Capability, EngineRef

NAME = "listener"
VERSION = "3"
"""Counts changes to what is heard in the same recording."""
_UNITS: Final = 4
_QUIETEST_LUFS: Final = -70.0
"""The absolute gate of ITU-R BS.1770: below it there is nothing to measure."""
_FFT: Final = 4096
_BASS_HZ: Final = 150
_TONAL_HZ: Final = 2_000
_LATENCY_SECONDS: Final = 0.008
"""How late the onset envelope peaks after a click, measured with clicks at known times."""
_TEMPO_TOLERANCE: Final = 0.02
_ONSET_TOLERANCE_MS: Final = 60.0
_SHARED_TONES: Final = 5
"""Of seven: keys that are two fifths apart share them, and songs borrow so far."""
_NEAR_SECONDS: Final = 0.1
"""Onsets further from any note of the score than this are echoes and harmonics, not notes."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Sound:
    """A recording, read once: mono at ``RATE``, its length, loudness and onset envelope."""

    samples: NDArray[np.float32]
    seconds: float
    lufs: float
    envelope: Floats


class LibrosaListener:
    """Listens to music of a constant tempo in 4/4. Thread-safe; one core a call."""

    @property
    def ref(self) -> EngineRef:
        """The engine; it loads no weights."""
        return EngineRef(capability=Capability.ANALYSIS, name=NAME, version=VERSION, lane=Lane.CPU)

    def listen(self, audio: Path, score: Score | None, plan: SongPlan, progress: Progress) -> Heard:
        """See :class:`~activities.analysis.base.AnalysisEngine`. Four units of progress."""
        sound = _read(audio)
        progress(1, _UNITS)
        expected = score.tempo_bpm if score else plan.tempo_bpm
        pulse = find_pulse(sound.envelope, expected)
        progress(2, _UNITS)
        power, chroma = _spectrum(sound.samples)
        progress(3, _UNITS)
        heard = _confirmed(sound, score, pulse, chroma) if score else _as_heard(sound, plan, pulse, power, chroma)
        progress(_UNITS, _UNITS)
        return heard


def _read(audio: Path) -> _Sound:
    try:
        samples, rate = sf.read(audio, dtype="float32", always_2d=True)
    except (sf.LibsndfileError, OSError) as error:
        raise MediaRejected(f"{audio.name} is not readable sound: {error}.", field="audio") from error
    seconds = len(samples) / rate
    if seconds < 4:
        raise MediaRejected(f"{audio.name} lasts {seconds:.1f} s, which is no song.", field="audio")
    samples = np.nan_to_num(samples)
    lufs = float(pyloudnorm.Meter(rate).integrated_loudness(samples))
    if lufs < _QUIETEST_LUFS:
        raise MediaRejected(f"{audio.name} is silent.", field="audio")
    mono = soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)
    return _Sound(mono, seconds, lufs, onset_envelope(mono))


def _spectrum(samples: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Low-band power and chroma of each 93 ms: [frames], [frames, 12]."""
    hop = _FFT // 2
    power = np.abs(librosa.stft(samples, n_fft=_FFT, hop_length=hop)) ** 2
    low = power[: int(_BASS_HZ * _FFT / RATE)].sum(axis=0)
    # Above, cymbals and noise outweigh what has a pitch.
    power[int(_TONAL_HZ * _FFT / RATE) :] = 0.0
    chroma = librosa.feature.chroma_stft(S=power, sr=RATE, n_fft=_FFT, tuning=0.0)
    return np.asarray(low, np.float64), np.asarray(chroma.T, np.float64)


def _between(frames: Floats, times: Floats) -> Floats:
    """The mean of ``frames`` (93 ms each) over each span of ``times``."""
    edges = np.clip(np.round(times * RATE / (_FFT // 2)).astype(int), 0, len(frames) - 1)
    return np.stack([frames[first : max(first + 1, last)].mean(axis=0) for first, last in pairwise(edges)])


def _energy(sound: _Sound, beats: Floats) -> tuple[float, ...]:
    """RMS from each beat to the next, of the loudest."""
    edges = np.round(np.append(beats, beats[-1] + np.diff(beats[-2:])) * RATE).astype(int)
    levels = [
        float(np.sqrt(np.mean(sound.samples[first:last].astype(np.float64) ** 2)))
        if first < len(sound.samples)
        else 0.0
        for first, last in pairwise(edges)
    ]
    loudest = max(levels) or 1.0
    return tuple(round(one / loudest, 4) for one in levels)


def _confirmed(sound: _Sound, score: Score, pulse: Pulse, chroma: Floats) -> Heard:
    """The score's grid, key, sections and chords, which the recording was found to follow."""
    if abs(pulse.tempo_bpm / score.tempo_bpm - 1) > _TEMPO_TOLERANCE:
        raise EngineFailed(
            f"The music was heard at {pulse.tempo_bpm:.1f} BPM, and its score says {score.tempo_bpm:.1f}.",
            code="analysis.tempo_differs",
        )
    error = onset_error_ms(sound.envelope, score)
    if error > _ONSET_TOLERANCE_MS:
        raise EngineFailed(f"The music's onsets lie {error:.0f} ms from its score's.", code="analysis.onsets_differ")
    key = find_key(chroma, score.key)
    if len(set(key.scale) & set(score.key.scale)) < _SHARED_TONES:
        raise EngineFailed(
            f"The music was heard in {key.name}, and its score is in {score.key.name}.", code="analysis.key_differs"
        )
    bars = sum(section.bars for section in score.sections)
    grid = Grid(tempo_bpm=score.tempo_bpm)
    beats = np.array([grid.seconds(beat) for beat in range(bars * BEATS_PER_BAR)])
    analysis = SoundAnalysis(
        grid=grid,
        beats=tuple(round(float(beat), 4) for beat in beats),
        downbeats=tuple(round(float(beat), 4) for beat in beats[::BEATS_PER_BAR]),
        key=score.key,
        sections=score.sections,
        duration_ms=round(sound.seconds * 1000),
        loudness_lufs=round(sound.lufs, 2),
        energy=_energy(sound, beats),
        onset_error_ms=round(error, 2),
        source="score",
    )
    return Heard(analysis, score.chords, score.swing)


def _as_heard(sound: _Sound, plan: SongPlan, pulse: Pulse, low: Floats, chroma: Floats) -> Heard:
    """What counts where no score says more. The song begins at its first downbeat; what is before is an upbeat."""
    beats = pulse.beats(sound.seconds)
    beats = np.maximum(0.0, beats - _LATENCY_SECONDS)
    if len(beats) < 2 * BEATS_PER_BAR + 1:
        raise MediaRejected("The music is shorter than two bars.", field="audio")
    by_beat = _between(chroma, beats)
    novelty = _change(by_beat)
    rise = np.maximum(0.0, np.diff(low, prepend=low[0]))
    bass = np.array(
        [rise[max(0, at - 1) : at + 2].max() for at in np.round(beats[:-1] * RATE / (_FFT // 2)).astype(int)]
    )
    shift = first_downbeat(novelty, bass)
    beats = beats[shift:]
    bars = (len(beats) - 1) // BEATS_PER_BAR
    beats = beats[: bars * BEATS_PER_BAR + 1]
    key = find_key(chroma, plan.key)
    by_bar = _between(chroma, beats[::BEATS_PER_BAR])
    energy = _energy(sound, beats[:-1])
    loudness = np.array(energy).reshape(bars, BEATS_PER_BAR)
    analysis = SoundAnalysis(
        grid=Grid(tempo_bpm=round(pulse.tempo_bpm, 3), first_beat_ms=round(float(beats[0]) * 1000)),
        beats=tuple(round(float(beat), 4) for beat in beats[:-1]),
        downbeats=tuple(round(float(beat), 4) for beat in beats[:-1:BEATS_PER_BAR]),
        key=key,
        sections=find_sections(np.concatenate([by_bar, 3 * loudness], axis=1), plan.form),
        duration_ms=round(sound.seconds * 1000),
        loudness_lufs=round(sound.lufs, 2),
        energy=energy,
        source=NAME,
    )
    return Heard(analysis, find_chords(by_bar, key))


def _change(by_beat: Floats) -> Floats:
    """How different the two beats from each beat on are from the two before it: slow attacks smear a single beat."""
    padded = np.pad(by_beat, ((2, 1), (0, 0)))
    pairs = padded[1:] + padded[:-1]
    return np.asarray(np.linalg.norm(pairs[2:] - pairs[:-2], axis=1), np.float64)


def onset_error_ms(envelope: Floats, score: Score) -> float:
    """Median distance of the heard onsets to the nearest of the score's, in milliseconds; infinite where nothing near
    any of them is heard. ``envelope`` is that of the recording."""
    heard = heard_onsets(envelope)
    beat = 60 / score.tempo_bpm
    written = np.unique([note.start * beat for part in score.parts for note in part.notes])
    right = np.clip(np.searchsorted(written, heard), 1, len(written) - 1)
    away = np.minimum(abs(heard - written[right - 1]), abs(heard - written[right]))
    near = away[away < _NEAR_SECONDS]
    return float(np.median(near) * 1000) if len(near) else float("inf")


def heard_onsets(envelope: Floats) -> Floats:
    """Times of onsets in seconds, between frames: the vertex of a parabola through each peak."""
    frames = librosa.onset.onset_detect(onset_envelope=envelope, sr=RATE, hop_length=HOP, units="frames")
    frames = frames[(frames > 0) & (frames < len(envelope) - 1)]
    before, at, after = envelope[frames - 1], envelope[frames], envelope[frames + 1]
    curve = before - 2 * at + after
    vertex = np.where(curve < 0, 0.5 * (before - after) / np.where(curve < 0, curve, -1.0), 0.0)
    return np.asarray((frames + np.clip(vertex, -0.5, 0.5)) * HOP / RATE - _LATENCY_SECONDS, np.float64)
