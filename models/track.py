"""A track: what it is asked, where it stands, what came out. The input, query answers and result of its workflow."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from models.approval import ApprovalPolicy, Principal, Question, RenderId, Verdict
from models.artifacts import Artifact
from models.base import Contract, Seed, Slug
from models.errors import FailureDetails
from models.identity import Identity
from models.lanes import Lane, Priority
from models.layout import Shape
from models.music import SongPlan
from models.plan import TrackPlan
from models.quality import Figure, TrackThresholds
from models.render import Cost


class TrackRequest(Contract):
    """Everything a track is made of, resolved before it starts."""

    track_id: RenderId
    tenant: Slug = "house"
    artist: Slug
    number: Annotated[int, Field(ge=1, le=100_000)]
    """The artist's how-many-eth."""
    requested_by: Principal
    identity: Identity
    song: SongPlan
    plan: TrackPlan
    shapes: Annotated[tuple[Shape, ...], Field(min_length=1, max_length=3)] = (Shape.WIDE, Shape.TALL)
    thresholds: TrackThresholds = TrackThresholds()
    approval: ApprovalPolicy = ApprovalPolicy()
    autopilot: bool = False
    """Decisions within policy (every figure holds) are taken by the house and recorded as its own."""
    trial: bool = False
    """Made by an identity that has yet to prove itself."""
    variant: Annotated[str, Field(max_length=60)] = ""
    """The experiment's variant, where there is one."""
    brief: Annotated[str, Field(max_length=2_000)] = ""
    """Wishes for the words."""
    priority: Priority = Priority.NORMAL
    seed: Seed


class TrackState(StrEnum):
    """Where a track stands. The last five are final."""

    QUEUED = "queued"
    MAKING = "making"
    BLOCKED = "blocked"
    """Something failed that a person has to mend; ``resume`` goes on from there."""
    CHECKING = "checking"
    AWAITING_APPROVAL = "awaiting_approval"
    EXPIRED = "expired"
    """Nobody answered in time; ``resume`` asks again."""
    PUBLISHING = "publishing"
    RELEASED = "released"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """Given up because of a fault, of which the artist is innocent."""
    LAPSED = "lapsed"
    """Nobody ever answered; silence is not a no."""

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self in {
            TrackState.RELEASED,
            TrackState.REJECTED,
            TrackState.CANCELLED,
            TrackState.FAILED,
            TrackState.LAPSED,
        }


class TrackStep(StrEnum):
    """The parts of a track, in the order in which each needs those before it."""

    MUSIC = "music"
    ANALYSIS = "analysis"
    LYRICS = "lyrics"
    VOCALS = "vocals"
    MIX = "mix"
    COVER = "cover"
    VIDEO = "video"
    CHECK = "check"


class StepState(StrEnum):
    """How far a part is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class TrackFailure(Contract):
    """Which part failed, and what a person can do."""

    step: str
    failure: FailureDetails


class TrackFiles(Contract):
    """The finished files of a track, before they are released."""

    title: Annotated[str, Field(max_length=80)]
    master: Artifact
    instrumental: Artifact
    cover: Artifact
    thumbnail: Artifact
    videos: Annotated[tuple[Artifact, ...], Field(max_length=3)]
    lyrics: Artifact
    music_by: Annotated[str, Field(max_length=60)]
    lyrics_by: Annotated[str, Field(max_length=60)]


class ReleaseRef(Contract):
    """A release: its identifiers, its manifest in the store, and where it was published."""

    isrc: Annotated[str, Field(max_length=12)]
    upc: Annotated[str, Field(max_length=13)]
    manifest: Artifact
    folder: Annotated[str, Field(max_length=512)]
    """The ``s3://`` directory of the package."""
    pages: Annotated[tuple[Annotated[str, Field(max_length=1_000)], ...], Field(max_length=8)] = ()


class TrackProgress(Contract):
    """A true picture of a track, answered by query and projected into the tables."""

    track_id: RenderId
    state: TrackState
    steps: Annotated[dict[TrackStep, StepState], Field(max_length=8)]
    detail: Annotated[str, Field(max_length=300)] = ""
    waiting_for_lanes: tuple[Lane, ...] = ()
    failures: Annotated[tuple[TrackFailure, ...], Field(max_length=20)] = ()
    fell_back: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=20)] = ()
    cost: Cost = Cost()
    figures: Annotated[tuple[Figure, ...], Field(max_length=40)] = ()
    files: TrackFiles | None = None
    question: Question | None = None
    verdicts: Annotated[tuple[Verdict, ...], Field(max_length=25)] = ()
    release: ReleaseRef | None = None


class TrackResult(Contract):
    """What a track ends with."""

    track_id: RenderId
    number: Annotated[int, Field(ge=1)]
    state: TrackState
    title: Annotated[str, Field(max_length=80)] = ""
    identity_version: Annotated[int, Field(ge=1)]
    trial: bool = False
    decided_by: Annotated[tuple[Principal, ...], Field(max_length=5)] = ()
    """Reviewers, or ``autopilot``."""
    reason: Annotated[str, Field(max_length=60)] = ""
    """The reason code of a rejection."""
    fault: FailureDetails | None = None
    """What kept it from being made, where it FAILED."""
    release: ReleaseRef | None = None
    figures: Annotated[tuple[Figure, ...], Field(max_length=40)] = ()
    cost: Cost = Cost()
