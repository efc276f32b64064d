"""How far apart the composer's genres are: songs of each by several seeds, told apart by a nearest-centroid classifier
on librosa features, each song by a classifier that has not heard it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import librosa
import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from activities.music.base import MusicEngine
from activities.music.genres import GRAMMARS
from activities.support.engine import no_progress
from models.music import FormSection, Genre, GenreShare, Key, Mode, SectionKind, SongPlan

_RATE = 22_050
_FORM = (
    FormSection(kind=SectionKind.INTRO, bars=2),
    FormSection(kind=SectionKind.VERSE, bars=4),
    FormSection(kind=SectionKind.CHORUS, bars=4),
    FormSection(kind=SectionKind.OUTRO, bars=2),
)


@dataclass(frozen=True)
class GenreFigures:
    """Share of songs told apart rightly, and each mistake as (sung in, taken for)."""

    accuracy: float
    mistakes: tuple[tuple[Genre, Genre], ...]


def short_plan(genre: Genre, seed: int) -> SongPlan:
    """Twelve bars of ``genre`` in a tempo that is usual for it and any key."""
    rng = Random(f"{genre}/{seed}")
    return SongPlan(
        genres=(GenreShare(genre=genre, share=1),),
        tempo_bpm=rng.uniform(*GRAMMARS[genre].tempo),
        key=Key(tonic=rng.randrange(12), mode=rng.choice((Mode.MAJOR, Mode.MINOR))),
        form=_FORM,
        energy=rng.uniform(0.4, 0.8),
    )


def song_features(wav: Path) -> NDArray[np.float64]:
    """What a classifier hears: mean and spread of 13 MFCC, spectral centroid, bandwidth, roll-off, flatness, contrast
    and zero crossings, onsets a second. No tempo: genres must not depend on it alone."""
    samples, rate = sf.read(wav, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, _RATE).astype(np.float32)
    mono /= float(np.abs(mono).max())
    power = np.abs(librosa.stft(mono, n_fft=2048, hop_length=1024)) ** 2
    magnitude = np.sqrt(power)
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=_RATE))
    rows = [
        librosa.feature.mfcc(S=mel, n_mfcc=13),
        librosa.feature.spectral_centroid(S=magnitude, sr=_RATE) / 1000,
        librosa.feature.spectral_bandwidth(S=magnitude, sr=_RATE) / 1000,
        librosa.feature.spectral_rolloff(S=magnitude, sr=_RATE) / 1000,
        np.log10(librosa.feature.spectral_flatness(S=magnitude) + 1e-9),
        librosa.feature.spectral_contrast(S=magnitude, sr=_RATE),
        librosa.feature.zero_crossing_rate(mono, frame_length=2048, hop_length=1024),
    ]
    onsets = len(librosa.onset.onset_detect(y=mono, sr=_RATE)) / (len(mono) / _RATE)
    numbers = [value for row in rows for value in (*row.mean(axis=1), *row.std(axis=1))]
    return np.array([*numbers, onsets], np.float64)


def told_apart(features: NDArray[np.float64], labels: Sequence[Genre]) -> GenreFigures:
    """Leave-one-out accuracy of nearest centroids over ``features`` [songs, any]; scaled without the one left out."""
    mistakes = []
    names = np.array([label.value for label in labels])
    for index, label in enumerate(labels):
        others = np.arange(len(labels)) != index
        mean, spread = features[others].mean(axis=0), features[others].std(axis=0) + 1e-9
        scaled = (features - mean) / spread
        genres = sorted(set(names[others]))
        away = [np.linalg.norm(scaled[index] - scaled[others & (names == genre)].mean(axis=0)) for genre in genres]
        found = Genre(genres[int(np.argmin(away))])
        if found is not label:
            mistakes.append((label, found))
    return GenreFigures(1 - len(mistakes) / len(labels), tuple(mistakes))


def measure_genres(engine: MusicEngine, seeds: int = 8) -> GenreFigures:
    """Compose ``seeds`` short songs of every genre with ``engine`` and tell them apart."""
    features, labels = [], []
    with TemporaryDirectory(prefix="greenroom-genres-") as folder:
        for genre in Genre:
            for seed in range(seeds):
                made = engine.compose(short_plan(genre, seed), seed, Path(folder), no_progress)
                features.append(song_features(made.mix))
                labels.append(genre)
    return told_apart(np.array(features), labels)
