"""Sections that merged are known with their successor; the catalogue hears what activities did in figures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


# Of reports verified before nobody was told. Without a log nobody hears anything.
_TELL_FIGURES = """
DO $$ BEGIN
  IF to_regclass('events.log') IS NOT NULL THEN
    INSERT INTO events.log (id, name, aggregate, trace_id, payload)
    SELECT gen_random_uuid(), 'impact.activity_figures_changed.v1', activity_id::text, repeat('0', 32),
      jsonb_build_object(
        'activity_id', activity_id, 'revision', revision, 'is_verified', true,
        'participants_international', international, 'participants_local', local,
        'participants_esn_volunteer', esn_volunteer, 'participants_unclassified', unclassified,
        'hours', hours::text, 'quantities', (
          SELECT coalesce(jsonb_agg(jsonb_build_object('measure', measure, 'unit', unit, 'amount', amount::text)
            ORDER BY measure, unit), '[]'::jsonb)
          FROM impact.report_quantities AS each WHERE each.activity_id = report.activity_id))
    FROM impact.reports AS report WHERE state = 'verified' AND outcome <> 'cancelled' ORDER BY activity_id;
  END IF;
END $$
"""


def upgrade() -> None:
    """Add the column; the catalogue tells anew of those that merged before. Tell it of the figures there are."""
    op.add_column("sections", sa.Column("successor", sa.Text()), schema="impact")
    op.execute(sa.text(_TELL_FIGURES.replace(":", r"\:")))


def downgrade() -> None:
    """Undo it."""
    op.drop_column("sections", "successor", schema="impact")
