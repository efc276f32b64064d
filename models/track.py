"""A track: what it is asked, where it stands, what came out. The input, query answers and result of its workflow."""

import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from models.approval import ApprovalPolicy, Principal, Verdict, WorkId
from models.artifacts import Artifact
from models.base import Contract, Seed, Slug
from models.errors import Conflict, FailureDetails
from models.identity import Identity
from models.lanes import Priority
from models.layout import Shape
from models.music import SongPlan
from models.plan import TrackPlan
from models.progress import Cost, WorkProgress
from models.quality import Figure, TrackThresholds
from models.song_stages import (
    AnalyseSongResult,
    AuditionResult,
    Clip,
    ComposeSongResult,
    CoverResult,
    LyricsResult,
    MixResult,
    ShapedVideo,
    Words,
)


class TrackPart(StrEnum):
    """What a reviewer can have made again. What follows from it is made again with it."""

    LYRICS = "lyrics"
    VOCALS = "vocals"
    MIX = "mix"
    VIDEO = "video"


PARTS = tuple(TrackPart)


class TooAlike(Conflict):
    """A song, made twice, is one of the house's again."""

    code = "track.too_alike"
    action = "Resume the track to have it made anew with another seed, or cancel it."


Takes = Annotated[dict[TrackPart, Annotated[int, Field(ge=0, le=100)]], Field(max_length=4)]


class TrackRequest(Contract):
    """Everything a track is made of, resolved before it starts."""

    track_id: WorkId
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
    variant: Annotated[str, Field(max_length=130)] = ""
    """The experiment and the variant, where there is one."""
    trends: Annotated[tuple[Slug, ...], Field(max_length=12)] = ()
    """Those that leaned its theme, tempo, energy or words."""
    brief: Annotated[str, Field(max_length=2_000)] = ""
    """Wishes for the words."""
    banned: Words = ()
    """Words the house does not sing."""
    takes: Takes = Field(default_factory=dict)
    """Which take of each part it is; reviewers ask for another."""
    notes: Annotated[str, Field(max_length=2_000)] = ""
    """What reviewers said of the words."""
    priority: Priority = Priority.NORMAL
    seed: Seed

    def part_seed(self, part: str) -> int:
        """The seed of a stage, by its name and its part's take: another take of one leaves the others as they are."""
        take = self.takes.get(TrackPart(part), 0) if part in PARTS else 0
        return (self.seed * 1_000_003 + zlib.crc32(part.encode()) + take * 7_919) % 2**31

    def revised(self, verdict: Verdict) -> Self:
        """The request with another take of each part a reviewer wants changed, and what they said of the words."""
        takes, notes = dict(self.takes), self.notes
        for change in verdict.changes:
            part = PARTS[change.segment]
            takes[part] = takes.get(part, 0) + 1
            if part is TrackPart.LYRICS:
                notes = f"{notes}\n{change.note}".strip()[-2_000:]
        return self.model_copy(update={"takes": takes, "notes": notes})

    def anew(self) -> Self:
        """The request for another song by the same plan."""
        return self.model_copy(update={"seed": (self.seed * 48_271 + 11) % 2**31})


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
    RELEASE = "release"


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


@dataclass(frozen=True)
class Song:
    """A whole song: what each of its stages made."""

    music: ComposeSongResult
    analysis: AnalyseSongResult
    words: LyricsResult
    mix: MixResult
    cover: CoverResult
    videos: tuple[ShapedVideo, ...]
    thumbnail: Artifact
    check: AuditionResult
    footage: tuple[Clip, ...] = ()
    """Whose footage the videos are cut from."""

    def files(self) -> "TrackFiles":
        """What people are shown of it."""
        return TrackFiles(
            title=self.words.title,
            master=self.mix.master,
            instrumental=self.mix.instrumental,
            cover=self.cover.cover,
            thumbnail=self.thumbnail,
            videos=self.videos,
            lyrics=self.words.lyrics,
            music_by=self.music.source,
            lyrics_by=self.words.source,
        )


class TrackFiles(Contract):
    """The finished files of a track, before they are released."""

    title: Annotated[str, Field(max_length=80)]
    master: Artifact
    instrumental: Artifact
    cover: Artifact
    thumbnail: Artifact
    videos: Annotated[tuple[ShapedVideo, ...], Field(max_length=3)]
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


class TrackProgress(WorkProgress):
    """A true picture of a track. ``fell_back`` says which engine was used instead of which."""

    track_id: WorkId
    state: TrackState
    steps: Annotated[dict[TrackStep, StepState], Field(max_length=9)]
    failures: Annotated[tuple[TrackFailure, ...], Field(max_length=20)] = ()
    files: TrackFiles | None = None
    release: ReleaseRef | None = None


class TrackSnapshot(Contract):
    """A projection of a track. ``sequence`` grows by one."""

    sequence: Annotated[int, Field(ge=0)]
    progress: TrackProgress


class TrackToEnter(Contract):
    """A track that begins."""

    request: TrackRequest


class TrackResult(Contract):
    """What a track ends with."""

    track_id: WorkId
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
