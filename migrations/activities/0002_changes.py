"""The order in which activities changed, kept by the database itself, for feeds that lose nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.kernel.events import Xid8

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NOTE_CHANGE = """
CREATE FUNCTION activities.note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END;
    was_public boolean := TG_OP <> 'INSERT' AND OLD.state IN ('published', 'held', 'cancelled');
    is_public boolean := TG_OP <> 'DELETE' AND NEW.state IN ('published', 'held', 'cancelled');
BEGIN
    IF was_public OR is_public THEN
        UPDATE activities.changes SET xid = pg_current_xact_id() WHERE id = changed;
        -- Not as INSERT ... ON CONFLICT, which takes a number each time; the activity's own row is locked by now.
        IF NOT FOUND THEN
            INSERT INTO activities.changes (id) VALUES (changed);
        END IF;
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Note every change of an activity from now on; what is public already counts as changed now."""
    op.create_table(
        "changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
        sa.UniqueConstraint("number", name=op.f("uq_changes_number")),
        schema="activities",
    )
    op.create_index(op.f("ix_changes_xid_id"), "changes", ["xid", "id"], unique=False, schema="activities")
    op.create_index(
        "ix_activities_public_by_update",
        "activities",
        ["updated_at", "id"],
        unique=False,
        schema="activities",
        postgresql_where=sa.text("state IN ('published', 'held', 'cancelled')"),
    )
    op.execute(_NOTE_CHANGE)
    op.execute(
        "CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON activities.activities "
        "FOR EACH ROW EXECUTE FUNCTION activities.note_change()"
    )
    op.execute(
        "INSERT INTO activities.changes (id) SELECT id FROM activities.activities "
        "WHERE state IN ('published', 'held', 'cancelled') ORDER BY created_at, id"
    )


def downgrade() -> None:
    """Undo it."""
    op.execute("DROP TRIGGER note_change ON activities.activities")
    op.execute("DROP FUNCTION activities.note_change()")
    op.drop_index("ix_activities_public_by_update", table_name="activities", schema="activities")
    op.drop_table("changes", schema="activities")
