"""The list is found by platform and objective too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_IS_PUBLIC = sa.text("state IN ('published', 'held', 'cancelled')")
_LABELS = """
CREATE FUNCTION activities.labels({parameters})
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg(dimension || '\\:' || code) FROM (
        VALUES ('language', split_part(tag, '-', 1)), ('language', CASE WHEN tag LIKE '%-%' THEN tag END),
            {single}
        {several}
    ) AS label (dimension, code) WHERE code IS NOT NULL;
END
"""
# Each column, its type and the dimension of its labels; the order is that of the function's parameters.
_BEFORE = (
    ("edition", "text", "edition"),
    ("country", "text", "country"),
    ("kind", "text", "kind"),
    ("programme", "text", "programme"),
    ("language", "text", None),
    ("areas", "text[]", "area"),
    ("causes", "text[]", "cause"),
    ("sdgs", "smallint[]", "sdg"),
    ("section_codes", "text[]", "section"),
    ("accessibility", "text[]", "accessible"),
)
_AFTER = (
    *_BEFORE,
    ("objectives", "text[]", "objective"),
    ("platform", "text", "platform"),
)
_CODES_BEFORE = ["programme", "country", "edition", "areas", "causes"]
_CODES = [*_CODES_BEFORE, "objectives", "platform"]


def upgrade() -> None:
    """Make the labels anew, with the indexes that hold them or their codes."""
    _make_labels(_AFTER, _CODES)


def downgrade() -> None:
    """Undo it."""
    _make_labels(_BEFORE, _CODES_BEFORE)


def _make_labels(columns: tuple[tuple[str, str, str | None], ...], codes: list[str]) -> None:
    op.drop_index("ix_activities_found_by", table_name="activities", schema="activities")
    op.drop_index("ix_activities_public_codes", table_name="activities", schema="activities")
    op.drop_column("activities", "labels", schema="activities")
    op.execute("DROP FUNCTION activities.labels")
    parameters = ", ".join(f"{'tag' if name == 'language' else name} {kind}" for name, kind, _ in columns)
    single = ", ".join(f"('{label}', {name})" for name, kind, label in columns if kind == "text" and label)
    several = " ".join(
        f"UNION ALL SELECT '{label}', unnest({name})\\:\\:text" for name, kind, label in columns if kind.endswith("[]")
    )
    op.execute(sa.text(_LABELS.format(parameters=parameters, single=single, several=several)))
    names = ", ".join(name for name, _, _ in columns)
    made = sa.Computed(f"activities.labels({names})", persisted=True)
    op.add_column("activities", sa.Column("labels", postgresql.ARRAY(sa.Text()), made), schema="activities")
    op.create_index(
        "ix_activities_found_by",
        "activities",
        ["labels", "search"],
        schema="activities",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        postgresql_where=_IS_PUBLIC,
    )
    op.create_index(
        "ix_activities_public_codes",
        "activities",
        ["kind"],
        schema="activities",
        postgresql_include=codes,
        postgresql_where=_IS_PUBLIC,
    )
