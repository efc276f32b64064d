"""A short song of real sound: drawn drums, bass and pads, and a voice that speaks in time over half of it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hibari import Hibari

from activities.mixing.base import Mixed, Session, StemFile, SungSection
from activities.mixing.desk import MixingDesk
from models.music import Genre, Grid, SungTiming, SungWord

RATE = 44_100
VOICE_RATE = 24_000
TEMPO = 120.0
SECONDS = 9.0
AT_MS = 2_500
LEAD_IN_MS = 250
WORDS = "Hold me closer when the morning comes again, for every star above the water knows."

Samples = npt.NDArray[np.float32]


def stems() -> dict[str, Samples]:
    """Stereo [samples, 2]: a beat on the grid, a walking bass, a chord that fills the middle."""
    count = round(SECONDS * RATE)
    seconds = np.arange(count) / RATE
    rng = np.random.default_rng(1)
    beat = seconds % (60 / TEMPO)
    drums = np.exp(-beat * 25) * np.sin(2 * np.pi * 60 * beat) + np.exp(-(beat + 0.25) % 0.5 * 90) * 0.2 * (
        rng.standard_normal(count)
    )
    notes = 55 * 2 ** (np.asarray([0, 0, 3, 5])[(seconds // 0.5).astype(int) % 4] / 12)
    bass = np.sin(2 * np.pi * np.cumsum(notes) / RATE) * np.exp(-beat * 3)
    pads = [
        sum(np.sin(2 * np.pi * hz * k * seconds + side) / k for hz in (220, 262, 330) for k in range(1, 12)) * 0.2
        for side in (0.0, 0.7)
    ]
    mono = {"drums": drums * 0.5, "bass": bass * 0.4}
    made = {name: np.stack([sound, sound], axis=1).astype(np.float32) for name, sound in mono.items()}
    return made | {"pads": np.stack(pads, axis=1).astype(np.float32)}


def spoken() -> Samples:
    """A voice that says ``WORDS``, with room before and after."""
    voice = np.asarray(Hibari()(WORDS), np.float32)
    return np.pad(voice, (LEAD_IN_MS * VOICE_RATE // 1000, VOICE_RATE // 5))


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("session")
    for name, sound in stems().items():
        soundfile.write(folder / f"{name}.wav", sound, RATE)
    soundfile.write(folder / "music.wav", sum(stems().values()), RATE)
    voice = spoken()
    soundfile.write(folder / "lead.wav", voice, VOICE_RATE)
    soundfile.write(folder / "double.wav", np.roll(voice, 300) * 0.8, VOICE_RATE)
    seconds = len(voice) / VOICE_RATE
    melody = np.full(round(seconds * 80), 220, np.float32)
    melody[:20] = 0
    np.save(folder / "melody.npy", melody)
    words = WORDS.split()
    at = np.linspace(LEAD_IN_MS / 1000, seconds - 0.2, len(words) + 1)
    line = tuple(SungWord(text=word, start=at[i], end=at[i + 1]) for i, word in enumerate(words[:16]))
    section = SungSection(
        at_ms=AT_MS,
        lead_in_ms=LEAD_IN_MS,
        lead=folder / "lead.wav",
        doubles=(folder / "double.wav",),
        harmonies=(),
        timing=SungTiming(lines=(line,)),
        melody=folder / "melody.npy",
    )
    return Session(
        genre=Genre.ELECTRONIC,
        music=folder / "music.wav",
        stems=tuple(StemFile(name, folder / f"{name}.wav") for name in stems()),
        vocals=(section,),
        grid=Grid(tempo_bpm=TEMPO),
        seed=3,
    )


@dataclass(frozen=True)
class Finished:
    session: Session
    mixed: Mixed
    units: tuple[tuple[int, int], ...]
    """What progress was told."""

    def sound(self, name: str) -> Samples:
        """A file of the result by name, or a stem, [2, samples]."""
        stems = {stem.name: stem.wav for stem in self.mixed.stems}
        wav = stems[name] if name in stems else getattr(self.mixed, name)
        samples: Samples = soundfile.read(wav, dtype="float32", always_2d=True)[0].T
        return samples

    @property
    def music(self) -> Samples:
        """The music's stems as they are in the mix, together."""
        total: Samples = np.sum([self.sound(stem.name) for stem in self.session.stems], axis=0)
        return total


def mixed(session: Session, folder: Path, **changes: object) -> Finished:
    folder.mkdir(parents=True, exist_ok=True)
    changed = replace(session, **changes)
    units: list[tuple[int, int]] = []
    result = MixingDesk().mix(changed, folder, lambda done, total: units.append((done, total)))
    return Finished(changed, result, tuple(units))


@pytest.fixture(scope="session")
def finished(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return mixed(session, tmp_path_factory.mktemp("mixed"))


@pytest.fixture(scope="session")
def alone(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The same music without a voice."""
    return mixed(session, tmp_path_factory.mktemp("alone"), vocals=())


@pytest.fixture(scope="session")
def by_genre(session: Session, finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> dict[Genre, Finished]:
    others = [genre for genre in Genre if genre is not session.genre]
    made = {genre: mixed(session, tmp_path_factory.mktemp(genre.value), genre=genre) for genre in others}
    return {session.genre: finished, **made}
