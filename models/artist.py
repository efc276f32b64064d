"""An artist as its workflow carries it: what it is asked, all it knows, what it is told to do, and what it answers.
Every list is bounded, so that a life of decades stays a small state."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from models.approval import ApprovalPolicy, Principal, WorkId
from models.base import Contract, Name, Note, Sha256, Slug, canonical_sha256
from models.errors import FailureDetails
from models.identity import Identity
from models.layout import Shape
from models.lifecycle import Cause, Facts, LifePolicy, LifeState, Standing, Traits, check_policy
from models.outlook import Outlook
from models.plan import TrackPlan
from models.quality import TrackThresholds
from models.reflection import Change, Proposal
from models.song_stages import Words
from models.track import TrackResult

TIMELINE = 120
"""Events kept in full; older ones are counted by kind."""
CATALOGUE = 150
"""Releases kept at hand; all of them are in the tables."""
REMEMBERED = 200
"""Commands whose ids are remembered: one that is sent again is not carried out again."""


def artist_workflow_id(tenant: str, artist: str) -> str:
    """The id of the artist's workflow."""
    return f"artist/{tenant}/{artist}"


class QuietHours(Contract):
    """Hours of the day, local time, in which no track is begun: from ``start`` until before ``end``, over midnight
    where ``end`` is the smaller."""

    start: Annotated[int, Field(ge=0, le=23)]
    end: Annotated[int, Field(ge=0, le=23)]
    utc_offset_minutes: Annotated[int, Field(ge=-12 * 60, le=14 * 60)] = 0

    def over(self, now: datetime) -> datetime:
        """The first moment, from ``now`` on, that is not quiet."""
        local = now + timedelta(minutes=self.utc_offset_minutes)
        length = (self.end - self.start) % 24
        into = timedelta(hours=(local.hour - self.start) % 24, minutes=local.minute, seconds=local.second)
        return now + timedelta(hours=length) - into if into < timedelta(hours=length) else now


class Budget(Contract):
    """What may be spent in a period. Beyond it the artist waits for the next one: it is parked, nothing fails."""

    period_days: Annotated[int, Field(ge=1, le=366)] = 30
    tracks: Annotated[int, Field(ge=0, le=10_000)] | None = None
    cpu_hours: Annotated[float, Field(ge=0)] | None = None


class Pacing(Contract):
    """When the next track may begin."""

    gap_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 72
    """Least time between the beginnings of two tracks."""
    quiet: QuietHours | None = None
    budget: Budget = Budget()
    on_demand: bool = False
    """Begin nothing unless somebody has an idea."""

    @property
    def gap(self) -> timedelta:
        """Least time between the beginnings of two tracks."""
        return timedelta(hours=self.gap_hours)


CommandId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]


class Command(Contract):
    """What somebody wants of an artist. Sent again under the same id, it is carried out once."""

    command_id: CommandId
    who: Principal
    why: Note = ""

    @property
    def content(self) -> str:
        """Equal for commands that say the same, under whatever id. Sixteen hexadecimal digits."""
        said = self.model_dump(mode="json", exclude={"command_id"})
        return canonical_sha256([type(self).__name__, said])[:16]


class TakenCommand(Contract):
    """A command that was carried out, as it is remembered."""

    command_id: CommandId
    content: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Pause(Command):
    """Rest: until a person says otherwise, until a day, or until a provider has recovered."""

    until: AwareDatetime | None = None
    awaits_provider: bool = False

    @model_validator(mode="after")
    def _one_way_out(self) -> Self:
        if self.until is not None and self.awaits_provider:
            raise ValueError("a pause ends on a day or when a provider has recovered, not both")
        return self


class Resume(Command):
    """Go on."""


class Retire(Command):
    """End the career for good. ``why`` is kept with the catalogue."""

    why: Annotated[str, Field(min_length=1, max_length=2_000)]


class SetAutopilot(Command):
    """Let the house decide within policy, or people."""

    on: bool


class ChangePolicy(Command):
    """Other thresholds from now on."""

    policy: LifePolicy


class ChangePacing(Command):
    """Another pace from now on."""

    pacing: Pacing


class Idea(Command):
    """A wish: the next song's brief, and what an evolution takes up first."""

    text: Annotated[str, Field(min_length=1, max_length=400)]


class Equipment(Contract):
    """What tracks are made with, checked against and decided by."""

    plan: TrackPlan
    shapes: Annotated[tuple[Shape, ...], Field(min_length=1, max_length=3)] = (Shape.WIDE, Shape.TALL)
    thresholds: TrackThresholds = TrackThresholds()
    approval: ApprovalPolicy = ApprovalPolicy()
    banned: Words = ()
    """Words and phrases that are not sung."""


class Equip(Command):
    """Other engines, reviewers, thresholds or shapes from the next track on."""

    equipment: Equipment


class Recovered(Command):
    """A provider works again: its incident is closed, and who waited for it goes on."""


class CommandTaken(Contract):
    """The answer to a command: where the artist stands now, and whether this very command had been taken before."""

    state: LifeState
    repeated: bool = False


class EventKind(StrEnum):
    """What a line of the timeline is about."""

    BORN = "born"
    MOVED = "moved"
    RELEASED = "released"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    FAULT = "fault"
    WITHDRAWN = "withdrawn"
    COMMAND = "command"
    EVOLVED = "evolved"
    REFLECTED = "reflected"
    PARKED = "parked"
    RECOVERED = "recovered"


class LifeEvent(Contract):
    """A line of the timeline, for people to read."""

    number: Annotated[int, Field(ge=1)]
    """Counts through the whole life: a table keeps each once."""
    at: AwareDatetime
    kind: EventKind
    text: Annotated[str, Field(max_length=300)]
    who: Annotated[str, Field(max_length=80)] = "house"
    cause: Cause | None = None
    """Of a move."""


class Earlier(Contract):
    """The events that are no longer kept one by one."""

    counts: Annotated[dict[EventKind, int], Field(max_length=20)]
    first: AwareDatetime | None = None
    last: AwareDatetime | None = None


class Incident(Contract):
    """Faults that somebody has to look at. They say nothing about the artist."""

    since: AwareDatetime
    last: AwareDatetime
    faults: Annotated[int, Field(ge=1)]
    failure: FailureDetails
    try_again_at: AwareDatetime


class RunningTrack(Contract):
    """The track under way."""

    track_id: WorkId
    number: Annotated[int, Field(ge=1, le=100_000)]
    version: Annotated[int, Field(ge=1)]
    trial: bool
    traits: Traits
    began: AwareDatetime


class Release(Contract):
    """An entry of the catalogue."""

    number: Annotated[int, Field(ge=1, le=100_000)]
    track_id: WorkId
    title: Annotated[str, Field(max_length=80)]
    version: Annotated[int, Field(ge=1)]
    isrc: Annotated[str, Field(max_length=12)] = ""
    at: AwareDatetime


class Spent(Contract):
    """What the present budget period has cost."""

    period: Annotated[int, Field(ge=0)] = 0
    tracks: Annotated[int, Field(ge=0)] = 0
    cpu_hours: Annotated[float, Field(ge=0)] = 0


class ArtistState(Contract):
    """All an artist knows. Carried whole when its workflow continues as new."""

    identity: Identity
    """The one that counts; on trial, the one that is to prove itself."""
    earlier: Identity | None = None
    """What the trial is rolled back to."""
    evolution: Proposal | None = None
    """What the trial changed."""
    newest_version: Annotated[int, Field(ge=1, le=10_000)] = 1
    """No two identities share a version, rolled back ones among them."""
    standing: Standing
    facts: Facts
    equipment: Equipment
    policy: LifePolicy
    pacing: Pacing
    autopilot: bool
    born: AwareDatetime
    next_number: Annotated[int, Field(ge=1, le=100_001)] = 1
    attempt: Annotated[int, Field(ge=1, le=100_000)] = 1
    """How often the present number is tried: a fault keeps it."""
    brief: Annotated[str, Field(max_length=400)] = ""
    """The idea that the present number is about."""
    outlook: Outlook | None = None
    """What the present number was planned with: tried again, it is planned alike, and nothing is made twice."""
    running: RunningTrack | None = None
    last_began: AwareDatetime | None = None
    spent: Spent = Spent()
    parked: bool = False
    parked_since: AwareDatetime | None = None
    incident: Incident | None = None
    proposals: Annotated[tuple[Proposal, ...], Field(max_length=5)] = ()
    findings: Annotated[tuple[Proposal, ...], Field(max_length=5)] = ()
    """What experiments found out, and no evolution has taken up."""
    heeded: Annotated[tuple[Annotated[str, Field(max_length=130)], ...], Field(max_length=20)] = ()
    """Experiments whose finding an evolution took up."""
    proved: Annotated[tuple[Change, ...], Field(max_length=3)] = ()
    """The latest changes that proved better: their opposites are not taken up."""
    tried: Annotated[tuple[Annotated[str, Field(max_length=80)], ...], Field(max_length=20)] = ()
    """Changes that were tried and failed."""
    ideas: Annotated[tuple[Annotated[str, Field(max_length=400)], ...], Field(max_length=10)] = ()
    releases: Annotated[int, Field(ge=0)] = 0
    catalogue: Annotated[tuple[Release, ...], Field(max_length=CATALOGUE)] = ()
    timeline: Annotated[tuple[LifeEvent, ...], Field(max_length=TIMELINE)] = ()
    before_that: Earlier = Earlier(counts={})
    events: Annotated[int, Field(ge=0)] = 0
    """The number of the last event."""
    recorded: Annotated[int, Field(ge=0)] = 0
    """The number of the last event that the tables have."""
    commands: Annotated[tuple[TakenCommand, ...], Field(max_length=REMEMBERED)] = ()
    sequence: Annotated[int, Field(ge=0)] = 0
    """Grows with each change, over all runs: which of two snapshots is the later."""


class ArtistRequest(Contract):
    """A life, resolved before it begins; with ``carried`` it goes on from there."""

    artist: Slug
    tenant: Slug = "house"
    created_by: Principal
    identity: Identity
    policy: LifePolicy = LifePolicy()
    pacing: Pacing = Pacing()
    autopilot: bool = False
    equipment: Equipment
    carried: ArtistState | None = None
    drain_days: Annotated[int, Field(ge=0, le=365)] = 60
    """How long continuing as new waits for the track under way."""
    max_history: Annotated[int, Field(ge=10)] | None = None
    """Events after which it continues as new; None asks the server."""

    @model_validator(mode="after")
    def _same_artist(self) -> Self:
        if self.identity.artist != self.artist:
            raise ValueError(f"the identity is of {self.identity.artist}, not of {self.artist}")
        return self

    def check(self) -> None:
        """Raise InvalidInput where thresholds and pace contradict each other."""
        check_policy(self.policy, self.pacing.gap)


class ArtistLife(Contract):
    """A true picture of an artist, answered by query and projected into the tables."""

    artist: Slug
    tenant: Slug
    name: Name
    state: LifeState
    standing: Standing
    identity: Identity
    policy: LifePolicy
    pacing: Pacing
    autopilot: bool
    born: AwareDatetime
    releases: Annotated[int, Field(ge=0)]
    catalogue: Annotated[tuple[Release, ...], Field(max_length=CATALOGUE)] = ()
    running: RunningTrack | None = None
    next_track_at: AwareDatetime | None = None
    parked: bool = False
    parked_since: AwareDatetime | None = None
    incident: Incident | None = None
    approval: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of people's decisions that count now."""
    audience: Annotated[float, Field(ge=0, le=1)] | None = None
    proposals: Annotated[tuple[Proposal, ...], Field(max_length=10)] = ()
    """What experiments found out, and what reflection proposes."""


class Timeline(Contract):
    """The whole life as it is read: what was, in sums, then event by event."""

    earlier: Earlier
    events: Annotated[tuple[LifeEvent, ...], Field(max_length=TIMELINE)]


class ArtistSnapshot(Contract):
    """A projection of an artist. ``sequence`` grows over all runs; ``news`` are the events since the last snapshot
    that is known to have been stored: some may come again, under the number they had."""

    sequence: Annotated[int, Field(ge=0)]
    life: ArtistLife
    news: Annotated[tuple[LifeEvent, ...], Field(max_length=TIMELINE)] = ()


class TrackQuery(Contract):
    """How did this track end?"""

    track_id: WorkId
    number: Annotated[int, Field(ge=1)]
    version: Annotated[int, Field(ge=1)]


class TrackAnswer(Contract):
    """``result`` where it ended by itself, ``failure`` where it broke off; neither while it is under way."""

    result: TrackResult | None = None
    failure: FailureDetails | None = None


def track_id(tenant: str, artist: str, number: int, attempt: int = 1) -> str:
    """The id of an artist's track: no two of the house share one, whatever their slugs."""
    whose: Sha256 = canonical_sha256([tenant, artist])
    tail = f"-{attempt}" if attempt > 1 else ""
    return f"{artist[:40].strip('-')}-{whose[:6]}-{number:04d}{tail}"
