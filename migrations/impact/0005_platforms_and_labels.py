"""Platforms, every label, and presences as they are recorded join the totals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# What activities were told with is in the log; without a log there is nothing to take over.
_TAKE_OVER = """
DO $$ BEGIN
  IF to_regclass('events.log') IS NOT NULL THEN
    UPDATE impact.activities AS known SET
      platform = told.activity ->> 'platform',
      objectives = ARRAY(SELECT jsonb_array_elements_text(coalesce(told.activity -> 'objectives', '[]')))
    FROM (
      SELECT DISTINCT ON (aggregate) aggregate, payload -> 'activity' AS activity FROM events.log
      WHERE name LIKE 'activities.activity\\_%'
      ORDER BY aggregate, CAST(payload -> 'activity' ->> 'revision' AS int) DESC
    ) AS told
    WHERE known.activity_id = CAST(told.aggregate AS uuid);
  END IF;
END $$
"""
_LABELS = """
    ARRAY(SELECT 'area:' || each FROM unnest(activity.areas) AS each
    UNION SELECT 'cause:' || each FROM unnest(activity.causes) AS each
    UNION SELECT 'sdg:' || each FROM unnest(activity.sdgs) AS each
    UNION SELECT 'objective:' || each FROM unnest(activity.objectives) AS each ORDER BY 1)
"""
_PRESENT = """
    SELECT activity_id, count(*) FILTER (WHERE participant_class = 'international') AS international,
      count(*) FILTER (WHERE participant_class = 'local') AS local,
      count(*) FILTER (WHERE participant_class = 'esn_volunteer') AS esn_volunteer, coalesce(sum(hours), 0) AS hours
    FROM impact.attendances WHERE present GROUP BY activity_id
"""
_REPORTED = f"""
UPDATE impact.activity_facts AS fact SET platform = activity.platform, reports = 1, labels = {_LABELS},
  beneficiaries = CASE WHEN report.outcome = 'cancelled' THEN 0 ELSE coalesce(report.beneficiaries, 0) END
FROM impact.activities AS activity, impact.reports AS report
WHERE activity.activity_id = fact.activity_id AND report.activity_id = fact.activity_id
"""
_OF_PRESENT_ONLY = f"""
INSERT INTO impact.activity_facts (activity_id, section, country, platform, edition, starts_on, month, academic_year,
  area, cause, kind, programme, source, labels, activities, cancelled, participants_international, participants_local,
  participants_esn_volunteer, participants_unclassified, hours)
SELECT activity.activity_id, section, country, platform, edition, starts_on, to_char(starts_on, 'YYYY-MM'),
  to_char(starts_on - interval '7 months', 'YYYY/') || to_char(starts_on + interval '5 months', 'YY'),
  areas[1], causes[1], kind, programme, 'check_in', {_LABELS}, 0, 0, 0, 0, 0, 0, 0
FROM impact.activities AS activity JOIN ({_PRESENT}) AS present USING (activity_id)
ON CONFLICT DO NOTHING
"""
_PRESENCES = f"""
UPDATE impact.activity_facts AS fact SET attendances_international = present.international,
  attendances_local = present.local, attendances_esn_volunteer = present.esn_volunteer,
  checked_in_hours = present.hours
FROM ({_PRESENT}) AS present WHERE present.activity_id = fact.activity_id
"""
_CELL = """section, country, platform, edition, starts_on, month, academic_year, area, cause, kind, programme, source"""
_COUNTED = (
    "reports", "activities", "cancelled", "participants_international", "participants_local",
    "participants_esn_volunteer", "participants_unclassified", "beneficiaries", "hours", "attendances_international",
    "attendances_local", "attendances_esn_volunteer", "checked_in_hours",
)  # fmt: skip
_FIGURES = ", ".join(_COUNTED)
_SUMS = ", ".join(f"sum({name})" for name in _COUNTED)
_ANY = " OR ".join(f"sum({name}) <> 0" for name in _COUNTED)
_EACH = "CROSS JOIN LATERAL unnest(labels) AS each"
_SPLIT = "split_part(each, ':', 1), substr(each, strpos(each, ':') + 1)"
_SUM_UP = f"""
DELETE FROM impact.totals;
DELETE FROM impact.quantity_totals;
INSERT INTO impact.totals ({_CELL}, {_FIGURES})
SELECT {_CELL}, {_SUMS} FROM impact.activity_facts GROUP BY {_CELL} HAVING {_ANY};
INSERT INTO impact.quantity_totals ({_CELL}, measure, unit, amount)
SELECT {_CELL}, measure, unit, sum(amount) FROM impact.activity_facts JOIN impact.quantity_facts USING (activity_id)
GROUP BY {_CELL}, measure, unit;
INSERT INTO impact.label_totals ({_CELL}, scheme, label, {_FIGURES})
SELECT {_CELL}, {_SPLIT}, {_SUMS} FROM impact.activity_facts {_EACH} GROUP BY {_CELL}, each HAVING {_ANY};
INSERT INTO impact.label_quantity_totals ({_CELL}, scheme, label, measure, unit, amount)
SELECT {_CELL}, {_SPLIT}, measure, unit, sum(amount)
FROM impact.activity_facts JOIN impact.quantity_facts USING (activity_id) {_EACH} GROUP BY {_CELL}, each, measure, unit
"""
_KEY = [
    "section", "country", "platform", "edition", "starts_on", "academic_year", "area", "cause", "kind", "programme",
    "source",
]  # fmt: skip
_KEY_BEFORE = [name for name in _KEY if name not in {"platform", "academic_year"}]
_MORE = {
    "totals": (), "quantity_totals": ("measure", "unit"), "label_totals": ("scheme", "label"),
    "label_quantity_totals": ("scheme", "label", "measure", "unit"),
}  # fmt: skip
_ADDED = ("reports", "beneficiaries", "attendances_international", "attendances_local", "attendances_esn_volunteer")


def upgrade() -> None:
    """Add what is told of activities and attendances, and make the totals anew.

    A worker of the version before can't fold into them any more: what it hears until its end is parked, and carried
    out by the next one. What is read stays readable.
    """
    op.add_column("activities", sa.Column("platform", sa.Text()), schema="impact")
    empty = sa.text("'{}'")
    objectives = sa.Column("objectives", sa.ARRAY(sa.Text()), server_default=empty, nullable=False)
    op.add_column("activities", objectives, schema="impact")
    for column in (
        sa.Column("person_key", sa.Uuid()),
        sa.Column("home_country", sa.Text()),
        sa.Column("mobility", sa.Text()),
    ):
        op.add_column("attendances", column, schema="impact")
    for table in ("totals", "quantity_totals"):
        op.drop_index(f"uq_{table}_cell", table_name=table, schema="impact")
        op.add_column(table, sa.Column("platform", sa.Text()), schema="impact")
    op.add_column("activity_facts", sa.Column("platform", sa.Text()), schema="impact")
    labels = sa.Column("labels", sa.ARRAY(sa.Text()), server_default=empty, nullable=False)
    op.add_column("activity_facts", labels, schema="impact")
    for table in ("activity_facts", "totals"):
        op.drop_column(table, "attendances", schema="impact")
        for name in _ADDED:
            column = sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            op.add_column(table, column, schema="impact")
        hours = sa.Column("checked_in_hours", sa.Numeric(), server_default="0", nullable=False)
        op.add_column(table, hours, schema="impact")
    everybody = sa.Computed("attendances_international + attendances_local + attendances_esn_volunteer", persisted=True)
    op.add_column("totals", sa.Column("attendances", sa.BigInteger(), everybody, nullable=False), schema="impact")
    for table in ("label_totals", "label_quantity_totals"):
        op.create_table(table, *_label_columns(table), schema="impact")
    for statement in (_TAKE_OVER, _REPORTED, _OF_PRESENT_ONLY, _PRESENCES, *_SUM_UP.split(";")):
        op.execute(statement)
    for table in ("activity_facts", "totals"):
        for name in (*_ADDED, "checked_in_hours"):
            op.alter_column(table, name, server_default=None, schema="impact")
    op.alter_column("activity_facts", "labels", server_default=None, schema="impact")
    for table, more in _MORE.items():
        op.create_index(
            f"uq_{table}_cell", table, [*_KEY, *more], unique=True, schema="impact", postgresql_nulls_not_distinct=True
        )


def _label_columns(table: str) -> list[sa.Column | sa.PrimaryKeyConstraint]:
    is_stated = {"kind", "programme", "source"}
    columns = [sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)]
    for name in (*_KEY, "month"):
        kind = sa.Date() if name == "starts_on" else sa.Text()
        columns.append(sa.Column(name, kind, nullable=name not in is_stated))
    columns += [sa.Column(name, sa.Text(), nullable=False) for name in _MORE[table]]
    summed = _COUNTED if table == "label_totals" else ("amount",)
    for name in summed:
        kind = sa.Numeric() if name in {"hours", "checked_in_hours", "amount"} else sa.BigInteger()
        columns.append(sa.Column(name, kind, nullable=False))
    return [*columns, sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))]


def downgrade() -> None:
    """Undo it. Of presences only what a verified report stands on is kept, as before."""
    for table in ("label_totals", "label_quantity_totals"):
        op.drop_table(table, schema="impact")
    op.execute("DELETE FROM impact.activity_facts WHERE reports = 0")
    op.drop_column("totals", "attendances", schema="impact")
    op.add_column(
        "totals", sa.Column("attendances", sa.BigInteger(), server_default="0", nullable=False), schema="impact"
    )
    op.add_column(
        "activity_facts", sa.Column("attendances", sa.BigInteger(), server_default="0", nullable=False), schema="impact"
    )
    op.execute(
        "UPDATE impact.activity_facts SET attendances = "
        "attendances_international + attendances_local + attendances_esn_volunteer"
    )
    for table in ("totals", "quantity_totals"):
        op.drop_index(f"uq_{table}_cell", table_name=table, schema="impact")
        op.execute(f"DELETE FROM impact.{table}")
        op.drop_column(table, "platform", schema="impact")
    for table in ("activity_facts", "totals"):
        for name in (*_ADDED, "checked_in_hours"):
            op.drop_column(table, name, schema="impact")
        op.alter_column(table, "attendances", server_default=None, schema="impact")
    for name in ("platform", "labels"):
        op.drop_column("activity_facts", name, schema="impact")
    before = _CELL.replace("platform, ", "")
    counted = [name for name in _COUNTED if name not in {*_ADDED, "checked_in_hours"}] + ["attendances"]
    sums = ", ".join(f"sum({name})" for name in counted)
    op.execute(
        f"INSERT INTO impact.totals ({before}, {', '.join(counted)}) SELECT {before}, {sums} "
        f"FROM impact.activity_facts GROUP BY {before}"
    )
    op.execute(
        f"INSERT INTO impact.quantity_totals ({before}, measure, unit, amount) "
        f"SELECT {before}, measure, unit, sum(amount) FROM impact.activity_facts "
        f"JOIN impact.quantity_facts USING (activity_id) GROUP BY {before}, measure, unit"
    )
    for table in ("totals", "quantity_totals"):
        op.create_index(
            f"uq_{table}_cell", table, [*_KEY_BEFORE, *_MORE[table]], unique=True, schema="impact",
            postgresql_nulls_not_distinct=True,
        )  # fmt: skip
    for name in ("person_key", "home_country", "mobility"):
        op.drop_column("attendances", name, schema="impact")
    for name in ("platform", "objectives"):
        op.drop_column("activities", name, schema="impact")
