"""How far the log's count lies ahead of the cluster's own, which begins anew where a dump is restored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# As text and number, for xid8 knows no sums.
_POSITION = """
CREATE FUNCTION events.position() RETURNS xid8 LANGUAGE sql STABLE AS $$
    SELECT CAST(CAST(CAST(CAST(pg_current_xact_id() AS text) AS bigint) + ahead AS text) AS xid8) FROM events.count
$$
"""


def upgrade() -> None:
    """Count as the cluster does until somebody restores a dump."""
    op.create_table(
        "count",
        sa.Column("ahead", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("ahead", name=op.f("pk_count")),
        schema="events",
    )
    op.execute("INSERT INTO events.count DEFAULT VALUES")
    op.execute("GRANT SELECT ON events.count TO PUBLIC")
    op.execute(_POSITION)
    op.alter_column("log", "xid", schema="events", server_default=sa.text("events.position()"))


def downgrade() -> None:
    """Undo it."""
    op.alter_column("log", "xid", schema="events", server_default=sa.text("pg_current_xact_id()"))
    op.execute("DROP FUNCTION events.position()")
    op.drop_table("count", schema="events")
