"""Sections and terms whose activities are to follow their names, and an index of the sections that activities name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is remembered until activities have followed."""
    op.add_column(
        "sections",
        sa.Column("is_followed", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        schema="activities",
    )
    op.add_column(
        "sections",
        sa.Column("former_names", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        schema="activities",
    )
    op.create_index(
        "ix_sections_not_followed",
        "sections",
        ["code"],
        schema="activities",
        postgresql_where=sa.text("NOT is_followed"),
    )
    op.create_index(
        "ix_activities_section_codes", "activities", ["section_codes"], schema="activities", postgresql_using="gin"
    )
    op.create_table(
        "taxonomy_rounds",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("after", sa.Uuid(), nullable=True),
        sa.Column("renamed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_taxonomy_rounds")),
        schema="activities",
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("taxonomy_rounds", schema="activities")
    op.drop_index("ix_activities_section_codes", table_name="activities", schema="activities")
    op.drop_index("ix_sections_not_followed", table_name="sections", schema="activities")
    op.drop_column("sections", "former_names", schema="activities")
    op.drop_column("sections", "is_followed", schema="activities")
