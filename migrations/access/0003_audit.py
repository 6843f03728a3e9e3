"""What is done with keys and tokens is noted in the audit of the service that serves keys."""

from __future__ import annotations

from alembic import op

from services.kernel.audit import installing

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Note it from now on; the version before does not know of it."""
    installing.note_into("access", "activities")
    installing.note(
        "access.keys",
        keys="id",
        shown="kind scopes origins section country revision expires_at revoked_at former_until",
        named="name key_hash",
    )
    installing.note("access.tokens", keys="id", shown="issued_at expires_at revoked_at", named="label token_hash")


def downgrade() -> None:
    """Undo it."""
    for table in ("access.keys", "access.tokens"):
        installing.leave(table)
    op.execute("DROP FUNCTION access.note_audited_change()")
