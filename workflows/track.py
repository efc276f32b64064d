"""A track, from plan to release: composed, written, sung, mixed, drawn, measured, put before reviewers or the house's
own policy, made again with their changes until it is decided, packaged and published."""

from itertools import count

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.knowledge.stage import KnowledgeActivities
from activities.tracks.stage import TrackRecordActivities
from models.approval import Question, QuestionState, Verdict, WorkKind
from models.knowledge import SongToCompare
from models.quality import Figure, Sense
from models.render import Resume
from models.track import (
    PARTS,
    Song,
    TooAlike,
    TrackProgress,
    TrackRequest,
    TrackResult,
    TrackState,
    TrackStep,
    TrackToEnter,
)
from workflows import policies
from workflows.approval import ApprovalGate
from workflows.closing import told
from workflows.releasing import Releasing
from workflows.song import SongMaking
from workflows.stages import ABANDONED, StageRunner
from workflows.trackboard import AUTOPILOT, TrackBoard

MAX_ROUNDS = 100
MADE_ANEW = 1
"""How often a song that the house has already is made anew by itself."""


@workflow.defn
class TrackWorkflow:
    """One track. Its id is ``track/<track_id>``; its artist's workflow starts it and is told how it ends."""

    @workflow.init
    def __init__(self, request: TrackRequest) -> None:
        self._request = request
        self._board = TrackBoard(request)
        self._stages = StageRunner(self._board, request.tenant, request.priority)
        self._gate = ApprovalGate(request.approval, self._board.untold)
        self._decided_by: tuple[str, ...] = ()

    @workflow.run
    async def run(self, request: TrackRequest) -> TrackResult:
        """Make the song, have it decided, release it. A fault that nobody mends ends it as FAILED, silence as LAPSED:
        neither is an error of this workflow, for its artist has to know which it was."""
        await workflow.execute_activity_method(
            TrackRecordActivities.enter_track, TrackToEnter(request=request), **policies.upkeep("Enter the track")
        )
        await told(self._board, request.plan.lanes(), self._until_decided(), self._gate.settled)
        return self._board.result(self._decided_by)

    async def _until_decided(self) -> TrackState:
        try:
            for attempt in range(1, MAX_ROUNDS + 1):
                self._board.state(TrackState.MAKING)
                song, figures = await self._new_song()
                match await self._decision(song, figures, attempt):
                    case QuestionState.APPROVED:
                        self._board.state(TrackState.PUBLISHING, detail="packaging the release")
                        releasing = Releasing(self._request, self._stages, self._board)
                        await releasing.released(song, self._decided_by)
                        return TrackState.RELEASED
                    case QuestionState.REJECTED:
                        return TrackState.REJECTED
                    case QuestionState.CHANGES:
                        self._request = self._request.revised(self._gate.verdicts[-1])
                    case _:
                        self._board.state(TrackState.EXPIRED, detail="nobody answered in time; resume asks again")
                        await self._stages.resumed()
        except ApplicationError as error:
            if error.type != ABANDONED:
                raise
            return TrackState.LAPSED if self._board.now.state is TrackState.EXPIRED else TrackState.FAILED
        raise ApplicationError(f"asked for approval {MAX_ROUNDS} times", type="approval.endless", non_retryable=True)

    async def _new_song(self) -> tuple[Song, tuple[Figure, ...]]:
        """A song that the house does not have yet, and its figures: made anew by itself once, and nobody is asked about
        one that is too like another; after that a person has to say so each time."""
        for take in count():
            song = await SongMaking(self._request, self._stages, self._board).made()
            likeness = await self._likeness(song)
            figures = (*song.check.figures, likeness)
            self._board.note(files=song.files(), figures=figures)
            if likeness.holds:
                break
            if take < MADE_ANEW:
                self._board.told_instead(f"the whole song: made anew. {likeness.note}")
            else:
                refused = TooAlike(f"It is a song of the house again. {likeness.note}", field="likeness")
                self._board.failed(None, TrackStep.CHECK.value, refused.details())
                await self._stages.resumed()
                self._board.mended(None, TrackStep.CHECK.value)
            self._request = self._request.anew()
            self._board.again(*(step for step in TrackStep if step is not TrackStep.RELEASE))
        return song, figures

    async def _likeness(self, song: Song) -> Figure:
        """How like it is to the song of the house that is most like it: as much as the same song is too much."""
        request = self._request
        asked = SongToCompare(tenant=request.tenant, track_id=request.track_id, print=song.check.print)
        likest = await workflow.execute_activity_method(
            KnowledgeActivities.likest, asked, **policies.knowledge("Is there a song like it?")
        )
        return Figure(
            name="likeness",
            value=likest.likeness,
            sense=Sense.AT_MOST,
            reach=request.thresholds.likeness,
            note=f"Most like “{likest.title}” ({likest.track_id})." if likest.track_id else "The first of the house.",
        )

    async def _decision(self, song: Song, figures: tuple[Figure, ...], attempt: int) -> QuestionState:
        """By policy where the house may decide and every figure holds; by people otherwise."""
        request, files = self._request, song.files()
        question = Question(
            question_id=f"{request.track_id}.{attempt}",
            kind=WorkKind.TRACK,
            work_id=request.track_id,
            round=attempt,
            title=f"{request.identity.name} — {files.title}"[:120],
            video=files.videos[0].video,
            audio=files.master,
            thumbnail=files.thumbnail,
            figures=figures,
            segments=len(PARTS),
            parts=PARTS,
        )
        if (request.autopilot and question.passed) or not request.approval.required:
            self._decided_by = (AUTOPILOT,)
            return QuestionState.APPROVED
        self._board.state(TrackState.AWAITING_APPROVAL, question=question, verdicts=(), detail="a reviewer decides")
        state = await self._gate.ask(question)
        self._decided_by = tuple(verdict.reviewer for verdict in self._gate.verdicts)[:5]
        self._board.note(question=None, verdicts=self._gate.verdicts, detail="")
        return state

    @workflow.query
    def progress(self) -> TrackProgress:
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
        self._stages.resume(resume)
