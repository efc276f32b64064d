"""Uploads decoded with the very readers that will use them later, so that what is refused later is refused now."""

from collections.abc import Callable
from pathlib import Path

from activities.avatar.face import FaceFinder, mesh_weights_sha256
from activities.avatar.photo import faces_in, judge, open_picture
from activities.speech.samples import SAMPLE, SPEECH, AudioReport, judge_audio, measure_audio
from activities.support.engine import Progress
from activities.support.ffmpeg import probe
from models.engines import find_engine
from models.errors import MediaRejected
from models.inspection import Findings, Unfit, Use
from models.plan import Capability, EngineRef

LOWEST_BED_RATE = 16_000
CLIPPED_BED = 0.05
"""Mastered music touches full scale now and then; from one sample in twenty on, what is heard is the clipping."""
SILENT_DB = -60.0
_PDF_TAIL = 2_048
"""Bytes at its end within which a whole PDF has its end mark (ISO 32000-1, annex H.3, is stricter: 1,024)."""


class MediaInspector:
    """Looks at pictures, sound, videos and documents. Thread-safe; the face models load at the first picture."""

    def __init__(self) -> None:
        self._finder = FaceFinder()

    @property
    def ref(self) -> EngineRef:
        """The engine and the hash of its face models. Raises EngineUnavailable when they are absent."""
        return find_engine(Capability.INSPECTION, "media").ref(mesh_weights_sha256())

    def inspect(self, path: Path, media_type: str, longest: float, progress: Progress) -> Findings:
        """See :class:`~activities.inspection.base.Inspector`."""
        kind = media_type.partition("/")[0]
        try:
            if kind == "image":
                findings = self._picture(path)
            elif kind == "audio":
                findings = _sound(path, longest)
            elif kind == "video":
                findings = _video(path, longest)
            else:
                findings = _document(path)
        except MediaRejected as error:
            # The readers name the file they were given; who uploaded it knows it as the file they sent.
            error.field = "file"
            raise
        progress(1, 1)
        return findings

    def _picture(self, path: Path) -> Findings:
        picture = open_picture(path)
        faces = faces_in(picture, self._finder)
        unfit = _unfit({Use.PORTRAIT: lambda: judge(picture, faces)})
        return Findings(width=picture.width, height=picture.height, faces=len(faces), unfit=unfit)


def _sound(path: Path, longest: float) -> Findings:
    report = measure_audio(path, longest, name="the sound")
    uses: dict[Use, Callable[[], object]] = {
        Use.RECORDING: lambda: judge_audio(report, SPEECH),
        Use.VOICE_SAMPLE: lambda: judge_audio(report, SAMPLE),
        Use.MUSIC: lambda: _judge_bed(report),
    }
    unfit = _unfit(uses)
    if len(unfit) == len(uses):
        first = unfit[0].failure
        raise MediaRejected(first.message, code=first.code, action=first.action)
    return Findings(
        duration_ms=round(report.seconds * 1000),
        sample_rate=report.sample_rate,
        channels=report.channels,
        unfit=unfit,
    )


def _judge_bed(report: AudioReport) -> None:
    if report.speech_db <= SILENT_DB:
        raise MediaRejected(
            "the sound: it is silent.", code="audio.silent", action="Send music that can be heard, or leave it out."
        )
    if report.sample_rate < LOWEST_BED_RATE:
        raise MediaRejected(
            f"the sound: it has {report.sample_rate / 1000:g} kHz, a telephone's sound.",
            code="audio.sample-rate",
            action=f"Send music at {LOWEST_BED_RATE // 1000} kHz or more.",
        )
    if report.clipped_share > CLIPPED_BED:
        raise MediaRejected(
            f"the sound: {report.clipped_share:.0%} of it is clipped at full scale.",
            code="audio.clipped",
            action="Send a version with less gain.",
        )


def _unfit(uses: dict[Use, Callable[[], object]]) -> tuple[Unfit, ...]:
    """The uses whose judge refuses, and what each says."""
    found = []
    for use, judged in uses.items():
        try:
            judged()
        except MediaRejected as error:
            found.append(Unfit(use=use, failure=error.details()))
    return tuple(found)


def _video(path: Path, longest: float) -> Findings:
    found = probe(path, whole=True, name="the video")
    if not found.has_video or not found.frames:
        raise MediaRejected(
            "the video has no picture.", code="video.no-frames", action="Send a video that shows something, or an .m4a."
        )
    if found.duration > longest:
        raise MediaRejected(
            f"the video lasts {found.duration / 60:.0f} minutes; at most {longest / 60:.0f} are taken.",
            code="upload.too_long",
            action="Cut it, or have the operator raise GREENROOM_API_MAX_MEDIA_MINUTES.",
        )
    return Findings(
        width=found.width,
        height=found.height,
        duration_ms=round(found.duration * 1000),
        frames=found.frames,
        sample_rate=found.sample_rate or None,
        channels=found.channels or None,
    )


def _document(path: Path) -> Findings:
    """A document is not drawn by any stage: that it arrived whole is all there is to see."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _PDF_TAIL))
        if b"%%EOF" not in file.read():
            raise MediaRejected("the document breaks off.", code="upload.truncated", action="Send the file again.")
    return Findings()
