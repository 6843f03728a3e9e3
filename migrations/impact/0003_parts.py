"""What an activity is a part of, so that a series is counted once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; activities that are known already are parts of nothing."""
    op.add_column("activities", sa.Column("part_of", sa.Uuid()), schema="impact")
    op.add_column("activities", sa.Column("relation", sa.Text()), schema="impact")
    op.add_column(
        "activities",
        sa.Column("has_parts", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="impact",
    )
    op.create_index(
        "ix_activities_occurrences",
        "activities",
        ["part_of", "activity_id"],
        schema="impact",
        postgresql_where=sa.text("relation = 'occurrence'"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_activities_occurrences", table_name="activities", schema="impact")
    for name in ("has_parts", "relation", "part_of"):
        op.drop_column("activities", name, schema="impact")
