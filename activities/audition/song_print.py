"""A song's print: its harmony over time, rhythm and timbre as one vector, its words as hashes. Harmony counts whatever
the key and wherever the pattern begins: the magnitude of the two-dimensional Fourier transform of beat-wise chroma
(T. Bertin-Mahieux and D. Ellis, "Large-scale cover song recognition using the 2D FT magnitude", 2012)."""

import json
import zlib
from itertools import pairwise
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray

from activities.audition.likeness import DIMENSIONS, SongPrint
from activities.audition.tempo import TEMPO_RATE, onset_curve
from activities.quality.words import canonical_words

Vector = NDArray[np.float64]

_HOP = 1_024
_FFT = 4_096
_PATCH = 64
"""Half beats in a patch: eight bars."""
_CHROMA_WAVES, _TIME_WAVES = 7, 12
_TUNED_EVERY = 4
"""Frames of which one tells the tuning."""
_LAGS = 20
_CEPSTRA = 12
_WEIGHTS = (0.5, 0.3, 0.2)
_TYPICAL: Vector = np.asarray(json.loads(Path(__file__).with_name("typical.json").read_text()))
"""What songs have in common, by mean over the composer's songs of every genre: only what sets a song apart counts."""


def song_print(
    sound: NDArray[np.float32],
    onsets: Vector,
    tempo_bpm: float,
    lyrics: str,
    language: str,
    music: NDArray[np.float32] | None = None,
) -> SongPrint:
    """The print of mono ``sound`` at ``TEMPO_RATE`` with its onset strength, tempo and words; ``music`` is the song
    without its voice."""
    return SongPrint(
        embedding=_embedding(sound, onsets, tempo_bpm),
        music=() if music is None or not music.any() else _embedding(music, onset_curve(music), tempo_bpm),
        shingles=shingles(lyrics, language),
    )


def _embedding(sound: NDArray[np.float32], onsets: Vector, tempo_bpm: float) -> tuple[float, ...]:
    parts = features(sound, onsets, tempo_bpm)
    embedding = np.zeros(DIMENSIONS)
    at = 0
    for part, weight in zip(parts, _WEIGHTS, strict=True):
        own = slice(at, at + len(part))
        embedding[own] = _unit(part - _TYPICAL[own]) * np.sqrt(weight)
        at += len(part)
    return tuple(round(float(value), 5) for value in embedding)


def features(sound: NDArray[np.float32], onsets: Vector, tempo_bpm: float) -> tuple[Vector, Vector, Vector]:
    """Harmony, rhythm and timbre, each of unit length, ``DIMENSIONS`` numbers together."""
    spectrum = np.abs(librosa.stft(sound, n_fft=_FFT, hop_length=_HOP))
    rhythm = _rhythm(onsets, len(sound), tempo_bpm)
    return _unit(_harmony(spectrum, tempo_bpm)), _unit(rhythm), _unit(_timbre(spectrum))


def shingles(lyrics: str, language: str) -> tuple[int, ...]:
    """CRC-32 of every three words in a row, each once, in order of size."""
    words = canonical_words(lyrics, language)
    threes = {" ".join(three) for three in zip(words, words[1:], words[2:], strict=False)}
    return tuple(sorted(zlib.crc32(three.encode()) for three in threes))


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-9 else vector


def _harmony(spectrum: NDArray[np.float32], tempo_bpm: float) -> Vector:
    # Played three percent faster a song lies between the keys: without its own tuning it is another song's.
    tuning = librosa.estimate_tuning(S=spectrum[:, ::_TUNED_EVERY], sr=TEMPO_RATE, n_fft=_FFT)
    chroma = librosa.feature.chroma_stft(S=np.square(spectrum), sr=TEMPO_RATE, n_fft=_FFT, tuning=tuning)
    half = 30 / tempo_bpm * TEMPO_RATE / _HOP
    edges = np.round(np.arange(0, chroma.shape[1], half)).astype(int)
    beats = np.stack([chroma[:, a : max(a + 1, b)].mean(axis=1) for a, b in pairwise(edges)], axis=1)
    beats = beats - beats.mean(axis=0)
    if beats.shape[1] < _PATCH:
        beats = np.pad(beats, ((0, 0), (0, _PATCH - beats.shape[1])))
    starts = range(0, beats.shape[1] - _PATCH + 1, 8)
    magnitudes = [np.abs(np.fft.fft2(beats[:, at : at + _PATCH])) for at in starts]
    middle = np.sqrt(np.median(magnitudes, axis=0))[:_CHROMA_WAVES, 1 : _TIME_WAVES + 1]
    pattern: Vector = (middle - middle.mean()).ravel()
    return pattern


def _rhythm(onsets: Vector, samples: int, tempo_bpm: float) -> Vector:
    """How strongly onsets repeat after each sixteenth, up to five beats."""
    smooth = onsets - onsets.mean()
    size = 1 << (2 * len(smooth) - 1).bit_length()
    repeats = np.fft.irfft(np.square(np.abs(np.fft.rfft(smooth, size))), size)[: len(smooth)]
    sixteenth = 15 / tempo_bpm * TEMPO_RATE * len(onsets) / max(1, samples)
    at = np.interp(np.arange(1, _LAGS + 1) * sixteenth, np.arange(len(repeats)), repeats / max(repeats[0], 1e-9))
    centred: Vector = at - at.mean()
    return centred


def _timbre(spectrum: NDArray[np.float32]) -> Vector:
    mel = librosa.feature.melspectrogram(S=np.square(spectrum), sr=TEMPO_RATE, n_fft=_FFT, n_mels=40)
    cepstra = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=_CEPSTRA + 1)[1:]
    stacked: Vector = np.concatenate([cepstra.mean(axis=1) / 40, cepstra.std(axis=1) / 20])
    return stacked
