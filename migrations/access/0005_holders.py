"""Whose a session is, so that they see theirs, and so that there are not too many; the version before names nobody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("sessions", sa.Column("holder", sa.Uuid(), nullable=True), schema="access")
    op.create_index(op.f("ix_sessions_holder"), "sessions", ["holder"], unique=False, schema="access")


def downgrade() -> None:
    """Undo it."""
    op.drop_column("sessions", "holder", schema="access")
