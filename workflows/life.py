"""An artist's life without the clock: how its state changes with each track, decision, figure, command and verdict of
the rules. Deterministic and free of Temporal, so that a backtest or a test lives it too."""

from datetime import datetime, timedelta

from models import artist as nouns
from models.artist import ArtistLife, ArtistRequest, ArtistSnapshot, ArtistState, EventKind, LifeEvent
from models.errors import Conflict, FailureDetails, InvalidInput
from models.growth import evolve
from models.lifecycle import (
    AUTOPILOT,
    Cause,
    Ending,
    Facts,
    LifeState,
    Move,
    Run,
    Standing,
    audience,
    check_policy,
    judge,
    moved,
    share_approved,
    wakes_at,
    window,
)
from models.outlook import Outlook, OutlookQuery
from models.performance import AudienceReport, ReportTaken, merged
from models.reflection import chosen, reflect
from models.songplan import planned
from models.track import TrackRequest, TrackResult, TrackState

AT_WORK = frozenset({LifeState.CANDIDATE, LifeState.ACTIVE, LifeState.EVOLVING})
NOTHING = Outlook()
"""No trend in force, no experiment."""
_LATEST = 25
"""Releases in a snapshot: the tables have the earlier ones."""
_RUNS, _HEARD, _IDEAS, _TRIED, _PROVED = 100, 60, 10, 20, 3
_LONGEST_WAIT = timedelta(days=7)
"""After a fault, at most."""
_ENDINGS = {
    TrackState.RELEASED: Ending.APPROVED,
    TrackState.REJECTED: Ending.REJECTED,
    TrackState.LAPSED: Ending.LAPSED,
    TrackState.CANCELLED: Ending.WITHDRAWN,
}
_KINDS = {
    Ending.APPROVED: EventKind.RELEASED,
    Ending.REJECTED: EventKind.REJECTED,
    Ending.LAPSED: EventKind.LAPSED,
    Ending.FAULT: EventKind.FAULT,
    Ending.WITHDRAWN: EventKind.WITHDRAWN,
}


def born(request: ArtistRequest, now: datetime) -> ArtistState:
    """The state an artist begins with."""
    state = ArtistState(
        identity=request.identity,
        newest_version=request.identity.version,
        standing=Standing(since=now, counted_from=now, reason="born", who=request.created_by),
        facts=Facts(last_active=now),
        equipment=request.equipment,
        policy=request.policy,
        pacing=request.pacing,
        autopilot=request.autopilot,
        born=now,
    )
    event = LifeEvent(number=1, at=now, kind=EventKind.BORN, text=request.identity.name, who=request.created_by)
    return state.model_copy(update={"timeline": (event,), "events": 1})


class Life:
    """Holds the one state of an artist. Nothing else changes it."""

    def __init__(self, request: ArtistRequest, now: datetime) -> None:
        self._request = request
        self.state = request.carried or born(request, now)

    def _set(self, **changes: object) -> None:
        self.state = self.state.model_copy(update={**changes, "sequence": self.state.sequence + 1})

    def _facts(self, **changes: object) -> None:
        self._set(facts=self.state.facts.model_copy(update=changes))

    def _tell(self, now: datetime, kind: EventKind, text: str, who: str = "house", cause: Cause | None = None) -> None:
        """Add a line to the timeline; the oldest beyond its bound is counted and let go."""
        event = LifeEvent(number=self.state.events + 1, at=now, kind=kind, text=text[:300], who=who, cause=cause)
        kept, earlier = (*self.state.timeline, event), self.state.before_that
        if len(kept) > nouns.TIMELINE:
            gone, kept = kept[0], kept[1:]
            counts = {**earlier.counts, gone.kind: earlier.counts.get(gone.kind, 0) + 1}
            earlier = nouns.Earlier(counts=counts, first=earlier.first or gone.at, last=gone.at)
        self._set(timeline=kept, before_that=earlier, events=event.number)

    # What it is told.

    def check(self, command: nouns.Command) -> None:
        """Refuse a command before it is written down. Raises Conflict for what the state forbids, InvalidInput for
        thresholds that contradict each other. A command that was taken before is never refused; another command under
        its id is, for whoever sent it would take the answer for its own."""
        if (taken := self._taken(command)) is not None:
            if taken.content != command.content:
                raise Conflict(
                    f"{command.command_id!r} was the id of another command",
                    field="command_id",
                    code="artist.command_reused",
                    action="Send it under an id (Idempotency-Key) of its own.",
                )
            return
        if self.state.standing.state is LifeState.RETIRED:
            raise Conflict("the artist has retired, for good", code="artist.retired")
        match command:
            case nouns.Pause() if self.state.standing.state is LifeState.PAUSED:
                raise Conflict("the artist is paused already", code="artist.paused")
            case nouns.Resume() if self.state.standing.state is not LifeState.PAUSED:
                raise Conflict(f"the artist is {self.state.standing.state.value}, not paused", code="artist.not_paused")
            case nouns.Recovered() if self.state.incident is None and not self.state.standing.awaits_provider:
                raise Conflict("no incident is open, and the artist waits for no provider", code="artist.no_incident")
            case nouns.ChangePolicy():
                check_policy(command.policy, self.state.pacing.gap)
            case nouns.ChangePacing():
                check_policy(self.state.policy, command.pacing.gap)
            case _:
                pass

    def _taken(self, command: nouns.Command) -> nouns.TakenCommand | None:
        return next((one for one in self.state.commands if one.command_id == command.command_id), None)

    def take(self, command: nouns.Command, now: datetime) -> nouns.CommandTaken:
        """Carry a command out, once."""
        if self._taken(command) is not None:
            return nouns.CommandTaken(state=self.state.standing.state, repeated=True)
        taken = nouns.TakenCommand(command_id=command.command_id, content=command.content)
        self._set(commands=(*self.state.commands, taken)[-nouns.REMEMBERED :])
        self._facts(last_active=now)
        said = f": {command.why}" if command.why else ""
        self._tell(now, EventKind.COMMAND, f"{_words(command)}{said}", command.who)
        self._obey(command, now)
        return nouns.CommandTaken(state=self.state.standing.state)

    def _obey(self, command: nouns.Command, now: datetime) -> None:
        standing = self.state.standing
        match command:
            case nouns.Pause():
                self._by_person(command, LifeState.PAUSED, now, until=command.until, waits=command.awaits_provider)
            case nouns.Resume():
                self._by_person(command, LifeState.EVOLVING if standing.interrupted else standing.home, now)
            case nouns.Retire():
                self._by_person(command, LifeState.RETIRED, now)
            case nouns.SetAutopilot():
                self._set(autopilot=command.on)
            case nouns.ChangePolicy():
                self._set(policy=command.policy)
            case nouns.ChangePacing():
                self._set(pacing=command.pacing)
            case nouns.Equip():
                self._set(equipment=command.equipment)
            case nouns.Idea():
                self._set(ideas=(*self.state.ideas, command.text)[-_IDEAS:])
                self._facts(last_idea=now)
            case nouns.Recovered():
                self._recovered(now, command)
            case _:
                raise InvalidInput(f"{type(command).__name__} is no command of an artist", field="command")

    def _by_person(
        self,
        command: nouns.Command,
        target: LifeState,
        now: datetime,
        until: datetime | None = None,
        waits: bool = False,
    ) -> None:
        move = Move(
            source=self.state.standing.state,
            target=target,
            cause=Cause.PERSON,
            reason=command.why or "a person decided so",
            who=command.who,
            until=until,
            awaits_provider=waits,
        )
        self._move(move, now)

    def _recovered(self, now: datetime, command: nouns.Recovered) -> None:
        self._close_incident(now)
        standing = self.state.standing
        if standing.state is LifeState.PAUSED and standing.awaits_provider:
            target = LifeState.EVOLVING if standing.interrupted else standing.home
            reason = command.why or "the provider has recovered"
            move = Move(source=standing.state, target=target, cause=Cause.RECOVERED, reason=reason, who=command.who)
            self._move(move, now)

    def hear(self, report: AudienceReport, now: datetime) -> ReportTaken:
        """Take audience figures: the later of each release counts. Those from the future are as of now, or no
        correction would ever be later."""
        released = {release.number for release in self.state.catalogue}
        known = tuple(
            one.model_copy(update={"as_of": min(one.as_of, now)}) for one in report.heard if one.number in released
        )
        self._facts(heard=merged(self.state.facts.heard, known, _HEARD))
        return ReportTaken(
            taken=tuple(one.number for one in known),
            unknown=tuple(one.number for one in report.heard if one.number not in released),
        )

    # What it makes.

    def next_track_at(self, now: datetime) -> datetime | None:
        """When the next track may begin; None while nothing may."""
        state = self.state
        retry = state.attempt > 1
        if state.running is not None or state.standing.state not in AT_WORK:
            return None
        if state.pacing.on_demand and not retry and not state.ideas:
            return None
        at = now
        if retry:
            at = max(at, state.incident.try_again_at) if state.incident else at
        elif state.last_began is not None:
            at = max(at, state.last_began + state.pacing.gap)
        at = max(at, self._affordable(at))
        return state.pacing.quiet.over(at) if state.pacing.quiet else at

    def _period(self, at: datetime) -> int:
        return max(0, (at - self.state.born) // timedelta(days=self.state.pacing.budget.period_days))

    def _affordable(self, at: datetime) -> datetime:
        """``at``, or the start of the next budget period where this one is spent."""
        budget, spent = self.state.pacing.budget, self.state.spent
        if spent.period != self._period(at):
            return at
        out = budget.tracks is not None and spent.tracks >= budget.tracks
        out = out or (budget.cpu_hours is not None and spent.cpu_hours >= budget.cpu_hours)
        return self.state.born + timedelta(days=budget.period_days) * (spent.period + 1) if out else at

    def park(self, now: datetime) -> None:
        """Note that the budget of this period is spent, or no longer is."""
        parked = self.state.standing.state in AT_WORK and self._affordable(now) > now
        if parked is self.state.parked:
            return
        self._set(parked=parked, parked_since=now if parked else None)
        if parked:
            self._tell(now, EventKind.PARKED, f"the budget is spent until {self._affordable(now):%Y-%m-%d}")
        else:
            # Idle for want of money, not of its own accord: what is counted as inactivity begins now.
            self._facts(last_active=now)
            self._tell(now, EventKind.RECOVERED, "the budget is there again")

    def query(self, now: datetime) -> OutlookQuery:
        """What is to be known before the next track can be planned."""
        whose = self._request
        return OutlookQuery(tenant=whose.tenant, artist=whose.artist, number=self.state.next_number, at=now)

    def begin(self, now: datetime, outlook: Outlook = NOTHING) -> TrackRequest:
        """The next track, which is under way from now on."""
        state = self.state
        if state.attempt == 1:
            self._set(brief=state.ideas[0] if state.ideas else "", ideas=state.ideas[1:])
        findings = tuple(found for found in outlook.findings if found.experiment not in state.heeded)
        self._set(outlook=outlook, findings=findings)
        state, number = self.state, self.state.next_number
        plan = planned(state.identity, number, outlook, state.policy.openness)
        trial = state.standing.state is LifeState.EVOLVING
        track = TrackRequest(
            track_id=nouns.track_id(self._request.tenant, self._request.artist, number, state.attempt),
            tenant=self._request.tenant,
            artist=self._request.artist,
            number=number,
            requested_by=self._request.created_by,
            identity=plan.identity,
            song=plan.song,
            plan=state.equipment.plan,
            shapes=state.equipment.shapes,
            thresholds=state.equipment.thresholds,
            approval=state.equipment.approval,
            autopilot=state.autopilot,
            trial=trial,
            variant=plan.variant,
            trends=plan.trends,
            brief="\n".join(filter(None, (plan.wishes, state.brief))),
            banned=state.equipment.banned,
            takes={},
            seed=(state.identity.seed * 7_919 + number * 104_729 + state.identity.version) % 2**31,
        )
        running = nouns.RunningTrack(
            track_id=track.track_id,
            number=number,
            version=state.identity.version,
            trial=trial,
            traits=plan.traits,
            began=now,
        )
        self._set(running=running, last_began=now)
        self._spend(now, tracks=1 if state.attempt == 1 else 0)
        self._facts(last_active=now)
        return track

    def _spend(self, now: datetime, tracks: int = 0, cpu_hours: float = 0) -> None:
        period = self._period(now)
        spent = self.state.spent if self.state.spent.period == period else nouns.Spent(period=period)
        more = {"tracks": spent.tracks + tracks, "cpu_hours": spent.cpu_hours + cpu_hours}
        self._set(spent=spent.model_copy(update=more))

    def ended(self, answer: nouns.TrackAnswer, now: datetime) -> None:
        """The track under way has ended, by itself or broken off: a fact, which the rules are to judge."""
        running, result = self.state.running, answer.result
        if running is None:
            return
        ending = _ENDINGS.get(result.state, Ending.FAULT) if result else Ending.FAULT
        failure = answer.failure or (result.fault if result else None)
        people = [who for who in result.decided_by if who != AUTOPILOT] if result else []
        by = people[0] if people else (AUTOPILOT if result and result.decided_by else "")
        run = Run(
            at=now,
            number=running.number,
            ending=ending,
            version=running.version,
            trial=running.trial,
            by=by,
            reason=failure.code if ending is Ending.FAULT and failure else (result.reason if result else ""),
            traits=running.traits,
        )
        self._set(running=None)
        self._facts(runs=(*self.state.facts.runs, run)[-_RUNS:], last_active=now)
        if result is not None:
            self._spend(now, cpu_hours=result.cost.cpu_seconds / 3600)
        if ending is Ending.FAULT:
            self._fault(failure or FailureDetails.model_validate(_UNTOLD), run, now)
            return
        self._close_incident(now)
        self._set(next_number=running.number + 1, attempt=1, brief="", outlook=None)
        if result is not None and ending is Ending.APPROVED:
            self._release(result, running, now)
        title = f"“{result.title}”" if result and result.title else f"track {running.number}"
        reason = f": {run.reason}" if run.reason else ""
        trial = " (trial)" if running.trial else ""
        self._tell(now, _KINDS[ending], f"{title}, number {running.number}{trial}{reason}", by or "house")
        self._reflect(now)

    def _release(self, result: TrackResult, running: nouns.RunningTrack, now: datetime) -> None:
        release = nouns.Release(
            number=running.number,
            track_id=running.track_id,
            title=result.title,
            version=running.version,
            isrc=result.release.isrc if result.release else "",
            at=now,
        )
        catalogue = (*self.state.catalogue, release)[-nouns.CATALOGUE :]
        self._set(catalogue=catalogue, releases=self.state.releases + 1)

    def _fault(self, failure: FailureDetails, run: Run, now: datetime) -> None:
        """Open an incident, or count one more into it; the same number is tried again later, and later each time."""
        old = self.state.incident
        count = old.faults + 1 if old else 1
        wait = min(timedelta(hours=2 ** min(count - 1, 10)), _LONGEST_WAIT)
        incident = nouns.Incident(
            since=old.since if old else now, last=now, faults=count, failure=failure, try_again_at=now + wait
        )
        self._set(incident=incident, attempt=self.state.attempt + 1)
        self._tell(now, EventKind.FAULT, f"track {run.number} could not be made: {failure.message}")

    def _close_incident(self, now: datetime) -> None:
        incident = self.state.incident
        if incident is not None:
            self._set(incident=None)
            self._tell(now, EventKind.RECOVERED, f"after {incident.faults} faults: {incident.failure.message}")

    def _reflect(self, now: datetime) -> None:
        facts = self.state.facts
        own = [run for run in facts.runs if run.version == self.state.identity.version]
        proposals = reflect(own, facts.heard, self.state.policy.min_listeners)
        first, known = proposals[:1], {proposal.key for proposal in self.state.proposals}
        self._set(proposals=proposals)
        if first and first[0].key not in known:
            self._tell(now, EventKind.REFLECTED, f"{first[0].change.value}: {first[0].reason}")

    # What becomes of it.

    def _excused(self, now: datetime) -> Facts:
        state, next_at = self.state, self.next_track_at(now)
        # Whoever has a track due was kept from it: by a house that was down, or a clock that jumped.
        kept = next_at is not None and next_at <= now
        idle = state.running is None and state.incident is None and not state.parked and not kept
        return self.state.facts.model_copy(update={"excused": not idle})

    def verdict(self, now: datetime) -> Move | None:
        """The move that the rules call for now."""
        return judge(self.state.standing, self._excused(now), now, self.state.policy)

    def review(self, now: datetime) -> None:
        """Move as often as the rules call for it."""
        self._mind_the_clock(now)
        self.park(now)
        while (move := self.verdict(now)) is not None:
            self._move(move, now)

    def _mind_the_clock(self, now: datetime) -> None:
        """A clock that was ahead has been put right: what it noted is over, and nothing waits for it to come again."""
        state, standing = self.state, self.state.standing
        ahead = {name: now for name in ("since", "counted_from") if getattr(standing, name) > now}
        rest = now + timedelta(days=state.policy.rest_days)
        if standing.cause is Cause.REFUSED and standing.until is not None and standing.until > rest and ahead:
            ahead["until"] = rest
        if ahead:
            self._set(standing=standing.model_copy(update=ahead))
        if state.last_began is not None and state.last_began > now:
            self._set(last_began=now)
        if state.facts.last_active > now:
            self._facts(last_active=now)
        if state.incident is not None and state.incident.try_again_at > now + _LONGEST_WAIT:
            self._set(incident=state.incident.model_copy(update={"try_again_at": now}))

    def _move(self, move: Move, now: datetime) -> None:
        before = self.state.standing
        after = moved(before, move, self._excused(now), now, self.state.policy)
        self._set(standing=after)
        self._tell(
            now, EventKind.MOVED, f"{move.source.value} → {move.target.value}: {move.reason}", move.who, move.cause
        )
        if move.target is LifeState.EVOLVING and not before.interrupted:
            self._try(now)
        elif move.cause is Cause.PROVED:
            change = self.state.evolution.change if self.state.evolution else None
            proved = (*self.state.proved, change)[-_PROVED:] if change else self.state.proved
            self._set(earlier=None, evolution=None, tried=(), proved=proved)
        elif self.state.earlier is not None and (move.target is LifeState.RETIRED or _settles(move, before)):
            self._roll_back(now, failed=move.cause in {Cause.ROLLED_BACK, Cause.EVOLUTIONS_FAILED})

    def _try(self, now: datetime) -> None:
        state = self.state
        known = (*state.findings, *state.proposals)
        proposal = chosen(known, state.ideas, state.tried, state.standing.failed_evolutions, state.proved)
        heeded = (*state.heeded, proposal.experiment)[-_TRIED:] if proposal.experiment else state.heeded
        version = state.newest_version + 1
        identity = evolve(state.identity, proposal, version).model_copy(update={"version": version})
        self._set(
            identity=identity,
            earlier=state.identity,
            evolution=proposal,
            newest_version=version,
            findings=tuple(found for found in state.findings if found.experiment not in heeded),
            heeded=heeded,
            ideas=state.ideas[1:] if proposal.subject in state.ideas[:1] else state.ideas,
        )
        self._tell(now, EventKind.EVOLVED, f"version {version}, {proposal.change.value}: {proposal.reason}")

    def _roll_back(self, now: datetime, failed: bool) -> None:
        state = self.state
        assert state.earlier is not None
        tried = (*state.tried, state.evolution.key)[-_TRIED:] if failed and state.evolution else state.tried
        self._set(identity=state.earlier, earlier=None, evolution=None, tried=tried)
        self._tell(now, EventKind.EVOLVED, f"version {state.identity.version} rolled back to {state.earlier.version}")

    def due(self, now: datetime, *, planning: bool = False) -> datetime | None:
        """When something is to be done next, if nothing happens before. What a song is ``planning`` with is on its way:
        it is not waited for by the clock."""
        moments = (
            None if planning else self.next_track_at(now),
            wakes_at(self.state.standing, self._excused(now), self.state.policy),
        )
        return min((moment for moment in moments if moment is not None), default=None)

    # What it tells.

    def life(self, now: datetime) -> ArtistLife:
        """The picture of it."""
        state = self.state
        return ArtistLife(
            artist=self._request.artist,
            tenant=self._request.tenant,
            name=state.identity.name,
            state=state.standing.state,
            standing=state.standing,
            identity=state.identity,
            policy=state.policy,
            pacing=state.pacing,
            autopilot=state.autopilot,
            born=state.born,
            releases=state.releases,
            catalogue=state.catalogue,
            running=state.running,
            next_track_at=self.next_track_at(now),
            parked=state.parked,
            parked_since=state.parked_since,
            incident=state.incident,
            approval=share_approved(window(state.standing, state.facts, now, state.policy)),
            audience=audience(state.standing, state.facts, state.policy),
            proposals=(*state.findings, *state.proposals)[:10],
        )

    @property
    def timeline(self) -> nouns.Timeline:
        """All that happened."""
        return nouns.Timeline(earlier=self.state.before_that, events=self.state.timeline)

    def snapshot(self, now: datetime) -> ArtistSnapshot:
        """The picture for the tables, with the events since the last one."""
        news = tuple(event for event in self.state.timeline if event.number > self.state.recorded)
        life = self.life(now).model_copy(update={"catalogue": self.state.catalogue[-_LATEST:]})
        return ArtistSnapshot(sequence=self.state.sequence, life=life, news=news)

    @property
    def has_news(self) -> bool:
        """Whether the tables do not know everything yet."""
        return self.state.recorded < self.state.events

    def recorded(self, snapshot: ArtistSnapshot) -> None:
        """The tables have that snapshot."""
        last = max((event.number for event in snapshot.news), default=self.state.recorded)
        self.state = self.state.model_copy(update={"recorded": last})


_UNTOLD = {
    "code": "track.broken_off",
    "message": "the track ended without saying why",
    "audience": "operator",
    "action": "Look at the track in the Temporal Web UI.",
    "retryable": False,
}


def _settles(move: Move, before: Standing) -> bool:
    """Whether a trial is over: a pause, and what follows an interrupted one, leave it open."""
    return move.target is not LifeState.PAUSED and not before.interrupted


def _words(command: nouns.Command) -> str:
    match command:
        case nouns.SetAutopilot():
            return f"autopilot {'on' if command.on else 'off'}"
        case nouns.Idea():
            return f"idea “{command.text[:150]}”"
        case _:
            return {"ChangePolicy": "other thresholds", "ChangePacing": "another pace", "Equip": "other equipment"}.get(
                type(command).__name__, type(command).__name__.lower()
            )
