"""What decoding an upload found; engines that inspect."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CAPABILITIES = ("speech", "alignment", "lipsync", "avatar", "compositing", "quality")


def _capabilities(names: tuple[str, ...]) -> None:
    op.drop_constraint("capability", "engine_instance", type_="check")
    listed = ", ".join(f"'{name}'" for name in names)
    op.create_check_constraint("capability", "engine_instance", f"capability IN ({listed})")


def upgrade() -> None:
    op.add_column("asset", sa.Column("findings", postgresql.JSONB(), nullable=True))
    op.add_column("asset", sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "asset_uninspected_idx",
        "asset",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("dispatched_at IS NULL"),
    )
    # Nothing settled an upload before this revision.
    op.execute("UPDATE asset SET state = 'unchecked', failure = NULL")
    op.create_check_constraint("findings", "asset", "(state = 'ready') = (findings IS NOT NULL)")
    _capabilities((*CAPABILITIES, "inspection"))


def downgrade() -> None:
    op.execute("DELETE FROM engine_instance WHERE capability = 'inspection'")
    _capabilities(CAPABILITIES)
    op.drop_constraint("findings", "asset", type_="check")
    op.execute("UPDATE asset SET state = 'unchecked', failure = NULL")
    op.drop_index("asset_uninspected_idx", table_name="asset", postgresql_where=sa.text("dispatched_at IS NULL"))
    op.drop_column("asset", "dispatched_at")
    op.drop_column("asset", "findings")
