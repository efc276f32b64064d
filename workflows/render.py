"""A render, from script to decided film. Segments are made side by side; whatever fails waits for a person and goes on
from there; nothing that was made is made twice."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception
from temporalio.workflow import ActivityConfig

from activities.alignment.stage import AlignmentActivities
from activities.avatar.stage import AvatarActivities
from activities.compositing.frame import presenter_height
from activities.compositing.stage import CompositingActivities
from activities.lipsync.stage import LipsyncActivities
from activities.quality.stage import QualityActivities
from activities.records.stage import RecordActivities
from activities.speech.stage import SpeechActivities
from activities.support.errors import from_failure
from models.approval import Question, QuestionState, Verdict
from models.artifacts import Artifact
from models.render import RenderProgress, RenderRequest, RenderResult, RenderState, Resume, Step
from models.script import Segment
from models.stages import (
    AlignmentRequest,
    AlignmentResult,
    AssembleRequest,
    AvatarRequest,
    CheckRequest,
    ComposeRequest,
    LipsyncRequest,
    MeasureRequest,
    ResyncRequest,
    SpeechRequest,
    StageRequest,
    StageResult,
)
from models.upkeep import FilmQuery, FilmToKeep, FinishedFilms
from workflows import policies
from workflows.approval import ApprovalGate
from workflows.board import Board
from workflows.segments import (
    aligner_fails_over,
    picture_index,
    picture_offset_ms,
    revise,
    segment_seed,
    speaks_curves,
    together,
)

Asked = TypeVar("Asked", bound=StageRequest)
Made = TypeVar("Made", bound=StageResult)

PATIENCE = timedelta(days=30)
"""How long a blocked or expired render waits for a person before it ends as failed."""


@workflow.defn
class RenderWorkflow:
    """One render. Its id is ``render/<render_id>``."""

    @workflow.init
    def __init__(self, request: RenderRequest) -> None:
        self._request = request
        self._board = Board(request)
        self._gate = ApprovalGate(request.approval)
        self._resumes: dict[str, Resume] = {}
        self._made: dict[str, StageResult] = {}
        self._frames: dict[int, asyncio.Future[int]] = {}

    @workflow.run
    async def run(self, request: RenderRequest) -> RenderResult:
        """Make the film, check it, have it decided; again with a reviewer's changes until it is."""
        upkeep = [
            asyncio.create_task(self._board.keep_projecting()),
            asyncio.create_task(self._board.watch_lanes(request.plan)),
        ]
        try:
            await self._close(await self._until_decided(), upkeep)
        except BaseException as error:
            # Only an ending is recorded; a defect in this code raises something else and must fail the task as it is.
            if is_cancelled_exception(error):
                await self._close(RenderState.CANCELLED, upkeep)
            elif isinstance(error, FailureError):
                await self._close(RenderState.FAILED, upkeep)
            raise
        return self._result()

    async def _close(self, state: RenderState, upkeep: list[asyncio.Task[None]]) -> None:
        for task in upkeep:
            task.cancel()
        self._board.state(state)
        await self._board.project()
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _until_decided(self) -> RenderState:
        for attempt in range(1, 101):
            film = await self._film()
            self._board.note(films=film.films, figures=film.figures, report=film.report)
            if not self._request.approval.required:
                return RenderState.COMPLETE
            match await self._approval(film, attempt):
                case QuestionState.APPROVED:
                    return RenderState.COMPLETE
                case QuestionState.REJECTED:
                    return RenderState.REJECTED
                case QuestionState.CHANGES:
                    self._request = revise(self._request, self._gate.verdicts[-1])
                case _:
                    self._board.state(RenderState.EXPIRED, detail="nobody answered in time; resume asks again")
                    await self._resumed()
        raise ApplicationError("asked for approval 100 times", type="approval.endless", non_retryable=True)

    async def _approval(self, film: FinishedFilms, attempt: int) -> QuestionState:
        main = film.films[0]
        question = Question(
            question_id=f"{self._request.render_id}.{attempt}",
            render_id=self._request.render_id,
            round=attempt,
            title=self._request.title,
            video=main.video,
            thumbnail=main.thumbnail,
            figures=film.figures,
            segments=len(self._request.segments),
        )
        self._board.state(RenderState.AWAITING_APPROVAL, question=question, verdicts=(), detail="a reviewer decides")
        state = await self._gate.ask(question)
        self._board.note(question=None, verdicts=self._gate.verdicts)
        return state

    async def _film(self) -> FinishedFilms:
        """The finished, measured film: found whole, or made."""
        key = self._request.film_key()
        render_id = self._request.render_id
        answer = await workflow.execute_activity_method(
            RecordActivities.find_film,
            FilmQuery(render_id=render_id, key=key),
            **policies.upkeep("Is this very film finished already?"),
        )
        if answer.found is not None:
            self._board.note(steps=(Step.DONE,) * len(self._request.segments))
            return answer.found
        self._board.state(RenderState.RENDERING)
        self._frames = {segment.index: asyncio.Future() for segment in self._request.segments}
        film = await self._finish(await together([self._segment(segment) for segment in self._request.segments]))
        await workflow.execute_activity_method(
            RecordActivities.keep_film,
            FilmToKeep(render_id=render_id, key=key, films=film),
            **policies.upkeep("Remember the finished film"),
        )
        return film

    async def _finish(self, records: tuple[Artifact, ...]) -> FinishedFilms:
        request, plan = self._request, self._request.plan
        self._board.state(RenderState.CHECKING, detail="joining the film")
        joined = await self._stage(
            CompositingActivities.assemble,
            AssembleRequest(
                render_id=request.render_id, engine=plan.compositing, records=records, layout=request.layout
            ),
            f"Join {len(records)} segments",
        )
        self._board.note(films=joined.films, detail="measuring the finished film")
        check = await self._stage(
            QualityActivities.check,
            CheckRequest(
                render_id=request.render_id,
                engine=plan.quality,
                film=joined.films[0],
                records=records,
                layout=request.layout,
                thresholds=request.thresholds,
                language=request.language,
            ),
            "Measure the finished film",
        )
        return FinishedFilms(films=joined.films, figures=check.figures, report=check.report)

    async def _segment(self, segment: Segment) -> Artifact:
        """One sentence from text to measured picture; answers with its record."""
        request, plan, index = self._request, self._request.plan, segment.index
        common = {"render_id": request.render_id, "segment": index}
        fps, seed = request.layout.fps, segment_seed(request, segment)
        title = f"{index + 1}/{len(request.segments)} “{segment.utterance.text.strip()[:80]}”"

        self._board.step(index, Step.SPEECH)
        speech = await self._stage(
            SpeechActivities.speak,
            SpeechRequest(**common, engine=plan.speech, utterance=segment.utterance, voice=request.voice, seed=seed),
            f"Speak {title}",
        )
        self._board.step(index, Step.ALIGNMENT)
        alignment = (await self._align(segment, speech.audio, speech.alignment, title)).alignment
        self._board.step(index, Step.LIPSYNC)
        curves = await self._stage(
            LipsyncActivities.curves,
            LipsyncRequest(
                **common, engine=speaks_curves(plan), audio=speech.audio, alignment=alignment, fps=fps, seed=seed
            ),
            f"Shape the mouth {title}",
        )
        if not self._frames[index].done():
            self._frames[index].set_result(curves.frames)
        self._board.step(index, Step.AVATAR)
        clip = (
            await self._stage(
                AvatarActivities.perform,
                AvatarRequest(
                    **common,
                    engine=plan.avatar,
                    audio=speech.audio,
                    alignment=alignment,
                    curves=curves.curves,
                    subject=request.subject,
                    tone=request.tone,
                    fps=fps,
                    height=presenter_height(request.layout),
                    seed=seed,
                ),
                f"Perform {title}",
            )
        ).clip
        if plan.lipsync != speaks_curves(plan):
            redraw = ResyncRequest(**common, engine=plan.lipsync, clip=clip, audio=speech.audio)
            clip = (await self._stage(LipsyncActivities.resync, redraw, f"Redraw the mouth {title}")).clip
        self._board.step(index, Step.COMPOSING)
        picture = await self._stage(
            CompositingActivities.compose,
            ComposeRequest(
                **common,
                engine=plan.compositing,
                clip=clip,
                alignment=alignment,
                layout=request.layout,
                index=picture_index(request.layout, index),
                offset_ms=await picture_offset_ms(request.layout, index, self._frames),
            ),
            f"Compose {title}",
        )
        self._board.step(index, Step.MEASURING)
        measured = await self._stage(
            QualityActivities.measure,
            MeasureRequest(
                **common,
                engine=plan.quality,
                pictures=picture.pictures,
                frames=picture.frames,
                audio=speech.audio,
                alignment=alignment,
                curves=curves.curves,
                text=segment.utterance.text,
            ),
            f"Measure {title}",
        )
        self._board.step(index, Step.DONE)
        return measured.record

    async def _align(self, segment: Segment, audio: Artifact, known: Artifact | None, title: str) -> AlignmentResult:
        """The first of the plan's aligners that succeeds; the others are named in the result."""
        failed: tuple[str, ...] = ()
        *first, last = self._request.plan.alignment
        for engine in (*first, last):
            ask = AlignmentRequest(
                render_id=self._request.render_id,
                segment=segment.index,
                engine=engine,
                utterance=segment.utterance,
                audio=audio,
                known=known,
                fell_back_from=failed,
            )
            try:
                result = await self._stage(
                    AlignmentActivities.align, ask, f"Align by {engine.name} {title}", mendable=engine is last
                )
            except ActivityError as error:
                if not aligner_fails_over(error):
                    raise
                failed = (*failed, engine.name)
                continue
            if failed:
                entry = f"segment {segment.index + 1}: {result.source} instead of {', '.join(failed)}"
                self._board.note(fell_back=(*self._board.now.fell_back, entry)[-20:])
            return result
        raise AssertionError("the last aligner either answers or waits to be mended")

    async def _stage(
        self,
        activity: Callable[..., Awaitable[Made]],
        request: StageRequest,
        summary: str,
        mendable: bool = True,
    ) -> Made:
        """Run a stage on its lane until it is made: a failure waits for a person and is then tried again."""
        key = request.cache_key("")
        while key not in self._made:
            config: ActivityConfig = policies.stage(request.engine, self._request, summary)
            seen = len(self._resumes)
            try:
                self._made[key] = await workflow.execute_activity_method(activity, request, **config)
            except ActivityError as error:
                if is_cancelled_exception(error) or not mendable:
                    raise
                self._board.failed(request.segment, request.stage, from_failure(error))
                await self._resumed(seen)
                self._board.mended(request.segment, request.stage)
            else:
                self._board.spent(self._made[key].effort)
        return self._made[key]  # type: ignore[return-value]

    async def _resumed(self, seen: int | None = None) -> None:
        """Wait for the next ``resume``. Raises ApplicationError when nobody came in time."""
        seen = len(self._resumes) if seen is None else seen
        try:
            await workflow.wait_condition(
                lambda: len(self._resumes) > seen, timeout=PATIENCE, timeout_summary="waiting for a person"
            )
        except TimeoutError:
            raise ApplicationError(
                f"nobody resumed this render in {PATIENCE.days} days", type="render.abandoned", non_retryable=True
            ) from None

    def _result(self) -> RenderResult:
        now = self._board.now
        return RenderResult(
            render_id=now.render_id,
            state=now.state,
            films=now.films,
            figures=now.figures,
            report=now.report,
            approved_by=tuple(verdict.reviewer for verdict in self._gate.verdicts)[:5],
            cost=now.cost,
        )

    @workflow.query
    def progress(self) -> RenderProgress:
        """Where it stands."""
        return self._board.now.model_copy(update={"verdicts": self._gate.verdicts})

    @workflow.update
    def decide(self, verdict: Verdict) -> QuestionState:
        """A reviewer's verdict; the answer is what the question has come to."""
        return self._gate.record(verdict)

    @decide.validator
    def _check_decide(self, verdict: Verdict) -> None:
        self._gate.check(verdict)

    @workflow.update
    def resume(self, resume: Resume) -> None:
        """A person has mended what failed, or wants an expired question asked again."""
        self._resumes.setdefault(resume.resume_id, resume)
