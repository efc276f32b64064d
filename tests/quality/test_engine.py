"""The report on a finished film says what is wrong with it, and nothing when nothing is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from activities.alignment.pocketsphinx import PocketsphinxEngine
from activities.quality.base import FinishedSegment
from activities.quality.engine import StudioQuality
from activities.quality.loudness import LoudnessMeter
from activities.support.engine import no_progress
from activities.support.ffmpeg import run
from models.errors import EngineFailed
from models.layout import Brand, Card, Layout
from models.quality import Figure, QualityReport, Thresholds
from models.script import Span, Utterance
from tests.quality.conftest import FPS, RATE, Sentence, encode, face, join, speaking

CARD_FRAMES = 25
TARGET = -23.0
LAYOUT = Layout(brand=Brand(name="Test"), intro=Card(title="Results", duration_ms=1_000), loudness_lufs=TARGET)


@dataclass(frozen=True)
class Film:
    video: Path
    segments: tuple[FinishedSegment, ...]
    pictures: tuple[Path, ...]
    speech: npt.NDArray[np.float32]


@pytest.fixture(scope="session")
def quality(whisper: Path) -> StudioQuality:
    return StudioQuality(whisper, PocketsphinxEngine())


@pytest.fixture(scope="session")
def film(sentences: tuple[Sentence, ...], quality: StudioQuality, tmp_path_factory: pytest.TempPathFactory) -> Film:
    folder = tmp_path_factory.mktemp("film")
    blue = np.full((480, 854, 3), (11, 61, 145), np.uint8).tobytes()
    card = encode(iter([blue] * CARD_FRAMES), folder / "card.mp4")
    segments, at = [], CARD_FRAMES
    for number, sentence in enumerate(sentences):
        wav = folder / f"{number}.wav"
        soundfile.write(wav, sentence.speech, RATE)
        utterance = Utterance(spans=(Span(text=sentence.text),))
        alignment = quality._aligner.align(wav, utterance, None, no_progress)
        sight = quality.see(sentence.picture, sentence.curves, no_progress)
        segments.append(FinishedSegment(at / FPS, alignment, sentence.text, sight))
        at += sentence.frames
    pictures = (card, *(sentence.picture for sentence in sentences))
    speech = np.concatenate([np.zeros(RATE, np.float32), *(sentence.speech for sentence in sentences)])
    meter = LoudnessMeter(RATE, 2)
    meter.add(np.stack([speech, speech], axis=1))
    meter.close()
    assert meter.integrated is not None
    speech = (speech * 10 ** ((TARGET - meter.integrated) / 20)).astype(np.float32)
    return Film(join(pictures, speech, folder / "film.mp4"), tuple(segments), pictures, speech)


@pytest.fixture(scope="session")
def check(quality: StudioQuality) -> Callable[[Path, Sequence[FinishedSegment]], QualityReport]:
    def checked(video: Path, segments: Sequence[FinishedSegment]) -> QualityReport:
        return quality.report(video, tuple(segments), None, LAYOUT, Thresholds(), "en", no_progress)

    return checked


Check = Callable[[Path, Sequence[FinishedSegment]], QualityReport]


def figure(report: QualityReport, name: str) -> Figure:
    return next(figure for figure in report.figures if figure.name == name)


def value(report: QualityReport, name: str) -> float:
    found = figure(report, name).value
    assert found is not None
    return found


def test_a_good_film_passes_every_figure_and_progress_counts_up(film: Film, quality: StudioQuality) -> None:
    seen: list[tuple[int, int]] = []
    report = quality.report(
        film.video, film.segments, None, LAYOUT, Thresholds(), "en", lambda done, total: seen.append((done, total))
    )
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[-1][0] == seen[-1][1]
    assert report.failing() == ()
    assert report.passed
    assert value(report, "word_error_rate") == 0
    assert value(report, "face_tracked") == 1
    assert "third quarter" in report.heard
    assert [figure.name for figure in report.figures] == [
        *("word_error_rate", "loudness_error_lu", "true_peak_dbtp", "caption_error_ms", "face_tracked"),
        *("lip_correlation", "lip_lag_frames", "black_ms", "frozen_ms", "duration_error_ms"),
    ]


def test_what_was_heard_before_counts_only_for_that_very_sound(
    film: Film, quality: StudioQuality, check: Check, tmp_path: Path
) -> None:
    sound = tmp_path / "sound.m4a"
    run(["-i", str(film.video), "-vn", "-c", "copy", str(sound)])
    seen: list[tuple[int, int]] = []
    hearing = quality.hear(sound, film.segments, "en", lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, seen[-1][1] + 1))
    heard_anew = check(film.video, film.segments)

    def report(video: Path) -> QualityReport:
        units.clear()
        return quality.report(
            video, film.segments, hearing, LAYOUT, Thresholds(), "en", lambda done, total: units.append(done)
        )

    units: list[int] = []
    assert report(film.video) == heard_anew
    assert units == [1], "nothing is measured again"
    louder = join(film.pictures, film.speech * 2, tmp_path / "louder.mp4")
    assert value(report(louder), "loudness_error_lu") == pytest.approx(6, abs=0.3)


def test_a_stop_while_listening_reaches_the_caller(film: Film, quality: StudioQuality) -> None:
    def stop(done: int, total: int) -> None:
        if done >= 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        quality.hear(film.video, film.segments, "en", stop)


def test_other_words_captions_and_plan_than_what_is_heard_and_seen(film: Film, check: Check) -> None:
    """One sentence's text is another's; all captions come 200 ms late; the mouth was planned three frames earlier."""
    late = [
        replace(
            segment,
            alignment=segment.alignment.model_copy(
                update={
                    "words": tuple(
                        word.model_copy(update={"start": word.start + 0.2, "end": word.end + 0.2})
                        for word in segment.alignment.words
                    )
                }
            ),
            sight=segment.sight.model_copy(update={"planned": tuple(np.roll(segment.sight.planned, -3))}),
        )
        for segment in film.segments
    ]
    late[1] = replace(late[1], text="Revenue fell by eleven percent to two point four million euros.")
    report = check(film.video, late)
    assert value(report, "word_error_rate") > 0.05
    assert "11 -> 12" in figure(report, "word_error_rate").note
    assert "reword the sentence" in figure(report, "word_error_rate").note
    assert value(report, "caption_error_ms") == pytest.approx(200, abs=30)
    assert "after" in figure(report, "caption_error_ms").note
    assert value(report, "lip_lag_frames") == 3
    assert {figure.name for figure in report.failing()} >= {
        *("word_error_rate", "caption_error_ms", "lip_lag_frames", "lip_correlation"),
    }
    assert all(figure.note.endswith((".", "…")) for figure in report.figures)


def test_foreign_frames_black_and_a_lost_end_are_told(film: Film, check: Check, tmp_path: Path) -> None:
    """The third sentence's picture is replaced by one of the same length that ends in half a second of black; the sound
    is 6 dB louder, and the last second of the file is missing."""
    count = len(film.segments[2].sight.opening)
    black = np.zeros((480, 854, 3), np.uint8).tobytes()
    other = encode(
        iter([*speaking(face(), [0.2, 0.4] * (count // 2 - 6)), *[black] * (count - count // 2 * 2 + 12)]),
        tmp_path / "other.mp4",
    )
    pictures = [*film.pictures[:3], other, *film.pictures[4:]]
    video = join(pictures, film.speech[:-RATE] * 2, tmp_path / "film.mp4")
    report = check(video, film.segments)
    assert value(report, "loudness_error_lu") == pytest.approx(6, abs=0.3)
    assert value(report, "black_ms") == pytest.approx(1000 * (12 + count % 2) / FPS, abs=41)
    assert figure(report, "face_tracked").value is None
    assert "sentence 3" in figure(report, "face_tracked").note
    assert value(report, "duration_error_ms") == pytest.approx(1_000, abs=60)
    assert {figure.name for figure in report.failing()} == {
        *("loudness_error_lu", "face_tracked", "black_ms", "duration_error_ms"),
    }


def test_a_film_without_sound_says_so_in_every_figure_of_sound(film: Film, check: Check, tmp_path: Path) -> None:
    video = tmp_path / "silent.mp4"
    run(["-i", str(film.video), "-an", "-c", "copy", str(video)])
    report = check(video, film.segments)
    for name in ("word_error_rate", "loudness_error_lu", "true_peak_dbtp", "caption_error_ms"):
        assert figure(report, name).value is None
        assert "no sound" in figure(report, name).note
    assert not report.passed


def test_a_film_that_cannot_be_read_is_an_error_that_names_it(film: Film, check: Check, tmp_path: Path) -> None:
    broken = tmp_path / "film.mp4"
    broken.write_bytes(film.video.read_bytes()[:20_000])
    with pytest.raises(EngineFailed, match="cannot be read"):
        check(broken, film.segments)
