"""The house's own ear: a finished song measured by recogniser, pitch tracker, loudness meter and beat finder."""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activities.audition import figures
from activities.audition.base import AuditionReport, FinishedSong
from activities.audition.likeness import SongPrint
from activities.audition.lyrics import SungText, heard_lines
from activities.audition.pitch import Intonation, intonation
from activities.audition.song_print import song_print
from activities.audition.sound import hear_master
from activities.audition.tempo import found_tempo, onset_curve
from activities.audition.timing import music_of, timing
from activities.quality.recognition import Recogniser
from activities.support.audio import Samples, mono_16k
from activities.support.engine import Progress
from activities.support.ffmpeg import MediaInfo, probe
from models.engines import find_engine
from models.errors import InvalidInput, MediaRejected
from models.identity import Delivery
from models.music import SoundAnalysis
from models.plan import Capability, EngineRef
from models.quality import Figure

_PARTS = 100
"""Units of progress in each half of the work: the master, the words."""


class SongAudition:
    """Measures finished songs. Thread-safe. ``whisper_dir`` holds the recogniser's model (CTranslate2)."""

    def __init__(self, whisper_dir: Path) -> None:
        self._recogniser = Recogniser(whisper_dir, 1)
        self._lock = threading.Lock()
        self._ref: EngineRef | None = None

    @property
    def ref(self) -> EngineRef:
        """Raises EngineUnavailable when the recogniser's weights are absent."""
        with self._lock:
            if self._ref is None:
                self._ref = find_engine(Capability.AUDITION, "audition").ref(self._recogniser.sha256())
            return self._ref

    def audition(self, song: FinishedSong, progress: Progress) -> tuple[AuditionReport, SongPrint]:
        """See :class:`~activities.audition.base.AuditionEngine`."""
        reach = song.thresholds
        lines = _lines(song)
        master = hear_master(song.master, _half(progress, 0))
        onsets = onset_curve(master.mono)
        tempo = found_tempo(onsets, song.plan.tempo_bpm)
        played = timing(song.score, song.analysis.grid.seconds(0), song.stems) if song.score and song.stems else None
        voice = mono_16k(song.vocal)
        heard = heard_lines(voice, lines, song.language, self._recogniser, _half(progress, 1))
        sung = _sung(song, voice)
        report = AuditionReport(
            figures=(
                *([figures.lyric_errors(heard, reach.lyric_error_rate)] if lines else []),
                *([figures.pitch_share(sung, reach.pitch_share)] if sung else []),
                figures.tempo(tempo, song.plan.tempo_bpm, reach.tempo_error),
                *([figures.on_grid(played, reach.on_grid)] if played and played.struck else []),
                figures.loudness(master, reach.loudness_error_lu),
                figures.true_peak(master, reach.true_peak_dbtp),
                figures.silence(master),
                figures.clipping(master),
                figures.duration(master.seconds, song.plan.duration_ms / 1000),
                *_pictures(song, master.seconds),
            ),
            lines=heard,
            tempo_bpm=None if tempo is None else round(tempo, 2),
            cents=None if sung is None or sung.cents is None else round(sung.cents, 1),
            duration_ms=round(master.seconds * 1000),
        )
        music = music_of(song.stems)
        bpm = tempo or song.plan.tempo_bpm
        print_ = song_print(master.mono, onsets, bpm, song.lyrics.text, song.language, music)
        return report, print_


def _half(progress: Progress, half: int) -> Progress:
    def step(done: int, total: int) -> None:
        progress(half * _PARTS + done * _PARTS // max(1, total), 2 * _PARTS)

    return step


def _lines(song: FinishedSong) -> list[SungText]:
    """The written lines with the times at which they are sung."""
    written = [line.text for section in song.lyrics.sections for line in section.lines]
    timed = [line for line in song.timing.lines if line]
    if len(written) != len(timed):
        raise InvalidInput(
            f"The lyrics have {len(written)} lines, {len(timed)} were sung.",
            field="timing",
            action="Sing and mix the song again with these lyrics.",
        )
    return [SungText(text, line[0].start, line[-1].end) for text, line in zip(written, timed, strict=True)]


def _sung(song: FinishedSong, voice: Samples) -> Intonation | None:
    """How the voice keeps to the melody; None where nothing is sung."""
    melody = _melody(song.melody)
    if song.delivery is Delivery.SPOKEN or not (melody > 0).any():
        return None
    return intonation(voice, melody)


def _melody(npy: Path) -> NDArray[np.float32]:
    try:
        melody = np.load(npy, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise MediaRejected(f"The melody is no .npy array: {error}.", field="melody") from error
    values: NDArray[np.float32] = np.ravel(melody).astype(np.float32)
    return values


def _pictures(song: FinishedSong, seconds: float) -> Iterator[Figure]:
    """Length of the videos against the master, and their cuts against the beats."""
    if not song.videos:
        return
    found = [probe(video) for video in song.videos]
    yield figures.videos(seconds, [video.duration for video in found])
    if song.cuts:
        yield figures.cuts(
            [
                distance
                for video, cuts in zip(found, song.cuts, strict=False)
                for distance in _off_beat(video, cuts, song.analysis)
            ]
        )


def _off_beat(video: MediaInfo, cuts: Sequence[int], analysis: SoundAnalysis) -> Iterator[tuple[float, int]]:
    """For each cut, frames to the nearest beat, and its frame. The first picture is no cut."""
    for cut in cuts:
        if cut > 0:
            beats = analysis.beats
            at = bisect_left(beats, cut / video.fps)
            near = min((abs(beat - cut / video.fps) for beat in beats[max(0, at - 1) : at + 1]), default=float("inf"))
            yield near * video.fps, cut
