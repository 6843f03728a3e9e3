"""How many students sections host, and which of them stand in no ranking."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "section_sizes",
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("academic_year", sa.Text(), nullable=False),
        sa.Column("international_students", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("international_students > 0", name=op.f("ck_section_sizes_somebody")),
        sa.PrimaryKeyConstraint("section", "academic_year", name=op.f("pk_section_sizes")),
        schema="impact",
    )
    op.create_table(
        "unranked_sections",
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("section", name=op.f("pk_unranked_sections")),
        schema="impact",
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("unranked_sections", schema="impact")
    op.drop_table("section_sizes", schema="impact")
