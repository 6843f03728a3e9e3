"""Local parts of joint days that may have to be called off are found without reading all parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "ix_activities_local_parts",
        "activities",
        ["part_of", "id"],
        schema="activities",
        postgresql_where=sa.text("relation = 'local_part' AND state NOT IN ('held', 'cancelled', 'discarded')"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_activities_local_parts", table_name="activities", schema="activities")
