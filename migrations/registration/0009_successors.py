"""Sections that merged are known with their successor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the catalogue tells anew of those that merged before."""
    op.add_column("sections", sa.Column("successor", sa.Text()), schema="registration")


def downgrade() -> None:
    """Undo it."""
    op.drop_column("sections", "successor", schema="registration")
