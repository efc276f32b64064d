"""Sung sections laid on the song's time: voices as tracks of the song's length, words and melody with them."""

import itertools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from activities.mixing.base import SungSection
from activities.mixing.sound import RATE, Sound, fitted, resampled
from models.errors import MediaRejected
from models.music import SungTiming, SungWord

with warnings.catch_warnings():
    # It looks for an ffmpeg on PATH and misses it aloud; nothing here needs one.
    warnings.simplefilter("ignore", RuntimeWarning)
    from pydub import AudioSegment

MELODY_RATE = 80
"""F0 values a second."""


@dataclass(frozen=True)
class Voices:
    """Each voice over the whole song, [samples] at 44.1 kHz. The k-th double is the same singer throughout."""

    lead: Sound
    doubles: tuple[Sound, ...]
    harmonies: tuple[Sound, ...]


def end_ms(sections: Sequence[SungSection]) -> int:
    """When the last sung section ends, from the song file's start."""
    ends = (section.at_ms - section.lead_in_ms + len(_recorded(section.lead, "lead")) for section in sections)
    return max(ends, default=0)


def lay(sections: Sequence[SungSection], length: int) -> Voices:
    """The voices on the song's time, ``length`` samples long. Raises MediaRejected for what cannot be read."""
    return Voices(
        lead=_track([(section, section.lead) for section in sections], length, "lead"),
        doubles=_tracks([(section, section.doubles) for section in sections], length, "double"),
        harmonies=_tracks([(section, section.harmonies) for section in sections], length, "harmony"),
    )


def _tracks(parts: Sequence[tuple[SungSection, tuple[Path, ...]]], length: int, name: str) -> tuple[Sound, ...]:
    most = max((len(wavs) for _, wavs in parts), default=0)
    return tuple(
        _track([(section, wavs[voice]) for section, wavs in parts if voice < len(wavs)], length, f"{name} {voice + 1}")
        for voice in range(most)
    )


def _track(parts: Sequence[tuple[SungSection, Path]], length: int, name: str) -> Sound:
    """One voice. Laid at the voice's own rate, where a millisecond is a whole number of samples, and resampled once: so
    every section is where it belongs to the sample, and sections may overlap."""
    if not parts:
        return np.zeros(length, np.float32)
    recordings = [_recorded(wav, name) for _, wav in parts]
    rate = recordings[0].frame_rate
    track = AudioSegment.silent(math.ceil(length * 1000 / RATE), frame_rate=rate)
    for (section, _), recording in zip(parts, recordings, strict=True):
        begin = section.at_ms - section.lead_in_ms
        track = track.overlay(recording[max(0, -begin) :].set_frame_rate(rate), position=max(0, begin))
    samples: Sound = np.frombuffer(track.raw_data, np.int16).astype(np.float32)
    samples *= np.float32(1 / 32768)
    return fitted(resampled(samples, rate), length)


def _recorded(wav: Path, name: str) -> AudioSegment:
    try:
        samples, rate = sf.read(wav, dtype="int16", always_2d=True)
    except (sf.LibsndfileError, OSError) as error:
        raise MediaRejected(f"The {name} vocal is not readable sound: {error}.", field="vocals") from error
    if not len(samples):
        raise MediaRejected(f"The {name} vocal holds no sound.", field="vocals")
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1).astype(np.int16)
    return AudioSegment(mono.tobytes(), sample_width=2, frame_rate=rate, channels=1)


def song_timing(sections: Sequence[SungSection]) -> SungTiming:
    """Every line of the song in order, its words in seconds from the song file's start."""
    lines = [
        tuple(_moved(word, (section.at_ms - section.lead_in_ms) / 1000) for word in line)
        for section in sections
        for line in section.timing.lines
        if line
    ]
    return SungTiming(lines=tuple(sorted(lines, key=lambda line: line[0].start)))


def _moved(word: SungWord, by: float) -> SungWord:
    return SungWord(text=word.text, start=round(max(0.0, word.start + by), 4), end=round(max(0.0, word.end + by), 4))


def song_melody(sections: Sequence[SungSection], seconds: float) -> NDArray[np.float32]:
    """The F0 asked for over the whole song, Hz at ``MELODY_RATE``, 0 where nothing voiced is. Each value is the
    section's nearest in time: a mean of a pitch and a rest would be neither. Raises MediaRejected."""
    song = np.zeros(math.ceil(seconds * MELODY_RATE), np.float32)
    for section in sections:
        melody = _melody(section.melody)
        begin = (section.at_ms - section.lead_in_ms) / 1000 * MELODY_RATE
        frames = np.arange(max(0, math.ceil(begin - 0.5)), min(len(song), math.ceil(begin + len(melody) - 0.5)))
        values = melody[np.clip(np.round(frames - begin).astype(int), 0, len(melody) - 1)]
        song[frames] = np.where(values > 0, values, song[frames])
    return song


def _melody(npy: Path) -> NDArray[np.float32]:
    try:
        melody = np.load(npy, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise MediaRejected(f"The melody of a sung section is no .npy array: {error}.", field="vocals") from error
    if melody.ndim != 1 or not len(melody) or not np.isfinite(melody).all():
        raise MediaRejected("The melody of a sung section is not a list of frequencies.", field="vocals")
    values: NDArray[np.float32] = melody.astype(np.float32)
    return values


def sung_spans(timing: SungTiming, gap: float) -> list[tuple[float, float]]:
    """The stretches of seconds in which there are words, joined over pauses shorter than ``gap``."""
    spans: list[tuple[float, float]] = []
    for word in sorted(itertools.chain.from_iterable(timing.lines), key=lambda word: word.start):
        if spans and word.start - spans[-1][1] < gap:
            spans[-1] = (spans[-1][0], max(spans[-1][1], word.end))
        else:
            spans.append((word.start, word.end))
    return spans
