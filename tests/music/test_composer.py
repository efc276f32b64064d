"""The composer plays what it wrote: real sound, stems that add up, on the grid, the same twice, each genre its own."""

import hashlib
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from activities.analysis.tempo import RATE, find_pulse, onset_envelope
from activities.audition.timing import timing
from activities.music.base import Composition
from activities.music.composer import TAIL_SECONDS, ComposerEngine
from activities.support.engine import no_progress
from deploy.bench.genres import measure_genres
from models.engines import find_engine
from models.errors import EngineFailed, EngineUnavailable
from models.music import FormSection, Genre, SectionKind
from models.plan import Capability
from tests.music.conftest import plan


@pytest.fixture(scope="module")
def composer() -> ComposerEngine:
    return ComposerEngine()


@pytest.fixture(scope="module")
def song(composer: ComposerEngine, tmp_path_factory: pytest.TempPathFactory) -> Composition:
    return composer.compose(plan(Genre.ELECTRONIC), 4, tmp_path_factory.mktemp("song"), no_progress)


def digests(made: Composition) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in (made.mix, *made.stems.values())]


def mono(path: Path) -> np.ndarray:
    samples, rate = sf.read(path, dtype="float32")
    assert rate == 2 * RATE
    return samples.mean(axis=1)[::2]


def test_it_is_the_engine_of_the_catalogue(composer: ComposerEngine) -> None:
    spec = find_engine(Capability.MUSIC, "composer")
    assert composer.ref == spec.ref(composer.ref.weights)
    assert len(composer.ref.weights) == 64


def test_the_stems_are_as_long_as_the_mix_and_add_up_to_it(song: Composition) -> None:
    mix, rate = sf.read(song.mix, dtype="int16")
    stems = [sf.read(path, dtype="int16")[0] for path in song.stems.values()]
    assert list(song.stems) == ["drums", "bass", "pads", "keys", "lead"]
    assert rate == 44_100
    assert all(stem.shape == mix.shape for stem in stems)
    assert np.array_equal(np.sum([stem.astype(np.int32) for stem in stems], axis=0), mix)
    assert 0.6 < np.abs(mix.astype(np.int32)).max() / 32_768 < 0.71
    assert len(mix) / rate == pytest.approx(plan(Genre.ELECTRONIC).duration_ms / 1000 + TAIL_SECONDS, abs=0.001)
    assert len(mix) / rate == pytest.approx(song.seconds, abs=1e-6)
    assert np.abs(mix[-20:]).max() < 30


def test_twice_is_the_same_and_leaves_nothing_else(composer: ComposerEngine, song: Composition, tmp_path: Path) -> None:
    again = composer.compose(plan(Genre.ELECTRONIC), 4, tmp_path, no_progress)
    assert digests(again) == digests(song)
    assert {path.name for path in tmp_path.iterdir()} == {"mix.wav", *(f"{stem}.wav" for stem in again.stems)}


def test_tempo_and_onsets_are_those_of_the_plan(song: Composition) -> None:
    envelope = onset_envelope(mono(song.mix))
    tempo = plan(Genre.ELECTRONIC).tempo_bpm
    assert find_pulse(envelope, tempo * 1.03).tempo_bpm == pytest.approx(tempo, rel=0.002)
    assert song.score
    found = timing(song.score, 0.0, song.stems)
    assert found.struck > 200
    assert found.share is not None and found.share >= 0.85


def test_an_instrument_that_speaks_late_begins_early(composer: ComposerEngine, tmp_path: Path) -> None:
    """A music box clicks 60 ms before it sounds."""
    form = (FormSection(kind=SectionKind.CHORUS, bars=4),)
    late = plan(Genre.LOFI, form=(*form, *form), instruments=("music box",))
    made = composer.compose(late, 1, tmp_path, no_progress)
    assert made.score and 10 in {part.program for part in made.score.parts}
    found = timing(made.score, 0.0, {"keys": made.stems["keys"]})
    assert found.median is not None and found.median < 0.01
    assert found.share is not None and found.share >= 0.8


def test_a_contrabass_plays_the_bass(composer: ComposerEngine, tmp_path: Path) -> None:
    """Its samples end at middle C: as a lead it would not sound at all."""
    form = (FormSection(kind=SectionKind.INTRO, bars=2), FormSection(kind=SectionKind.OUTRO, bars=1))
    made = composer.compose(plan(Genre.CINEMATIC, form=form, instruments=("Contrabass",)), 1, tmp_path, no_progress)
    assert made.score and next(part.program for part in made.score.parts if part.stem == "bass") == 43


def test_genres_are_told_apart_by_ear(composer: ComposerEngine) -> None:
    figures = measure_genres(composer, seeds=2)
    assert figures.accuracy >= 0.9, figures.mistakes


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        _ = ComposerEngine(soundfont=tmp_path / "none.sf2").ref
    assert caught.value.field == "SOUNDFONT"
    with pytest.raises(EngineUnavailable) as caught:
        ComposerEngine(fluidsynth="fluidsynth-that-is-not-there").compose(plan(Genre.LOFI), 1, tmp_path, no_progress)
    assert caught.value.field == "FLUIDSYNTH"


@pytest.mark.parametrize(
    ("content", "error"), [(b"RIFF no font at all", EngineUnavailable), (b"RIFF\0\0\0\0sfbkLIST", EngineFailed)]
)
def test_a_file_that_is_no_sound_font_gives_an_error_and_no_song(
    content: bytes, error: type[Exception], tmp_path: Path
) -> None:
    font = tmp_path / "font.sf2"
    font.write_bytes(content)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(error, match="font"):
        ComposerEngine(soundfont=font).compose(plan(Genre.LOFI), 1, out, no_progress)
    assert list(out.iterdir()) == []


def test_stopping_it_ends_the_program_and_leaves_no_file(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    pid = tmp_path / "pid"
    program = tmp_path / "fluidsynth"
    program.write_text(f"#!/bin/sh\necho $$ > {pid}\nexec sleep 600\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    out = tmp_path / "out"
    out.mkdir()

    def stop_when_playing(done: int, total: int) -> None:
        if pid.exists() and pid.read_text().strip():
            raise Stopped

    with pytest.raises(Stopped):
        ComposerEngine(fluidsynth=str(program)).compose(plan(Genre.LOFI), 1, out, stop_when_playing)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert list(out.iterdir()) == []
