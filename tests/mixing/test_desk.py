"""A mix is loud as it should be and no louder, the voice stands in front, the stems are the mix, and it is the same
whenever it is made."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from activities.mixing.base import Session, StemFile
from activities.mixing.desk import MixingDesk
from activities.mixing.master import mastered
from activities.mixing.presets import PRESETS
from activities.mixing.sound import loudness
from activities.quality.sound import listen
from models.engines import find_engine
from models.errors import MediaRejected
from models.music import Genre
from models.plan import Capability
from tests.mixing.conftest import AT_MS, RATE, Finished, mixed


@pytest.fixture(params=list(Genre), ids=str)
def of_each_genre(request: pytest.FixtureRequest, by_genre: dict[Genre, Finished]) -> Finished:
    return by_genre[request.param]


def sung(finished: Finished) -> slice:
    """The samples in which somebody sings."""
    words = finished.mixed.timing.lines[0]
    return slice(round(words[0].start * RATE), round(words[-1].end * RATE))


@pytest.mark.parametrize("name", ["master", "instrumental"])
def test_every_genre_comes_out_at_its_loudness_without_a_peak_too_high(of_each_genre: Finished, name: str) -> None:
    # The judge's own meter, which shares no code with the desk.
    heard = listen(getattr(of_each_genre.mixed, name))
    assert heard is not None
    assert heard.loudness == pytest.approx(-14, abs=0.5)
    assert heard.true_peak is not None
    assert heard.true_peak <= -1.0


def test_the_stems_add_up_to_what_was_mastered(of_each_genre: Finished) -> None:
    together = np.sum([of_each_genre.sound(stem.name) for stem in of_each_genre.mixed.stems], axis=0)
    again = mastered(together, PRESETS[of_each_genre.session.genre].bus)
    assert np.abs(again - of_each_genre.sound("master")).max() < 1e-3


def test_the_voice_is_in_front_of_the_music(of_each_genre: Finished) -> None:
    where = sung(of_each_genre)
    voice, music = of_each_genre.sound("vocals")[:, where], of_each_genre.music[:, where]
    assert loudness(voice) - loudness(music) >= 2.0


def test_files_are_stereo_of_24_bit_and_equally_long(finished: Finished) -> None:
    files = [finished.mixed.master, finished.mixed.instrumental, finished.mixed.vocal]
    files += [stem.wav for stem in finished.mixed.stems]
    found = [soundfile.info(file) for file in files]
    assert {(info.samplerate, info.channels, info.subtype) for info in found} == {(44_100, 2, "PCM_24")}
    assert {info.frames for info in found} == {round(finished.mixed.duration * 44_100)}
    assert [stem.name for stem in finished.mixed.stems] == ["drums", "bass", "pads", "vocals", "backing", "air"]
    assert max(float(np.abs(finished.sound(stem.name)).max()) for stem in finished.mixed.stems) < 1.0


def test_the_music_makes_room_while_somebody_sings_and_only_then(finished: Finished, alone: Finished) -> None:
    where = sung(finished)
    before = slice(0, round(AT_MS / 1000 * RATE) - RATE // 2)
    room = [loudness(finished.music[:, at]) - loudness(alone.music[:, at]) for at in (where, before)]
    assert room[0] < -1.5
    assert room[1] == pytest.approx(0, abs=0.1)
    assert {stem.name for stem in alone.mixed.stems} == {"drums", "bass", "pads", "air"}


def test_the_instrumental_is_the_music_without_ducking(finished: Finished, alone: Finished) -> None:
    assert np.array_equal(finished.sound("instrumental"), alone.sound("instrumental"))


def test_a_mix_without_stems_is_one_stem(session: Session, tmp_path: Path) -> None:
    whole = mixed(session, tmp_path, stems=())
    assert [stem.name for stem in whole.mixed.stems] == ["music", "vocals", "backing", "air"]


def test_the_same_session_gives_the_same_bytes_also_side_by_side(
    finished: Finished, session: Session, tmp_path: Path
) -> None:
    def digests(made: Finished) -> list[str]:
        files = [made.mixed.master, made.mixed.instrumental, made.mixed.vocal, made.mixed.melody]
        files += [stem.wav for stem in made.mixed.stems]
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(mixed, session, tmp_path / "first")
        other = pool.submit(mixed, session, tmp_path / "other", seed=4)
    assert digests(first.result()) == digests(finished)
    assert digests(other.result())[0] != digests(finished)[0]


def test_beneath_the_song_is_a_floor_of_noise_that_nobody_minds(finished: Finished) -> None:
    air = finished.sound("air")[:, RATE : 2 * RATE]
    lift = loudness(finished.sound("master")) - loudness(finished.music + finished.sound("vocals"))
    assert 20 * np.log10(np.sqrt(np.mean(np.square(air)))) + lift == pytest.approx(-70, abs=4)


def test_lofi_is_dull_and_hyperpop_bright(by_genre: dict[Genre, Finished]) -> None:
    def treble(genre: Genre) -> float:
        """dB of what is above 8 kHz to what is between 1 and 4 kHz."""
        spectrum = np.square(np.abs(np.fft.rfft(by_genre[genre].sound("instrumental").mean(axis=0))))
        hertz = np.fft.rfftfreq(round(by_genre[genre].mixed.duration * RATE), 1 / RATE)
        high, middle = spectrum[hertz > 8_000].sum(), spectrum[(hertz > 1_000) & (hertz < 4_000)].sum()
        return float(10 * np.log10(high / middle))

    assert treble(Genre.LOFI) < treble(Genre.ELECTRONIC) - 6
    assert treble(Genre.HYPERPOP) > treble(Genre.ELECTRONIC) + 0.5


def test_what_stops_the_work_reaches_whoever_asked(session: Session, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        assert 0 < done <= total
        if done == 4:
            raise Stopped

    with pytest.raises(Stopped):
        MixingDesk().mix(session, tmp_path, stop)


def test_units_of_work_are_counted_to_the_end(finished: Finished) -> None:
    total = finished.units[-1][1]
    assert finished.units == tuple((done, total) for done in range(1, total + 1))


def test_silent_music_is_refused(session: Session, tmp_path: Path) -> None:
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros((5 * RATE, 2)), RATE)
    with pytest.raises(MediaRejected, match="silent"):
        mixed(session, tmp_path, stems=(StemFile("pads", silent),))


def test_a_stem_that_is_no_sound_is_named(session: Session, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"<html>502</html>")
    with pytest.raises(MediaRejected, match="pads") as failure:
        mixed(session, tmp_path, stems=(StemFile("pads", broken),))
    assert failure.value.field == "pads"


@pytest.mark.parametrize("names", [("pads", "pads"), ("drums", "vocals")])
def test_stems_cannot_take_a_name_twice_or_the_desks_own(
    session: Session, tmp_path: Path, names: tuple[str, str]
) -> None:
    twice = tuple(StemFile(name, session.stems[0].wav) for name in names)
    with pytest.raises(MediaRejected, match=names[1]):
        mixed(session, tmp_path, stems=twice)


def test_a_stem_however_hot_does_not_clip(session: Session, tmp_path: Path) -> None:
    clicks = np.zeros((4 * RATE, 2), np.float32)
    clicks[:: RATE // 2] = 30.0
    quiet = soundfile.read(session.stems[1].wav, dtype="float32")[0][: 4 * RATE]
    for name, sound in (("drums", clicks), ("bass", quiet)):
        soundfile.write(tmp_path / f"{name}.wav", sound, RATE, subtype="FLOAT")
    stems = tuple(StemFile(name, tmp_path / f"{name}.wav") for name in ("drums", "bass"))
    hot = mixed(session, tmp_path, stems=stems, vocals=())
    assert 0.5 < float(np.abs(hot.sound("drums")).max()) < 1.0


def test_it_names_itself_as_the_catalogue_does() -> None:
    assert MixingDesk().ref == find_engine(Capability.MIXING, "desk").ref()
