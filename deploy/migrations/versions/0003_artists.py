"""Artists, their tracks and releases; questions about tracks; engines that make music."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CAPABILITIES = ("speech", "alignment", "lipsync", "avatar", "compositing", "quality", "inspection")
MUSICAL = ("music", "analysis", "lyrics", "vocals", "mixing", "artwork", "musicvideo", "audition", "releases")
STATES = (
    *("queued", "making", "blocked", "checking", "awaiting_approval", "expired", "publishing"),
    *("released", "rejected", "cancelled", "failed", "lapsed"),
)


def _capabilities(names: tuple[str, ...]) -> None:
    op.drop_constraint("capability", "engine_instance", type_="check")
    listed = ", ".join(f"'{name}'" for name in names)
    op.create_check_constraint("capability", "engine_instance", f"capability IN ({listed})")


def _moment(name: str, *, now: bool = False) -> sa.Column[datetime]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def upgrade() -> None:
    op.create_table(
        "code_range",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("next >= 0", name=op.f("code_range_next_check")),
        sa.PrimaryKeyConstraint("name", name=op.f("code_range_pkey")),
    )
    op.create_table(
        "artist",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("identity", postgresql.JSONB(), nullable=False),
        sa.Column("voice_print", postgresql.JSONB(), nullable=False),
        sa.Column("life", postgresql.JSONB(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        _moment("created_at", now=True),
        _moment("updated_at", now=True),
        sa.CheckConstraint("id ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'", name=op.f("artist_id_check")),
        sa.CheckConstraint("sequence >= 0", name=op.f("artist_sequence_check")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("artist_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("artist_pkey")),
    )
    op.create_index(op.f("artist_tenant_state_idx"), "artist", ["tenant", "state"])
    op.create_table(
        "audience",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("artist", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("audience_number_check")),
        sa.ForeignKeyConstraint(
            ["tenant", "artist"], ["artist.tenant", "artist.id"], name=op.f("audience_tenant_artist_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant", "artist", "number", "platform", "day", name=op.f("audience_pkey")),
    )
    op.create_table(
        "life_event",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("artist", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "artist"], ["artist.tenant", "artist.id"], name=op.f("life_event_tenant_artist_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant", "artist", "number", name=op.f("life_event_pkey")),
    )
    op.create_index(op.f("life_event_tenant_artist_at_idx"), "life_event", ["tenant", "artist", "at"])
    op.create_table(
        "track",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("artist", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("request", postgresql.JSONB(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("progress", postgresql.JSONB(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        _moment("created_at", now=True),
        _moment("updated_at", now=True),
        sa.CheckConstraint("id ~ '^[0-9a-z][0-9a-z-]{3,63}$'", name=op.f("track_id_check")),
        sa.CheckConstraint("number >= 1", name=op.f("track_number_check")),
        sa.CheckConstraint("sequence >= 0", name=op.f("track_sequence_check")),
        sa.ForeignKeyConstraint(
            ["tenant", "artist"], ["artist.tenant", "artist.id"], name=op.f("track_tenant_artist_fkey")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("track_tenant_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("track_pkey")),
    )
    op.create_index(op.f("track_tenant_artist_number_idx"), "track", ["tenant", "artist", "number"], unique=True)
    op.create_index(op.f("track_tenant_state_created_at_idx"), "track", ["tenant", "state", "created_at"])
    op.create_table(
        "release",
        sa.Column("track_id", sa.Text(), nullable=False),
        sa.Column("isrc", sa.Text(), nullable=False),
        sa.Column("upc", sa.Text(), nullable=False),
        sa.Column("package", postgresql.JSONB(), nullable=True),
        _moment("created_at", now=True),
        _moment("released_at"),
        sa.CheckConstraint("isrc ~ '^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$'", name=op.f("release_isrc_check")),
        sa.CheckConstraint("upc ~ '^[0-9]{12}$'", name=op.f("release_upc_check")),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], name=op.f("release_track_id_fkey")),
        sa.PrimaryKeyConstraint("track_id", name=op.f("release_pkey")),
    )
    op.create_index(op.f("release_isrc_idx"), "release", ["isrc"], unique=True)
    op.create_index(op.f("release_upc_idx"), "release", ["upc"], unique=True)
    op.add_column("question", sa.Column("track_id", sa.Text(), nullable=True))
    op.alter_column("question", "render_id", nullable=True)
    op.create_foreign_key(op.f("question_track_id_fkey"), "question", "track", ["track_id"], ["id"])
    op.create_index(op.f("question_track_id_round_idx"), "question", ["track_id", "round"])
    op.create_check_constraint("about", "question", "num_nonnulls(render_id, track_id) = 1")
    op.execute(
        "UPDATE question SET question = (question - 'render_id')"
        " || jsonb_build_object('kind', 'render', 'work_id', render_id)"
    )
    op.execute(
        "UPDATE render SET progress = jsonb_set(progress, '{question}', ((progress->'question') - 'render_id')"
        " || jsonb_build_object('kind', 'render', 'work_id', id)) WHERE progress->'question' <> 'null'::jsonb"
    )
    _capabilities((*CAPABILITIES, *MUSICAL))


def downgrade() -> None:
    listed = ", ".join(f"'{name}'" for name in MUSICAL)
    op.execute(f"DELETE FROM engine_instance WHERE capability IN ({listed})")
    _capabilities(CAPABILITIES)
    tracks = "SELECT id FROM question WHERE track_id IS NOT NULL"
    op.execute(f"DELETE FROM notice WHERE question_id IN ({tracks})")
    op.execute(f"DELETE FROM verdict WHERE question_id IN ({tracks})")
    op.execute("DELETE FROM question WHERE track_id IS NOT NULL")
    op.execute(
        "UPDATE question SET question = (question - 'kind' - 'work_id' - 'audio' - 'parts')"
        " || jsonb_build_object('render_id', render_id)"
    )
    op.execute(
        "UPDATE render SET progress = jsonb_set(progress, '{question}', ((progress->'question') - 'kind' - 'work_id'"
        " - 'audio' - 'parts') || jsonb_build_object('render_id', id)) WHERE progress->'question' <> 'null'::jsonb"
    )
    op.drop_constraint("about", "question", type_="check")
    op.drop_index(op.f("question_track_id_round_idx"), table_name="question")
    op.drop_constraint(op.f("question_track_id_fkey"), "question", type_="foreignkey")
    op.alter_column("question", "render_id", nullable=False)
    op.drop_column("question", "track_id")
    op.drop_table("release")
    op.drop_table("track")
    op.drop_table("audience")
    op.drop_table("life_event")
    op.drop_table("artist")
    op.drop_table("code_range")
