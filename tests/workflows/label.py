"""A label whose song stages answer at once, for tests of the track workflow's own promises. Real stages run in the
tests of each capability and in tests/whole."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity

from activities.support.errors import to_failure
from models.approval import ApprovalPolicy
from models.artifacts import Artifact
from models.birth import conceive
from models.engines import resolve_track_plan
from models.errors import StudioError
from models.growth import plan_song
from models.identity import SingingVoice, StyleShare
from models.knowledge import Likest, SongToCompare, SongToRemember
from models.music import Grid, LeadNote, LyricWord, SectionKind, SectionToSing, SungLine
from models.publication import Place, PlaceToConfirm, PlaceToWithdraw, Publication, ReleaseToPublish
from models.quality import Figure, Sense
from models.release import (
    Codes,
    CodesToReserve,
    KeptPackage,
    PackageToKeep,
    ReleaseToRecord,
)
from models.song_stages import (
    AnalyseSongRequest,
    AnalyseSongResult,
    AuditionRequest,
    AuditionResult,
    Clip,
    ComposeSongRequest,
    ComposeSongResult,
    CoverRequest,
    CoverResult,
    Credit,
    FootageRequest,
    FootageResult,
    LyricsRequest,
    LyricsResult,
    MixRequest,
    MixResult,
    MusicVideoRequest,
    MusicVideoResult,
    ReleaseFile,
    ReleaseRequest,
    ReleaseResult,
    SingRequest,
    SingResult,
    SungPart,
)
from models.stages import StageRequest
from models.track import TrackRequest, TrackSnapshot, TrackState, TrackToEnter
from models.upkeep import IdleLanes, LaneQuery, QuestionToAsk, QuestionToRecord
from tests.workflows.studio import ANA, BEN, artifact

VOICE = SingingVoice(styles=(StyleShare(style="af_heart", share=1),), low=57, high=74)


def track(**changes: Any) -> TrackRequest:
    identity = conceive(7, "vela").voiced(VOICE)
    values: dict[str, Any] = {
        "track_id": "vela-0001",
        "artist": "vela",
        "number": 1,
        "requested_by": "priya",
        "identity": identity,
        "song": plan_song(identity, 1, 7),
        "plan": resolve_track_plan({}),
        "approval": ApprovalPolicy(reviewers=(ANA, BEN)),
        "seed": 7,
    }
    return TrackRequest(**{**values, **changes})


def _line(text: str) -> SungLine:
    words = tuple(LyricWord(text=word, syllables=1) for word in text.split())
    notes = tuple(LeadNote(start=at / 2, beats=0.5, pitch=60) for at in range(len(words)))
    return SungLine(words=words, notes=notes)


@dataclass
class InstantLabel:
    """Stages that answer at once and remember what they were asked. ``failing`` maps a stage, or (stage, engine), to an
    error; ``figures`` are what every song measures, ``likest_`` what the first songs are found to be like."""

    failing: dict[str, StudioError] = field(default_factory=dict)
    figures: tuple[Figure, ...] = (Figure(name="lyric_error_rate", value=0.2, sense=Sense.AT_MOST, reach=0.35),)
    made: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    seeds: dict[str, set[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    states: list[TrackState] = field(default_factory=list)
    asked: list[QuestionToAsk] = field(default_factory=list)
    kept: list[PackageToKeep] = field(default_factory=list)
    plates: dict[str, tuple[Artifact, ...]] = field(default_factory=dict)
    """The footage each shape's video was last cut from."""
    made_by: tuple[Credit, ...] = ()
    likest_: list[Likest] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    publications: list[Publication] = field(default_factory=list)
    released_: list[ReleaseToRecord] = field(default_factory=list)
    described: list[ReleaseRequest] = field(default_factory=list)
    explicit: bool = False

    def _make(self, request: StageRequest) -> list[object]:
        self.tried[f"{request.stage} by {request.engine.name}"] += 1
        if error := self.failing.get(request.stage) or self.failing.get(f"{request.stage} by {request.engine.name}"):
            raise to_failure(error)
        self.made[request.stage] += 1
        seed = getattr(request, "seed", 0)
        self.seeds.setdefault(request.stage, set()).add(seed)
        return [request.stage, seed, request.segment]

    @activity.defn(name="music.compose")
    async def compose(self, request: ComposeSongRequest) -> ComposeSongResult:
        of = self._make(request)
        return ComposeSongResult(audio=artifact(of, "audio/wav"), duration_ms=80_000, source=request.engine.name)

    @activity.defn(name="analysis.analyse")
    async def analyse(self, request: AnalyseSongRequest) -> AnalyseSongResult:
        of = self._make(request)
        return AnalyseSongResult(
            analysis=artifact([*of, "heard"]),
            lead=artifact([*of, "lead"]),
            grid=Grid(tempo_bpm=request.plan.tempo_bpm),
            key=request.plan.key,
            duration_ms=80_000,
        )

    @activity.defn(name="lyrics.write")
    async def write(self, request: LyricsRequest) -> LyricsResult:
        of = self._make(request)
        self.notes.append(request.notes)
        sections = (
            SectionToSing(kind=SectionKind.VERSE, lines=(_line(f"rain {request.seed}"),), start_bars=(4,)),
            SectionToSing(kind=SectionKind.CHORUS, lines=(_line(f"light {request.seed}"),), start_bars=(12, 28)),
        )
        return LyricsResult(
            lyrics=artifact(of),
            sections=sections,
            title="Rain Light",
            source=request.engine.name,
            explicit=self.explicit,
        )

    @activity.defn(name="vocals.sing")
    async def sing(self, request: SingRequest) -> SingResult:
        of = self._make(request)
        return SingResult(
            part=SungPart(
                lead=artifact([*of, request.lines[0].text], "audio/wav"),
                lead_in_ms=100,
                timing=artifact([*of, "timing"]),
                melody=artifact([*of, "melody"]),
            )
        )

    @activity.defn(name="mixing.mix")
    async def mix(self, request: MixRequest) -> MixResult:
        of = [*self._make(request), [[placed.at_ms, placed.part.lead.sha256] for placed in request.vocals]]
        return MixResult(
            master=artifact([*of, "master"], "audio/wav"),
            instrumental=artifact([*of, "instrumental"], "audio/wav"),
            vocal=artifact([*of, "vocal"], "audio/wav"),
            stems=(),
            timing=artifact([*of, "timing"]),
            melody=artifact([*of, "melody"]),
            duration_ms=80_000,
        )

    @activity.defn(name="artwork.cover")
    async def cover(self, request: CoverRequest) -> CoverResult:
        of = self._make(request)
        return CoverResult(cover=artifact(of, "image/jpeg"), thumbnail=artifact([*of, "small"], "image/jpeg"))

    @activity.defn(name="footage.find")
    async def find(self, request: FootageRequest) -> FootageResult:
        of = [*self._make(request), request.shape.value, request.engine.name]
        page = f"https://example.org/{request.shape.value}"
        clip = Clip(plate=artifact(of, "video/mp4"), author="Ana Lopes", page=page, licence="Free Licence")
        return FootageResult(clips=(clip,), source=request.engine.name)

    @activity.defn(name="musicvideo.draw")
    async def draw(self, request: MusicVideoRequest) -> MusicVideoResult:
        of = [*self._make(request), request.shape.value, request.master.sha256]
        self.plates[request.shape.value] = request.plates
        return MusicVideoResult(
            video=artifact(of, "video/mp4"),
            thumbnail=artifact([*of, "small"], "image/jpeg"),
            cuts=artifact([*of, "cuts"]),
        )

    @activity.defn(name="audition.audition")
    async def audition(self, request: AuditionRequest) -> AuditionResult:
        of = self._make(request)
        return AuditionResult(figures=self.figures, report=artifact(of), print=artifact([*of, "print"]))

    @activity.defn(name="knowledge.likest")
    async def likest(self, song: SongToCompare) -> Likest:
        return self.likest_.pop(0) if self.likest_ else Likest()

    @activity.defn(name="knowledge.remember")
    async def remember(self, song: SongToRemember) -> None:
        self.made["remembered"] += 1

    @activity.defn(name="releases.encode")
    async def encode(self, request: ReleaseRequest) -> ReleaseResult:
        of = self._make(request)
        self.made_by = request.made_by
        self.described.append(request)
        return ReleaseResult(files=(ReleaseFile(path="track.mp3", file=artifact([*of, request.isrc], "audio/mpeg")),))

    @activity.defn(name="releases.keep")
    async def keep(self, package: PackageToKeep) -> KeptPackage:
        self.kept.append(package)
        return KeptPackage(manifest=artifact("manifest"), folder="s3://studio/releases/house/vela/vela-0001")

    @activity.defn(name="publishing.publish")
    async def publish(self, release: ReleaseToPublish) -> Place:
        """While the publisher is among ``held``, it takes its time, and stops when it is called off."""
        while release.publisher in self.held:
            activity.heartbeat()
            await asyncio.sleep(0.05)
        if error := self.failing.get(f"publish {release.publisher}"):
            raise to_failure(error)
        self.made[f"publish {release.publisher}"] += 1
        return Place(external_id=release.publisher, url=f"at/{release.publisher}", sha256="a" * 64)

    @activity.defn(name="publishing.confirm")
    async def confirm(self, placed: PlaceToConfirm) -> Place:
        if error := self.failing.get(f"confirm {placed.release.publisher}"):
            raise to_failure(error)
        return placed.place

    @activity.defn(name="publishing.unpublish")
    async def unpublish(self, placed: PlaceToWithdraw) -> None:
        if error := self.failing.get(f"unpublish {placed.release.publisher}"):
            raise to_failure(error)
        self.made[f"unpublish {placed.release.publisher}"] += 1

    @activity.defn(name="publishing.record")
    async def record_publication(self, publication: Publication) -> None:
        self.publications.append(publication)

    @activity.defn(name="tracks.enter")
    async def enter(self, track: TrackToEnter) -> None:
        self.made["enter"] += 1

    @activity.defn(name="tracks.project")
    async def project(self, snapshot: TrackSnapshot) -> None:
        self.states.append(snapshot.progress.state)

    @activity.defn(name="tracks.reserve_codes")
    async def reserve(self, wanted: CodesToReserve) -> Codes:
        return Codes(isrc="XXGRM2600001", upc="400000000015", year=wanted.year, registered=False)

    @activity.defn(name="tracks.released")
    async def released(self, release: ReleaseToRecord) -> None:
        self.released_.append(release)

    @activity.defn(name="records.idle_lanes")
    async def idle_lanes(self, query: LaneQuery) -> IdleLanes:
        return IdleLanes(lanes=())

    @activity.defn(name="approvals.ask")
    async def ask(self, request: QuestionToAsk) -> None:
        self.asked.append(request)

    @activity.defn(name="approvals.record")
    async def record(self, request: QuestionToRecord) -> None:
        self.made[f"question {request.state.value}"] += 1

    @activity.defn(name="approvals.take_back")
    async def take_back(self, request: QuestionToRecord) -> None:
        self.made["taken back"] += 1

    def activities(self) -> list[Any]:
        names = (
            *("compose", "analyse", "write", "sing", "mix", "cover", "draw", "audition", "encode", "keep", "publish"),
            *("likest", "remember", "find"),
            *("confirm", "unpublish", "record_publication"),
            *("enter", "project", "reserve", "released", "idle_lanes", "ask", "record", "take_back"),
        )
        return [getattr(self, name) for name in names]
