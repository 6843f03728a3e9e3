"""Activities are found by any of their labels."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the labels; the version before keeps the index without knowing of it."""
    op.create_index(
        op.f("ix_activity_facts_labels"), "activity_facts", ["labels"], schema="impact", postgresql_using="gin"
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_index(op.f("ix_activity_facts_labels"), table_name="activity_facts", schema="impact")
