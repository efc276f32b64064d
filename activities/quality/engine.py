"""The studio's own quality check: every figure measured on the finished file as a viewer gets it."""

import math
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from activities.alignment.base import AlignmentEngine
from activities.quality import figures
from activities.quality.base import FinishedSegment, Hearing, SegmentSight, SpokenPart, WordErrors
from activities.quality.captions import caption_timing
from activities.quality.film import Slices, lengths, slices, sound_packets
from activities.quality.lips import following
from activities.quality.pictures import FRAMES_A_STEP, Pictures, together, watch
from activities.quality.recognition import Passage, Recogniser, compare, passages
from activities.quality.sight import look
from activities.quality.sound import Sound, listen
from activities.support.engine import Progress
from models.engines import find_engine
from models.errors import EngineFailed
from models.layout import Layout
from models.plan import Capability, EngineRef
from models.quality import Figure, QualityReport, Thresholds

_HEARD = 60_000


class StudioQuality:
    """Recogniser, loudness meter, aligner, face mesh and packet hashes. Thread-safe.

    ``whisper_dir`` holds the recogniser's model (CTranslate2); ``threads`` is what one transcription may use.
    ``aligner`` times the words of the finished sound.
    """

    def __init__(self, whisper_dir: Path, aligner: AlignmentEngine, *, threads: int = 1) -> None:
        self._aligner = aligner
        self._recogniser = Recogniser(whisper_dir, threads)
        self._lock = threading.Lock()
        self._ref: EngineRef | None = None

    @property
    def ref(self) -> EngineRef:
        """Raises EngineUnavailable when the recogniser's weights are absent."""
        with self._lock:
            if self._ref is None:
                self._ref = find_engine(Capability.QUALITY, "studio").ref(self._recogniser.sha256())
            return self._ref

    def see(self, picture: Path, curves: Path, progress: Progress) -> SegmentSight:
        """Face mesh, black and frozen pictures over every frame of a composed segment.

        Raises EngineFailed when the picture cannot be decoded or does not have the frames that were planned.
        """
        return look(picture, curves, progress)

    def hear(self, sound: Path, parts: tuple[SpokenPart, ...], language: str, progress: Progress) -> Hearing:
        """Words, loudness and word times of ``sound``. Raises EngineFailed when it has no sound or cannot be decoded,
        EngineUnavailable when the recogniser or the aligner lacks something."""
        packets = sound_packets(sound)
        if packets is None:
            raise EngineFailed(f"{sound.name} has no sound to listen to.")
        steps = _Steps(progress, 1 + len(parts) + len(_passages(parts)))
        return self._listen(sound, packets, parts, language, steps)

    def report(
        self,
        video: Path,
        segments: tuple[FinishedSegment, ...],
        hearing: Hearing | None,
        layout: Layout,
        thresholds: Thresholds,
        language: str,
        progress: Progress,
    ) -> QualityReport:
        """All figures of the finished ``video``. Raises EngineFailed when it cannot be read, EngineUnavailable when the
        recogniser or the aligner lacks something."""
        if not segments:
            raise EngineFailed("There is nothing to check: the film has no segments.")
        found, film, packets = lengths(video), slices(video), sound_packets(video)
        absent = [number for number, segment in enumerate(segments) if not _holds(film, segment, layout.fps)]
        heard_before = hearing is not None and hearing.packets == packets
        steps = _Steps(progress, 1)
        if packets is not None and not heard_before:
            steps.total += 1 + len(segments) + len(_passages(segments))
        if absent:
            steps.total += math.floor(found.container * layout.fps) // FRAMES_A_STEP
        steps.step()
        if packets is None:
            hearing = None
        elif not heard_before:
            hearing = self._listen(video, packets, segments, language, steps)
        pictures = _pictures(video, segments, absent, layout.fps, steps)
        return QualityReport(
            figures=(
                figures.word_error_rate(hearing.errors if hearing else None, thresholds.word_error_rate),
                figures.loudness(hearing, layout.loudness_lufs, thresholds.loudness_error_lu),
                figures.true_peak(hearing, thresholds.true_peak_dbtp),
                figures.caption_error(hearing.timing if hearing else None, thresholds.caption_error_ms),
                *_mouth(segments, absent, thresholds),
                figures.black(pictures, thresholds.black_ms),
                figures.frozen(pictures, thresholds.frozen_ms),
                figures.duration(found, _planned_seconds(segments, layout), thresholds.duration_error_ms),
            ),
            heard=hearing.heard if hearing else "",
        )

    def _listen(self, file: Path, packets: str, parts: Sequence[SpokenPart], language: str, steps: "_Steps") -> Hearing:
        sound = listen(file)
        if sound is None:
            raise EngineFailed(f"{file.name} has no sound to listen to.")
        steps.step()
        # Side by side: the recogniser works on one core, and an edited film waits for nothing but this.
        with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as beside:
            timing = beside.submit(caption_timing, sound, parts, self._aligner, language, Path(folder), steps.step)
            try:
                heard, errors = self._recognise(sound, parts, language, steps)
            except BaseException as error:
                steps.stop(error)
                raise
            found = timing.result()
        return Hearing(
            heard=heard[:_HEARD],
            errors=errors,
            timing=found,
            loudness=sound.loudness,
            true_peak=sound.true_peak,
            packets=packets,
        )

    def _recognise(
        self, sound: Sound, parts: Sequence[SpokenPart], language: str, steps: "_Steps"
    ) -> tuple[str, WordErrors]:
        heard: list[str] = []
        errors = WordErrors()
        for passage in _passages(parts):
            heard.append(self._recogniser.transcribe(sound.between(passage.start, passage.end), language))
            errors += compare(passage.text, heard[-1], language)
            steps.step()
        return " ".join(heard), errors


class _Steps:
    """Counts units of work from several threads. What ``progress`` raises reaches each of them at its next unit."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.total = total
        self._progress = progress
        self._done = 0
        self._raised: BaseException | None = None
        self._lock = threading.Lock()

    def step(self) -> None:
        """One unit is done."""
        with self._lock:
            if self._raised is not None:
                raise self._raised
            self._done += 1
            try:
                self._progress(self._done, max(self._done, self.total))
            except BaseException as error:
                self._raised = error
                raise

    def stop(self, error: BaseException) -> None:
        """Make the others stop, with ``error``."""
        with self._lock:
            self._raised = self._raised or error


def _passages(parts: Sequence[SpokenPart]) -> list[Passage]:
    return passages([Passage(part.start, part.start + part.alignment.duration, part.text) for part in parts])


def _holds(film: Slices, segment: FinishedSegment, fps: int) -> bool:
    """Whether the film shows the very frames of ``segment`` where they belong."""
    first, count = round(segment.start * fps), len(segment.sight.opening)
    if film.sha256(first, first + count) != segment.sight.packets:
        return False
    return abs(min(film.shown[first : first + count]) - segment.start) < 0.5 / fps


def _mouth(segments: Sequence[FinishedSegment], absent: Sequence[int], thresholds: Thresholds) -> Sequence[Figure]:
    """What the face mesh saw, of the segments whose very frames the film holds."""
    sights = [segment.sight for number, segment in enumerate(segments) if number not in absent]
    tracked = sum(opening is not None for sight in sights for opening in sight.opening)
    frames = sum(len(segment.sight.opening) for segment in segments)
    faceless = [number for number, segment in enumerate(segments) if None in segment.sight.opening]
    mouth = following(sights)
    return (
        figures.face_tracked(tracked, frames, absent, faceless, thresholds.face_tracked),
        figures.lip_correlation(mouth, thresholds.lip_correlation),
        figures.lip_lag(mouth, thresholds.lip_lag_frames),
    )


def _pictures(
    video: Path, segments: Sequence[FinishedSegment], absent: Sequence[int], fps: int, steps: _Steps
) -> Pictures:
    """Black and frozen pictures of the spoken part: as they were seen, or, where frames are others, looked at anew."""
    first, last = segments[0], segments[-1]
    if not absent:
        return together([segment.sight for segment in segments], round(first.start * fps), fps)
    return watch(video, fps, first.start, last.start + len(last.sight.opening) / fps, steps.step)


def _planned_seconds(segments: Sequence[FinishedSegment], layout: Layout) -> float:
    cards = sum(card.duration_ms for card in (layout.intro, layout.outro) if card) / 1000
    return cards + sum(len(segment.sight.opening) for segment in segments) / layout.fps
