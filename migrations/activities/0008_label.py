"""The label apart from an activity's state: its checklist, where it stands, and what each country makes of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_IS_PUBLIC = sa.text("state IN ('published', 'held', 'cancelled')")
_COLUMNS = (
    sa.Column("label_checklist", postgresql.JSONB(none_as_null=True), nullable=True),
    sa.Column("label_state", sa.Text(), server_default="not_asked", nullable=False),
    sa.Column("label_asked_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("label_decided_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("label_note", sa.Text(), nullable=True),
)
# Until now nothing but imported records of the past was published without the label.
_KNOWN_STATES = """
UPDATE activities.activities AS one SET
    label_state = CASE one.state WHEN 'submitted' THEN 'asked' WHEN 'returned' THEN 'returned' ELSE 'given' END,
    label_asked_at = coalesce((SELECT max(at) FROM activities.activity_history AS entry
        WHERE entry.activity_id = one.id AND entry.verb = 'submit'), one.updated_at),
    label_decided_at = (SELECT max(at) FROM activities.activity_history AS entry
        WHERE entry.activity_id = one.id AND entry.verb IN ('approve', 'return') AND one.state <> 'submitted'),
    label_note = CASE one.state WHEN 'returned' THEN one.reason END
WHERE one.state <> 'draft' AND (one.source IS NULL OR one.sample)
"""
# The last field of a document stays the last one; see `rendering.at_distance`.
_DISTANCE = "',\"distance_km\"\\:null}'"
_DOCUMENTS = f"""
UPDATE activities.activities
SET document = left(document, -length({_DISTANCE})) || ',"label"\\:' || json_build_object('state', label_state,
    'decided_at', to_char(label_decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.US"Z"'))::text
    || {_DISTANCE}
WHERE right(document, length({_DISTANCE})) = {_DISTANCE} AND NOT (document\\:\\:jsonb ? 'label')
"""


def upgrade() -> None:
    """Add the label's columns, take over what is known of it, and the countries' policies."""
    for column in _COLUMNS:
        op.add_column("activities", column, schema="activities")
    op.create_check_constraint(
        op.f("ck_activities_label_state"),
        "activities",
        "label_state IN ('not_asked', 'asked', 'given', 'returned')",
        schema="activities",
    )
    op.execute(_KNOWN_STATES)
    op.execute(sa.text(_DOCUMENTS))
    op.create_index(
        "ix_activities_public_label",
        "activities",
        ["label_state", sa.text("COALESCE(starts_at, 'infinity'::timestamp with time zone)"), "id"],
        schema="activities",
        postgresql_where=_IS_PUBLIC,
    )
    op.create_index(
        "ix_activities_label_asked",
        "activities",
        ["country", "label_asked_at", "id"],
        schema="activities",
        postgresql_where=sa.text("label_state = 'asked'"),
    )
    op.create_index(
        "ix_activities_starts_at",
        "activities",
        ["starts_at"],
        schema="activities",
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    op.create_table(
        "label_policies",
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("policy IN ('required', 'recorded')", name=op.f("ck_label_policies_policy")),
        sa.PrimaryKeyConstraint("country", name=op.f("pk_label_policies")),
        schema="activities",
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("label_policies", schema="activities")
    for name in ("starts_at", "label_asked", "public_label"):
        op.drop_index(f"ix_activities_{name}", table_name="activities", schema="activities")
    # As text, since a JSON object keeps no order, and the distance must stay the last field.
    op.get_bind().exec_driver_sql(
        """UPDATE activities.activities SET document = regexp_replace(document, ',"label":\\{[^}]*\\}', '')"""
    )
    op.drop_constraint(op.f("ck_activities_label_state"), "activities", schema="activities")
    for column in reversed(_COLUMNS):
        op.drop_column("activities", column.name, schema="activities")
