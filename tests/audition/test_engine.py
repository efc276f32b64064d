"""A finished song is measured as it is: what was planned and holds, and what does not is found and named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from activities.audition.base import AuditionReport, FinishedSong
from activities.audition.engine import SongAudition
from activities.audition.likeness import SongPrint
from activities.support.engine import no_progress
from models.errors import EngineUnavailable, InvalidInput, MediaRejected
from models.identity import Delivery
from models.quality import Figure
from tests.audition.conftest import LINES, RATE, Voice, lyrics


@pytest.fixture(scope="module")
def engine(whisper: Path) -> SongAudition:
    return SongAudition(whisper)


@pytest.fixture(scope="module")
def heard(engine: SongAudition, song: FinishedSong) -> tuple[AuditionReport, SongPrint]:
    return engine.audition(song, no_progress)


def figure(report: AuditionReport, name: str) -> Figure:
    return next(figure for figure in report.figures if figure.name == name)


@pytest.mark.parametrize(
    "name",
    [
        *("lyric_error_rate", "tempo_error", "loudness_error_lu", "true_peak_dbtp", "longest_silence_ms"),
        *("clipped_samples", "duration_error_ms", "video_duration_error_ms", "cut_error_frames", "onsets_on_grid"),
    ],
)
def test_a_song_as_planned_holds(heard: tuple[AuditionReport, SongPrint], name: str) -> None:
    assert figure(heard[0], name).holds, figure(heard[0], name)


def test_speech_is_not_the_melody(heard: tuple[AuditionReport, SongPrint]) -> None:
    found = figure(heard[0], "pitch_share")
    assert not found.holds
    assert "another take" in found.note


def test_every_line_is_told_as_it_was_heard(heard: tuple[AuditionReport, SongPrint]) -> None:
    assert [line.text for line in heard[0].lines] == list(LINES)
    assert sum(line.errors for line in heard[0].lines) <= 1
    assert "water" in heard[0].lines[1].heard
    assert heard[0].lines[0].start == pytest.approx(1.0, abs=0.01)


def test_the_same_song_is_heard_the_same_again(
    engine: SongAudition, song: FinishedSong, heard: tuple[AuditionReport, SongPrint]
) -> None:
    seen: list[tuple[int, int]] = []
    assert engine.audition(song, lambda done, total: seen.append((done, total))) == heard
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_a_bad_song_is_found_out_and_every_note_says_what_to_do(
    engine: SongAudition, song: FinishedSong, voice: Voice, tmp_path: Path
) -> None:
    master = soundfile.read(song.master, dtype="float32")[0]
    broken = np.concatenate(
        [master[: 4 * RATE], np.zeros((3 * RATE, 2)), np.clip(master[4 * RATE : 8 * RATE] * 9, -1, 1)]
    )
    soundfile.write(tmp_path / "master.wav", broken, RATE, subtype="PCM_24")
    changed = ("Sell me cheaper than the evening prices", LINES[1])
    report, _ = engine.audition(
        replace(
            song,
            master=tmp_path / "master.wav",
            lyrics=lyrics(changed),
            delivery=Delivery.SPOKEN,
            cuts=((0, 50, 103),),
            stems={"drums": tmp_path / "master.wav"},
        ),
        no_progress,
    )
    assert report.lines[0].errors >= 4
    assert report.lines[1].errors <= 1
    assert figure(report, "longest_silence_ms").value == pytest.approx(3_100, abs=200)
    assert figure(report, "cut_error_frames").value == pytest.approx(3.0, abs=0.01)
    assert figure(report, "duration_error_ms").value == pytest.approx(1_000, abs=20)
    clipped = figure(report, "clipped_samples").value
    assert clipped is not None
    assert clipped > 100
    failing = {found.name for found in report.figures if not found.holds}
    assert failing >= {
        *("lyric_error_rate", "loudness_error_lu", "true_peak_dbtp", "longest_silence_ms", "clipped_samples"),
        *("duration_error_ms", "video_duration_error_ms", "cut_error_frames", "onsets_on_grid"),
    }
    # What is spoken has no pitch to keep.
    assert "pitch_share" not in {found.name for found in report.figures}
    assert all(found.note.rstrip().endswith(".") for found in report.figures)


def test_words_that_do_not_belong_to_the_timings_are_refused(engine: SongAudition, song: FinishedSong) -> None:
    with pytest.raises(InvalidInput, match="1 lines, 2 were sung"):
        engine.audition(replace(song, lyrics=lyrics(LINES[:1])), no_progress)


@pytest.mark.parametrize("field", ["master", "vocal", "melody"])
def test_a_file_that_is_none_is_refused(engine: SongAudition, song: FinishedSong, tmp_path: Path, field: str) -> None:
    (tmp_path / "broken").write_bytes(b"<html>502 Bad Gateway</html>")
    with pytest.raises(MediaRejected):
        engine.audition(replace(song, **{field: tmp_path / "broken"}), no_progress)


def test_what_stops_the_work_reaches_whoever_asked(engine: SongAudition, song: FinishedSong) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        engine.audition(song, stop)


def test_absent_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable) as failure:
        _ = SongAudition(tmp_path).ref
    assert failure.value.field == "WHISPER_DIR"
