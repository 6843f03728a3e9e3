"""What tells words that differ in a letter; and an idea's own sections count no more among those that adapted it."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BY_OTHERS = "AND (section_codes[1] = ANY (own)) IS NOT TRUE"


def _count_adaptations(condition: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION activities.count_adaptations() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            adapted uuid := (COALESCE(NEW.adapted_from, OLD.adapted_from) ->> 'idea_id')::uuid;
            own text[];
        BEGIN
            SELECT ideas.section_codes INTO own FROM activities.ideas WHERE id = adapted FOR UPDATE;
            UPDATE activities.ideas
            SET adapted_sections = counted.sections, adapted_countries = counted.countries,
                revision = revision + 1, updated_at = now()
            FROM (
                SELECT count(DISTINCT section_codes[1]) AS sections, count(DISTINCT country) AS countries
                FROM activities.activities
                WHERE adapted_from ->> 'idea_id' = adapted::text AND adapted_from IS NOT NULL
                    AND state IN ('published', 'held') {condition}
            ) AS counted
            WHERE id = adapted
                AND (adapted_sections, adapted_countries) IS DISTINCT FROM (counted.sections, counted.countries);
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        f"""
        UPDATE activities.ideas
        SET adapted_sections = counted.sections, adapted_countries = counted.countries,
            revision = revision + 1, updated_at = now()
        FROM (
            SELECT id, ideas.section_codes AS own FROM activities.ideas
        ) AS idea,
        LATERAL (
            SELECT count(DISTINCT section_codes[1]) AS sections, count(DISTINCT country) AS countries
            FROM activities.activities
            WHERE adapted_from ->> 'idea_id' = idea.id::text AND adapted_from IS NOT NULL
                AND state IN ('published', 'held') {condition}
        ) AS counted
        WHERE ideas.id = idea.id
            AND (adapted_sections, adapted_countries) IS DISTINCT FROM (counted.sections, counted.countries)
        """
    )


def upgrade() -> None:
    """Add the distance between words, and count again."""
    # It is trusted: the owner of the database may make it without being a superuser.
    op.execute("CREATE EXTENSION IF NOT EXISTS fuzzystrmatch")
    _count_adaptations(_BY_OTHERS)


def downgrade() -> None:
    """Undo it; the extension stays, since others may use it."""
    _count_adaptations("")
