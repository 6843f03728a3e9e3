"""What shrunk is counted; roll-ups of months by edition and of sections alone, and an index of years."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TABLES = ("activity_facts", "totals", "label_totals", "roll_ups", "label_roll_ups")
_INDEXED = ("roll_ups", "quantity_roll_ups")
_CELL = (
    "section", "country", "platform", "edition", "starts_on", "academic_year", "area", "cause", "kind", "programme",
    "source",
)  # fmt: skip
_EVERYWHERE = ("academic_year", "country", "platform", "source")
_MONTHS = ("month", *_EVERYWHERE)
_ORGANISERS = ("section", "country", "platform", "source")
_GRAINS = {
    "network": ("edition", *_EVERYWHERE),
    "organisers": _ORGANISERS,
    "months": ("edition", *_MONTHS),
    "kinds": ("edition", "kind", "programme", *_EVERYWHERE),
    "topics": ("edition", "area", "cause", *_EVERYWHERE),
    "sections": ("edition", "section", *_EVERYWHERE),
}
_FIGURES = (
    "reports", "activities", "cancelled", "participants_international", "participants_local",
    "participants_esn_volunteer", "participants_unclassified", "beneficiaries", "hours", "attendances_international",
    "attendances_local", "attendances_esn_volunteer", "checked_in_hours", "newcomers", '"returning"',
)  # fmt: skip
_FACTS = """
UPDATE impact.activity_facts AS facts SET shrunk = 1 FROM impact.reports AS report
WHERE report.activity_id = facts.activity_id AND report.state = 'verified' AND report.outcome = 'shrunk'
"""
_LABELLED = """
CROSS JOIN LATERAL (
  SELECT split_part(each, chr(58), 1) AS scheme, substr(each, strpos(each, chr(58)) + 1) AS label
  FROM unnest(labels) AS each
) AS labelled
"""


def upgrade() -> None:
    """Count what is known. What a worker of the version before would fold until its end is parked and retried."""
    for table in _TABLES:
        column = sa.Column("shrunk", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        op.add_column(table, column, schema="impact")
    op.execute(_FACTS)
    _roll_up("months", _GRAINS["months"])
    _roll_up("organisers", _ORGANISERS)
    for table in _INDEXED:
        op.create_index(op.f(f"ix_{table}_grain_academic_year"), table, ["grain", "academic_year"], schema="impact")
    _count("totals", _CELL)
    _count("label_totals", (*_CELL, "scheme", "label"), _LABELLED)
    for grain, dimensions in _GRAINS.items():
        _count("roll_ups", dimensions, grain=grain)
    _count("label_roll_ups", (*_GRAINS["network"], "scheme", "label"), _LABELLED, grain="network")
    for table in _TABLES:
        # Who does not know of it must not count: neither what shrunk nor the months would be right.
        op.alter_column(table, "shrunk", server_default=None, schema="impact")


def _roll_up(grain: str, dimensions: tuple[str, ...]) -> None:
    """Add it up anew; nobody folds meanwhile."""
    for roll_up, totals, parts, summed in (
        ("roll_ups", "totals", (), _FIGURES),
        ("quantity_roll_ups", "quantity_totals", ("measure", "unit"), ("amount",)),
    ):
        key, sums = ", ".join((*dimensions, *parts)), ", ".join(f"sum({name})" for name in summed)
        op.execute(f"DELETE FROM impact.{roll_up} WHERE grain = '{grain}'")
        op.execute(
            f"INSERT INTO impact.{roll_up} (grain, {key}, {', '.join(summed)}) SELECT '{grain}', {key}, {sums} "
            f"FROM impact.{totals} GROUP BY {key} HAVING {' OR '.join(f'sum({name}) <> 0' for name in summed)}"
        )


def _count(table: str, key: tuple[str, ...], joined: str = "", grain: str | None = None) -> None:
    same = " AND ".join(f"kept.{name} IS NOT DISTINCT FROM counted.{name}" for name in key)
    op.execute(
        f"UPDATE impact.{table} AS kept SET shrunk = counted.shrunk FROM (SELECT {', '.join(key)}, "
        f"sum(shrunk) AS shrunk FROM impact.activity_facts {joined} WHERE shrunk > 0 GROUP BY {', '.join(key)}"
        f") AS counted WHERE {same}" + (f" AND kept.grain = '{grain}'" if grain else "")
    )


def downgrade() -> None:
    """Undo it."""
    for table in _TABLES:
        op.drop_column(table, "shrunk", schema="impact")
    for table in _INDEXED:
        op.drop_index(op.f(f"ix_{table}_grain_academic_year"), table_name=table, schema="impact")
        op.execute(f"DELETE FROM impact.{table} WHERE grain = 'organisers'")
    _roll_up("months", _MONTHS)
