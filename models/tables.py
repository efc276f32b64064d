"""The tables of the studio: one class per table, every rule the database itself can hold stated here.

Only the store, the migrations and the API import this module, so that no workflow or engine ever loads SQLAlchemy.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Text,
    func,
    text,
)
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel
from typing_extensions import override

from models.approval import Decision, Question, QuestionState, SegmentChange, Verdict
from models.artifacts import Artifact
from models.artist import ArtistLife, LifeEvent
from models.errors import FailureDetails
from models.experiments import ExperimentResult
from models.identity import Identity
from models.incidents import IncidentState, OpenIncident
from models.inspection import Findings
from models.lanes import Lane
from models.layout import PlateKind
from models.outlook import Experiment, ExperimentState, Trend
from models.performance import AudienceRow
from models.plan import Capability
from models.publication import PublicationState
from models.render import RenderProgress, RenderRequest, RenderState
from models.script import Pronunciation, ScriptAudience, Tone, Utterance
from models.song_stages import VoicePrint
from models.track import ReleaseRef, TrackProgress, TrackRequest, TrackState

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)
SLUG = "~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'"
SHA256 = "~ '^[0-9a-f]{64}$'"


class Argumentation(StrEnum):
    """How strongly a persona argues."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class RiskPosture(StrEnum):
    """How far a persona goes in what it promises."""

    CONSERVATIVE = "conservative"
    BALANCED = "balanced"
    BOLD = "bold"


class VoiceState(StrEnum):
    """Whether a voice can speak."""

    READY = "ready"
    ENROLLING = "enrolling"
    FAILED = "failed"


class AssetKind(StrEnum):
    """What an upload is, sniffed from its bytes."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


class AssetState(StrEnum):
    """Whether the media in an upload was decoded and found usable for anything."""

    UNCHECKED = "unchecked"
    READY = "ready"
    REJECTED = "rejected"


class AsJson(TypeDecorator[Any]):
    """A contract kept as JSONB and given back as the contract, validated."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def __init__(self, contract: Any) -> None:
        super().__init__()
        self.contract = contract
        self._adapter: TypeAdapter[Any] = TypeAdapter(contract)

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The contract as plain JSON data."""
        return None if value is None else self._adapter.dump_python(value, mode="json")

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """The contract again."""
        return None if value is None else self._adapter.validate_python(value)


def _contract(contract: Any, *, nullable: bool = False) -> Any:
    return Column(AsJson(contract), nullable=nullable)


def _choice(kind: type[StrEnum], name: str, *, nullable: bool = False, key: bool = False) -> Any:
    values = SqlEnum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=name,
        values_callable=lambda members: [member.value for member in members],
    )
    return Column(values, nullable=nullable, primary_key=key)


def _now() -> Any:
    return Column(DateTime(timezone=True), nullable=False, server_default=func.now())


def _moment() -> Any:
    return Column(DateTime(timezone=True), nullable=True)


def _check(name: str, rule: str) -> CheckConstraint:
    return CheckConstraint(rule, name=name)


def _tenant_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant"], ["tenant.id"])


def _within_tenant(column: str, table: str) -> ForeignKeyConstraint:
    """A reference that cannot leave its tenant: the tenant is part of the key."""
    return ForeignKeyConstraint(["tenant", column], [f"{table}.tenant", f"{table}.id"])


class Row(SQLModel):
    """The base of every table."""

    metadata = metadata


class Tenant(Row, table=True):
    """An organisation. Every other row belongs to one."""

    __tablename__ = "tenant"
    __table_args__ = (_check("id", f"id {SLUG}"),)

    id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    created_at: datetime | None = Field(default=None, sa_column=_now())


class Asset(Row, table=True):
    """An upload. The bytes are content-addressed: the same file twice is one row.

    ``dispatched_at`` is null until its inspection was started, so that a fault between the two is made good.
    """

    __tablename__ = "asset"
    __table_args__ = (
        _tenant_key(),
        Index(None, "tenant", "sha256", unique=True),
        Index(None, "tenant", "kind", "id"),
        _check("sha256", f"sha256 {SHA256}"),
        _check("uri", "uri LIKE 's3://%'"),
        _check("size", "size > 0"),
        _check("measures", "duration_ms >= 0 AND width > 0 AND height > 0"),
        Index("asset_uninspected_idx", "created_at", postgresql_where=text("dispatched_at IS NULL")),
        _check("failure", "(state = 'rejected') = (failure IS NOT NULL)"),
        _check("findings", "(state = 'ready') = (findings IS NOT NULL)"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    sha256: str = Field(sa_type=Text)
    uri: str = Field(sa_type=Text)
    kind: AssetKind = Field(sa_column=_choice(AssetKind, "kind"))
    media_type: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None
    filename: str = Field(default="", sa_type=Text)
    state: AssetState = Field(default=AssetState.UNCHECKED, sa_column=_choice(AssetState, "state"))
    failure: FailureDetails | None = Field(default=None, sa_column=_contract(FailureDetails, nullable=True))
    findings: Findings | None = Field(default=None, sa_column=_contract(Findings, nullable=True))
    created_by: str = Field(sa_type=Text)
    dispatched_at: datetime | None = Field(default=None, sa_column=_moment())
    created_at: datetime | None = Field(default=None, sa_column=_now())

    def artifact(self) -> Artifact:
        """The claim check for the bytes."""
        return Artifact(
            uri=self.uri,
            sha256=self.sha256,
            media_type=self.media_type,
            size=self.size,
            duration_ms=self.duration_ms,
        )


class Voice(Row, table=True):
    """A stock voice of an engine, or one enrolled from samples (``latents`` once it is ready)."""

    __tablename__ = "voice"
    __table_args__ = (
        _tenant_key(),
        _check("id", f"id {SLUG}"),
        _check("ready", "state <> 'ready' OR stock IS NOT NULL OR latents IS NOT NULL"),
        _check("source", "stock IS NULL OR jsonb_array_length(samples) = 0"),
        _check("failure", "(state = 'failed') = (failure IS NOT NULL)"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    engine: str = Field(sa_type=Text)
    stock: str | None = Field(default=None, sa_type=Text)
    samples: tuple[Artifact, ...] = Field(default=(), sa_column=_contract(tuple[Artifact, ...]))
    latents: Artifact | None = Field(default=None, sa_column=_contract(Artifact, nullable=True))
    language: str = Field(default="en", sa_type=Text)
    state: VoiceState = Field(default=VoiceState.READY, sa_column=_choice(VoiceState, "state"))
    failure: FailureDetails | None = Field(default=None, sa_column=_contract(FailureDetails, nullable=True))
    created_at: datetime | None = Field(default=None, sa_column=_now())
    updated_at: datetime | None = Field(default=None, sa_column=_now())


class BrandKit(Row, table=True):
    """Colours and logo."""

    __tablename__ = "brand"
    __table_args__ = (
        _tenant_key(),
        _within_tenant("logo_asset", "asset"),
        Index(None, "tenant", "logo_asset"),
        _check("id", f"id {SLUG}"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    primary: str = Field(sa_type=Text)
    accent: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    logo_asset: str | None = Field(default=None, sa_type=Text)
    created_at: datetime | None = Field(default=None, sa_column=_now())
    updated_at: datetime | None = Field(default=None, sa_column=_now())


class BackgroundPlate(Row, table=True):
    """A background. ``slides`` lists ``[asset id, first segment]``."""

    __tablename__ = "plate"
    __table_args__ = (
        _tenant_key(),
        _within_tenant("asset", "asset"),
        Index(None, "tenant", "asset"),
        _check("id", f"id {SLUG}"),
        _check("picture", "(kind IN ('image', 'video')) = (asset IS NOT NULL)"),
        _check("slides", "(kind = 'slides') = (jsonb_array_length(slides) > 0)"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    kind: PlateKind = Field(sa_column=_choice(PlateKind, "kind"))
    colour: str = Field(sa_type=Text)
    asset: str | None = Field(default=None, sa_type=Text)
    slides: tuple[tuple[str, int], ...] = Field(default=(), sa_column=_contract(tuple[tuple[str, int], ...]))
    created_at: datetime | None = Field(default=None, sa_column=_now())
    updated_at: datetime | None = Field(default=None, sa_column=_now())


class Persona(Row, table=True):
    """Who speaks, how, with which voice, and what they look like: a look of the presenter, or a photo."""

    __tablename__ = "persona"
    __table_args__ = (
        _tenant_key(),
        _within_tenant("voice", "voice"),
        _within_tenant("brand", "brand"),
        _within_tenant("photo_asset", "asset"),
        Index(None, "tenant", "voice"),
        Index(None, "tenant", "brand"),
        Index(None, "tenant", "photo_asset"),
        _check("id", f"id {SLUG}"),
        _check("subject", "(look IS NULL) <> (photo_asset IS NULL)"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    title: str = Field(default="", sa_type=Text)
    description: str = Field(default="", sa_type=Text)
    style: str = Field(default="", sa_type=Text)
    argumentation: Argumentation = Field(
        default=Argumentation.MEDIUM, sa_column=_choice(Argumentation, "argumentation")
    )
    risk_posture: RiskPosture = Field(default=RiskPosture.BALANCED, sa_column=_choice(RiskPosture, "risk_posture"))
    tone: Tone = Field(default=Tone.CONFIDENT, sa_column=_choice(Tone, "tone"))
    voice: str = Field(sa_type=Text)
    look: str | None = Field(default=None, sa_type=Text)
    photo_asset: str | None = Field(default=None, sa_type=Text)
    brand: str | None = Field(default=None, sa_type=Text)
    created_at: datetime | None = Field(default=None, sa_column=_now())
    updated_at: datetime | None = Field(default=None, sa_column=_now())


class Script(Row, table=True):
    """One version of a script. Saving again adds a version; the old ones stay, for the renders made from them."""

    __tablename__ = "script"
    __table_args__ = (
        _tenant_key(),
        _check("id", f"id {SLUG}"),
        _check("version", "version >= 1"),
        _check("source", "source <> ''"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True, sa_type=Integer)
    title: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    tone: Tone | None = Field(default=None, sa_column=_choice(Tone, "tone", nullable=True))
    audience: ScriptAudience = Field(sa_column=_choice(ScriptAudience, "audience"))
    pronunciations: tuple[Pronunciation, ...] = Field(default=(), sa_column=_contract(tuple[Pronunciation, ...]))
    saved_by: str = Field(sa_type=Text)
    created_at: datetime | None = Field(default=None, sa_column=_now())


class ScriptSegment(Row, table=True):
    """One sentence of a version of a script."""

    __tablename__ = "script_segment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "script", "version"], ["script.tenant", "script.id", "script.version"], ondelete="CASCADE"
        ),
        _check("place", '"index" >= 0 AND "index" < 400'),
        _check("offsets", "0 <= start_offset AND start_offset <= end_offset"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    script: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True, sa_type=Integer)
    index: int = Field(primary_key=True, sa_type=Integer)
    utterance: Utterance = Field(sa_column=_contract(Utterance))
    start_offset: int
    end_offset: int


class Render(Row, table=True):
    """A render as it was asked for, and the newest snapshot of where it stands.

    ``request`` holds persona, voice, brand and plate as they were, so the row outlives them and refers to none.
    ``dispatched_at`` is null until the workflow was started, so that a request survives a fault between the two.
    """

    __tablename__ = "render"
    __table_args__ = (
        _tenant_key(),
        ForeignKeyConstraint(["parent"], ["render.id"]),
        ForeignKeyConstraint(["tenant", "script", "script_version"], ["script.tenant", "script.id", "script.version"]),
        Index(None, "tenant", "script", "script_version"),
        Index(None, "tenant", "created_at", "id"),
        Index(None, "tenant", "state", "created_at"),
        Index(None, "tenant", "persona", "created_at"),
        Index(None, "parent"),
        Index("render_undispatched_idx", "created_at", postgresql_where=text("dispatched_at IS NULL")),
        _check("id", "id ~ '^[0-9a-z][0-9a-z-]{3,63}$'"),
        _check("sequence", "sequence >= 0"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    tenant: str = Field(sa_type=Text)
    persona: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    requested_by: str = Field(sa_type=Text)
    parent: str | None = Field(default=None, sa_type=Text)
    script: str | None = Field(default=None, sa_type=Text)
    script_version: int | None = None
    request: RenderRequest = Field(sa_column=_contract(RenderRequest))
    state: RenderState = Field(default=RenderState.QUEUED, sa_column=_choice(RenderState, "state"))
    progress: RenderProgress | None = Field(default=None, sa_column=_contract(RenderProgress, nullable=True))
    sequence: int = Field(default=0, sa_type=BigInteger)
    dispatched_at: datetime | None = Field(default=None, sa_column=_moment())
    created_at: datetime | None = Field(default=None, sa_column=_now())
    updated_at: datetime | None = Field(default=None, sa_column=_now())


class Artist(Row, table=True):
    """An artist as it is now: its identity, the print of its voice, and the newest snapshot of its life."""

    __tablename__ = "artist"
    __table_args__ = (
        _tenant_key(),
        Index(None, "tenant", "state"),
        _check("id", f"id {SLUG}"),
        _check("sequence", "sequence >= 0"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    state: str = Field(default="candidate", sa_type=Text)
    identity: Identity = Field(sa_column=_contract(Identity))
    voice_print: VoicePrint = Field(sa_column=_contract(VoicePrint))
    life: ArtistLife | None = Field(default=None, sa_column=_contract(ArtistLife, nullable=True))
    sequence: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime | None = Field(default=None, sa_column=_now())
    updated_at: datetime | None = Field(default=None, sa_column=_now())


class LifeEventRecord(Row, table=True):
    """A line of an artist's timeline; the tables keep them all."""

    __tablename__ = "life_event"
    __table_args__ = (_within_tenant("artist", "artist"), Index(None, "tenant", "artist", "at"))

    tenant: str = Field(primary_key=True, sa_type=Text)
    artist: str = Field(primary_key=True, sa_type=Text)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    event: LifeEvent = Field(sa_column=_contract(LifeEvent))


class Track(Row, table=True):
    """A track as it was asked for, and the newest snapshot of where it stands."""

    __tablename__ = "track"
    __table_args__ = (
        _tenant_key(),
        _within_tenant("artist", "artist"),
        # Not unique: a song that could not be made is tried again under its number.
        Index(None, "tenant", "artist", "number"),
        Index("track_variant_idx", "tenant", "variant", postgresql_where=text("variant <> ''")),
        Index(None, "tenant", "state", "created_at"),
        _check("id", "id ~ '^[0-9a-z][0-9a-z-]{3,63}$'"),
        _check("number", "number >= 1"),
        _check("sequence", "sequence >= 0"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    tenant: str = Field(sa_type=Text)
    artist: str = Field(sa_type=Text)
    number: int
    title: str = Field(default="", sa_type=Text)
    variant: str = Field(default="", sa_type=Text)
    request: TrackRequest = Field(sa_column=_contract(TrackRequest))
    state: TrackState = Field(default=TrackState.QUEUED, sa_column=_choice(TrackState, "state"))
    progress: TrackProgress | None = Field(default=None, sa_column=_contract(TrackProgress, nullable=True))
    sequence: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime | None = Field(default=None, sa_column=_now())
    updated_at: datetime | None = Field(default=None, sa_column=_now())


class Release(Row, table=True):
    """A release's identifiers, given once and never again, and, when it is whole, where its package lies."""

    __tablename__ = "release"
    __table_args__ = (
        ForeignKeyConstraint(["track_id"], ["track.id"]),
        Index(None, "isrc", unique=True),
        Index(None, "upc", unique=True),
        _check("isrc", "isrc ~ '^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$'"),
        _check("upc", "upc ~ '^[0-9]{12}$'"),
    )

    track_id: str = Field(primary_key=True, sa_type=Text)
    isrc: str = Field(sa_type=Text)
    upc: str = Field(sa_type=Text)
    package: ReleaseRef | None = Field(default=None, sa_column=_contract(ReleaseRef, nullable=True))
    created_at: datetime | None = Field(default=None, sa_column=_now())
    released_at: datetime | None = Field(default=None, sa_column=_moment())


class PublicationRecord(Row, table=True):
    """A release at one publisher, and the proof that it is there."""

    __tablename__ = "publication"
    __table_args__ = (
        ForeignKeyConstraint(["track_id"], ["track.id"]),
        _check("sha256", "sha256 ~ '^([0-9a-f]{64})?$'"),
        _check("proof", "state <> 'published' OR (external_id <> '' AND confirmed_at IS NOT NULL)"),
    )

    track_id: str = Field(primary_key=True, sa_type=Text)
    publisher: str = Field(primary_key=True, sa_type=Text)
    state: PublicationState = Field(sa_column=_choice(PublicationState, "state"))
    external_id: str = Field(default="", sa_type=Text)
    url: str = Field(default="", sa_type=Text)
    sha256: str = Field(default="", sa_type=Text)
    failure: FailureDetails | None = Field(default=None, sa_column=_contract(FailureDetails, nullable=True))
    retry_at: datetime | None = Field(default=None, sa_column=_moment())
    confirmed_at: datetime | None = Field(default=None, sa_column=_moment())
    withdrawn_at: datetime | None = Field(default=None, sa_column=_moment())
    created_at: datetime | None = Field(default=None, sa_column=_now())
    updated_at: datetime | None = Field(default=None, sa_column=_now())


class AudienceFigures(Row, table=True):
    """What a platform told about a day of a release; told again, the later telling stands."""

    __tablename__ = "audience"
    __table_args__ = (_within_tenant("artist", "artist"), _check("number", "number >= 1"))

    tenant: str = Field(primary_key=True, sa_type=Text)
    artist: str = Field(primary_key=True, sa_type=Text)
    number: int = Field(primary_key=True)
    platform: str = Field(primary_key=True, sa_type=Text)
    day: date = Field(sa_column=Column(Date, primary_key=True))
    told_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    row: AudienceRow = Field(sa_column=_contract(AudienceRow))


class CodeRange(Row, table=True):
    """The next free number of a range of identifiers, such as the ISRCs of a year."""

    __tablename__ = "code_range"
    __table_args__ = (_check("next", "next >= 0"),)

    name: str = Field(primary_key=True, sa_type=Text)
    next: int = Field(sa_type=BigInteger)


class TrendRecord(Row, table=True):
    """What the label says is in the air."""

    __tablename__ = "trend"
    __table_args__ = (_tenant_key(), _check("name", f"name {SLUG}"))

    tenant: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    trend: Trend = Field(sa_column=_contract(Trend))
    created_at: datetime | None = Field(default=None, sa_column=_now())
    updated_at: datetime | None = Field(default=None, sa_column=_now())


class ExperimentRecord(Row, table=True):
    """An experiment; when it has ended, by whom, and what it said then."""

    __tablename__ = "experiment"
    __table_args__ = (
        _tenant_key(),
        _check("name", f"name {SLUG}"),
        _check("ended", "(state = 'ended') = (result IS NOT NULL AND ended_at IS NOT NULL)"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    experiment: Experiment = Field(sa_column=_contract(Experiment))
    state: ExperimentState = Field(default=ExperimentState.RUNNING, sa_column=_choice(ExperimentState, "state"))
    result: ExperimentResult | None = Field(default=None, sa_column=_contract(ExperimentResult, nullable=True))
    ended_by: str = Field(default="", sa_type=Text)
    created_at: datetime | None = Field(default=None, sa_column=_now())
    ended_at: datetime | None = Field(default=None, sa_column=_moment())


class IncidentRecord(Row, table=True):
    """What keeps an artist from its songs, or kept it."""

    __tablename__ = "incident"
    __table_args__ = (
        _within_tenant("artist", "artist"),
        Index(None, "tenant", "state", "since"),
        Index(None, "tenant", "artist", "subject"),
        _check("closed", "(state = 'closed') = (closed_at IS NOT NULL)"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    artist: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    state: IncidentState = Field(default=IncidentState.OPEN, sa_column=_choice(IncidentState, "state"))
    since: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    incident: OpenIncident = Field(sa_column=_contract(OpenIncident))
    updated_at: datetime | None = Field(default=None, sa_column=_now())
    closed_at: datetime | None = Field(default=None, sa_column=_moment())


class IncidentMessage(Row, table=True):
    """A message about an incident that went out, so that it goes out once."""

    __tablename__ = "incident_message"
    __table_args__ = (_within_tenant("incident", "incident"),)

    tenant: str = Field(primary_key=True, sa_type=Text)
    incident: str = Field(primary_key=True, sa_type=Text)
    channel: str = Field(primary_key=True, sa_type=Text)
    message_id: str = Field(sa_type=Text)
    created_at: datetime | None = Field(default=None, sa_column=_now())


class StageRecord(Row, table=True):
    """The stage cache: a key being made (``owner``, ``lease_until``) or made (``result`` and its figures)."""

    __tablename__ = "stage_result"
    __table_args__ = (
        _check("key", f"key {SHA256}"),
        _check("lease", "(owner IS NULL) = (lease_until IS NULL)"),
        _check("finished", "(result IS NULL) = (finished_at IS NULL)"),
        _check("effort", "seconds >= 0 AND cpu_seconds >= 0 AND size >= 0"),
        Index("stage_result_finished_idx", "stage", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )

    key: str = Field(primary_key=True, sa_type=Text)
    stage: str = Field(sa_type=Text)
    engine: str = Field(sa_type=Text)
    version: str = Field(sa_type=Text)
    weights: str = Field(default="", sa_type=Text)
    owner: str | None = Field(default=None, sa_type=Text)
    lease_until: datetime | None = Field(default=None, sa_column=_moment())
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    seconds: float | None = Field(default=None, sa_type=Double)
    cpu_seconds: float | None = Field(default=None, sa_type=Double)
    size: int | None = Field(default=None, sa_type=BigInteger)
    device: str = Field(default="", sa_type=Text)
    created_at: datetime | None = Field(default=None, sa_column=_now())
    finished_at: datetime | None = Field(default=None, sa_column=_moment())


class ApprovalQuestion(Row, table=True):
    """A question put before reviewers, and how it ended."""

    __tablename__ = "question"
    __table_args__ = (
        ForeignKeyConstraint(["render_id"], ["render.id"]),
        ForeignKeyConstraint(["track_id"], ["track.id"]),
        Index(None, "render_id", "round"),
        Index(None, "track_id", "round"),
        Index("question_open_idx", "created_at", "id", postgresql_where=text("state = 'open'")),
        _check("round", "round >= 1"),
        _check("about", "num_nonnulls(render_id, track_id) = 1"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    render_id: str | None = Field(default=None, sa_type=Text)
    track_id: str | None = Field(default=None, sa_type=Text)
    round: int
    state: QuestionState = Field(default=QuestionState.OPEN, sa_column=_choice(QuestionState, "state"))
    question: Question = Field(sa_column=_contract(Question))
    created_at: datetime | None = Field(default=None, sa_column=_now())
    updated_at: datetime | None = Field(default=None, sa_column=_now())


class VerdictRecord(Row, table=True):
    """A verdict that counted. One for each reviewer of a question; ids are the senders' own, so unique per question."""

    __tablename__ = "verdict"
    __table_args__ = (
        ForeignKeyConstraint(["question_id"], ["question.id"]),
        Index(None, "question_id", "reviewer", unique=True),
        _check("sha256", f"sha256 {SHA256}"),
        _check("reason", "decision <> 'reject' OR reason <> ''"),
    )

    question_id: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    reviewer: str = Field(sa_type=Text)
    sha256: str = Field(sa_type=Text)
    decision: Decision = Field(sa_column=_choice(Decision, "decision"))
    reason: str = Field(default="", sa_type=Text)
    comment: str = Field(default="", sa_type=Text)
    changes: tuple[SegmentChange, ...] = Field(default=(), sa_column=_contract(tuple[SegmentChange, ...]))
    accepts_below_threshold: bool = False
    created_at: datetime | None = Field(default=None, sa_column=_now())

    def verdict(self) -> Verdict:
        """The contract again."""
        return Verdict(
            verdict_id=self.id,
            question_id=self.question_id,
            sha256=self.sha256,
            reviewer=self.reviewer,
            decision=self.decision,
            reason=self.reason,
            comment=self.comment,
            changes=self.changes,
            accepts_below_threshold=self.accepts_below_threshold,
        )


class Notice(Row, table=True):
    """A message that went out, by question and channel, so that it goes out once."""

    __tablename__ = "notice"
    __table_args__ = (ForeignKeyConstraint(["question_id"], ["question.id"]),)

    question_id: str = Field(primary_key=True, sa_type=Text)
    channel: str = Field(primary_key=True, sa_type=Text)
    message_id: str = Field(sa_type=Text)
    created_at: datetime | None = Field(default=None, sa_column=_now())


class ReviewerRecord(Row, table=True):
    """Somebody who may decide. A Telegram chat belongs to one reviewer only, or a press could not be attributed."""

    __tablename__ = "reviewer"
    __table_args__ = (
        _tenant_key(),
        Index(None, "telegram_chat", unique=True),
        _check("id", "id ~ '^[A-Za-z0-9._@:-]{1,80}$'"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    telegram_chat: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime | None = Field(default=None, sa_column=_now())


class EngineInstance(Row, table=True):
    """An engine that a worker announced, with the weights it really has."""

    __tablename__ = "engine_instance"
    __table_args__ = (
        Index(None, "capability", "name", "seen_at"),
        _check("weights", "weights = '' OR weights ~ '^[0-9a-f]{64}$'"),
    )

    worker: str = Field(primary_key=True, sa_type=Text)
    capability: Capability = Field(sa_column=_choice(Capability, "capability", key=True))
    name: str = Field(primary_key=True, sa_type=Text)
    version: str = Field(sa_type=Text)
    lane: Lane = Field(sa_column=_choice(Lane, "lane"))
    weights: str = Field(default="", sa_type=Text)
    seen_at: datetime | None = Field(default=None, sa_column=_now())


class IdempotencyKey(Row, table=True):
    """An Idempotency-Key that was used: the fingerprint of its body and the render it made."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        _tenant_key(),
        ForeignKeyConstraint(["render_id"], ["render.id"]),
        Index(None, "render_id"),
        _check("fingerprint", f"fingerprint {SHA256}"),
    )

    tenant: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    fingerprint: str = Field(sa_type=Text)
    render_id: str = Field(sa_type=Text)
    created_at: datetime | None = Field(default=None, sa_column=_now())
