"""An artist as one workflow that lives for years: it waits until something is due, has tracks made, and does what the
rules make of decisions and figures."""

import asyncio
import contextlib
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import (
    ApplicationError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from activities.artists.stage import ArtistRecords, broken_off
from activities.support.errors import to_failure
from models import artist as nouns
from models.artist import ArtistLife, ArtistRequest, CommandTaken, TrackAnswer, TrackQuery
from models.errors import StudioError
from models.lifecycle import LifeState
from models.outlook import Outlook
from models.performance import AudienceReport, ReportTaken
from models.track import TrackRequest, TrackResult
from workflows import policies
from workflows.board import ARTIST_ATTRIBUTE, STAGE_ATTRIBUTE, TENANT_ATTRIBUTE
from workflows.life import Life

TRACK_WORKFLOW = "TrackWorkflow"
"""By name: a simulation registers another under it."""
_ASK_SOON, _ASK_LATE = timedelta(minutes=5), timedelta(days=1)
"""A track is asked after again when it is a quarter older, within these bounds."""


@workflow.defn
class ArtistWorkflow:
    """One artist. Its id is ``artist/<tenant>/<slug>``.

    What a song is planned with besides its identity (trends, experiments) is looked up when it is first due, by one
    activity, and so recorded in its history.

    A track is a child that outlives any run of this workflow. Its end is heard as a child's end by the run that began
    it, which therefore waits for it (``drain_days``) before it continues as new: nothing else has to be sent, and it
    is heard of a track that was terminated, too. Where a track takes longer than that, the next run asks Temporal how
    it stands, seldom and until it has ended: whatever became of it, its end is one fact and never lost.

    What the tables have not been told yet is in the state that is carried along, too. Only an activity that is under
    way is waited for: a database that is away keeps no command, no figure and no verdict waiting.

    Updates are handled without waiting for anything; so none is under way when it continues as new, and the ids of
    those that were carried out are carried along.
    """

    @workflow.init
    def __init__(self, request: ArtistRequest) -> None:
        self._request = request
        self._life = Life(request, workflow.now())
        self._woken = False
        self._ended = False
        self._renewing = False
        self._busy = 0
        self._renewal_since: datetime | None = None
        self._outlook: Outlook | None = None
        self._looking: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._calling_off: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, request: ArtistRequest) -> ArtistLife:
        """Live until retirement; the answer is the whole life."""
        if request.carried is None:
            self._show()
        recording = asyncio.create_task(self._keep_recorded())
        if self._life.state.running is not None:
            self._following = asyncio.create_task(self._ask_after_track())
        while True:
            now = workflow.now()
            self._review(now)
            if self._may_end():
                break
            if self._may_renew(now):
                # No more than what is being asked or told this moment is waited for.
                self._renewing = True
                await workflow.wait_condition(lambda: not self._busy)
                workflow.continue_as_new(request.model_copy(update={"carried": self._life.state}))
            begin = self._life.next_track_at(now)
            due = begin is not None and begin <= now and not self._renews()
            # An outlook is for this moment: whatever keeps the song from being begun makes it old.
            outlook, self._outlook = self._outlook or self._life.state.outlook, None
            if due and outlook is not None:
                await self._begin(now, outlook)
                continue
            if due and self._looking is None:
                self._looking = asyncio.create_task(self._look())
            await self._wait(now)
        self._ended = True
        await recording
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._life.life(workflow.now())

    # Waiting.

    async def _wait(self, now: datetime) -> None:
        """Until something is due, or somebody has said something that changes what is due."""
        moments = [self._life.due(now, planning=self._looking is not None)]
        if self._renews() and self._renewal_since is not None:
            moments.append(self._renewal_since + timedelta(days=self._request.drain_days))
        due = min((moment for moment in moments if moment is not None), default=None)
        self._woken = False
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._woken or self._may_renew(workflow.now()),
                timeout=None if due is None else max(due - now, timedelta(0)),
                timeout_summary="until something is due",
            )

    def _renews(self) -> bool:
        """Whether the history is long enough to begin a new one."""
        bound, info = self._request.max_history, workflow.info()
        due = info.get_current_history_length() >= bound if bound else info.is_continue_as_new_suggested()
        if due and self._renewal_since is None:
            self._renewal_since = workflow.now()
        return due

    def _may_renew(self, now: datetime) -> bool:
        if not self._renews() or self._life.state.standing.state is LifeState.RETIRED:
            return False
        drained = self._renewal_since is not None and now - self._renewal_since >= timedelta(
            days=self._request.drain_days
        )
        return self._life.state.running is None or drained

    def _may_end(self) -> bool:
        return self._life.state.standing.state is LifeState.RETIRED and self._life.state.running is None

    # Tracks.

    async def _look(self) -> None:
        """Ask what there is for the song that is due: trends, experiments. A database that is away delays the song, as
        it would the track itself, and nothing else."""
        self._busy += 1
        self._outlook = await workflow.execute_activity_method(
            ArtistRecords.outlook, self._life.query(workflow.now()), **policies.upkeep("Trends and experiments?")
        )
        self._busy -= 1
        self._looking, self._woken = None, True

    async def _begin(self, now: datetime, outlook: Outlook) -> None:
        track = self._life.begin(now, outlook)
        try:
            child = await workflow.start_child_workflow(
                TRACK_WORKFLOW,
                track,
                id=f"track/{track.track_id}",
                result_type=TrackResult,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                priority=Priority(fairness_key=track.tenant),
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(ARTIST_ATTRIBUTE, track.artist),
                        SearchAttributePair(TENANT_ATTRIBUTE, track.tenant),
                    ]
                ),
                static_summary=f"{track.identity.name}, track {track.number}",
            )
        except WorkflowAlreadyStartedError:
            self._following = asyncio.create_task(self._ask_after_track())
        else:
            self._following = asyncio.create_task(self._follow(child, track))

    async def _follow(self, child: "workflow.ChildWorkflowHandle[object, TrackResult]", track: TrackRequest) -> None:
        """Hear how the track ended, as its parent."""
        try:
            answer = TrackAnswer(result=await child)
        except ChildWorkflowError as error:
            query = TrackQuery(track_id=track.track_id, number=track.number, version=track.identity.version)
            answer = broken_off(query, error, cancelled=is_cancelled_exception(error))
        self._heard_end(answer)

    async def _ask_after_track(self) -> None:
        """Ask how the track stands that an earlier run began, until it has ended."""
        running = self._life.state.running
        assert running is not None
        query = TrackQuery(track_id=running.track_id, number=running.number, version=running.version)
        while True:
            await workflow.wait_condition(lambda: not self._renewing)
            self._busy += 1
            answer = await workflow.execute_activity_method(
                ArtistRecords.track_answer, query, **policies.upkeep(f"How did track {running.number} end?")
            )
            self._busy -= 1
            if answer.result is not None or answer.failure is not None:
                self._heard_end(answer)
                return
            older = (workflow.now() - running.began) / 4
            await workflow.sleep(min(max(older, _ASK_SOON), _ASK_LATE), summary="then the track is asked after")

    def _heard_end(self, answer: TrackAnswer) -> None:
        self._life.ended(answer, workflow.now())
        self._woken = True

    # Verdicts and what is told of them.

    def _review(self, now: datetime) -> None:
        before = self._life.state.standing.state
        self._life.review(now)
        self._moved(before)

    def _moved(self, before: LifeState) -> None:
        after = self._life.state.standing.state
        if after is before:
            return
        self._show()
        running = self._life.state.running
        if after is LifeState.RETIRED and running is not None:
            self._calling_off = asyncio.create_task(self._call_off(running.track_id))

    async def _call_off(self, track_id: str) -> None:
        """Cancel the track under way. Its end is still heard and recorded; the artist's own end waits for that."""
        # It may have ended in this very moment.
        with contextlib.suppress(ApplicationError):
            await workflow.get_external_workflow_handle(f"track/{track_id}").cancel()

    def _show(self) -> None:
        state = self._life.state
        workflow.upsert_search_attributes([STAGE_ATTRIBUTE.value_set(state.standing.state.value)])
        workflow.set_current_details(
            f"**{state.identity.name}** is {state.standing.state.value}: {state.standing.reason}\n\n"
            f"{state.releases} releases, identity {state.identity.version}"
        )

    async def _keep_recorded(self) -> None:
        """Tell the tables whatever is new, one snapshot after another, for as long as the artist lives."""
        while True:
            await workflow.wait_condition(lambda: not self._renewing and (self._life.has_news or self._ended))
            if not self._life.has_news:
                return
            self._busy += 1
            snapshot = self._life.snapshot(workflow.now())
            await workflow.execute_activity_method(
                ArtistRecords.record_life, snapshot, **policies.upkeep(f"Record: {snapshot.life.state.value}")
            )
            self._busy -= 1
            self._life.recorded(snapshot)

    # What it is asked and told.

    @workflow.query
    def life(self) -> ArtistLife:
        """Where it stands."""
        return self._life.life(workflow.now())

    @workflow.query
    def timeline(self) -> nouns.Timeline:
        """All that happened, to read."""
        return self._life.timeline

    @workflow.update
    def hear(self, report: AudienceReport) -> ReportTaken:
        """Audience figures. Told twice is told once."""
        taken = self._life.hear(report, workflow.now())
        self._woken = self._woken or self._life.verdict(workflow.now()) is not None
        return taken

    @workflow.update
    def pause(self, command: nouns.Pause) -> CommandTaken:
        """Rest."""
        return self._take(command)

    @pause.validator
    def _check_pause(self, command: nouns.Pause) -> None:
        self._check(command)

    @workflow.update
    def resume(self, command: nouns.Resume) -> CommandTaken:
        """Go on."""
        return self._take(command)

    @resume.validator
    def _check_resume(self, command: nouns.Resume) -> None:
        self._check(command)

    @workflow.update
    def retire(self, command: nouns.Retire) -> CommandTaken:
        """End the career for good."""
        return self._take(command)

    @retire.validator
    def _check_retire(self, command: nouns.Retire) -> None:
        self._check(command)

    @workflow.update
    def set_autopilot(self, command: nouns.SetAutopilot) -> CommandTaken:
        """Let the house decide within policy, or people."""
        return self._take(command)

    @set_autopilot.validator
    def _check_set_autopilot(self, command: nouns.SetAutopilot) -> None:
        self._check(command)

    @workflow.update
    def change_policy(self, command: nouns.ChangePolicy) -> CommandTaken:
        """Other thresholds from now on."""
        return self._take(command)

    @change_policy.validator
    def _check_change_policy(self, command: nouns.ChangePolicy) -> None:
        self._check(command)

    @workflow.update
    def change_pacing(self, command: nouns.ChangePacing) -> CommandTaken:
        """Another pace from now on."""
        return self._take(command)

    @change_pacing.validator
    def _check_change_pacing(self, command: nouns.ChangePacing) -> None:
        self._check(command)

    @workflow.update
    def equip(self, command: nouns.Equip) -> CommandTaken:
        """Other engines, reviewers, thresholds or shapes from the next track on."""
        return self._take(command)

    @equip.validator
    def _check_equip(self, command: nouns.Equip) -> None:
        self._check(command)

    @workflow.update
    def suggest(self, command: nouns.Idea) -> CommandTaken:
        """An idea for a song and for what to become."""
        return self._take(command)

    @suggest.validator
    def _check_suggest(self, command: nouns.Idea) -> None:
        self._check(command)

    @workflow.update
    def recovered(self, command: nouns.Recovered) -> CommandTaken:
        """A provider works again."""
        return self._take(command)

    @recovered.validator
    def _check_recovered(self, command: nouns.Recovered) -> None:
        self._check(command)

    def _take(self, command: nouns.Command) -> CommandTaken:
        before = self._life.state.standing.state
        taken = self._life.take(command, workflow.now())
        self._moved(before)
        self._woken = True
        return taken

    def _check(self, command: nouns.Command) -> None:
        try:
            self._life.check(command)
        except StudioError as error:
            raise to_failure(error) from error
