"""A render: what it is asked, where it stands, what came out. The workflow's input, its query answers, its result."""

import zlib
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from models.approval import ApprovalPolicy, Principal, Verdict, WorkId
from models.artifacts import Artifact
from models.base import Contract, LanguageTag, Name, Note, Seed, Slug, canonical_sha256
from models.engines import RECORDING
from models.errors import FailureDetails, InvalidInput
from models.lanes import Priority
from models.layout import Layout
from models.plan import Plan
from models.progress import Cost, WorkProgress
from models.quality import Figure, Thresholds
from models.script import MAX_SEGMENTS, Segment, Tone
from models.stages import FilmFiles, SubjectRef, VoiceRef, by_content

MAX_SPANS = 700
"""Spans over all segments: keeps a request at its bounds under Temporal's 256 KiB warning."""


class RenderRequest(Contract):
    """Everything a render is made of, resolved before it starts."""

    render_id: WorkId
    tenant: Slug = "house"
    persona: Slug
    title: Name
    channel: Slug = "internal"
    requested_by: Principal
    language: LanguageTag = "en"
    tone: Tone = Tone.CONFIDENT
    segments: Annotated[tuple[Segment, ...], Field(min_length=1, max_length=MAX_SEGMENTS)]
    voice: VoiceRef
    recording: Artifact | None = None
    """One recording of all segments, to be cut instead of speaking them; it goes with the plan's speech engine
    ``recording``."""
    subject: SubjectRef
    layout: Layout
    plan: Plan
    thresholds: Thresholds = Thresholds()
    approval: ApprovalPolicy = ApprovalPolicy()
    priority: Priority = Priority.NORMAL
    seed: Seed = 1

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        spans = sum(len(segment.utterance.spans) for segment in self.segments)
        if spans > MAX_SPANS:
            raise ValueError(f"{spans} spans in all; at most {MAX_SPANS}: use less markup or split the script")
        if (self.recording is not None) != (self.plan.speech.name == RECORDING):
            raise ValueError("a recording goes with the speech engine 'recording', and it needs one")
        return self

    def film_key(self) -> str:
        """The sha256 of all that makes the film: equal requests share it, whoever asks and whatever it is called."""
        data = self.model_dump(
            mode="json",
            include={"language", "tone", "voice", "recording", "subject", "layout", "plan", "thresholds", "seed"},
        )
        spoken = [segment.model_dump(mode="json", exclude={"start", "end"}) for segment in self.segments]
        return canonical_sha256({"film": by_content(data), "spoken": spoken})

    def segment_seed(self, segment: Segment) -> int:
        """A seed by what is said and which take it is, not by its place: a sentence before it changes nothing here."""
        said = zlib.crc32(segment.utterance.text.encode())
        return (self.seed * 1_000_003 + said + segment.take * 7_919) % 2**31

    def check_words(self, replaced: bool) -> None:
        """Raise InvalidInput when words are to be ``replaced`` in a render that says what was recorded."""
        if replaced and self.recording is not None:
            raise InvalidInput(
                "this render says what was recorded: its sentences cannot be replaced",
                field="text",
                code="render.recorded",
                action="Leave the text out to have the sentence performed anew, or re-render with a new recording.",
            )

    def revised(self, verdict: Verdict) -> Self:
        """The request with a reviewer's changes: a new sentence where one is given, another take where not."""
        segments = list(self.segments)
        for change in verdict.changes:
            old = segments[change.segment]
            if change.utterance is not None:
                segments[change.segment] = old.model_copy(update={"utterance": change.utterance})
            else:
                segments[change.segment] = old.model_copy(update={"take": old.take + 1})
        return self.model_copy(update={"segments": tuple(segments)})


class RenderState(StrEnum):
    """Where a render stands. The last five are final."""

    QUEUED = "queued"
    RENDERING = "rendering"
    BLOCKED = "blocked"
    """Something failed that a person has to mend; ``resume`` goes on from there."""
    CHECKING = "checking"
    AWAITING_APPROVAL = "awaiting_approval"
    EXPIRED = "expired"
    """Nobody answered in time; ``resume`` asks again."""
    COMPLETE = "complete"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self in {RenderState.COMPLETE, RenderState.REJECTED, RenderState.CANCELLED, RenderState.FAILED}


class Step(StrEnum):
    """What a segment is waiting for or doing, in order."""

    SPEECH = "speech"
    ALIGNMENT = "alignment"
    LIPSYNC = "lipsync"
    AVATAR = "avatar"
    COMPOSING = "composing"
    MEASURING = "measuring"
    DONE = "done"
    FAILED = "failed"


class SegmentFailure(Contract):
    """Which stage of which segment failed (``segment`` is None for the whole film), and what a person can do."""

    segment: int | None
    stage: str
    failure: FailureDetails


class RenderProgress(WorkProgress):
    """A true picture of a render. ``fell_back`` says which aligner was used instead of which, by segment."""

    render_id: WorkId
    state: RenderState
    steps: Annotated[tuple[Step, ...], Field(max_length=MAX_SEGMENTS)]
    """One for each segment, in order."""
    failures: Annotated[tuple[SegmentFailure, ...], Field(max_length=20)] = ()
    films: Annotated[tuple[FilmFiles, ...], Field(max_length=3)] = ()
    report: Artifact | None = None

    @property
    def done(self) -> int:
        """Segments finished."""
        return sum(step is Step.DONE for step in self.steps)


class Resume(Contract):
    """A person says: the cause is mended (or: ask again). ``resume_id`` makes saying it twice the same as once."""

    resume_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
    who: Principal
    note: Note = ""


class RenderResult(Contract):
    """How a render ended."""

    render_id: WorkId
    state: RenderState
    films: Annotated[tuple[FilmFiles, ...], Field(max_length=3)] = ()
    figures: Annotated[tuple[Figure, ...], Field(max_length=40)] = ()
    report: Artifact | None = None
    approved_by: Annotated[tuple[Principal, ...], Field(max_length=5)] = ()
    cost: Cost = Cost()
