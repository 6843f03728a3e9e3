"""What reports say beyond their first form, what was acknowledged, and whom time reminds of those that are missing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NO_TEXTS = sa.text("'{}'::text[]")

# The consumer's cursor has passed these activities already. Without a log there is nothing to take over.
_TAKE_OVER = """
DO $$ BEGIN
  IF to_regclass('events.log') IS NOT NULL THEN
    UPDATE impact.activities SET ends_at = CAST(told.payload -> 'activity' ->> 'ends_at' AS timestamptz)
    FROM events.log AS told
    WHERE told.name IN ('activities.activity_published.v1', 'activities.activity_revised.v1',
                        'activities.activity_held.v1', 'activities.activity_cancelled.v1')
      AND told.aggregate = CAST(activities.activity_id AS text)
      AND CAST(told.payload -> 'activity' ->> 'revision' AS integer) = activities.revision;
  END IF;
END $$
"""

_FIRST_SUBMITTED = """
UPDATE impact.reports SET submitted_at = first.at
FROM (SELECT activity_id, min(at) AS at FROM impact.report_history WHERE verb = 'submit' GROUP BY activity_id) AS first
WHERE first.activity_id = reports.activity_id
"""


def upgrade() -> None:
    """Add what is new; all of it may be missing, so that the version before goes on writing."""
    op.add_column("activities", sa.Column("ends_at", sa.DateTime(timezone=True)), schema="impact")
    op.add_column(
        "activities",
        sa.Column("partners", postgresql.ARRAY(sa.Text()), server_default=_NO_TEXTS, nullable=False),
        schema="impact",
    )
    for name in ("stated_total", "newcomers", "returning"):
        op.add_column("reports", sa.Column(name, sa.Integer()), schema="impact")
    op.add_column("reports", sa.Column("partner_contribution", sa.Text()), schema="impact")
    op.add_column(
        "reports",
        sa.Column("photos", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        schema="impact",
    )
    op.add_column("reports", sa.Column("submitted_at", sa.DateTime(timezone=True)), schema="impact")
    for table in ("reports", "report_history"):
        op.add_column(
            table,
            sa.Column("acknowledged", postgresql.ARRAY(sa.Text()), server_default=_NO_TEXTS, nullable=False),
            schema="impact",
        )
    op.add_column("report_history", sa.Column("figures", postgresql.JSONB()), schema="impact")
    op.add_column("report_quantities", sa.Column("given_to", sa.Text()), schema="impact")
    op.create_check_constraint(
        op.f("ck_reports_further_not_negative"),
        "reports",
        'least(newcomers, "returning", stated_total) >= 0',
        schema="impact",
    )
    op.create_table(
        "report_reminders",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("stage IN ('first', 'deadline')", name=op.f("ck_report_reminders_stage")),
        sa.PrimaryKeyConstraint("activity_id", "stage", name=op.f("pk_report_reminders")),
        schema="impact",
    )
    op.execute(_TAKE_OVER)
    op.execute(_FIRST_SUBMITTED)
    op.create_index("ix_activities_section_and_day", "activities", ["section", "starts_on"], schema="impact")
    op.create_index(
        "ix_activities_over",
        "activities",
        ["ends_at", "activity_id"],
        schema="impact",
        postgresql_where=sa.text("NOT has_parts AND state <> 'cancelled'"),
    )
    op.create_index("ix_reports_queue", "reports", ["updated_at", "activity_id"], schema="impact")
    op.create_index("ix_reports_queue_of_state", "reports", ["state", "updated_at", "activity_id"], schema="impact")


def downgrade() -> None:
    """Undo it."""
    for index, table in (
        ("ix_reports_queue_of_state", "reports"),
        ("ix_reports_queue", "reports"),
        ("ix_activities_over", "activities"),
        ("ix_activities_section_and_day", "activities"),
    ):
        op.drop_index(index, table_name=table, schema="impact")
    op.drop_table("report_reminders", schema="impact")
    op.drop_constraint(op.f("ck_reports_further_not_negative"), "reports", schema="impact")
    for table, name in (
        ("report_quantities", "given_to"),
        ("report_history", "figures"),
        ("report_history", "acknowledged"),
        ("reports", "acknowledged"),
        ("reports", "submitted_at"),
        ("reports", "photos"),
        ("reports", "partner_contribution"),
        ("reports", "returning"),
        ("reports", "newcomers"),
        ("reports", "stated_total"),
        ("activities", "partners"),
        ("activities", "ends_at"),
    ):
        op.drop_column(table, name, schema="impact")
