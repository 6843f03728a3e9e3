"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "activities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=True),
        sa.Column("edition_set_by_hand", sa.Boolean(), nullable=False),
        sa.Column("areas", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("causes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sdgs", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("organisers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("section_codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("date_precision", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("place", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("online_url", sa.Text(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("takes_sign_ups", sa.Boolean(), nullable=False),
        sa.Column("sign_up_opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sign_up_closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requirements", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("accessibility", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("cost", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("partners", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("image", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("has_places", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("availability_revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("turns_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'approved', 'published', 'held', 'cancelled')",
            name=op.f("ck_activities_state"),
        ),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_activities_capacity_not_negative")),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_activities_ends_after_its_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
        sa.UniqueConstraint("source", "source_id", name=op.f("uq_activities_source_source_id")),
        schema="activities",
    )
    op.create_index(op.f("ix_activities_country"), "activities", ["country"], unique=False, schema="activities")
    op.create_index(op.f("ix_activities_edition"), "activities", ["edition"], unique=False, schema="activities")
    op.create_index(
        "ix_activities_public_by_start",
        "activities",
        ["starts_at", "id"],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("state IN ('published', 'held', 'cancelled')"),
    )
    op.create_index(
        "ix_activities_section_codes",
        "activities",
        ["section_codes"],
        unique=False,
        schema="activities",
        postgresql_using="gin",
    )
    op.create_index(
        "ix_activities_turns_at",
        "activities",
        ["turns_at"],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("turns_at IS NOT NULL"),
    )
    op.create_table(
        "editions",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("season", sa.Text(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("precision", sa.Text(), nullable=False),
        sa.Column("certainty", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=True),
        sa.Column("published_numbers", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sample", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(precision = 'unknown') = (starts_on IS NULL)", name=op.f("ck_editions_dates_as_known")),
        sa.CheckConstraint("precision IN ('day', 'month', 'unknown')", name=op.f("ck_editions_precision")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_editions_ends_after_its_start")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_editions")),
        schema="activities",
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency_keys")),
        schema="activities",
    )
    op.create_index(
        op.f("ix_idempotency_keys_answered_at"), "idempotency_keys", ["answered_at"], unique=False, schema="activities"
    )
    op.create_table(
        "sections",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("cities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("university", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("same_as", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('active', 'warned', 'merged', 'withdrew')", name=op.f("ck_sections_state")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sections")),
        schema="activities",
    )
    op.create_index(op.f("ix_sections_country"), "sections", ["country"], unique=False, schema="activities")
    op.create_table(
        "activity_history",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["activities.activities.id"],
            name=op.f("fk_activity_history_activity_id_activities"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("activity_id", "revision", name=op.f("pk_activity_history")),
        schema="activities",
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("activity_history", schema="activities")
    op.drop_index(op.f("ix_sections_country"), table_name="sections", schema="activities")
    op.drop_table("sections", schema="activities")
    op.drop_index(op.f("ix_idempotency_keys_answered_at"), table_name="idempotency_keys", schema="activities")
    op.drop_table("idempotency_keys", schema="activities")
    op.drop_table("editions", schema="activities")
    op.drop_index(
        "ix_activities_turns_at",
        table_name="activities",
        schema="activities",
        postgresql_where=sa.text("turns_at IS NOT NULL"),
    )
    op.drop_index("ix_activities_section_codes", table_name="activities", schema="activities", postgresql_using="gin")
    op.drop_index(
        "ix_activities_public_by_start",
        table_name="activities",
        schema="activities",
        postgresql_where=sa.text("state IN ('published', 'held', 'cancelled')"),
    )
    op.drop_index(op.f("ix_activities_edition"), table_name="activities", schema="activities")
    op.drop_index(op.f("ix_activities_country"), table_name="activities", schema="activities")
    op.drop_table("activities", schema="activities")
