"""A song is known again whatever was done to its recording, and other songs of its genre are not taken for it."""

from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.audition.likeness import DIMENSIONS, SongPrint, likeness, overlap
from activities.audition.song_print import shingles, song_print
from activities.audition.tempo import TEMPO_RATE, found_tempo, onset_curve
from activities.music.composer import ComposerEngine
from activities.support.engine import no_progress
from activities.support.ffmpeg import run
from models.music import FormSection, Genre, GenreShare, Key, Mode, SectionKind, SongPlan
from models.quality import TrackThresholds

TEMPO = 118.0
SAME = TrackThresholds().likeness


def sounded(wav: Path) -> npt.NDArray[np.float32]:
    samples, rate = soundfile.read(wav, dtype="float32")
    sound: npt.NDArray[np.float32] = soxr.resample(samples.mean(axis=1), rate, TEMPO_RATE).astype(np.float32)
    return sound


def printed(wav: Path, words: str = "") -> SongPrint:
    return printed_sound(sounded(wav), None, words)


def printed_sound(sound: npt.NDArray[np.float32], music: npt.NDArray[np.float32] | None, words: str = "") -> SongPrint:
    onsets = onset_curve(sound)
    return song_print(sound, onsets, found_tempo(onsets, TEMPO) or TEMPO, words, "en", music)


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three songs of one genre, tempo, key and form: as alike as different songs of the house can be."""
    plan = SongPlan(
        genres=(GenreShare(genre=Genre.ELECTRONIC, share=1),),
        tempo_bpm=TEMPO,
        key=Key(tonic=9, mode=Mode.MINOR),
        form=(FormSection(kind=SectionKind.VERSE, bars=8), FormSection(kind=SectionKind.CHORUS, bars=8)),
    )
    engine = ComposerEngine()
    return [engine.compose(plan, seed, tmp_path_factory.mktemp("song"), no_progress).mix for seed in (1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("small.mp3", ("-b:a", "96k")),
        ("quiet.m4a", ("-af", "volume=-9dB", "-c:a", "aac", "-b:a", "128k")),
        ("pitched.wav", ("-af", "asetrate=44100*1.059463,aresample=44100,atempo=0.943874")),
        ("faster.wav", ("-af", "asetrate=44100*1.03,aresample=44100")),
    ],
)
def test_a_song_is_known_again(songs: list[Path], tmp_path: Path, name: str, arguments: tuple[str, ...]) -> None:
    run(["-i", str(songs[0]), *arguments, str(tmp_path / name)])
    run(["-i", str(tmp_path / name), str(tmp_path / "again.wav")])
    assert likeness(printed(songs[0]), printed(tmp_path / "again.wav")) >= SAME


def test_music_is_known_again_under_another_voice_and_without_one(songs: list[Path]) -> None:
    music, words = sounded(songs[0]), np.random.default_rng(3)
    at = np.arange(len(music)) / TEMPO_RATE

    def with_voice(hertz: float) -> SongPrint:
        vibrato = hertz * (1 + 0.02 * np.sin(2 * np.pi * 5 * at))
        tune = np.repeat(2 ** (words.integers(-6, 7, len(at) // 8_000 + 1) / 12), 8_000)[: len(at)]
        voice = sum(np.sin(2 * np.pi * part * np.cumsum(vibrato * tune) / TEMPO_RATE) / part for part in range(1, 6))
        return printed_sound((music + 0.3 * np.asarray(voice)).astype(np.float32), music)

    one, other = with_voice(220), with_voice(392)
    assert likeness(one, other) >= SAME
    assert likeness(one, printed(songs[0])) >= SAME
    assert likeness(one, printed_sound(sounded(songs[1]), sounded(songs[1]))) < 0.9
    assert likeness(one.model_copy(update={"music": ()}), other.model_copy(update={"music": ()})) < SAME


def test_other_songs_of_the_genre_are_other_songs(songs: list[Path]) -> None:
    prints = [printed(song) for song in songs]
    assert max(likeness(one, other) for one, other in combinations(prints, 2)) < 0.85


def test_the_same_words_are_the_same_song_and_a_shared_phrase_is_not(songs: list[Path]) -> None:
    words = "Hold me closer when the morning comes again and every star above the water knows the way"
    one, other = printed(songs[0], words), printed(songs[1], words.upper())
    assert likeness(one, other) == 1.0
    elsewhere = shingles("We burn the maps when the morning comes again", "en")
    assert 0 < overlap(one.shingles, elsewhere) < 0.3
    assert overlap((), ()) == 0.0


vectors = st.lists(st.floats(-1, 1), min_size=DIMENSIONS, max_size=DIMENSIONS).filter(lambda v: np.linalg.norm(v) > 0.1)


@given(first=vectors, second=vectors, words=st.lists(st.integers(0, 50), max_size=8))
@settings(max_examples=40)
def test_likeness_is_between_0_and_1_the_same_both_ways_and_whole_to_itself(
    first: list[float], second: list[float], words: list[int]
) -> None:
    one, other = (
        SongPrint(embedding=tuple((np.asarray(vector) / np.linalg.norm(vector)).tolist()), shingles=tuple(words[:at]))
        for vector, at in ((first, 5), (second, 8))
    )
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, other) == pytest.approx(likeness(other, one))
    assert likeness(one, one) == pytest.approx(1.0)
