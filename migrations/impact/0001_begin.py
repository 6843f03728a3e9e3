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
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=True),
        sa.Column("areas", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("causes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sdgs", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("section_codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.CheckConstraint("state IN ('published', 'held', 'cancelled')", name=op.f("ck_activities_state")),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_activities")),
        schema="impact",
    )
    op.create_table(
        "activity_facts",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("edition", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("month", sa.Text(), nullable=True),
        sa.Column("academic_year", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("activities", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("participants_international", sa.BigInteger(), nullable=False),
        sa.Column("participants_local", sa.BigInteger(), nullable=False),
        sa.Column("participants_esn_volunteer", sa.BigInteger(), nullable=False),
        sa.Column("participants_unclassified", sa.BigInteger(), nullable=False),
        sa.Column("attendances", sa.BigInteger(), nullable=False),
        sa.Column("hours", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_activity_facts")),
        schema="impact",
    )
    op.create_table(
        "attendances",
        sa.Column("attendance_key", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("participant_class", sa.Text(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("hours", sa.Numeric(precision=7, scale=2), nullable=True),
        sa.PrimaryKeyConstraint("attendance_key", name=op.f("pk_attendances")),
        schema="impact",
    )
    op.create_index(op.f("ix_attendances_activity_id"), "attendances", ["activity_id"], unique=False, schema="impact")
    op.create_table(
        "editions",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_editions")),
        schema="impact",
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
        schema="impact",
    )
    op.create_index(
        op.f("ix_idempotency_keys_answered_at"), "idempotency_keys", ["answered_at"], unique=False, schema="impact"
    )
    op.create_table(
        "quantity_totals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("edition", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("month", sa.Text(), nullable=True),
        sa.Column("academic_year", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quantity_totals")),
        schema="impact",
    )
    op.create_index(
        "uq_quantity_totals_cell",
        "quantity_totals",
        [
            "section",
            "country",
            "edition",
            "starts_on",
            "area",
            "cause",
            "kind",
            "programme",
            "source",
            "measure",
            "unit",
        ],
        unique=True,
        schema="impact",
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "reports",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("international", sa.Integer(), nullable=True),
        sa.Column("local", sa.Integer(), nullable=True),
        sa.Column("esn_volunteer", sa.Integer(), nullable=True),
        sa.Column("unclassified", sa.Integer(), nullable=True),
        sa.Column("hours", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("checked_in_international", sa.Integer(), nullable=True),
        sa.Column("checked_in_local", sa.Integer(), nullable=True),
        sa.Column("checked_in_esn_volunteer", sa.Integer(), nullable=True),
        sa.Column("checked_in_hours", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("beneficiaries", sa.Integer(), nullable=True),
        sa.Column("partner", sa.Text(), nullable=True),
        sa.Column("outcome_text", sa.Text(), nullable=True),
        sa.Column("learned", sa.Text(), nullable=True),
        sa.Column("returned_because", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("outcome IN ('held', 'shrunk', 'cancelled')", name=op.f("ck_reports_outcome")),
        sa.CheckConstraint("source IN ('check_in', 'organiser', 'import')", name=op.f("ck_reports_source")),
        sa.CheckConstraint("state IN ('draft', 'submitted', 'returned', 'verified')", name=op.f("ck_reports_state")),
        sa.CheckConstraint(
            "least(international, local, esn_volunteer, unclassified, hours, beneficiaries) >= 0",
            name=op.f("ck_reports_not_negative"),
        ),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_reports")),
        schema="impact",
    )
    op.create_table(
        "sections",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sections")),
        schema="impact",
    )
    op.create_index(op.f("ix_sections_country"), "sections", ["country"], unique=False, schema="impact")
    op.create_table(
        "totals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("edition", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("month", sa.Text(), nullable=True),
        sa.Column("academic_year", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("activities", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("participants_international", sa.BigInteger(), nullable=False),
        sa.Column("participants_local", sa.BigInteger(), nullable=False),
        sa.Column("participants_esn_volunteer", sa.BigInteger(), nullable=False),
        sa.Column("participants_unclassified", sa.BigInteger(), nullable=False),
        sa.Column("attendances", sa.BigInteger(), nullable=False),
        sa.Column("hours", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_totals")),
        schema="impact",
    )
    op.create_index(
        "uq_totals_cell",
        "totals",
        ["section", "country", "edition", "starts_on", "area", "cause", "kind", "programme", "source"],
        unique=True,
        schema="impact",
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "quantity_facts",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["impact.activity_facts.activity_id"],
            name=op.f("fk_quantity_facts_activity_id_activity_facts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("activity_id", "measure", "unit", name=op.f("pk_quantity_facts")),
        schema="impact",
    )
    op.create_table(
        "report_history",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["impact.reports.activity_id"],
            name=op.f("fk_report_history_activity_id_reports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("activity_id", "revision", name=op.f("pk_report_history")),
        schema="impact",
    )
    op.create_table(
        "report_quantities",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("qualifier", sa.Text(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_report_quantities_amount_positive")),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["impact.reports.activity_id"],
            name=op.f("fk_report_quantities_activity_id_reports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("activity_id", "measure", "unit", name=op.f("pk_report_quantities")),
        schema="impact",
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("report_quantities", schema="impact")
    op.drop_table("report_history", schema="impact")
    op.drop_table("quantity_facts", schema="impact")
    op.drop_index("uq_totals_cell", table_name="totals", schema="impact", postgresql_nulls_not_distinct=True)
    op.drop_table("totals", schema="impact")
    op.drop_index(op.f("ix_sections_country"), table_name="sections", schema="impact")
    op.drop_table("sections", schema="impact")
    op.drop_table("reports", schema="impact")
    op.drop_index(
        "uq_quantity_totals_cell", table_name="quantity_totals", schema="impact", postgresql_nulls_not_distinct=True
    )
    op.drop_table("quantity_totals", schema="impact")
    op.drop_index(op.f("ix_idempotency_keys_answered_at"), table_name="idempotency_keys", schema="impact")
    op.drop_table("idempotency_keys", schema="impact")
    op.drop_table("editions", schema="impact")
    op.drop_index(op.f("ix_attendances_activity_id"), table_name="attendances", schema="impact")
    op.drop_table("attendances", schema="impact")
    op.drop_table("activity_facts", schema="impact")
    op.drop_table("activities", schema="impact")
