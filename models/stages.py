"""What each stage is asked and what it answers. Requests say everything that makes the result, and nothing else but
``work_id`` and ``segment``, which are for people and never part of the cache key."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from models.approval import WorkId
from models.artifacts import Artifact
from models.base import Contract, LanguageTag, Milliseconds, Seed, canonical_sha256
from models.inspection import Findings
from models.layout import Brand, Card, Layout, Shape, SoundLayout
from models.plan import EngineRef
from models.quality import Figure, Thresholds
from models.script import Tone, Utterance


class VoiceRef(Contract):
    """A stock voice by its engine's name, or an enrolled one by its latents."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    latents: Artifact | None = None


class SubjectRef(Contract):
    """A look of the presenter, or a photo."""

    look: Annotated[str, Field(max_length=80)] = ""
    photo: Artifact | None = None


class StageRequest(Contract):
    """The base of every stage's request."""

    stage: ClassVar[str]
    work_id: WorkId
    """The render, track, voice or upload it is made for."""
    segment: Annotated[int, Field(ge=0, lt=400)] | None = None
    engine: EngineRef

    def cache_key(self, weights: str) -> str:
        """sha256 over stage, engine, version, the weights really loaded, and the canonical inputs.

        An artifact counts by its bytes alone (sha256), not by where it lies; the lane counts not at all.
        """
        inputs = self.model_dump(mode="json", exclude={"work_id", "segment", "engine"})
        return canonical_sha256(
            {
                "stage": self.stage,
                "engine": self.engine.name,
                "version": self.engine.version,
                "weights": weights,
                "inputs": by_content(inputs),
            }
        )


def by_content(value: object) -> object:
    """Plain JSON data with every artifact replaced by its sha256 alone: equal bytes are equal wherever they lie."""
    if isinstance(value, dict):
        if value.keys() >= {"uri", "sha256", "media_type"}:
            return {"sha256": value["sha256"]}
        return {key: by_content(item) for key, item in value.items()}
    if isinstance(value, list):
        return [by_content(item) for item in value]
    return value


class Effort(Contract):
    """What a stage cost. ``cached`` results cost what they cost when they were made, and count as saved."""

    cpu_seconds: Annotated[float, Field(ge=0)] = 0.0
    seconds: Annotated[float, Field(ge=0)] = 0.0
    size: Annotated[int, Field(ge=0)] = 0
    device: Annotated[str, Field(max_length=40)] = "cpu"
    cached: bool = False


class StageResult(Contract):
    """The base of every stage's answer."""

    effort: Effort = Effort()


@dataclass(frozen=True)
class Claim:
    """The answer to a claim on a stage key: a finished ``result`` (JSON), or a lease, or neither (somebody else's)."""

    result: dict[str, Any] | None
    granted: bool


class SpeechRequest(StageRequest):
    """Speak one utterance."""

    stage: ClassVar[str] = "speech"
    utterance: Utterance
    voice: VoiceRef
    seed: Seed


class SpeechResult(StageResult):
    """A WAV and, where the engine knows them, its exact timings (JSON :class:`Alignment`)."""

    audio: Artifact
    alignment: Artifact | None
    duration_ms: Milliseconds


class CutRequest(StageRequest):
    """Cut one recording of all ``sentences`` into them."""

    stage: ClassVar[str] = "cut"
    recording: Artifact
    sentences: Annotated[tuple[Annotated[str, Field(max_length=4_000)], ...], Field(min_length=1, max_length=400)]
    language: LanguageTag


class CutResult(StageResult):
    """A WAV for each sentence, in order."""

    sentences: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=400)]


class EnrolRequest(StageRequest):
    """Learn a voice from recordings of one speaker."""

    stage: ClassVar[str] = "enrol"
    samples: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=20)]


class EnrolResult(StageResult):
    """Speaker latents and embedding (safetensors), and what was measured in the samples, in words."""

    latents: Artifact
    seconds: Annotated[float, Field(ge=0)]
    """Speech in all samples together."""


class InspectRequest(StageRequest):
    """Decode an upload; sound and video may last ``longest_ms``."""

    stage: ClassVar[str] = "inspect"
    file: Artifact
    longest_ms: Milliseconds


class InspectResult(StageResult):
    """What is in the upload."""

    findings: Findings


class AlignmentRequest(StageRequest):
    """Time the words of ``utterance`` in ``audio``. ``fell_back_from`` names the aligners that failed before."""

    stage: ClassVar[str] = "alignment"
    utterance: Utterance
    audio: Artifact
    known: Artifact | None = None
    fell_back_from: Annotated[tuple[str, ...], Field(max_length=4)] = ()


class AlignmentResult(StageResult):
    """The alignment (JSON) and who made it."""

    alignment: Artifact
    source: str


class LipsyncRequest(StageRequest):
    """Mouth curves for one segment."""

    stage: ClassVar[str] = "lipsync"
    audio: Artifact
    alignment: Artifact
    fps: int
    seed: Seed


class LipsyncResult(StageResult):
    """float32 [frames, 52] in ARKit order, as ``.npy``."""

    curves: Artifact
    frames: Annotated[int, Field(ge=1)]


class AvatarRequest(StageRequest):
    """Perform one segment."""

    stage: ClassVar[str] = "avatar"
    audio: Artifact
    alignment: Artifact
    curves: Artifact
    subject: SubjectRef
    tone: Tone
    fps: int
    height: Annotated[int, Field(ge=64, le=2160)]
    seed: Seed


class ClipRef(Contract):
    """An avatar clip; see ``activities.avatar.base.Clip``."""

    video: Artifact
    width: int
    height: int
    frames: Annotated[int, Field(ge=1)]
    fps: int
    matte: bool


class AvatarResult(StageResult):
    """The drawn performance."""

    clip: ClipRef


class ResyncRequest(StageRequest):
    """Redraw the mouth of a clip to fit the speech (frame engines)."""

    stage: ClassVar[str] = "resync"
    clip: ClipRef
    audio: Artifact


class ComposeRequest(StageRequest):
    """Draw one segment in every shape of the layout."""

    stage: ClassVar[str] = "compose"
    clip: ClipRef
    alignment: Artifact
    layout: Layout
    index: Annotated[int, Field(ge=0, lt=400)]
    """The segment's place; slides depend on it, so it is part of the key only when the plate has slides (else 0)."""
    offset_ms: Milliseconds
    """Where the segment begins in the spoken part, as far as the picture depends on it."""


class ComposeResult(StageResult):
    """One picture per shape of the layout, in its order."""

    pictures: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=3)]
    frames: Annotated[int, Field(ge=1)]


class MeasureRequest(StageRequest):
    """Measure what is seen of a composed segment and close it with a record of all that it is made of."""

    stage: ClassVar[str] = "measure"
    pictures: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=3)]
    frames: Annotated[int, Field(ge=1)]
    audio: Artifact
    alignment: Artifact
    curves: Artifact
    text: Annotated[str, Field(max_length=4_000)]


class MeasureResult(StageResult):
    """The segment's record (JSON :class:`SegmentRecord`): all that assembling and checking need, as one claim check."""

    record: Artifact


class SegmentRecord(Contract):
    """A finished segment. ``sight`` is a JSON artifact of ``activities.quality.base.SegmentSight``."""

    pictures: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=3)]
    frames: int
    audio: Artifact
    alignment: Artifact
    curves: Artifact
    sight: Artifact
    text: str


class SpokenSegment(Contract):
    """What is heard of a segment, known long before it is drawn."""

    audio: Artifact
    alignment: Artifact
    frames: Annotated[int, Field(ge=1)]
    text: Annotated[str, Field(max_length=4_000)]


class SoundtrackRequest(StageRequest):
    """Mix and master the sound of the whole film."""

    stage: ClassVar[str] = "soundtrack"
    segments: Annotated[tuple[SpokenSegment, ...], Field(min_length=1, max_length=400)]
    layout: SoundLayout


class SoundtrackResult(StageResult):
    """The sound as the film will carry it, packet for packet (AAC in MP4)."""

    sound: Artifact


class HearRequest(StageRequest):
    """Measure what is heard in the finished sound."""

    stage: ClassVar[str] = "hear"
    sound: Artifact
    segments: Annotated[tuple[SpokenSegment, ...], Field(min_length=1, max_length=400)]
    layout: SoundLayout
    language: LanguageTag


class HearResult(StageResult):
    """JSON ``activities.quality.base.Hearing``."""

    hearing: Artifact


class CardRequest(StageRequest):
    """Draw the intro or outro card in every shape, dissolving into or out of the segment beside it."""

    stage: ClassVar[str] = "card"
    card: Card
    opening: bool
    brand: Brand
    fps: int
    shapes: Annotated[tuple[Shape, ...], Field(min_length=1, max_length=3)]
    beside: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=3)]
    """The pictures of the first or last segment, one per shape."""


class CardResult(StageResult):
    """One picture per shape."""

    pictures: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=3)]


class AssembleRequest(StageRequest):
    """Join the film of every shape. Cards are there where the layout has them."""

    stage: ClassVar[str] = "assemble"
    records: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=400)]
    sound: Artifact
    intro: Annotated[tuple[Artifact, ...], Field(max_length=3)] = ()
    outro: Annotated[tuple[Artifact, ...], Field(max_length=3)] = ()
    layout: Layout


class FilmFiles(Contract):
    """The finished files of one shape. ``cues`` is a JSON list: the second at which each segment begins."""

    shape: Shape
    video: Artifact
    thumbnail: Artifact
    srt: Artifact
    vtt: Artifact
    cues: Artifact


class AssembleResult(StageResult):
    """One film per shape, in the layout's order. The first is the one that is measured and approved."""

    films: Annotated[tuple[FilmFiles, ...], Field(min_length=1, max_length=3)]


class CheckRequest(StageRequest):
    """Measure the finished film. What was seen and heard before counts where the film holds those very packets."""

    stage: ClassVar[str] = "check"
    film: FilmFiles
    records: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=400)]
    hearing: Artifact
    layout: Layout
    thresholds: Thresholds
    language: str


class CheckResult(StageResult):
    """The figures, and the whole report (JSON :class:`models.quality.QualityReport`) with what was heard."""

    figures: Annotated[tuple[Figure, ...], Field(max_length=40)]
    report: Artifact

    @property
    def passed(self) -> bool:
        """Whether every figure holds."""
        return all(figure.holds for figure in self.figures)
