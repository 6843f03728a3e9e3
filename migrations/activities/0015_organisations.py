"""National organisations are edited here; editions go by the clocks of sections, whose successors are told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Activities near the first or last midnight of an edition may belong elsewhere by their section's clock: a sweep looks.
_LOOK_AT_EVERY_DAY = """
INSERT INTO activities.changed_days (starts_on, ends_on)
SELECT min(starts_on), max(ends_on) FROM activities.editions HAVING min(starts_on) IS NOT NULL
"""
# The event did not name them. Without a log nobody has heard of any section.
_TELL_OF_SUCCESSORS = """
DO $$ BEGIN
  IF to_regclass('events.log') IS NOT NULL THEN
    INSERT INTO events.log (id, name, aggregate, trace_id, payload)
    SELECT gen_random_uuid(), 'activities.section_recorded.v1', code, repeat('0', 32), jsonb_build_object(
      'code', code, 'title', name, 'country', country, 'state', state, 'time_zone', time_zone, 'successor', merged_into)
    FROM activities.sections WHERE merged_into IS NOT NULL ORDER BY code;
  END IF;
END $$
"""


def upgrade() -> None:
    """Add the history, which nobody can change, and let others follow."""
    op.add_column(
        "countries",
        sa.Column("organisation_revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema="activities",
    )
    op.create_table(
        "organisation_history",
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["country"], ["activities.countries.code"], name=op.f("fk_organisation_history_country_countries")
        ),
        sa.PrimaryKeyConstraint("country", "revision", name=op.f("pk_organisation_history")),
        schema="activities",
    )
    op.execute(
        "CREATE TRIGGER keep_as_it_is BEFORE UPDATE OR DELETE ON activities.organisation_history "
        "FOR EACH ROW EXECUTE FUNCTION activities.keep_as_it_is()"
    )
    op.execute(_LOOK_AT_EVERY_DAY)
    op.execute(_TELL_OF_SUCCESSORS)


def downgrade() -> None:
    """Undo it."""
    op.drop_table("organisation_history", schema="activities")
    op.drop_column("countries", "organisation_revision", schema="activities")
