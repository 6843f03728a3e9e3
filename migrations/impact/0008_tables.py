"""What was told of people, kept as it was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; the years that are closed are released by the sweep."""
    op.create_table(
        "releases",
        sa.Column("academic_year", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("academic_year", name=op.f("pk_releases")),
        schema="impact",
    )
    op.create_table(
        "released_rows",
        sa.Column("academic_year", sa.Text(), nullable=False),
        sa.Column("table_code", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("people > 0", name=op.f("ck_released_rows_people")),
        sa.ForeignKeyConstraint(
            ["academic_year"], ["impact.releases.academic_year"], name=op.f("fk_released_rows_academic_year_releases")
        ),
        sa.PrimaryKeyConstraint("academic_year", "table_code", "row_key", name=op.f("pk_released_rows")),
        schema="impact",
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("released_rows", schema="impact")
    op.drop_table("releases", schema="impact")
