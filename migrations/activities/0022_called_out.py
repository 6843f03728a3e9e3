"""Changes of what everybody reads are called out, so that each process can forget the answers that it remembers."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_CALL_OUT = """
CREATE FUNCTION activities.call_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- However many rows a transaction changes, it is called out once.
    PERFORM pg_notify('activities', '');
    RETURN NULL;
END $$
"""
_PUBLIC = "({row}.state IN ('published', 'held', 'cancelled'))"
_WAS_PUBLIC, _IS_PUBLIC = _PUBLIC.format(row="OLD"), _PUBLIC.format(row="NEW")
# Whether there are places changes often when many sign up, and is seen within a second: transactions that call out
# commit one after the other.
_IS_AVAILABILITY = "(OLD.availability_revision <> NEW.availability_revision AND OLD.revision = NEW.revision)"
_TRIGGERS = {
    "call_out_new": ("activities", "INSERT", _IS_PUBLIC),
    "call_out_changed": ("activities", "UPDATE", f"({_WAS_PUBLIC} OR {_IS_PUBLIC}) AND NOT {_IS_AVAILABILITY}"),
    "call_out_gone": ("activities", "DELETE", _WAS_PUBLIC),
    "call_out_merged": ("sections", "UPDATE", "OLD.merged_into IS DISTINCT FROM NEW.merged_into"),
}


def upgrade() -> None:
    """Call out from now on; the version before hears nothing of it."""
    op.execute(_CALL_OUT)
    for name, (table, event, condition) in _TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON activities.{table} "
            f"FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION activities.call_out()"
        )


def downgrade() -> None:
    """Undo it."""
    for name, (table, _, _) in _TRIGGERS.items():
        op.execute(f"DROP TRIGGER {name} ON activities.{table}")
    op.execute("DROP FUNCTION activities.call_out()")
