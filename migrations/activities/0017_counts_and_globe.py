"""How many listed activities each label has, kept as they change; and where they are on the globe, for the nearest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_PUBLIC = "state IN ('published', 'held', 'cancelled')"


def _labels(rows: str) -> str:
    """The labels of each listed row, and of each exported one the block of numbers in which it lies."""
    # What something is a part of is no facet, and would be a row for each series and joint day.
    return f"""
        SELECT label FROM {rows} CROSS JOIN LATERAL unnest(labels) AS label
        WHERE {_PUBLIC} AND NOT is_series AND label NOT LIKE 'part_of:%'
        UNION ALL
        SELECT 'block:' || changes.number / 500 FROM {rows} AS these JOIN activities.changes USING (id)
        WHERE {_PUBLIC} AND relation IS DISTINCT FROM 'occurrence' AND joint IS NULL
    """


_SPLIT = "split_part(label, ':', 1), substr(label, strpos(label, ':') + 1)"

# By statement and not by row: an import or a COPY notes each label once. Differences are added to and never changed, so
# that two who publish at the same time don't wait for each other; a sweep adds them up.
_NOTE_LABELS = f"""
CREATE FUNCTION activities.note_labels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO activities.label_news (facet, code, difference)
        SELECT {_SPLIT}, count(*) FROM ({_labels("new_rows")}) AS noted GROUP BY label;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO activities.label_news (facet, code, difference)
        SELECT {_SPLIT}, -count(*) FROM ({_labels("old_rows")}) AS noted GROUP BY label;
    ELSE
        INSERT INTO activities.label_news (facet, code, difference)
        SELECT {_SPLIT}, sum(one) FROM (
            SELECT label, 1 AS one FROM ({_labels("new_rows")}) AS now
            UNION ALL SELECT label, -1 FROM ({_labels("old_rows")}) AS before
        ) AS noted GROUP BY label HAVING sum(one) <> 0;
    END IF;
    RETURN NULL;
END $$
"""
_ROWS_OF = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}
# On a sphere of radius 1, where the straight way between two places is the longer the farther they are apart.
_ON_GLOBE = """
CREATE FUNCTION activities.on_globe(latitude double precision, longitude double precision) RETURNS cube
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN cube(ARRAY[
    cos(radians(latitude)) * cos(radians(longitude)), cos(radians(latitude)) * sin(radians(longitude)),
    sin(radians(latitude))
])
"""


def upgrade() -> None:
    """Count what there is, and note every change from now on."""
    op.create_table(
        "label_counts",
        sa.Column("facet", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("activities", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("facet", "code", name=op.f("pk_label_counts")),
        schema="activities",
    )
    op.create_table(
        "label_news",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("facet", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("difference", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_news")),
        schema="activities",
    )
    op.create_table(
        "activity_figures",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("is_verified", sa.Boolean(), nullable=False),
        sa.Column("participants_international", sa.BigInteger()),
        sa.Column("participants_local", sa.BigInteger()),
        sa.Column("participants_esn_volunteer", sa.BigInteger()),
        sa.Column("participants_unclassified", sa.BigInteger()),
        sa.Column("hours", sa.Numeric()),
        sa.Column("quantities", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_activity_figures")),
        schema="activities",
    )
    op.execute(sa.text(_NOTE_LABELS.replace(":", r"\:")))
    for event, rows in _ROWS_OF.items():
        op.execute(
            f"CREATE TRIGGER note_labels_{event.lower()} AFTER {event} ON activities.activities REFERENCING {rows} "
            "FOR EACH STATEMENT EXECUTE FUNCTION activities.note_labels()"
        )
    counted = f"SELECT {_SPLIT}, count(*) FROM ({_labels('activities.activities')}) AS noted GROUP BY label"
    op.execute(sa.text(f"INSERT INTO activities.label_counts {counted}".replace(":", r"\:")))
    # Trusted: the owner of the database may make it without being a superuser.
    op.execute("CREATE EXTENSION IF NOT EXISTS cube")
    op.execute(_ON_GLOBE)
    op.create_index(
        "ix_activities_public_cost",
        "activities",
        [sa.text("(cost ->> 'currency'\\:\\:text)"), sa.text("((cost ->> 'amount'\\:\\:text)\\:\\:numeric)")],
        schema="activities",
        postgresql_where=sa.text("state IN ('published', 'held', 'cancelled')"),
    )
    op.create_index(
        "ix_activities_public_on_globe",
        "activities",
        [sa.text("activities.on_globe(latitude, longitude)")],
        schema="activities",
        postgresql_using="gist",
        postgresql_where=sa.text("state IN ('published', 'held', 'cancelled')"),
    )


def downgrade() -> None:
    """Undo it; the extension stays, in case somebody else uses it."""
    op.drop_index("ix_activities_public_cost", table_name="activities", schema="activities")
    op.drop_index("ix_activities_public_on_globe", table_name="activities", schema="activities")
    op.execute("DROP FUNCTION activities.on_globe")
    for event in _ROWS_OF:
        op.execute(f"DROP TRIGGER note_labels_{event.lower()} ON activities.activities")
    op.execute("DROP FUNCTION activities.note_labels")
    op.drop_table("activity_figures", schema="activities")
    op.drop_table("label_news", schema="activities")
    op.drop_table("label_counts", schema="activities")
