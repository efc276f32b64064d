"""Where releases are published: one row for each place, with its proof."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATES = ("publishing", "blocked", "published", "skipped", "failed", "withdrawing", "withdrawn")


def upgrade() -> None:
    op.create_table(
        "publication",
        sa.Column("track_id", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("failure", postgresql.JSONB(), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("sha256 ~ '^([0-9a-f]{64})?$'", name=op.f("publication_sha256_check")),
        sa.CheckConstraint(
            "state <> 'published' OR (external_id <> '' AND confirmed_at IS NOT NULL)",
            name=op.f("publication_proof_check"),
        ),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], name=op.f("publication_track_id_fkey")),
        sa.PrimaryKeyConstraint("track_id", "publisher", name=op.f("publication_pkey")),
    )


def downgrade() -> None:
    op.drop_table("publication")
