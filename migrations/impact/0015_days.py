"""On which days a section organised something is counted, so that nobody looks through all activities for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COUNT = """
CREATE FUNCTION impact.count_organised_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO impact.organised_days AS known (section, starts_on, activities)
  SELECT section, starts_on, sum(activities) FROM (
    SELECT unnest(NEW.section_codes) AS section, NEW.starts_on, 1 AS activities
    WHERE NEW.starts_on IS NOT NULL AND NEW.state <> 'cancelled' AND NOT NEW.sample
    UNION ALL
    SELECT unnest(OLD.section_codes), OLD.starts_on, -1
    WHERE OLD.starts_on IS NOT NULL AND OLD.state <> 'cancelled' AND NOT OLD.sample
  ) AS told GROUP BY section, starts_on HAVING sum(activities) <> 0
  ON CONFLICT (section, starts_on) DO UPDATE SET activities = known.activities + excluded.activities;
  RETURN NULL;
END $$
"""
_WHEN = """
CREATE TRIGGER count_organised_days AFTER INSERT OR DELETE OR UPDATE OF section_codes, starts_on, state, sample
ON impact.activities FOR EACH ROW EXECUTE FUNCTION impact.count_organised_days()
"""
_KNOWN = """
INSERT INTO impact.organised_days (section, starts_on, activities)
SELECT organiser, starts_on, count(*) FROM impact.activities CROSS JOIN unnest(section_codes) AS organiser
WHERE starts_on IS NOT NULL AND state <> 'cancelled' AND NOT sample GROUP BY organiser, starts_on
"""


def upgrade() -> None:
    """Count them from now on, and those that are known; who writes activities meanwhile waits."""
    op.create_table(
        "organised_days",
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("activities", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("section", "starts_on", name=op.f("pk_organised_days")),
        schema="impact",
    )
    op.execute(_COUNT)
    op.execute(_WHEN)
    op.execute(_KNOWN)
    op.create_index(
        "ix_totals_reported_days",
        "totals",
        ["section", "starts_on"],
        schema="impact",
        postgresql_where=sa.text("reports > 0"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_totals_reported_days", table_name="totals", schema="impact")
    op.execute("DROP TRIGGER count_organised_days ON impact.activities")
    op.execute("DROP FUNCTION impact.count_organised_days()")
    op.drop_table("organised_days", schema="impact")
