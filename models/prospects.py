"""The part of the database that songs are planned with: trends and experiments."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from models.errors import Conflict, UnknownReference
from models.experiments import ExperimentResult, Outcome, assigned, results
from models.growth import traits_of
from models.lifecycle import AUTOPILOT, Ending, LifePolicy, Run
from models.outlook import (
    TRENDS,
    Assignment,
    Experiment,
    ExperimentState,
    Outlook,
    OutlookQuery,
    Trend,
    assignment_key,
)
from models.performance import AudienceRow, summarised
from models.store import Store
from models.tables import Artist, AudienceFigures, ExperimentRecord, Track, TrendRecord
from models.track import TrackState

MOST_TRENDS = 500
"""Of a house; more are refused."""
COUNT = "count"
"""Who ended an experiment that has all its songs."""
_ENDINGS = {TrackState.RELEASED: Ending.APPROVED, TrackState.REJECTED: Ending.REJECTED}
_MIN_LISTENERS = LifePolicy().min_listeners


class Prospects(Store):
    """A store that also knows trends and experiments."""

    async def put_trend(self, tenant: str, trend: Trend) -> None:
        """Set a trend, or change it. Raises Conflict where there are too many."""
        kept = insert(TrendRecord).values(tenant=tenant, name=trend.name, trend=trend)
        kept = kept.on_conflict_do_update(
            index_elements=["tenant", "name"], set_={"trend": kept.excluded.trend, "updated_at": func.now()}
        )
        many = select(func.count()).select_from(TrendRecord).where(col(TrendRecord.tenant) == tenant)
        async with self._session() as session:
            await session.execute(kept)
            if ((await session.scalars(many)).one() or 0) > MOST_TRENDS:
                raise Conflict(
                    f"there are {MOST_TRENDS} trends already",
                    code="trend.too_many",
                    action="Delete those that are over: DELETE /trends/{name}.",
                )

    async def trends(self, tenant: str) -> Sequence[TrendRecord]:
        """Trends by name."""
        statement = select(TrendRecord).where(col(TrendRecord.tenant) == tenant).order_by(col(TrendRecord.name))
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    async def outlook(self, query: OutlookQuery) -> Outlook:
        """What there is for a song: the weightiest trends in force, the variant of an experiment that runs, what those
        that are over have found out. An experiment that has all its songs is ended by this."""
        in_force = [row.trend for row in await self.trends(query.tenant) if row.trend.holds(query.at)]
        mine = [row for row in await self.experiments(query.tenant) if _joins(row.experiment, query.artist)]
        findings = [
            row.result.finding
            for row in mine
            if row.state is ExperimentState.ENDED and row.result is not None and row.result.finding is not None
        ]
        return Outlook(
            trends=tuple(sorted(in_force, key=lambda trend: (-trend.weight, trend.name))[:TRENDS]),
            assignment=await self._assignment(query, mine),
            findings=tuple(findings[-5:]),
        )

    async def _assignment(self, query: OutlookQuery, mine: Sequence[ExperimentRecord]) -> Assignment | None:
        for row in mine:
            if row.state is ExperimentState.RUNNING:
                result = await self.experiment_result(query.tenant, row.experiment)
                if not result.complete:
                    return assigned(row.experiment, query.artist, query.number)
                await self.end_experiment(query.tenant, row.name, COUNT, result)
        return None

    async def add_experiment(self, tenant: str, experiment: Experiment) -> ExperimentRecord:
        """Begin an experiment. Raises Conflict where there is one of that name or one of its artists is in another,
        UnknownReference for an artist that does not exist."""
        async with self._session() as session:
            # Two that begin at once see each other: the second waits for the first.
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"experiments/{tenant}", 0))))
            for artist in experiment.artists:
                if await session.get(Artist, (tenant, artist)) is None:
                    raise UnknownReference(f"no artist is called {artist!r}", field="artists")
            running = select(ExperimentRecord).where(
                col(ExperimentRecord.tenant) == tenant, col(ExperimentRecord.state) == ExperimentState.RUNNING
            )
            for other in (await session.scalars(running)).all():
                if shared := _shared(experiment, other.experiment):
                    raise Conflict(
                        f"experiment {other.name} has {shared} already",
                        field="artists",
                        code="experiment.overlaps",
                        action="End that one (POST /experiments/{name}/end), or take other artists.",
                    )
            if await session.get(ExperimentRecord, (tenant, experiment.name)) is not None:
                raise Conflict(
                    f"there is an experiment called {experiment.name!r}",
                    field="name",
                    code="experiment.exists",
                    action="Choose another name: tracks are counted by it.",
                )
            row = ExperimentRecord(tenant=tenant, name=experiment.name, experiment=experiment)
            session.add(row)
            await session.flush()
            return row

    async def experiments(self, tenant: str) -> Sequence[ExperimentRecord]:
        """Experiments, in the order in which they began."""
        table = ExperimentRecord
        statement = select(table).where(col(table.tenant) == tenant).order_by(col(table.created_at), col(table.name))
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    async def end_experiment(self, tenant: str, name: str, ended_by: str, result: ExperimentResult) -> None:
        """End an experiment with what it says; the first ending stands."""
        await self._changed(
            update(ExperimentRecord)
            .where(
                col(ExperimentRecord.tenant) == tenant,
                col(ExperimentRecord.name) == name,
                col(ExperimentRecord.state) == ExperimentState.RUNNING,
            )
            .values(state=ExperimentState.ENDED, result=result, ended_by=ended_by, ended_at=func.now())
        )

    async def experiment_result(self, tenant: str, experiment: Experiment) -> ExperimentResult:
        """What its songs say by now."""
        names = {assignment_key(experiment.name, variant.name): variant.name for variant in experiment.variants}
        mine = select(Track).where(col(Track.tenant) == tenant, col(Track.variant).in_(names))
        figures = (
            select(col(AudienceFigures.artist), col(AudienceFigures.row))
            .join(
                Track,
                (col(Track.tenant) == col(AudienceFigures.tenant))
                & (col(Track.artist) == col(AudienceFigures.artist))
                & (col(Track.number) == col(AudienceFigures.number)),
            )
            .where(col(Track.tenant) == tenant, col(Track.variant).in_(names))
            .distinct()
        )
        async with self._session() as session:
            tracks = (await session.scalars(mine.order_by(col(Track.created_at), col(Track.id)))).all()
            told: dict[str, list[AudienceRow]] = {}
            for artist, row in (await session.execute(figures)).all():
                told.setdefault(artist, []).append(row)
        heard = {(artist, one.number): one for artist, rows in told.items() for one in summarised(rows)}
        songs = tuple(
            Outcome(variant=names[track.variant], run=_run(track), heard=heard.get((track.artist, track.number)))
            for track in tracks
            if track.state in _ENDINGS
        )
        under_way: dict[str, int] = {}
        for track in tracks:
            if not track.state.final:
                under_way[names[track.variant]] = under_way.get(names[track.variant], 0) + 1
        return results(experiment, songs, under_way, _MIN_LISTENERS, datetime.now(UTC))


def _run(track: Track) -> Run:
    verdicts = track.progress.verdicts if track.progress else ()
    request = track.request
    return Run(
        at=track.updated_at or datetime.now(UTC),
        number=track.number,
        ending=_ENDINGS[track.state],
        version=request.identity.version,
        trial=request.trial,
        by=verdicts[0].reviewer if verdicts else AUTOPILOT,
        traits=traits_of(request.song, request.identity.themes[0], request.variant),
    )


def _joins(experiment: Experiment, artist: str) -> bool:
    return not experiment.artists or artist in experiment.artists


def _shared(one: Experiment, other: Experiment) -> str:
    """Artists that are in both, in words; nothing where there are none."""
    if not one.artists or not other.artists:
        return "the whole roster" if not other.artists else ", ".join(other.artists[:5])
    return ", ".join(sorted(set(one.artists) & set(other.artists))[:5])
