"""Incidents, as people see them: what keeps an artist from making songs, since when, and what to do. Drawn from the
picture of its life alone. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from models.artist import ArtistLife
from models.base import Contract, Name, Slug, canonical_sha256
from models.lifecycle import LifeState
from models.track import TrackProgress, TrackState

LIFE = "life"


class IncidentKind(StrEnum):
    """What keeps the artist from its songs."""

    FAULT = "fault"
    """Songs cannot be made: faults in a row."""
    PROVIDER = "provider"
    """Paused until a provider has recovered."""
    BUDGET = "budget"
    """The budget of the period is spent."""
    BLOCKED = "blocked"
    """A stage of the song under way failed, and waits to be mended."""
    UNANSWERED = "unanswered"
    """Nobody answered the question about the song."""


class IncidentState(StrEnum):
    """Whether somebody still has to look."""

    OPEN = "open"
    CLOSED = "closed"


IncidentId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class OpenIncident(Contract):
    """An incident of an artist that is not over. Equal moments and kinds are the same incident."""

    incident_id: IncidentId
    tenant: Slug
    artist: Slug
    name: Name
    kind: IncidentKind
    subject: Annotated[str, Field(max_length=64)] = LIFE
    """The track it is about, or the life as a whole."""
    since: AwareDatetime
    faults: Annotated[int, Field(ge=0)] = 0
    code: Annotated[str, Field(max_length=80)]
    message: Annotated[str, Field(max_length=1_000)]
    action: Annotated[str, Field(max_length=500)]
    commands: Annotated[tuple[Annotated[str, Field(max_length=120)], ...], Field(max_length=4)]
    """That help, as they are written on Telegram."""
    try_again_at: AwareDatetime | None = None


class IncidentChanges(Contract):
    """What has become of the incidents of one subject."""

    standing: Annotated[tuple[OpenIncident, ...], Field(max_length=10)] = ()
    over: Annotated[tuple[OpenIncident, ...], Field(max_length=100)] = ()
    """Those that are open in the tables and stand no longer."""


def incident_workflow_id(tenant: str, incident_id: str) -> str:
    """The id of the workflow that tells people of an incident."""
    return f"incident/{tenant}/{incident_id}"


def incidents_of(life: ArtistLife) -> tuple[OpenIncident, ...]:
    """What somebody has to look at for this artist to go on. Who has retired needs nothing."""
    if life.state is LifeState.RETIRED:
        return ()
    whose = _Whose(life.tenant, life.artist, life.name)
    found = []
    if life.incident is not None:
        fault = life.incident
        told = whose.incident(
            IncidentKind.FAULT,
            fault.since,
            (fault.failure.code, fault.failure.message),
            f"{fault.failure.action} Then say that it works again: the song is made at once, not at the next try.",
            (f"/recovered {life.artist}", f"/pause {life.artist}", f"/artist {life.artist}"),
        )
        found.append(told.model_copy(update={"faults": fault.faults, "try_again_at": fault.try_again_at}))
    if life.state is LifeState.PAUSED and life.standing.awaits_provider:
        found.append(
            whose.incident(
                IncidentKind.PROVIDER,
                life.standing.since,
                ("artist.awaits_provider", f"paused until a provider has recovered: {life.standing.reason}"),
                "Say that it works again, or resume the artist, when it does.",
                (f"/recovered {life.artist}", f"/resume {life.artist}"),
            )
        )
    if life.parked and life.parked_since is not None and life.running is None:
        told = whose.incident(
            IncidentKind.BUDGET,
            life.parked_since,
            ("artist.budget_spent", "the budget of this period is spent: the next song waits for the next period"),
            f"Wait, or give a larger budget: POST /artists/{life.artist}/pacing.",
            (f"/artist {life.artist}",),
        )
        found.append(told.model_copy(update={"try_again_at": life.next_track_at}))
    return tuple(found)


def incidents_of_track(
    tenant: str, artist: str, name: str, progress: TrackProgress, now: datetime
) -> tuple[OpenIncident, ...]:
    """What somebody has to look at for a track to go on. ``now`` is since when, where it is new."""
    whose = _Whose(tenant, artist, name, progress.track_id)
    again = f"POST /tracks/{progress.track_id}/resume"
    if progress.state is TrackState.BLOCKED and progress.failures:
        failed = progress.failures[-1]
        what = (failed.failure.code, f"{failed.step}: {failed.failure.message}")
        action = f"{failed.failure.action} Then resume the track: {again}."
        return (whose.incident(IncidentKind.BLOCKED, now, what, action, (f"/artist {artist}",)),)
    if progress.state is TrackState.EXPIRED:
        what = ("approval.expired", "nobody answered the question about the song in time")
        return (whose.incident(IncidentKind.UNANSWERED, now, what, f"Have it asked again: {again}.", ("/queue",)),)
    return ()


@dataclass(frozen=True)
class _Whose:
    """Whose incidents they are, and what about."""

    tenant: str
    artist: str
    name: str
    subject: str = LIFE

    def incident(
        self, kind: IncidentKind, since: datetime, what: tuple[str, str], action: str, commands: tuple[str, ...]
    ) -> OpenIncident:
        code, message = what
        of = [self.tenant, self.artist, self.subject, kind.value, since.isoformat()]
        return OpenIncident(
            incident_id=canonical_sha256(of)[:16],
            tenant=self.tenant,
            artist=self.artist,
            name=self.name,
            kind=kind,
            subject=self.subject,
            since=since,
            code=code,
            message=message[:1_000],
            action=action[:500],
            commands=tuple(command[:120] for command in commands),
        )
