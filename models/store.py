"""The database, as the studio speaks to it: the one place in ``models`` that does I/O.

Every method is one transaction. What several workers contend for (stage keys, projections, idempotency keys) is one
atomic statement on the database's clock, because workers' clocks differ. Faults come out as typed errors.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

import asyncpg
from sqlalchemy import Boolean, ColumnElement, Interval, and_, bindparam, func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB, distinct_on, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import defer
from sqlmodel import col

from models.approval import Decision, Question, QuestionState, Reviewer, Verdict, WorkKind
from models.errors import Conflict, InvalidInput, StorageFull, StorageUnavailable, StudioError, UnknownReference
from models.plan import Capability, EngineRef
from models.render import RenderProgress, RenderState
from models.stages import Claim
from models.tables import (
    ApprovalQuestion,
    Asset,
    AssetState,
    EngineInstance,
    IdempotencyKey,
    Notice,
    Render,
    ReviewerRecord,
    Row,
    Script,
    ScriptSegment,
    StageRecord,
    Tenant,
    Track,
    VerdictRecord,
    Voice,
    VoiceState,
)
from models.upkeep import AssetOutcome, VoiceOutcome

AnyRow = TypeVar("AnyRow", bound=Row)

_MADE_BY_DATABASE = frozenset({"created_at", "updated_at"})

# The second half reads the snapshot of the statement's start: a key finished in between shows as somebody else's, and
# the next claim finds it.
_CLAIM = (
    text(
        """
        WITH claimed AS (
            INSERT INTO stage_result AS held (key, stage, engine, version, weights, device, owner, lease_until)
            VALUES (:key, :stage, :engine, :version, :weights, '', :owner, clock_timestamp() + :lease)
            ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
            WHERE held.result IS NULL
              AND (held.owner IS NULL OR held.owner = excluded.owner OR held.lease_until < clock_timestamp())
            RETURNING key
        )
        SELECT NULL::jsonb AS result, true AS granted FROM claimed
        UNION ALL
        SELECT result, false FROM stage_result WHERE key = :key AND NOT EXISTS (SELECT FROM claimed)
        """
    )
    .bindparams(bindparam("lease", type_=Interval()))
    .columns(result=JSONB(), granted=Boolean())
)
_FINISH = (
    text(
        """
        UPDATE stage_result SET
            result = COALESCE(result, :result),
            finished_at = COALESCE(finished_at, clock_timestamp()),
            seconds = CASE WHEN result IS NULL THEN :seconds ELSE seconds END,
            cpu_seconds = CASE WHEN result IS NULL THEN :cpu_seconds ELSE cpu_seconds END,
            size = CASE WHEN result IS NULL THEN :size ELSE size END,
            device = CASE WHEN result IS NULL THEN :device ELSE device END,
            owner = NULL,
            lease_until = NULL
        WHERE key = :key
        RETURNING result
        """
    )
    .bindparams(bindparam("result", type_=JSONB()))
    .columns(result=JSONB())
)


class Store:
    """The studio's database. Connections are made when first needed, so it may be made while the server is down.

    Every method raises StorageUnavailable while the server is out of reach and StorageFull when its disk is full.
    Implements the Protocols of ``activities/support/ledger.py``.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    def connect(cls, url: str, *, pool_size: int = 5) -> Self:
        """A store on ``url`` (``postgresql://user:password@host:port/database``)."""
        return cls(
            create_async_engine(
                asyncpg_url(url),
                pool_size=pool_size,
                max_overflow=pool_size,
                pool_timeout=10,
                pool_pre_ping=True,
                connect_args={"timeout": 5, "command_timeout": 30},
            )
        )

    async def close(self) -> None:
        """Give all connections back."""
        await self._engine.dispose()

    async def check(self) -> None:
        """Ask the server for an answer. Raises StorageUnavailable when it gives none or the tables are not there."""
        async with self._session() as session:
            await session.scalars(select(col(Tenant.id)).limit(1))

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncSession]:
        try:
            async with AsyncSession(self._engine, expire_on_commit=False) as session:
                yield session
                await session.commit()
        except StudioError:
            raise
        except DBAPIError as error:
            raise _fault(error.orig or error) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, PoolTimeout, OSError) as error:
            raise _fault(error) from error

    # Stage cache

    async def claim_stage(self, key: str, stage: str, engine: EngineRef, owner: str, lease: timedelta) -> Claim:
        """The finished result, or a lease for ``owner``, or neither. Claiming again what one holds renews the lease."""
        parameters = {
            "key": key,
            "stage": stage,
            "engine": engine.name,
            "version": engine.version,
            "weights": engine.weights,
            "owner": owner,
            "lease": lease,
        }
        async with self._session() as session:
            answer = (await session.execute(_CLAIM, parameters)).one_or_none()
        return Claim(result=None, granted=False) if answer is None else Claim(answer.result, answer.granted)

    async def renew_stage(self, key: str, owner: str, lease: timedelta) -> bool:
        """Extend the lease; False when another owner has it or the key is finished."""
        statement = (
            update(StageRecord)
            .where(col(StageRecord.key) == key, col(StageRecord.owner) == owner, col(StageRecord.result).is_(None))
            .values(lease_until=func.clock_timestamp() + literal(lease, Interval()))
        )
        return await self._changed(statement)

    async def finish_stage(
        self,
        key: str,
        owner: str,
        result: dict[str, Any],
        *,
        seconds: float,
        cpu_seconds: float,
        size: int,
        device: str,
    ) -> dict[str, Any]:
        """Store ``result`` unless one stands already; the one that stands. Raises Conflict for a key never claimed."""
        parameters = {
            "key": key,
            "result": result,
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "size": size,
            "device": device,
        }
        async with self._session() as session:
            answer = (await session.execute(_FINISH, parameters)).one_or_none()
        if answer is None:
            raise Conflict(f"stage {key[:12]} was never claimed by {owner}", code="stage.unclaimed")
        stands: dict[str, Any] = answer.result
        return stands

    async def release_stage(self, key: str, owner: str) -> None:
        """Give the lease back, if ``owner`` still holds it."""
        await self._changed(
            update(StageRecord)
            .where(col(StageRecord.key) == key, col(StageRecord.owner) == owner)
            .values(owner=None, lease_until=None)
        )

    async def forget_stage(self, key: str) -> None:
        """Drop a finished result, so that the stage is made again."""
        await self._changed(
            update(StageRecord)
            .where(col(StageRecord.key) == key, col(StageRecord.finished_at).is_not(None))
            .values(result=None, finished_at=None, seconds=None, cpu_seconds=None, size=None, device="")
        )

    async def _changed(self, statement: Any) -> bool:
        async with self._session() as session:
            result: Any = await session.execute(statement)
            return bool(result.rowcount)

    # Renders

    async def add_render(self, render: Render, key: str, fingerprint: str) -> tuple[Render, bool]:
        """Keep a new render under its Idempotency-Key; the render that stands and whether it is this one.

        Raises Conflict when the key was used with another body.
        """
        values = {name: getattr(render, name) for name in Render.model_fields if name not in _MADE_BY_DATABASE}
        kept = insert(Render).values(values).on_conflict_do_nothing().returning(Render)
        used = insert(IdempotencyKey).values(
            tenant=render.tenant, key=key, fingerprint=fingerprint, render_id=render.id
        )
        async with self._session() as session:
            new = (await session.execute(kept)).scalar_one_or_none()
            if new is not None:
                result: Any = await session.execute(used.on_conflict_do_nothing())
                if result.rowcount:
                    return new, True
                await session.rollback()
            row = await self._render_of(session, render.tenant, key, fingerprint)
        if row is None:
            raise StorageUnavailable(f"the Idempotency-Key {key!r} vanished while it was read")
        return row, False

    async def render_of(self, tenant: str, key: str, fingerprint: str) -> Render | None:
        """The render that an Idempotency-Key made, if it was used. Raises Conflict for another body."""
        async with self._session() as session:
            return await self._render_of(session, tenant, key, fingerprint)

    async def _render_of(self, session: AsyncSession, tenant: str, key: str, fingerprint: str) -> Render | None:
        used = await session.get(IdempotencyKey, (tenant, key))
        if used is None:
            return None
        if used.fingerprint != fingerprint:
            raise Conflict(
                f"the Idempotency-Key {key!r} was used with another body",
                field="Idempotency-Key",
                code="idempotency.reused",
                action="Send the first body again to get its answer, or use a new key for a new request.",
            )
        return await session.get(Render, used.render_id)

    async def dispatched(self, render_id: str) -> None:
        """Remember that the render's workflow was started."""
        await self._changed(
            update(Render)
            .where(col(Render.id) == render_id, col(Render.dispatched_at).is_(None))
            .values(dispatched_at=func.now())
        )

    async def undispatched(self, older_than: timedelta, limit: int = 20) -> Sequence[Render]:
        """Renders kept but never started: whoever kept them died or lost sight of Temporal."""
        statement = (
            select(Render)
            .where(
                col(Render.dispatched_at).is_(None),
                col(Render.created_at) < func.now() - literal(older_than, Interval()),
            )
            .order_by(col(Render.created_at))
            .limit(limit)
        )
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    async def renders(
        self,
        tenant: str,
        *,
        state: RenderState | None = None,
        persona: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> Sequence[Render]:
        """Renders without their requests, newest first, from the one after ``before`` (its time and id) on."""
        rules: list[ColumnElement[bool]] = [col(Render.tenant) == tenant]
        if state is not None:
            rules.append(col(Render.state) == state)
        if persona is not None:
            rules.append(col(Render.persona) == persona)
        if before is not None:
            rules.append(tuple_(col(Render.created_at), col(Render.id)) < tuple_(*before))
        statement = (
            select(Render)
            .where(and_(*rules))
            .order_by(col(Render.created_at).desc(), col(Render.id).desc())
            .limit(limit)
            .options(defer(Render.request, raiseload=True))  # type: ignore[arg-type]
        )
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    async def project(self, progress: RenderProgress, sequence: int) -> None:
        """Store where a render stands, unless a newer snapshot is stored. Raises UnknownReference without a render."""
        newer = (
            update(Render)
            .where(col(Render.id) == progress.render_id, col(Render.sequence) < sequence)
            .values(progress=progress, state=progress.state, sequence=sequence, updated_at=func.now())
        )
        if not await self._changed(newer):
            await self.get(Render, progress.render_id)

    async def put_question(self, question: Question, state: QuestionState, verdicts: tuple[Verdict, ...]) -> None:
        """Store a question, its state and the verdicts so far. A question that has ended stays as it ended."""
        asked = insert(ApprovalQuestion).values(
            id=question.question_id,
            render_id=question.work_id if question.kind is WorkKind.RENDER else None,
            track_id=question.work_id if question.kind is WorkKind.TRACK else None,
            round=question.round,
            state=state,
            question=question,
        )
        asked = asked.on_conflict_do_update(
            index_elements=["id"],
            set_={"state": asked.excluded.state, "updated_at": func.now()},
            where=col(ApprovalQuestion.state) == QuestionState.OPEN,
        )
        async with self._session() as session:
            await session.execute(asked)
            for verdict in verdicts:
                await session.execute(insert(VerdictRecord).values(_verdict_values(verdict)).on_conflict_do_nothing())

    async def questions(
        self, tenant: str, *, state: QuestionState | None = QuestionState.OPEN, limit: int = 100
    ) -> Sequence[ApprovalQuestion]:
        """Questions of a tenant, newest first."""
        statement = (
            select(ApprovalQuestion)
            .outerjoin(Render, col(Render.id) == col(ApprovalQuestion.render_id))
            .outerjoin(Track, col(Track.id) == col(ApprovalQuestion.track_id))
            .where(func.coalesce(col(Render.tenant), col(Track.tenant)) == tenant)
            .order_by(col(ApprovalQuestion.created_at).desc(), col(ApprovalQuestion.id))
            .limit(limit)
        )
        if state is not None:
            statement = statement.where(col(ApprovalQuestion.state) == state)
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    async def verdicts(self, question_id: str) -> Sequence[VerdictRecord]:
        """The verdicts on a question, in order."""
        statement = (
            select(VerdictRecord)
            .where(col(VerdictRecord.question_id) == question_id)
            .order_by(col(VerdictRecord.created_at), col(VerdictRecord.id))
        )
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    async def changes(self, render_id: str) -> tuple[Verdict, ...]:
        """Every request for changes that a render was given, in the order in which it was revised."""
        statement = (
            select(VerdictRecord)
            .join(ApprovalQuestion, col(ApprovalQuestion.id) == col(VerdictRecord.question_id))
            .where(
                col(ApprovalQuestion.render_id) == render_id,
                col(ApprovalQuestion.state) == QuestionState.CHANGES,
                col(VerdictRecord.decision) == Decision.CHANGES,
            )
            .order_by(col(ApprovalQuestion.round))
        )
        async with self._session() as session:
            return tuple(row.verdict() for row in (await session.scalars(statement)).all())

    # Notices

    async def notice(self, question_id: str, channel: str) -> str | None:
        """The message that went out for that question on that channel."""
        async with self._session() as session:
            found = await session.get(Notice, (question_id, channel))
            return None if found is None else found.message_id

    async def put_notice(self, question_id: str, channel: str, message_id: str) -> None:
        """Remember a sent message; the first one stands."""
        sent = insert(Notice).values(question_id=question_id, channel=channel, message_id=message_id)
        async with self._session() as session:
            await session.execute(sent.on_conflict_do_nothing())

    # Voices

    async def settle_voice(self, outcome: VoiceOutcome) -> None:
        """How a voice's enrolment ended. A voice with other samples by now, or gone, is left alone."""
        settled = (
            update(Voice)
            .where(col(Voice.tenant) == outcome.tenant, col(Voice.id) == outcome.voice)
            .where(col(Voice.samples) == outcome.samples)
            .values(
                state=VoiceState.FAILED if outcome.failure else VoiceState.READY,
                latents=outcome.latents,
                failure=outcome.failure,
                updated_at=func.now(),
            )
        )
        async with self._session() as session:
            await session.execute(settled)

    # Uploads

    async def settle_asset(self, outcome: AssetOutcome) -> None:
        """How an upload's inspection ended; the first verdict stands."""
        found = outcome.findings
        values: dict[str, Any] = {"state": AssetState.REJECTED, "failure": outcome.failure}
        if found is not None:
            measures = {name: getattr(found, name) for name in ("width", "height", "duration_ms")}
            known = {name: value for name, value in measures.items() if value is not None}
            values = {"state": AssetState.READY, "findings": found, **known}
        await self._changed(
            update(Asset)
            .where(col(Asset.tenant) == outcome.tenant, col(Asset.id) == outcome.asset)
            .where(col(Asset.state) == AssetState.UNCHECKED)
            .values(values)
        )

    async def inspecting(self, tenant: str, asset: str) -> None:
        """Remember that an upload's inspection was started."""
        await self._changed(
            update(Asset)
            .where(col(Asset.tenant) == tenant, col(Asset.id) == asset, col(Asset.dispatched_at).is_(None))
            .values(dispatched_at=func.now())
        )

    async def uninspected(self, older_than: timedelta, limit: int = 20) -> Sequence[Asset]:
        """Uploads kept but whose inspection was never started: whoever kept them died or lost sight of Temporal."""
        statement = (
            select(Asset)
            .where(
                col(Asset.dispatched_at).is_(None),
                col(Asset.state) == AssetState.UNCHECKED,
                col(Asset.created_at) < func.now() - literal(older_than, Interval()),
            )
            .order_by(col(Asset.created_at))
            .limit(limit)
        )
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    # Engines

    async def announce(self, worker: str, engines: tuple[EngineRef, ...]) -> None:
        """Say that ``worker`` serves these engines with these weights, now."""
        async with self._session() as session:
            for engine in engines:
                served = insert(EngineInstance).values(
                    worker=worker,
                    capability=engine.capability,
                    name=engine.name,
                    version=engine.version,
                    lane=engine.lane,
                    weights=engine.weights,
                )
                known = {name: served.excluded[name] for name in ("version", "lane", "weights")}
                await session.execute(
                    served.on_conflict_do_update(
                        index_elements=["worker", "capability", "name"], set_={**known, "seen_at": func.now()}
                    )
                )

    async def weights(self) -> dict[tuple[Capability, str], str]:
        """The weights of every engine announced, by capability and name; the newest announcement counts."""
        statement = (
            select(EngineInstance).where(col(EngineInstance.weights) != "").order_by(col(EngineInstance.seen_at))
        )
        async with self._session() as session:
            served = (await session.scalars(statement)).all()
        return {(engine.capability, engine.name): engine.weights for engine in served}

    # Everything else: one row, or a page of rows

    async def find(self, table: type[AnyRow], *key: object) -> AnyRow | None:
        """The row with that primary key (in the table's order), or None."""
        async with self._session() as session:
            return await session.get(table, key)

    async def get(self, table: type[AnyRow], *key: object) -> AnyRow:
        """The row with that primary key. Raises UnknownReference."""
        found = await self.find(table, *key)
        if found is None:
            raise UnknownReference(f"no {table.__tablename__} is called {key[-1]!r}", field=str(table.__tablename__))
        return found

    async def add(self, row: AnyRow) -> AnyRow:
        """Insert a row. Raises Conflict when its key is taken, UnknownReference for a row it refers to in vain."""
        async with self._session() as session:
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return row

    async def put(self, row: AnyRow) -> AnyRow:
        """Insert a row, or replace all of it but its key and the time it was made."""
        table = type(row).__table__  # type: ignore[attr-defined]
        keys = [column.name for column in table.primary_key]
        values = {
            column.name: getattr(row, column.name) for column in table.columns if column.name not in _MADE_BY_DATABASE
        }
        upsert = insert(type(row)).values(values)
        changes: dict[str, Any] = {name: upsert.excluded[name] for name in values if name not in keys}
        if "updated_at" in table.columns:
            changes["updated_at"] = func.now()
        returning = upsert.on_conflict_do_update(index_elements=keys, set_=changes).returning(type(row))
        async with self._session() as session:
            stored: AnyRow = (await session.execute(returning)).scalar_one()
            return stored

    async def remove(self, row: Row) -> None:
        """Delete a row. Raises UnknownReference while others refer to it."""
        async with self._session() as session:
            await session.delete(row)

    async def page(self, table: type[AnyRow], tenant: str, *, after: str = "", limit: int = 50) -> Sequence[AnyRow]:
        """Rows of a tenant by id, from the one after ``after`` on."""
        columns = table.__table__.columns  # type: ignore[attr-defined]
        statement = (
            select(table).where(columns["tenant"] == tenant, columns["id"] > after).order_by(columns["id"]).limit(limit)
        )
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    async def ensure_tenant(self, tenant: str, name: str = "") -> None:
        """Have a tenant; twice is once."""
        async with self._session() as session:
            await session.execute(insert(Tenant).values(id=tenant, name=name or tenant).on_conflict_do_nothing())

    async def keep_asset(self, asset: Asset) -> tuple[Asset, bool]:
        """Keep an upload, or find the one of the same bytes; whether it is new."""
        values = asset.model_dump(exclude={"created_at"})
        async with self._session() as session:
            kept = insert(Asset).values(values).on_conflict_do_nothing(index_elements=["tenant", "sha256"])
            new = (await session.execute(kept.returning(Asset))).scalar_one_or_none()
            if new is not None:
                return new, True
            same = select(Asset).where(col(Asset.tenant) == asset.tenant, col(Asset.sha256) == asset.sha256)
            return (await session.scalars(same)).one(), False

    async def save_script(self, script: Script, segments: Sequence[ScriptSegment]) -> Script:
        """Store ``script`` as its next version, with its segments; ``version`` is set here."""
        async with self._session() as session:
            # Two people saving at once get two versions in a row: the second waits for the first.
            lock = func.pg_advisory_xact_lock(func.hashtextextended(f"script/{script.tenant}/{script.id}", 0))
            await session.execute(select(lock))
            newest = select(func.max(Script.version)).where(
                col(Script.tenant) == script.tenant, col(Script.id) == script.id
            )
            script.version = ((await session.scalars(newest)).one() or 0) + 1
            session.add(script)
            await session.flush()
            for segment in segments:
                segment.version = script.version
            session.add_all(segments)
            await session.flush()
            await session.refresh(script)
            return script

    async def script(self, tenant: str, script_id: str, version: int | None = None) -> Script:
        """A version of a script, the newest unless one is named. Raises UnknownReference."""
        statement = (
            select(Script)
            .where(col(Script.tenant) == tenant, col(Script.id) == script_id)
            .order_by(col(Script.version).desc())
            .limit(1)
        )
        if version is not None:
            statement = statement.where(col(Script.version) == version)
        async with self._session() as session:
            found = (await session.scalars(statement)).one_or_none()
        if found is None:
            wanted = f"{script_id!r}" if version is None else f"{script_id!r} in version {version}"
            raise UnknownReference(f"no script is called {wanted}", field="script")
        return found

    async def scripts(self, tenant: str, *, after: str = "", limit: int = 50) -> Sequence[Script]:
        """The newest version of each script, by id, from the one after ``after`` on."""
        statement = (
            select(Script)
            .ext(distinct_on(col(Script.id)))
            .where(col(Script.tenant) == tenant, col(Script.id) > after)
            .order_by(col(Script.id), col(Script.version).desc())
            .limit(limit)
        )
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    async def segments(self, script: Script) -> Sequence[ScriptSegment]:
        """The sentences of a version of a script, in order."""
        statement = (
            select(ScriptSegment)
            .where(
                col(ScriptSegment.tenant) == script.tenant,
                col(ScriptSegment.script) == script.id,
                col(ScriptSegment.version) == script.version,
            )
            .order_by(col(ScriptSegment.index))
        )
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    async def reviewers(self, tenant: str) -> tuple[Reviewer, ...]:
        """Everybody who may decide for a tenant."""
        rows = await self.page(ReviewerRecord, tenant, limit=20)
        return tuple(Reviewer(id=row.id, name=row.name, telegram_chat=row.telegram_chat) for row in rows)

    async def reviewer_in_chat(self, telegram_chat: int) -> ReviewerRecord | None:
        """Whose private chat that is, if a reviewer's."""
        statement = select(ReviewerRecord).where(col(ReviewerRecord.telegram_chat) == telegram_chat)
        async with self._session() as session:
            return (await session.scalars(statement)).one_or_none()


def asyncpg_url(url: str) -> str:
    """``url`` for SQLAlchemy on asyncpg, whichever way it names Postgres."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise InvalidInput("a database URL begins with postgresql://", field="DATABASE_URL", code="settings.invalid")
    return f"postgresql+asyncpg://{rest}"


def _verdict_values(verdict: Verdict) -> dict[str, Any]:
    return {
        "id": verdict.verdict_id,
        **{name: getattr(verdict, name) for name in type(verdict).model_fields if name != "verdict_id"},
    }


def _fault(error: BaseException) -> StudioError:
    """The typed error for what the driver said, by SQLSTATE class (PostgreSQL manual, appendix A)."""
    state = str(getattr(error, "sqlstate", None) or "")
    message = str(error).splitlines()[0] if str(error) else type(error).__name__
    if state == "53100":
        return StorageFull("the database has no space left")
    if state == "23505":
        return Conflict(f"it exists already: {_detail(error)}", code="state.exists")
    if state == "23503":
        return UnknownReference(f"it refers to what does not exist: {_detail(error)}")
    if state.startswith(("22", "23")):
        return InvalidInput(f"the database refuses the value: {message}")
    if state == "42P01":
        return StorageUnavailable(
            "the database has no tables",
            action="Run the migrations: python -m alembic -c deploy/migrations/alembic.ini upgrade head.",
        )
    if not state or state.startswith(("08", "40", "53", "57")):
        return StorageUnavailable(f"the database does not answer: {type(error).__name__}")
    return StudioError(f"the database refuses: {message}", code="storage.refused")


def _detail(error: BaseException) -> str:
    cause = error.__cause__ or error
    return str(getattr(cause, "detail", None) or cause)[:300]
