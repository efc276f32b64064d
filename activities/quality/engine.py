"""The studio's own quality check: every figure measured on the finished file as a viewer gets it."""

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from activities.alignment.base import AlignmentEngine
from activities.quality import figures
from activities.quality.base import FinishedSegment, SegmentLips
from activities.quality.captions import caption_timing
from activities.quality.film import Slices, lengths, slices
from activities.quality.lips import following, measure
from activities.quality.pictures import FRAMES_A_STEP, watch
from activities.quality.recognition import Passage, Recogniser, WordErrors, compare, passages
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

    def __init__(self, whisper_dir: Path, aligner: AlignmentEngine, *, threads: int = 2) -> None:
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

    def lips(self, picture: Path, curves: Path, progress: Progress) -> SegmentLips:
        """Face mesh over every frame of a composed segment.

        Raises EngineFailed when the picture cannot be decoded or does not have the frames that were planned.
        """
        return measure(picture, curves, progress)

    def report(
        self,
        video: Path,
        segments: tuple[FinishedSegment, ...],
        layout: Layout,
        thresholds: Thresholds,
        language: str,
        progress: Progress,
    ) -> QualityReport:
        """All figures of the finished ``video``. Raises EngineFailed when it cannot be read, EngineUnavailable when the
        recogniser or the aligner lacks something."""
        if not segments:
            raise EngineFailed("There is nothing to check: the film has no segments.")
        check = _Check(video, segments, layout, thresholds, progress)
        spoken, heard = check.sound(self._recogniser, self._aligner, language)
        return QualityReport(figures=(*spoken, *check.mouth(), *check.picture()), heard=heard[:_HEARD])


class _Check:
    """One film being checked."""

    def __init__(
        self,
        video: Path,
        segments: tuple[FinishedSegment, ...],
        layout: Layout,
        thresholds: Thresholds,
        progress: Progress,
    ) -> None:
        self._video = video
        self._segments = segments
        self._layout = layout
        self._reach = thresholds
        self._passages = passages([_sentence(segment) for segment in segments])
        self._lengths = lengths(video)
        self._progress = progress
        self._done = 0
        frames = math.floor(self._lengths.container * layout.fps)
        self._total = 2 + len(self._passages) + len(segments) + frames // FRAMES_A_STEP

    def _step(self) -> None:
        self._done += 1
        self._progress(self._done, max(self._done, self._total))

    def sound(self, recogniser: Recogniser, aligner: AlignmentEngine, language: str) -> tuple[Sequence[Figure], str]:
        """What is heard: its figures, and the words."""
        reach = self._reach
        sound = listen(self._video)
        self._step()
        heard, errors, timing = "", None, None
        if sound is not None:
            heard, errors = self._recognise(sound, recogniser, language)
            with TemporaryDirectory() as folder:
                timing = caption_timing(sound, self._segments, aligner, language, Path(folder), self._step)
        spoken = (
            figures.word_error_rate(errors, reach.word_error_rate),
            figures.loudness(sound, self._layout.loudness_lufs, reach.loudness_error_lu),
            figures.true_peak(sound, reach.true_peak_dbtp),
            figures.caption_error(timing, reach.caption_error_ms),
        )
        return spoken, heard

    def _recognise(self, sound: Sound, recogniser: Recogniser, language: str) -> tuple[str, WordErrors]:
        heard: list[str] = []
        errors = WordErrors(0, 0, ())
        for passage in self._passages:
            heard.append(recogniser.transcribe(sound.between(passage.start, passage.end), language))
            errors += compare(passage.text, heard[-1], language)
            self._step()
        return " ".join(heard), errors

    def mouth(self) -> Sequence[Figure]:
        """What the face mesh saw, of the segments whose very frames the film holds."""
        packets = slices(self._video)
        self._step()
        absent = [number for number, segment in enumerate(self._segments) if not self._holds(packets, segment)]
        lips = [segment.lips for number, segment in enumerate(self._segments) if number not in absent]
        tracked = sum(opening is not None for segment in lips for opening in segment.opening)
        frames = sum(len(segment.lips.opening) for segment in self._segments)
        faceless = [number for number, segment in enumerate(self._segments) if None in segment.lips.opening]
        mouth = following(lips)
        return (
            figures.face_tracked(tracked, frames, absent, faceless, self._reach.face_tracked),
            figures.lip_correlation(mouth, self._reach.lip_correlation),
            figures.lip_lag(mouth, self._reach.lip_lag_frames),
        )

    def _holds(self, packets: Slices, segment: FinishedSegment) -> bool:
        first, count = round(segment.start * self._layout.fps), len(segment.lips.opening)
        if packets.sha256(first, first + count) != segment.lips.packets:
            return False
        return abs(min(packets.shown[first : first + count]) - segment.start) < 0.5 / self._layout.fps

    def picture(self) -> Sequence[Figure]:
        """Black and frozen pictures of the spoken part, and the film's length."""
        fps, reach = self._layout.fps, self._reach
        last = self._segments[-1]
        end = last.start + len(last.lips.opening) / fps
        pictures = watch(self._video, fps, self._segments[0].start, end, self._step)
        return (
            figures.black(pictures, reach.black_ms),
            figures.frozen(pictures, reach.frozen_ms),
            figures.duration(self._lengths, self._planned_seconds(), reach.duration_error_ms),
        )

    def _planned_seconds(self) -> float:
        cards = sum(card.duration_ms for card in (self._layout.intro, self._layout.outro) if card) / 1000
        return cards + sum(len(segment.lips.opening) for segment in self._segments) / self._layout.fps


def _sentence(segment: FinishedSegment) -> Passage:
    return Passage(segment.start, segment.start + segment.alignment.duration, segment.text)
