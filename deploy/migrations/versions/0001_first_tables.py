"""The first tables: people, voices, scripts, renders and what decides them, the stage cache."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "engine_instance",
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column(
            "capability",
            sa.Enum(
                "speech",
                "alignment",
                "lipsync",
                "avatar",
                "compositing",
                "quality",
                name="capability",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column(
            "lane",
            sa.Enum("studio", "cpu", "gpu", "io", name="lane", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("weights", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("weights = '' OR weights ~ '^[0-9a-f]{64}$'", name=op.f("engine_instance_weights_check")),
        sa.PrimaryKeyConstraint("worker", "capability", "name", name=op.f("engine_instance_pkey")),
    )
    op.create_index(
        op.f("engine_instance_capability_name_seen_at_idx"),
        "engine_instance",
        ["capability", "name", "seen_at"],
        unique=False,
    )
    op.create_table(
        "stage_result",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("weights", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("cpu_seconds", sa.Double(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("key ~ '^[0-9a-f]{64}$'", name=op.f("stage_result_key_check")),
        sa.CheckConstraint("(owner IS NULL) = (lease_until IS NULL)", name=op.f("stage_result_lease_check")),
        sa.CheckConstraint("(result IS NULL) = (finished_at IS NULL)", name=op.f("stage_result_finished_check")),
        sa.CheckConstraint("seconds >= 0 AND cpu_seconds >= 0 AND size >= 0", name=op.f("stage_result_effort_check")),
        sa.PrimaryKeyConstraint("key", name=op.f("stage_result_pkey")),
    )
    op.create_index(
        "stage_result_finished_idx",
        "stage_result",
        ["stage", "finished_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'", name=op.f("tenant_id_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("tenant_pkey")),
    )
    op.create_table(
        "asset",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "image", "video", "audio", "document", name="kind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "unchecked", "ready", "rejected", name="state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("failure", postgresql.JSONB(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(state = 'rejected') = (failure IS NOT NULL)", name=op.f("asset_failure_check")),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("asset_sha256_check")),
        sa.CheckConstraint("uri LIKE 's3://%'", name=op.f("asset_uri_check")),
        sa.CheckConstraint("duration_ms >= 0 AND width > 0 AND height > 0", name=op.f("asset_measures_check")),
        sa.CheckConstraint("size > 0", name=op.f("asset_size_check")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("asset_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("asset_pkey")),
    )
    op.create_index(op.f("asset_tenant_kind_id_idx"), "asset", ["tenant", "kind", "id"], unique=False)
    op.create_index(op.f("asset_tenant_sha256_idx"), "asset", ["tenant", "sha256"], unique=True)
    op.create_table(
        "reviewer",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("telegram_chat", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id ~ '^[A-Za-z0-9._@:-]{1,80}$'", name=op.f("reviewer_id_check")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("reviewer_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("reviewer_pkey")),
    )
    op.create_index(op.f("reviewer_telegram_chat_idx"), "reviewer", ["telegram_chat"], unique=True)
    op.create_table(
        "script",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column(
            "tone",
            sa.Enum(
                "confident", "analytical", "cautious", name="tone", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column(
            "audience",
            sa.Enum(
                "board", "employees", "public", name="audience", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("pronunciations", postgresql.JSONB(), nullable=False),
        sa.Column("saved_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'", name=op.f("script_id_check")),
        sa.CheckConstraint("source <> ''", name=op.f("script_source_check")),
        sa.CheckConstraint("version >= 1", name=op.f("script_version_check")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("script_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "id", "version", name=op.f("script_pkey")),
    )
    op.create_table(
        "voice",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("stock", sa.Text(), nullable=True),
        sa.Column("samples", postgresql.JSONB(), nullable=False),
        sa.Column("latents", postgresql.JSONB(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("ready", "enrolling", "failed", name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("failure", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name=op.f("voice_failure_check")),
        sa.CheckConstraint("id ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'", name=op.f("voice_id_check")),
        sa.CheckConstraint(
            "state <> 'ready' OR stock IS NOT NULL OR latents IS NOT NULL", name=op.f("voice_ready_check")
        ),
        sa.CheckConstraint("stock IS NULL OR jsonb_array_length(samples) = 0", name=op.f("voice_source_check")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("voice_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("voice_pkey")),
    )
    op.create_table(
        "brand",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("primary", sa.Text(), nullable=False),
        sa.Column("accent", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("logo_asset", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'", name=op.f("brand_id_check")),
        sa.ForeignKeyConstraint(
            ["tenant", "logo_asset"], ["asset.tenant", "asset.id"], name=op.f("brand_tenant_logo_asset_fkey")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("brand_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("brand_pkey")),
    )
    op.create_index(op.f("brand_tenant_logo_asset_idx"), "brand", ["tenant", "logo_asset"], unique=False)
    op.create_table(
        "plate",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "colour", "image", "video", "slides", name="kind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=True),
        sa.Column("slides", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(kind = 'slides') = (jsonb_array_length(slides) > 0)", name=op.f("plate_slides_check")),
        sa.CheckConstraint("(kind IN ('image', 'video')) = (asset IS NOT NULL)", name=op.f("plate_picture_check")),
        sa.CheckConstraint("id ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'", name=op.f("plate_id_check")),
        sa.ForeignKeyConstraint(
            ["tenant", "asset"], ["asset.tenant", "asset.id"], name=op.f("plate_tenant_asset_fkey")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("plate_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("plate_pkey")),
    )
    op.create_index(op.f("plate_tenant_asset_idx"), "plate", ["tenant", "asset"], unique=False)
    op.create_table(
        "render",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("persona", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("script", sa.Text(), nullable=True),
        sa.Column("script_version", sa.Integer(), nullable=True),
        sa.Column("request", postgresql.JSONB(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "rendering",
                "blocked",
                "checking",
                "awaiting_approval",
                "expired",
                "complete",
                "rejected",
                "cancelled",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("progress", postgresql.JSONB(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id ~ '^[0-9a-z][0-9a-z-]{3,63}$'", name=op.f("render_id_check")),
        sa.CheckConstraint("sequence >= 0", name=op.f("render_sequence_check")),
        sa.ForeignKeyConstraint(["parent"], ["render.id"], name=op.f("render_parent_fkey")),
        sa.ForeignKeyConstraint(
            ["tenant", "script", "script_version"],
            ["script.tenant", "script.id", "script.version"],
            name=op.f("render_tenant_script_script_version_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("render_tenant_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("render_pkey")),
    )
    op.create_index(op.f("render_parent_idx"), "render", ["parent"], unique=False)
    op.create_index(op.f("render_tenant_created_at_id_idx"), "render", ["tenant", "created_at", "id"], unique=False)
    op.create_index(
        op.f("render_tenant_persona_created_at_idx"), "render", ["tenant", "persona", "created_at"], unique=False
    )
    op.create_index(
        op.f("render_tenant_script_script_version_idx"), "render", ["tenant", "script", "script_version"], unique=False
    )
    op.create_index(
        op.f("render_tenant_state_created_at_idx"), "render", ["tenant", "state", "created_at"], unique=False
    )
    op.create_index(
        "render_undispatched_idx",
        "render",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("dispatched_at IS NULL"),
    )
    op.create_table(
        "script_segment",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("utterance", postgresql.JSONB(), nullable=False),
        sa.Column("start_offset", sa.Integer(), nullable=False),
        sa.Column("end_offset", sa.Integer(), nullable=False),
        sa.CheckConstraint('"index" >= 0 AND "index" < 400', name=op.f("script_segment_place_check")),
        sa.CheckConstraint(
            "0 <= start_offset AND start_offset <= end_offset", name=op.f("script_segment_offsets_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "script", "version"],
            ["script.tenant", "script.id", "script.version"],
            name=op.f("script_segment_tenant_script_version_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant", "script", "version", "index", name=op.f("script_segment_pkey")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("render_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("fingerprint ~ '^[0-9a-f]{64}$'", name=op.f("idempotency_key_fingerprint_check")),
        sa.ForeignKeyConstraint(["render_id"], ["render.id"], name=op.f("idempotency_key_render_id_fkey")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("idempotency_key_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "key", name=op.f("idempotency_key_pkey")),
    )
    op.create_index(op.f("idempotency_key_render_id_idx"), "idempotency_key", ["render_id"], unique=False)
    op.create_table(
        "persona",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("style", sa.Text(), nullable=False),
        sa.Column(
            "argumentation",
            sa.Enum(
                "low", "medium", "high", name="argumentation", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "risk_posture",
            sa.Enum(
                "conservative",
                "balanced",
                "bold",
                name="risk_posture",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "tone",
            sa.Enum(
                "confident", "analytical", "cautious", name="tone", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("voice", sa.Text(), nullable=False),
        sa.Column("look", sa.Text(), nullable=True),
        sa.Column("photo_asset", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'", name=op.f("persona_id_check")),
        sa.CheckConstraint("(look IS NULL) <> (photo_asset IS NULL)", name=op.f("persona_subject_check")),
        sa.ForeignKeyConstraint(
            ["tenant", "brand"], ["brand.tenant", "brand.id"], name=op.f("persona_tenant_brand_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "photo_asset"], ["asset.tenant", "asset.id"], name=op.f("persona_tenant_photo_asset_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "voice"], ["voice.tenant", "voice.id"], name=op.f("persona_tenant_voice_fkey")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name=op.f("persona_tenant_fkey")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("persona_pkey")),
    )
    op.create_index(op.f("persona_tenant_brand_idx"), "persona", ["tenant", "brand"], unique=False)
    op.create_index(op.f("persona_tenant_photo_asset_idx"), "persona", ["tenant", "photo_asset"], unique=False)
    op.create_index(op.f("persona_tenant_voice_idx"), "persona", ["tenant", "voice"], unique=False)
    op.create_table(
        "question",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("render_id", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "approved",
                "rejected",
                "changes",
                "expired",
                "withdrawn",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("question", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("round >= 1", name=op.f("question_round_check")),
        sa.ForeignKeyConstraint(["render_id"], ["render.id"], name=op.f("question_render_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("question_pkey")),
    )
    op.create_index(
        "question_open_idx", "question", ["created_at", "id"], unique=False, postgresql_where=sa.text("state = 'open'")
    )
    op.create_index(op.f("question_render_id_round_idx"), "question", ["render_id", "round"], unique=False)
    op.create_table(
        "notice",
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["question.id"], name=op.f("notice_question_id_fkey")),
        sa.PrimaryKeyConstraint("question_id", "channel", name=op.f("notice_pkey")),
    )
    op.create_table(
        "verdict",
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "approve", "reject", "changes", name="decision", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.Column("accepts_below_threshold", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("decision <> 'reject' OR reason <> ''", name=op.f("verdict_reason_check")),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("verdict_sha256_check")),
        sa.ForeignKeyConstraint(["question_id"], ["question.id"], name=op.f("verdict_question_id_fkey")),
        sa.PrimaryKeyConstraint("question_id", "id", name=op.f("verdict_pkey")),
    )
    op.create_index(op.f("verdict_question_id_reviewer_idx"), "verdict", ["question_id", "reviewer"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("verdict_question_id_reviewer_idx"), table_name="verdict")
    op.drop_table("verdict")
    op.drop_table("notice")
    op.drop_index(op.f("question_render_id_round_idx"), table_name="question")
    op.drop_index("question_open_idx", table_name="question", postgresql_where=sa.text("state = 'open'"))
    op.drop_table("question")
    op.drop_index(op.f("persona_tenant_voice_idx"), table_name="persona")
    op.drop_index(op.f("persona_tenant_photo_asset_idx"), table_name="persona")
    op.drop_index(op.f("persona_tenant_brand_idx"), table_name="persona")
    op.drop_table("persona")
    op.drop_index(op.f("idempotency_key_render_id_idx"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_table("script_segment")
    op.drop_index("render_undispatched_idx", table_name="render", postgresql_where=sa.text("dispatched_at IS NULL"))
    op.drop_index(op.f("render_tenant_state_created_at_idx"), table_name="render")
    op.drop_index(op.f("render_tenant_script_script_version_idx"), table_name="render")
    op.drop_index(op.f("render_tenant_persona_created_at_idx"), table_name="render")
    op.drop_index(op.f("render_tenant_created_at_id_idx"), table_name="render")
    op.drop_index(op.f("render_parent_idx"), table_name="render")
    op.drop_table("render")
    op.drop_index(op.f("plate_tenant_asset_idx"), table_name="plate")
    op.drop_table("plate")
    op.drop_index(op.f("brand_tenant_logo_asset_idx"), table_name="brand")
    op.drop_table("brand")
    op.drop_table("voice")
    op.drop_table("script")
    op.drop_index(op.f("reviewer_telegram_chat_idx"), table_name="reviewer")
    op.drop_table("reviewer")
    op.drop_index(op.f("asset_tenant_sha256_idx"), table_name="asset")
    op.drop_index(op.f("asset_tenant_kind_id_idx"), table_name="asset")
    op.drop_table("asset")
    op.drop_table("tenant")
    op.drop_index(
        "stage_result_finished_idx", table_name="stage_result", postgresql_where=sa.text("finished_at IS NOT NULL")
    )
    op.drop_table("stage_result")
    op.drop_index(op.f("engine_instance_capability_name_seen_at_idx"), table_name="engine_instance")
    op.drop_table("engine_instance")
