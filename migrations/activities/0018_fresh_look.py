"""A label whose words were changed since asks for a fresh look; and counts read the index of codes alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_PUBLIC = "state IN ('published', 'held', 'cancelled')"
_CODES = ("programme", "country", "edition", "areas", "causes", "objectives", "platform", "mode", "audience",
          "is_series")  # fmt: skip
_NARROWED_BY = ("state", "label_state", "latitude", "longitude", "starts_at", "ends_at", "updated_at", "joint",
                "takes_sign_ups", "has_places", "sign_up_opens_at", "sign_up_closes_at")  # fmt: skip


def upgrade() -> None:
    """Nothing waits for a fresh look yet."""
    op.add_column(
        "activities", sa.Column("label_look_since", sa.DateTime(timezone=True), nullable=True), schema="activities"
    )
    op.add_column(
        "activities", sa.Column("label_changed", postgresql.ARRAY(sa.Text()), nullable=True), schema="activities"
    )
    op.create_index(
        "ix_activities_label_waits",
        "activities",
        ["country", sa.text("COALESCE(label_look_since, label_asked_at)"), "id"],
        schema="activities",
        postgresql_where=sa.text(
            "(label_state = 'asked' OR label_look_since IS NOT NULL) AND relation IS DISTINCT FROM 'occurrence'"
        ),
    )
    op.drop_index("ix_activities_label_asked", table_name="activities", schema="activities")
    _codes(*_CODES, *_NARROWED_BY)


def downgrade() -> None:
    """Undo it."""
    op.create_index(
        "ix_activities_label_asked",
        "activities",
        ["country", "label_asked_at", "id"],
        schema="activities",
        postgresql_where=sa.text("label_state = 'asked'"),
    )
    op.drop_index("ix_activities_label_waits", table_name="activities", schema="activities")
    op.drop_column("activities", "label_changed", schema="activities")
    op.drop_column("activities", "label_look_since", schema="activities")
    _codes(*_CODES)


def _codes(*included: str) -> None:
    op.drop_index("ix_activities_public_codes", table_name="activities", schema="activities")
    op.create_index(
        "ix_activities_public_codes",
        "activities",
        ["kind"],
        schema="activities",
        postgresql_include=list(included),
        postgresql_where=sa.text(_PUBLIC),
    )
