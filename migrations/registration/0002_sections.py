"""The sections that the directory knows, those recorded before included."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The consumer's cursor has passed them already. Setting it back instead would be undone by a worker that still runs
# the version before, which reads on without hearing of sections. Without a log there is nothing to take over.
_TAKE_OVER = """
DO $$ BEGIN
  IF to_regclass('events.log') IS NOT NULL THEN
    INSERT INTO registration.sections (code)
    SELECT DISTINCT payload ->> 'code' FROM events.log WHERE name = 'activities.section_recorded.v1'
    ON CONFLICT DO NOTHING;
  END IF;
END $$
"""


def upgrade() -> None:
    """Make the table, and fill it from the log."""
    op.create_table(
        "sections",
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sections")),
        schema="registration",
    )
    op.execute(_TAKE_OVER)


def downgrade() -> None:
    """Undo it."""
    op.drop_table("sections", schema="registration")
