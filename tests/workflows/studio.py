"""A studio whose stages answer at once, for tests of the workflow's own promises: order, patience, decisions. Real
stages run in tests/durability and tests/end_to_end."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.support.errors import to_failure
from models.approval import ApprovalPolicy, QuestionState, Reviewer, Verdict
from models.artifacts import Artifact
from models.base import canonical_sha256
from models.engines import EngineChoices, resolve_plan
from models.errors import EngineFailed, StudioError
from models.layout import Brand, Layout, Shape
from models.quality import Figure, Sense
from models.render import RenderRequest, RenderState
from models.script import Segment, Span, Utterance
from models.stages import (
    AlignmentRequest,
    AlignmentResult,
    AssembleRequest,
    AssembleResult,
    AvatarRequest,
    AvatarResult,
    CardRequest,
    CardResult,
    CheckRequest,
    CheckResult,
    ClipRef,
    ComposeRequest,
    ComposeResult,
    CutRequest,
    CutResult,
    Effort,
    FilmFiles,
    HearRequest,
    HearResult,
    LipsyncRequest,
    LipsyncResult,
    MeasureRequest,
    MeasureResult,
    SoundtrackRequest,
    SoundtrackResult,
    SpeechRequest,
    SpeechResult,
    StageRequest,
    SubjectRef,
    VoiceRef,
)
from models.upkeep import (
    FilmAnswer,
    FilmQuery,
    FilmToKeep,
    FinishedFilms,
    IdleLanes,
    LaneQuery,
    QuestionToAsk,
    QuestionToRecord,
    Snapshot,
)

ANA = Reviewer(id="ana", name="Ana")
BEN = Reviewer(id="ben", name="Ben")


def artifact(of: object, media_type: str = "application/json") -> Artifact:
    sha256 = canonical_sha256(of)
    return Artifact(uri=f"s3://studio/blobs/{sha256}", sha256=sha256, media_type=media_type, size=1)


def utterance(text: str) -> Utterance:
    return Utterance(spans=(Span(text=text),))


def request(*sentences: str, render_id: str = "render-1", **changes: Any) -> RenderRequest:
    segments = tuple(
        Segment(index=i, utterance=utterance(text), start=0, end=len(text)) for i, text in enumerate(sentences)
    )
    values: dict[str, Any] = {
        "render_id": render_id,
        "persona": "avery",
        "title": "Quarterly results",
        "requested_by": "priya",
        "segments": segments,
        "voice": VoiceRef(name="af_heart"),
        "subject": SubjectRef(look="avery"),
        "layout": Layout(brand=Brand(name="Acme")),
        "plan": resolve_plan(EngineChoices(), {}),
        "approval": ApprovalPolicy(reviewers=(ANA, BEN)),
    }
    return RenderRequest(**{**values, **changes})


def verdict(question: Any, decision: str, reviewer: str = "ana", **more: Any) -> Verdict:
    values: dict[str, Any] = {
        "verdict_id": f"{reviewer}-{decision}-{question.round}",
        "question_id": question.question_id,
        "sha256": question.video.sha256,
        "reviewer": reviewer,
        "decision": decision,
    }
    return Verdict(**{**values, **more})


@dataclass
class InstantStudio:
    """Stages that answer at once and remember what they were asked. ``failing`` maps (stage, text or engine) to an
    error; ``figures`` are what every film measures."""

    failing: dict[tuple[str, str], StudioError] = field(default_factory=dict)
    figures: tuple[Figure, ...] = (Figure(name="word_error_rate", value=0.01, sense=Sense.AT_MOST, reach=0.05),)
    idle: tuple[str, ...] = ()
    hold: asyncio.Event | None = None
    made: Counter[str] = field(default_factory=Counter)
    states: list[RenderState] = field(default_factory=list)
    asked: list[QuestionToAsk] = field(default_factory=list)
    closed: list[QuestionState] = field(default_factory=list)
    taken_back: list[QuestionState] = field(default_factory=list)
    telegram: StudioError | None = None
    """What every message fails with."""
    films: dict[str, FinishedFilms] = field(default_factory=dict)

    async def _make(self, request: StageRequest, subject: str) -> None:
        self.made[f"{request.stage}:{subject}"] += 1
        if self.hold is not None and request.stage == "avatar":
            while not self.hold.is_set():
                activity.heartbeat()
                await asyncio.sleep(0.05)
        for what in (subject, request.engine.name):
            if (request.stage, what) in self.failing:
                raise to_failure(self.failing[request.stage, what])

    @activity.defn(name="speech.speak")
    async def speak(self, request: SpeechRequest) -> SpeechResult:
        text = request.utterance.text
        await self._make(request, text)
        return SpeechResult(
            audio=artifact([text, request.seed], "audio/wav"),
            alignment=artifact(["known", text]),
            duration_ms=1_000,
            effort=Effort(cpu_seconds=1),
        )

    @activity.defn(name="speech.cut")
    async def cut(self, request: CutRequest) -> CutResult:
        await self._make(request, "recording")
        of = request.recording.sha256
        return CutResult(sentences=tuple(artifact([text, of], "audio/wav") for text in request.sentences))

    @activity.defn(name="alignment.align")
    async def align(self, request: AlignmentRequest) -> AlignmentResult:
        await self._make(request, request.utterance.text)
        return AlignmentResult(alignment=artifact(["aligned", request.audio.sha256]), source=request.engine.name)

    @activity.defn(name="lipsync.curves")
    async def curves(self, request: LipsyncRequest) -> LipsyncResult:
        await self._make(request, request.audio.sha256)
        return LipsyncResult(curves=artifact(["curves", request.audio.sha256]), frames=25)

    @activity.defn(name="avatar.perform")
    async def perform(self, request: AvatarRequest) -> AvatarResult:
        await self._make(request, request.audio.sha256)
        video = artifact(["clip", request.audio.sha256], "video/mp4")
        return AvatarResult(clip=ClipRef(video=video, width=1080, height=1080, frames=25, fps=25, matte=True))

    @activity.defn(name="compositing.compose")
    async def compose(self, request: ComposeRequest) -> ComposeResult:
        await self._make(request, request.clip.video.sha256)
        return ComposeResult(pictures=(artifact(["picture", request.clip.video.sha256], "video/mp4"),), frames=25)

    @activity.defn(name="quality.measure")
    async def measure(self, request: MeasureRequest) -> MeasureResult:
        await self._make(request, request.text)
        return MeasureResult(record=artifact(["record", request.pictures[0].sha256]))

    @activity.defn(name="compositing.card")
    async def card(self, request: CardRequest) -> CardResult:
        await self._make(request, request.card.title)
        return CardResult(pictures=tuple(artifact(["card", beside.sha256], "video/mp4") for beside in request.beside))

    @activity.defn(name="compositing.soundtrack")
    async def soundtrack(self, request: SoundtrackRequest) -> SoundtrackResult:
        await self._make(request, "film")
        of = [segment.audio.sha256 for segment in request.segments]
        return SoundtrackResult(sound=artifact(["sound", *of], "audio/mp4"))

    @activity.defn(name="quality.hear")
    async def hear(self, request: HearRequest) -> HearResult:
        await self._make(request, "film")
        return HearResult(hearing=artifact(["hearing", request.sound.sha256]))

    @activity.defn(name="compositing.assemble")
    async def assemble(self, request: AssembleRequest) -> AssembleResult:
        await self._make(request, "film")
        of = [record.sha256 for record in request.records]
        film = FilmFiles(
            shape=Shape.WIDE,
            video=artifact(["film", *of], "video/mp4"),
            thumbnail=artifact("thumbnail", "image/jpeg"),
            srt=artifact("srt", "application/x-subrip"),
            vtt=artifact("vtt", "text/vtt"),
            cues=artifact("cues"),
        )
        return AssembleResult(films=(film,))

    @activity.defn(name="quality.check")
    async def check(self, request: CheckRequest) -> CheckResult:
        await self._make(request, "film")
        return CheckResult(figures=self.figures, report=artifact("report"))

    @activity.defn(name="records.project")
    async def project(self, snapshot: Snapshot) -> None:
        self.states.append(snapshot.progress.state)

    @activity.defn(name="records.find_film")
    async def find_film(self, query: FilmQuery) -> FilmAnswer:
        return FilmAnswer(found=self.films.get(query.key))

    @activity.defn(name="records.keep_film")
    async def keep_film(self, film: FilmToKeep) -> None:
        self.films[film.key] = film.films

    @activity.defn(name="records.idle_lanes")
    async def idle_lanes(self, query: LaneQuery) -> IdleLanes:
        return IdleLanes(lanes=tuple(lane for lane in query.lanes if lane.value in self.idle))

    def _reach_telegram(self) -> None:
        if self.telegram is not None:
            failure = to_failure(self.telegram)
            # Seldom, so that days without Telegram are few attempts.
            raise ApplicationError(
                failure.message,
                *failure.details,
                type=failure.type,
                non_retryable=failure.non_retryable,
                next_retry_delay=timedelta(hours=6),
            )

    @activity.defn(name="approvals.ask")
    async def ask(self, request: QuestionToAsk) -> None:
        self._reach_telegram()
        self.asked.append(request)

    @activity.defn(name="approvals.record")
    async def record(self, request: QuestionToRecord) -> None:
        if request.state is not QuestionState.OPEN:
            self.closed.append(request.state)

    @activity.defn(name="approvals.take_back")
    async def take_back(self, request: QuestionToRecord) -> None:
        self._reach_telegram()
        self.taken_back.append(request.state)

    def activities(self) -> dict[str, list[Any]]:
        """By lane."""
        stages = [self.speak, self.cut, self.align, self.curves, self.perform, self.compose, self.measure]
        io = [self.project, self.find_film, self.keep_film, self.idle_lanes, self.ask, self.record]
        io += [self.take_back]
        film = [self.card, self.soundtrack, self.hear, self.assemble, self.check]
        return {"cpu": [*stages, *film], "io": io}


BROKEN = EngineFailed("the engine gave silence")
