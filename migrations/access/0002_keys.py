"""Keys of websites and programs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keys of websites and programs."""
    instant, texts = sa.DateTime(timezone=True), sa.ARRAY(sa.Text())
    op.create_table(
        "keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.Column("former_hash", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", instant, nullable=True),
        sa.Column("scopes", texts, nullable=False),
        sa.Column("origins", texts, nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", instant, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.Column("revoked_at", instant, nullable=True),
        sa.Column("last_used_at", instant, nullable=True),
        sa.CheckConstraint("kind IN ('publishable', 'secret')", name=op.f("ck_keys_kind")),
        sa.CheckConstraint(
            "(kind = 'publishable') = (cardinality(origins) > 0)", name=op.f("ck_keys_origins_of_a_publishable_one")
        ),
        sa.CheckConstraint(
            "(kind = 'secret') = (cardinality(scopes) > 0)", name=op.f("ck_keys_scopes_of_a_secret_one")
        ),
        sa.CheckConstraint("section IS NULL OR country IS NOT NULL", name=op.f("ck_keys_country_of_a_section")),
        sa.CheckConstraint("(former_hash IS NULL) = (former_until IS NULL)", name=op.f("ck_keys_end_of_the_former")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_keys_key_hash")),
        sa.UniqueConstraint("former_hash", name=op.f("uq_keys_former_hash")),
        schema="access",
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("keys", schema="access")
