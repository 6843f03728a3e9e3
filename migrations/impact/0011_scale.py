"""Known classes only; newcomers and those who returned in every total; the last platform of a country by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NEW = ("newcomers", "returning")
_CELL = (
    "section", "country", "platform", "edition", "starts_on", "academic_year", "area", "cause", "kind", "programme",
    "source",
)  # fmt: skip
_EVERYWHERE = ("academic_year", "country", "platform", "source")
_GRAINS = {
    "network": ("edition", *_EVERYWHERE),
    "months": ("month", *_EVERYWHERE),
    "kinds": ("edition", "kind", "programme", *_EVERYWHERE),
    "topics": ("edition", "area", "cause", *_EVERYWHERE),
    "sections": ("edition", "section", *_EVERYWHERE),
}
_TABLES = ("activity_facts", "totals", "label_totals", "roll_ups", "label_roll_ups")
_FACTS = """
UPDATE impact.activity_facts AS facts SET newcomers = coalesce(report.newcomers, 0),
  "returning" = coalesce(report."returning", 0)
FROM impact.reports AS report
WHERE report.activity_id = facts.activity_id AND report.state = 'verified' AND report.outcome <> 'cancelled'
  AND (report.newcomers > 0 OR report."returning" > 0)
"""
_LABELLED = """
CROSS JOIN LATERAL (
  SELECT split_part(each, chr(58), 1) AS scheme, substr(each, strpos(each, chr(58)) + 1) AS label
  FROM unnest(labels) AS each
) AS labelled
"""


def upgrade() -> None:
    """Add what is missing and count what is known."""
    op.create_check_constraint(
        op.f("ck_attendances_class"),
        "attendances",
        "participant_class IN ('international', 'local', 'esn_volunteer')",
        schema="impact",
    )
    op.create_index(
        "ix_activities_country_and_last_day",
        "activities",
        ["country", sa.text("starts_on DESC NULLS LAST")],
        postgresql_where=sa.text("platform IS NOT NULL"),
        schema="impact",
    )
    for table in _TABLES:
        for name in _NEW:
            column = sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))
            op.add_column(table, column, schema="impact")
    op.execute(_FACTS)
    _count("totals", _CELL)
    _count("label_totals", (*_CELL, "scheme", "label"), _LABELLED)
    for grain, dimensions in _GRAINS.items():
        _count("roll_ups", dimensions, grain=grain)
    _count("label_roll_ups", (*_GRAINS["network"], "scheme", "label"), _LABELLED, grain="network")


def _count(table: str, key: tuple[str, ...], joined: str = "", grain: str | None = None) -> None:
    same = " AND ".join(f"kept.{name} IS NOT DISTINCT FROM counted.{name}" for name in key)
    op.execute(
        f'UPDATE impact.{table} AS kept SET newcomers = counted.newcomers, "returning" = counted.returned FROM ('
        f'SELECT {", ".join(key)}, sum(newcomers) AS newcomers, sum("returning") AS returned '
        f'FROM impact.activity_facts {joined} WHERE newcomers > 0 OR "returning" > 0 GROUP BY {", ".join(key)}'
        f") AS counted WHERE {same}" + (f" AND kept.grain = '{grain}'" if grain else "")
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_activities_country_and_last_day", table_name="activities", schema="impact")
    for table in _TABLES:
        for name in _NEW:
            op.drop_column(table, name, schema="impact")
    op.drop_constraint(op.f("ck_attendances_class"), "attendances", schema="impact")
