"""Incidents: what keeps artists from their songs, and what to do about it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict

from api.auth import Viewer
from api.common import Limit, Page
from api.problems import responses
from api.services import Studio
from models.base import Contract, Slug
from models.incidents import IncidentState, OpenIncident

router = APIRouter(prefix="/incidents", tags=["incidents"], responses=responses(401, 403, 422, 503))

EXAMPLE: dict[str, Any] = {
    "incident": {
        "incident_id": "5f2c9e0b7a1d4c33",
        "tenant": "house",
        "artist": "vela-noor",
        "name": "Vela Noor",
        "kind": "fault",
        "subject": "life",
        "since": "2026-11-22T10:00:00Z",
        "faults": 3,
        "code": "provider.fault",
        "message": "the provider of music is away",
        "action": "Look at the provider's status page.",
        "commands": ["/recovered vela-noor", "/pause vela-noor"],
        "try_again_at": "2026-11-22T14:00:00Z",
    },
    "state": "open",
    "closed_at": None,
}


class IncidentView(Contract):
    """An incident: whose, since when, what failed, what to do, and the commands that help."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    incident: OpenIncident
    state: IncidentState
    closed_at: datetime | None


@router.get("")
async def list_incidents(
    caller: Viewer,
    studio: Studio,
    state: Annotated[IncidentState | None, Query(description="Only those in this state.")] = None,
    artist: Annotated[Slug | None, Query(description="Only those of this artist.")] = None,
    limit: Limit = 50,
) -> Page[IncidentView]:
    """Incidents: those that are open first, the latest before the earlier."""
    rows = await studio.store.incidents(caller.tenant, state=state, artist=artist, limit=limit)
    return Page(
        items=tuple(IncidentView(incident=row.incident, state=row.state, closed_at=row.closed_at) for row in rows)
    )
