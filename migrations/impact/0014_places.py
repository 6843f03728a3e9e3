"""How often people were at places, from which the numbers of six scopes follow; totals have room for updates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# A row that is updated where it lies needs no new entry in any index, if its page has room.
_UPDATED = (
    "activity_facts", "totals", "label_totals", "quantity_totals", "label_quantity_totals", "roll_ups",
    "label_roll_ups", "quantity_roll_ups", "label_quantity_roll_ups", "people_scopes",
)  # fmt: skip
_PLACES = """
INSERT INTO impact.people_places (section, country, edition, academic_year, scopes)
SELECT coalesce(section, ''), coalesce(country, ''), coalesce(edition, ''), coalesce(academic_year, ''),
  coalesce(array_agg(known.id) FILTER (WHERE known.id IS NOT NULL), '{}')
FROM (SELECT DISTINCT section, country, edition, academic_year FROM impact.activity_facts) AS facts
LEFT JOIN LATERAL (VALUES
  ('network', '', 'academic_year', academic_year), ('network', '', 'edition', edition),
  ('country', country, 'academic_year', academic_year), ('country', country, 'edition', edition),
  ('section', section, 'academic_year', academic_year), ('section', section, 'edition', edition)
) AS scope (kind, place, period_kind, period) ON period IS NOT NULL AND place IS NOT NULL
LEFT JOIN impact.people_scopes AS known ON known.kind = scope.kind AND coalesce(known.place, '') = scope.place
  AND known.period_kind = scope.period_kind AND known.period = scope.period
GROUP BY section, country, edition, academic_year
"""
_SCOPES = """
INSERT INTO impact.people_scopes (kind, place, period_kind, period)
SELECT DISTINCT scope.kind, place, period_kind, period FROM impact.activity_facts CROSS JOIN LATERAL (VALUES
  ('network', NULL, 'academic_year', academic_year), ('network', NULL, 'edition', edition),
  ('country', country, 'academic_year', academic_year), ('country', country, 'edition', edition),
  ('section', section, 'academic_year', academic_year), ('section', section, 'edition', edition)
) AS scope (kind, place, period_kind, period)
WHERE period IS NOT NULL AND (place IS NOT NULL OR scope.kind = 'network')
ON CONFLICT DO NOTHING
"""
_STANDING = """
UPDATE impact.activity_facts AS facts SET place_id = place.id FROM impact.people_places AS place
WHERE place.section = coalesce(facts.section, '') AND place.country = coalesce(facts.country, '')
  AND place.edition = coalesce(facts.edition, '') AND place.academic_year = coalesce(facts.academic_year, '')
"""
_PEOPLE = """
INSERT INTO impact.person_places (person_key, place_id, times)
SELECT person_key, place_id, count(*) FROM impact.attendances JOIN impact.activity_facts USING (activity_id)
WHERE present AND person_key IS NOT NULL GROUP BY person_key, place_id ORDER BY person_key, place_id
"""
_COUNTS_BEFORE = """
INSERT INTO impact.person_counts (scope_id, person_key, times)
SELECT scope_id, person_key, sum(times) FROM impact.person_places
JOIN impact.people_places AS place ON place.id = place_id CROSS JOIN unnest(scopes) AS scope_id
GROUP BY scope_id, person_key ORDER BY scope_id, person_key
"""


def upgrade() -> None:
    """Make the tables and fill them. What a worker of the version before hears until its end is parked and retried."""
    op.create_table(
        "people_places",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("academic_year", sa.Text(), nullable=False),
        sa.Column("scopes", ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_places")),
        sa.UniqueConstraint("section", "country", "edition", "academic_year", name="uq_people_places"),
        schema="impact",
    )
    op.create_table(
        "person_places",
        sa.Column("person_key", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", "place_id", name=op.f("pk_person_places")),
        schema="impact",
    )
    op.add_column("activity_facts", sa.Column("place_id", sa.Integer(), nullable=True), schema="impact")
    # Nobody folds meanwhile: what is counted here is what was counted there.
    op.drop_table("person_counts", schema="impact")
    for statement in (_SCOPES, _PLACES, _STANDING, _PEOPLE):
        op.execute(statement)
    for table in _UPDATED:
        op.execute(f"ALTER TABLE impact.{table} SET (fillfactor = 75)")


def downgrade() -> None:
    """Undo it."""
    for table in _UPDATED:
        op.execute(f"ALTER TABLE impact.{table} RESET (fillfactor)")
    op.create_table(
        "person_counts",
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("person_key", sa.Uuid(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope_id", "person_key", name=op.f("pk_person_counts")),
        schema="impact",
    )
    op.execute(_COUNTS_BEFORE)
    op.drop_column("activity_facts", "place_id", schema="impact")
    op.drop_table("person_places", schema="impact")
    op.drop_table("people_places", schema="impact")
