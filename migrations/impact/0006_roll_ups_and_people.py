"""Roll-ups of the totals, distinct people, and attendances in partitions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PARTITIONS = 16
_ROLLED_UP = (
    "edition", "academic_year", "month", "country", "platform", "section", "area", "cause", "kind", "programme",
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
_COUNTED = (
    "reports", "activities", "cancelled", "participants_international", "participants_local",
    "participants_esn_volunteer", "participants_unclassified", "beneficiaries", "hours", "attendances_international",
    "attendances_local", "attendances_esn_volunteer", "checked_in_hours",
)  # fmt: skip
_QUANTITY, _LABEL = ("measure", "unit"), ("scheme", "label")
# Each table with what it is added up from, its parts, its sums and its grains.
_TABLES = (
    ("roll_ups", "totals", (), _COUNTED, tuple(_GRAINS)),
    ("quantity_roll_ups", "quantity_totals", _QUANTITY, ("amount",), tuple(_GRAINS)),
    ("label_roll_ups", "label_totals", _LABEL, _COUNTED, ("network",)),
    ("label_quantity_roll_ups", "label_quantity_totals", (*_LABEL, *_QUANTITY), ("amount",), ("network",)),
)
_KEEP_ATTENDANCES = """
INSERT INTO impact.attendances (activity_id, attendance_key, revision, participant_class, present, hours, person_key,
  home_country, mobility)
SELECT activity_id, attendance_key, revision, participant_class, present, hours, person_key, home_country, mobility
FROM impact.attendances_before
"""
_SEEN = """
FROM impact.attendances JOIN impact.activity_facts USING (activity_id) CROSS JOIN LATERAL (VALUES
  ('network', NULL, 'academic_year', academic_year), ('network', NULL, 'edition', edition),
  ('country', country, 'academic_year', academic_year), ('country', country, 'edition', edition),
  ('section', section, 'academic_year', academic_year), ('section', section, 'edition', edition)
) AS scope (kind, place, period_kind, period)
WHERE present AND period IS NOT NULL AND (place IS NOT NULL OR scope.kind = 'network')
"""
_COUNT_PEOPLE = f"""
INSERT INTO impact.people_scopes (kind, place, period_kind, period, people, guests)
SELECT scope.kind, place, period_kind, period, count(DISTINCT person_key), count(*) FILTER (WHERE person_key IS NULL)
{_SEEN} GROUP BY scope.kind, place, period_kind, period;
INSERT INTO impact.person_counts (scope_id, person_key, times)
SELECT known.id, seen.person_key, count(*) FROM (SELECT scope.*, person_key {_SEEN}) AS seen
JOIN impact.people_scopes AS known ON known.kind = seen.kind AND known.place IS NOT DISTINCT FROM seen.place
  AND known.period_kind = seen.period_kind AND known.period = seen.period
WHERE seen.person_key IS NOT NULL GROUP BY known.id, seen.person_key
"""


def upgrade() -> None:
    """Make the tables and fill them from what is known."""
    op.create_index(op.f("ix_totals_starts_on"), "totals", ["starts_on"], schema="impact")
    for table, source, parts, summed, grains in _TABLES:
        _make_roll_up(table, parts, summed)
        for grain in grains:
            columns = ", ".join((*_GRAINS[grain], *parts))
            op.execute(
                f"INSERT INTO impact.{table} (grain, {columns}, {', '.join(summed)}) "
                f"SELECT '{grain}', {columns}, {', '.join(f'sum({name})' for name in summed)} "
                f"FROM impact.{source} GROUP BY {columns} "
                f"HAVING {' OR '.join(f'sum({name}) <> 0' for name in summed)}"
            )
    _part_attendances()
    _make_people()
    for statement in _COUNT_PEOPLE.split(";"):
        op.execute(statement)


def _make_roll_up(table: str, parts: tuple[str, ...], summed: tuple[str, ...]) -> None:
    columns = [sa.Column(name, sa.Text()) for name in _ROLLED_UP]
    columns += [sa.Column(name, sa.Text(), nullable=False) for name in parts]
    for name in summed:
        kind = sa.Numeric() if name in {"hours", "checked_in_hours", "amount"} else sa.BigInteger()
        columns.append(sa.Column(name, kind, nullable=False))
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("grain", sa.Text(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        schema="impact",
    )
    key = ["grain", *_ROLLED_UP, *parts]
    op.create_index(f"uq_{table}_cell", table, key, unique=True, schema="impact", postgresql_nulls_not_distinct=True)


def _part_attendances() -> None:
    op.execute("ALTER INDEX impact.pk_attendances RENAME TO pk_attendances_before")
    op.drop_index(op.f("ix_attendances_activity_id"), table_name="attendances", schema="impact")
    op.rename_table("attendances", "attendances_before", schema="impact")
    op.create_table(
        "attendances",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("attendance_key", sa.Uuid(), nullable=False),
        *_of_attendance(),
        sa.PrimaryKeyConstraint("activity_id", "attendance_key", name=op.f("pk_attendances")),
        schema="impact",
        postgresql_partition_by="HASH (activity_id)",
    )
    for number in range(PARTITIONS):
        op.execute(
            f"CREATE TABLE impact.attendances_part_{number:02} PARTITION OF impact.attendances "
            f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
        )
    op.execute(_KEEP_ATTENDANCES)
    op.drop_table("attendances_before", schema="impact")


def _of_attendance() -> list[sa.Column]:
    return [
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("participant_class", sa.Text(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("hours", sa.Numeric(precision=7, scale=2), nullable=True),
        sa.Column("person_key", sa.Uuid(), nullable=True),
        sa.Column("home_country", sa.Text(), nullable=True),
        sa.Column("mobility", sa.Text(), nullable=True),
    ]


def _make_people() -> None:
    op.create_table(
        "people_scopes",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("period_kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("people", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("guests", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_scopes")),
        schema="impact",
    )
    key = ["kind", "place", "period_kind", "period"]
    op.create_index(
        "uq_people_scopes_scope", "people_scopes", key, unique=True, schema="impact", postgresql_nulls_not_distinct=True
    )
    op.create_table(
        "person_counts",
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("person_key", sa.Uuid(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope_id", "person_key", name=op.f("pk_person_counts")),
        schema="impact",
    )


def downgrade() -> None:
    """Undo it."""
    for table in ("person_counts", "people_scopes"):
        op.drop_table(table, schema="impact")
    op.execute("ALTER INDEX impact.pk_attendances RENAME TO pk_attendances_before")
    op.rename_table("attendances", "attendances_before", schema="impact")
    op.create_table(
        "attendances",
        sa.Column("attendance_key", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        *_of_attendance(),
        sa.PrimaryKeyConstraint("attendance_key", name=op.f("pk_attendances")),
        schema="impact",
    )
    op.execute(_KEEP_ATTENDANCES)
    op.drop_table("attendances_before", schema="impact")
    op.create_index(op.f("ix_attendances_activity_id"), "attendances", ["activity_id"], schema="impact")
    for table, *_ in _TABLES:
        op.drop_table(table, schema="impact")
    op.drop_index(op.f("ix_totals_starts_on"), table_name="totals", schema="impact")
