"""A render, from script to decided film: segments side by side, joined, measured, put before reviewers, and made again
with their changes until it is decided. Whatever fails waits for a person and goes on from there."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.records.stage import RecordActivities
from activities.support.errors import to_failure
from models.approval import Question, QuestionState, Verdict
from models.errors import InvalidInput
from models.render import RenderProgress, RenderRequest, RenderResult, RenderState, Resume, Step
from models.upkeep import FilmQuery, FilmToKeep, FinishedFilms
from workflows import policies
from workflows.approval import ApprovalGate
from workflows.closing import told
from workflows.cutting import Cutting
from workflows.renderboard import RenderBoard
from workflows.segments import SegmentChain, recordings
from workflows.stages import StageRunner
from workflows.tasks import together
from workflows.timeline import Timeline

MAX_ROUNDS = 100


@workflow.defn
class RenderWorkflow:
    """One render. Its id is ``render/<render_id>``."""

    @workflow.init
    def __init__(self, request: RenderRequest) -> None:
        self._request = request
        self._board = RenderBoard(request)
        self._stages = StageRunner(self._board, request.tenant, request.priority)
        self._gate = ApprovalGate(request.approval, self._board.untold)

    @workflow.run
    async def run(self, request: RenderRequest) -> RenderResult:
        """Make the film, check it, have it decided; again with a reviewer's changes until it is."""
        await told(self._board, request.plan.lanes(), self._until_decided(), self._gate.settled)
        return self._board.result()

    async def _until_decided(self) -> RenderState:
        for attempt in range(1, MAX_ROUNDS + 1):
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
                    self._request = self._request.revised(self._gate.verdicts[-1])
                    self._board.revised(self._request)
                case _:
                    self._board.state(RenderState.EXPIRED, detail="nobody answered in time; resume asks again")
                    await self._stages.resumed()
        raise ApplicationError(f"asked for approval {MAX_ROUNDS} times", type="approval.endless", non_retryable=True)

    async def _film(self) -> FinishedFilms:
        """The finished, measured film: found whole, or made."""
        render_id, key = self._request.render_id, self._request.film_key()
        answer = await workflow.execute_activity_method(
            RecordActivities.find_film,
            FilmQuery(render_id=render_id, key=key),
            **policies.upkeep("Is this very film finished already?"),
        )
        if answer.found is not None:
            self._board.note(steps=(Step.DONE,) * len(self._request.segments))
            return answer.found
        film = await self._made()
        await workflow.execute_activity_method(
            RecordActivities.keep_film,
            FilmToKeep(render_id=render_id, key=key, films=film),
            **policies.upkeep("Remember the finished film"),
        )
        return film

    async def _made(self) -> FinishedFilms:
        """Every sentence spoken, performed and drawn side by side; the sound is mixed and measured meanwhile, so that
        joining copies packets and the last figures are soon there."""
        request = self._request
        self._board.state(RenderState.RENDERING)
        recorded = await recordings(request, self._stages)
        timeline = Timeline(request.layout, len(request.segments))
        cutting = Cutting(request, timeline, self._stages)
        segments = [
            SegmentChain(request, segment, timeline, self._stages, self._board, audio).record()
            for segment, audio in zip(request.segments, recorded, strict=True)
        ]
        records, (sound, hearing), intro, outro = await together(
            together(*segments), cutting.sound(), cutting.card(opening=True), cutting.card(opening=False)
        )
        self._board.state(RenderState.CHECKING, detail="joining the film")
        films = await cutting.joined(records, sound, intro, outro)
        self._board.note(films=films, detail="measuring the finished film")
        return await cutting.checked(films, records, hearing)

    async def _approval(self, film: FinishedFilms, attempt: int) -> QuestionState:
        main = film.films[0]
        question = Question(
            question_id=f"{self._request.render_id}.{attempt}",
            work_id=self._request.render_id,
            round=attempt,
            title=self._request.title,
            video=main.video,
            thumbnail=main.thumbnail,
            figures=film.figures,
            segments=len(self._request.segments),
        )
        self._board.state(RenderState.AWAITING_APPROVAL, question=question, verdicts=(), detail="a reviewer decides")
        state = await self._gate.ask(question)
        self._board.note(question=None, verdicts=self._gate.verdicts, detail="")
        return state

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
        try:
            self._request.check_words(replaced=any(change.utterance is not None for change in verdict.changes))
        except InvalidInput as error:
            raise to_failure(error) from error

    @workflow.update
    def resume(self, resume: Resume) -> None:
        """A person has mended what failed, or wants an expired question asked again."""
        self._stages.resume(resume)
