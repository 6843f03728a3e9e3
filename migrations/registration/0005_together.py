"""Dates of a series are known as such, and registrations for several of them as made together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is needed; the version before goes on as it did."""
    op.add_column("places", sa.Column("part_of", sa.Uuid()), schema="registration")
    op.add_column("places", sa.Column("relation", sa.Text()), schema="registration")
    op.add_column(
        "places",
        sa.Column("has_parts", sa.Boolean(), server_default=sa.false(), nullable=False),
        schema="registration",
    )
    op.create_index(
        "ix_places_part_of",
        "places",
        ["part_of"],
        schema="registration",
        postgresql_where=sa.text("part_of IS NOT NULL"),
    )
    op.add_column("registrations", sa.Column("together_id", sa.Uuid()), schema="registration")
    op.create_index(
        "ix_registrations_together_id",
        "registrations",
        ["together_id"],
        schema="registration",
        postgresql_where=sa.text("together_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_registrations_together_id", table_name="registrations", schema="registration")
    op.drop_column("registrations", "together_id", schema="registration")
    op.drop_index("ix_places_part_of", table_name="places", schema="registration")
    for name in ("has_parts", "relation", "part_of"):
        op.drop_column("places", name, schema="registration")
