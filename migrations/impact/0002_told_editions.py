"""What was told of editions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; whatever is verified by now will be told once."""
    op.create_table(
        "told_editions",
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("activities", sa.BigInteger(), nullable=False),
        sa.Column("participants_international", sa.BigInteger(), nullable=False),
        sa.Column("participants_local", sa.BigInteger(), nullable=False),
        sa.Column("participants_esn_volunteer", sa.BigInteger(), nullable=False),
        sa.Column("participants_unclassified", sa.BigInteger(), nullable=False),
        sa.Column("attendances", sa.BigInteger(), nullable=False),
        sa.Column("hours", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("edition", name=op.f("pk_told_editions")),
        schema="impact",
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("told_editions", schema="impact")
