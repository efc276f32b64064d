"""A segment's chain: one sentence from text to measured picture. Segments run side by side and share one thing, where
each of them begins."""

from collections.abc import Sequence

from activities.alignment.stage import AlignmentActivities
from activities.avatar.stage import AvatarActivities
from activities.compositing.frame import presenter_height
from activities.compositing.stage import CompositingActivities
from activities.lipsync.stage import LipsyncActivities
from activities.quality.stage import QualityActivities
from activities.speech.stage import SpeechActivities
from models.artifacts import Artifact
from models.engines import FRAME_ENGINES, curves_engine
from models.plan import EngineRef
from models.render import RenderRequest, Step
from models.script import Segment
from models.stages import (
    AlignmentRequest,
    AlignmentResult,
    AvatarRequest,
    ClipRef,
    ComposeRequest,
    ComposeResult,
    CutRequest,
    LipsyncRequest,
    LipsyncResult,
    MeasureRequest,
    ResyncRequest,
    SpeechRequest,
    SpeechResult,
    SpokenSegment,
)
from workflows.renderboard import RenderBoard
from workflows.stages import StageRunner
from workflows.timeline import Timeline


class SegmentChain:
    """The stages of one segment. Each takes what the one before it made."""

    def __init__(
        self,
        request: RenderRequest,
        segment: Segment,
        timeline: Timeline,
        stages: StageRunner,
        board: RenderBoard,
        recorded: Artifact | None = None,
    ) -> None:
        self._request = request
        self._segment = segment
        self._timeline = timeline
        self._stages = stages
        self._board = board
        self._recorded = recorded
        self._common = {"work_id": request.render_id, "segment": segment.index}
        self._seed = request.segment_seed(segment)
        self._title = f"{segment.index + 1}/{len(request.segments)} “{segment.utterance.text.strip()[:80]}”"

    async def record(self) -> Artifact:
        """Make the segment; the record (JSON :class:`SegmentRecord`) names all it is made of."""
        self._at(Step.SPEECH)
        speech = await self._speech()
        self._at(Step.ALIGNMENT)
        alignment = (await self._alignment(speech)).alignment
        self._at(Step.LIPSYNC)
        curves = await self._curves(speech, alignment)
        self._timeline.speak(self._segment.index, self._spoken(speech, alignment, curves))
        self._at(Step.AVATAR)
        clip = await self._performance(speech, alignment, curves)
        self._at(Step.COMPOSING)
        picture = await self._picture(clip, alignment)
        self._timeline.draw(self._segment.index, picture.pictures)
        self._at(Step.MEASURING)
        record = await self._measured(picture, speech, alignment, curves)
        self._at(Step.DONE)
        return record

    def _at(self, step: Step) -> None:
        self._board.step(self._segment.index, step)

    async def _speech(self) -> SpeechResult:
        if self._recorded is not None:
            return SpeechResult(audio=self._recorded, alignment=None, duration_ms=self._recorded.duration_ms or 0)
        ask = SpeechRequest(
            **self._common,
            engine=self._request.plan.speech,
            utterance=self._segment.utterance,
            voice=self._request.voice,
            seed=self._seed,
        )
        return await self._stages.run(SpeechActivities.speak, ask, f"Speak {self._title}")

    async def _alignment(self, speech: SpeechResult) -> AlignmentResult:
        """The first of the plan's aligners that succeeds; the others are named in the result."""

        def ask(engine: EngineRef, failed: tuple[str, ...]) -> AlignmentRequest:
            return AlignmentRequest(
                **self._common,
                engine=engine,
                utterance=self._segment.utterance,
                audio=speech.audio,
                known=speech.alignment,
                fell_back_from=failed,
            )

        result, failed = await self._stages.first(
            AlignmentActivities.align,
            self._request.plan.alignment,
            ask,
            lambda engine: f"Align by {engine.name} {self._title}",
        )
        if failed:
            self._board.fell_back(self._segment.index, tuple(one.engine for one in failed), result.source)
        return result

    async def _curves(self, speech: SpeechResult, alignment: Artifact) -> LipsyncResult:
        ask = LipsyncRequest(
            **self._common,
            engine=curves_engine(self._request.plan),
            audio=speech.audio,
            alignment=alignment,
            fps=self._request.layout.fps,
            seed=self._seed,
        )
        return await self._stages.run(LipsyncActivities.curves, ask, f"Shape the mouth {self._title}")

    def _spoken(self, speech: SpeechResult, alignment: Artifact, curves: LipsyncResult) -> SpokenSegment:
        text = self._segment.utterance.text
        return SpokenSegment(audio=speech.audio, alignment=alignment, frames=curves.frames, text=text)

    async def _performance(self, speech: SpeechResult, alignment: Artifact, curves: LipsyncResult) -> ClipRef:
        """The avatar's clip, with its mouth redrawn where the plan's lipsync engine works on frames."""
        request = self._request
        ask = AvatarRequest(
            **self._common,
            engine=request.plan.avatar,
            audio=speech.audio,
            alignment=alignment,
            curves=curves.curves,
            subject=request.subject,
            tone=request.tone,
            fps=request.layout.fps,
            height=presenter_height(request.layout),
            seed=self._seed,
        )
        clip = (await self._stages.run(AvatarActivities.perform, ask, f"Perform {self._title}")).clip
        if request.plan.lipsync.name not in FRAME_ENGINES:
            return clip
        redraw = ResyncRequest(**self._common, engine=request.plan.lipsync, clip=clip, audio=speech.audio)
        return (await self._stages.run(LipsyncActivities.resync, redraw, f"Redraw the mouth {self._title}")).clip

    async def _picture(self, clip: ClipRef, alignment: Artifact) -> ComposeResult:
        layout, index = self._request.layout, self._segment.index
        ask = ComposeRequest(
            **self._common,
            engine=self._request.plan.compositing,
            clip=clip,
            alignment=alignment,
            layout=layout,
            index=layout.picture_index(index),
            offset_ms=await self._timeline.offset_ms(index),
        )
        return await self._stages.run(CompositingActivities.compose, ask, f"Compose {self._title}")

    async def _measured(
        self, picture: ComposeResult, speech: SpeechResult, alignment: Artifact, curves: LipsyncResult
    ) -> Artifact:
        ask = MeasureRequest(
            **self._common,
            engine=self._request.plan.quality,
            pictures=picture.pictures,
            frames=picture.frames,
            audio=speech.audio,
            alignment=alignment,
            curves=curves.curves,
            text=self._segment.utterance.text,
        )
        return (await self._stages.run(QualityActivities.measure, ask, f"Measure {self._title}")).record


async def recordings(request: RenderRequest, stages: StageRunner) -> Sequence[Artifact | None]:
    """What was recorded of each segment; None for each when they are to be spoken."""
    if request.recording is None:
        return (None,) * len(request.segments)
    cut = CutRequest(
        work_id=request.render_id,
        engine=request.plan.speech,
        recording=request.recording,
        sentences=tuple(segment.utterance.said for segment in request.segments),
        language=request.language,
    )
    return (await stages.run(SpeechActivities.cut, cut, "Cut the recording into its sentences")).sentences
