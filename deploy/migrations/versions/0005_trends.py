"""Trends, experiments, incidents; songs that are tried again under their number; engines that find footage."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CAPABILITIES = (
    *("speech", "alignment", "lipsync", "avatar", "compositing", "quality", "inspection"),
    *("music", "analysis", "lyrics", "vocals", "mixing", "artwork", "musicvideo", "audition", "releases"),
)
SLUG = "~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'"


def _capabilities(names: tuple[str, ...]) -> None:
    op.drop_constraint("capability", "engine_instance", type_="check")
    listed = ", ".join(f"'{name}'" for name in names)
    op.create_check_constraint("capability", "engine_instance", f"capability IN ({listed})")


def _moment(name: str, *, now: bool = False, nullable: bool = True) -> sa.Column[datetime]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable and not now)


def _state(*values: str) -> sa.Column[str]:
    kind = sa.Enum(*values, name="state", native_enum=False, create_constraint=True, length=32)
    return sa.Column("state", kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "trend",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trend", postgresql.JSONB(), nullable=False),
        _moment("created_at", now=True),
        _moment("updated_at", now=True),
        sa.CheckConstraint(f"name {SLUG}", name=op.f("trend_name_check")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("trend_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("trend_pkey")),
    )
    op.create_table(
        "experiment",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("experiment", postgresql.JSONB(), nullable=False),
        _state("running", "ended"),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        _moment("ended_at"),
        sa.CheckConstraint(f"name {SLUG}", name=op.f("experiment_name_check")),
        sa.CheckConstraint(
            "(state = 'ended') = (result IS NOT NULL AND ended_at IS NOT NULL)", name=op.f("experiment_ended_check")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("experiment_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("experiment_pkey")),
    )
    op.create_table(
        "incident",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("artist", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        _state("open", "closed"),
        _moment("since", nullable=False),
        sa.Column("incident", postgresql.JSONB(), nullable=False),
        _moment("updated_at", now=True),
        _moment("closed_at"),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("incident_closed_check")),
        sa.ForeignKeyConstraint(
            ["tenant", "artist"], ["artist.tenant", "artist.id"], name=op.f("incident_tenant_artist_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("incident_pkey")),
    )
    op.create_index(op.f("incident_tenant_state_since_idx"), "incident", ["tenant", "state", "since"])
    op.create_index(op.f("incident_tenant_artist_subject_idx"), "incident", ["tenant", "artist", "subject"])
    op.create_table(
        "incident_message",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        sa.ForeignKeyConstraint(
            ["tenant", "incident"],
            ["incident.tenant", "incident.id"],
            name=op.f("incident_message_tenant_incident_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant", "incident", "channel", name=op.f("incident_message_pkey")),
    )
    op.drop_index(op.f("track_tenant_artist_number_idx"), table_name="track")
    op.create_index(op.f("track_tenant_artist_number_idx"), "track", ["tenant", "artist", "number"])
    op.add_column("track", sa.Column("variant", sa.Text(), server_default="", nullable=False))
    op.alter_column("track", "variant", server_default=None)
    varied = sa.text("variant <> ''")
    op.create_index("track_variant_idx", "track", ["tenant", "variant"], postgresql_where=varied)
    _capabilities((*CAPABILITIES, "footage"))


def downgrade() -> None:
    op.execute("DELETE FROM engine_instance WHERE capability = 'footage'")
    _capabilities(CAPABILITIES)
    op.drop_index("track_variant_idx", table_name="track")
    op.drop_column("track", "variant")
    op.drop_index(op.f("track_tenant_artist_number_idx"), table_name="track")
    # Only the latest try of a number can stay where numbers are unique; what hangs on an earlier one has no release.
    earlier = (
        "SELECT older.id FROM track older JOIN track newer USING (tenant, artist, number)"
        " WHERE (older.created_at, older.id) < (newer.created_at, newer.id)"
    )
    questions = f"SELECT id FROM question WHERE track_id IN ({earlier})"
    op.execute(f"DELETE FROM notice WHERE question_id IN ({questions})")
    op.execute(f"DELETE FROM verdict WHERE question_id IN ({questions})")
    op.execute(f"DELETE FROM question WHERE track_id IN ({earlier})")
    op.execute(f"DELETE FROM publication WHERE track_id IN ({earlier})")
    op.execute(f"DELETE FROM release WHERE track_id IN ({earlier})")
    op.execute(f"DELETE FROM track WHERE id IN ({earlier})")
    op.create_index(op.f("track_tenant_artist_number_idx"), "track", ["tenant", "artist", "number"], unique=True)
    op.drop_table("incident_message")
    op.drop_table("incident")
    op.drop_table("experiment")
    op.drop_table("trend")
