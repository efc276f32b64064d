"""Experiments: variants of how songs are made, tried side by side, and what decisions and audience say of them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict

from api.auth import Producer, Viewer
from api.common import Page
from api.problems import responses
from api.services import Services, Studio
from models.base import Contract, Slug
from models.errors import Conflict, InvalidInput, UnknownReference
from models.experiments import ExperimentResult
from models.outlook import Experiment, ExperimentBody, ExperimentState
from models.tables import ExperimentRecord

router = APIRouter(prefix="/experiments", tags=["experiments"], responses=responses(401, 403, 422, 503))

EXAMPLE: dict[str, Any] = {
    "name": "faster-spring",
    "artists": ["vela-noor"],
    "hypothesis": "Faster songs are approved more often.",
    "variants": [{"name": "as-ever"}, {"name": "faster", "change": "faster"}],
    "tracks_per_variant": 12,
}


class NewExperiment(ExperimentBody):
    """An experiment as it is begun. The first variant is what the others are compared with."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})


class ExperimentView(Contract):
    """An experiment and what its songs say by now, or said when it ended."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"experiment": {**EXAMPLE, "created_by": "priya"}, "state": "running", "result": None}]
        }
    )

    experiment: Experiment
    state: ExperimentState
    result: ExperimentResult
    began_at: datetime | None
    ended_at: datetime | None
    ended_by: str
    """A person, or ``count``."""


class ExperimentSummary(Contract):
    """An experiment in a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "faster-spring", "state": "running"}]})

    name: str
    hypothesis: str
    state: ExperimentState
    conclusion: str
    """Empty while it runs."""
    began_at: datetime | None


@router.post("", status_code=201, responses=responses(404, 409))
async def begin_experiment(body: NewExperiment, caller: Producer, studio: Studio) -> ExperimentView:
    """Begin an experiment: the next songs of its artists, or of the whole roster without any, are made by its variants
    in balanced blocks. It ends when every variant has its songs, or when a person ends it."""
    if len(set(body.artists)) < len(body.artists):
        raise InvalidInput("an artist is named twice", field="artists", code="experiment.artists")
    await studio.admit(caller.tenant)
    experiment = Experiment(created_by=caller.subject, **body.model_dump())
    return await _view(studio, await studio.store.add_experiment(caller.tenant, experiment))


@router.get("")
async def list_experiments(
    caller: Viewer,
    studio: Studio,
    state: Annotated[ExperimentState | None, Query(description="Only those in this state.")] = None,
) -> Page[ExperimentSummary]:
    """Experiments, in the order in which they began."""
    rows = await studio.store.experiments(caller.tenant)
    items = tuple(
        ExperimentSummary(
            name=row.name,
            hypothesis=row.experiment.hypothesis,
            state=row.state,
            conclusion=row.result.conclusion if row.result else "",
            began_at=row.created_at,
        )
        for row in rows
        if state is None or row.state is state
    )
    return Page(items=items)


@router.get("/{name}", responses=responses(404))
async def get_experiment(name: Slug, caller: Viewer, studio: Studio) -> ExperimentView:
    """What is known of each variant: approval, audience and how sure that is."""
    return await _view(studio, await _known(studio, caller.tenant, name))


@router.post("/{name}/end", responses=responses(404, 409))
async def end_experiment(name: Slug, caller: Producer, studio: Studio) -> ExperimentView:
    """End an experiment with what it says by now. What it has found out, evolution may take up."""
    row = await _known(studio, caller.tenant, name)
    if row.state is ExperimentState.ENDED:
        raise Conflict(f"experiment {name!r} has ended already", field="name", code="experiment.ended")
    result = await studio.store.experiment_result(caller.tenant, row.experiment)
    await studio.store.end_experiment(caller.tenant, name, caller.subject, result)
    return await _view(studio, await _known(studio, caller.tenant, name))


async def _view(studio: Services, row: ExperimentRecord) -> ExperimentView:
    return ExperimentView(
        experiment=row.experiment,
        state=row.state,
        result=row.result or await studio.store.experiment_result(row.tenant, row.experiment),
        began_at=row.created_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )


async def _known(studio: Services, tenant: str, name: str) -> ExperimentRecord:
    row = await studio.store.find(ExperimentRecord, tenant, name)
    if row is None:
        raise UnknownReference(f"no experiment is called {name!r}", field="name")
    return row
