"""Sign-ups may have to prove some work first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of used proofs, and count what is held by people who have not confirmed."""
    op.create_table(
        "spent_proofs",
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_spent_proofs")),
        schema="registration",
    )
    op.create_index(op.f("ix_spent_proofs_expires_at"), "spent_proofs", ["expires_at"], schema="registration")
    op.create_index(
        "ix_registrations_unconfirmed",
        "registrations",
        ["activity_id"],
        schema="registration",
        postgresql_where=sa.text("state = 'unconfirmed'"),
    )
    # How many there are is told to them; who they are is not.
    op.execute("""CREATE FUNCTION registration.held_unconfirmed(activity uuid) RETURNS bigint
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            RETURN (SELECT count(*) FROM registration.registrations AS one
                WHERE one.activity_id = activity AND one.state = 'unconfirmed');
        END $$""")


def downgrade() -> None:
    """Undo it."""
    op.execute("DROP FUNCTION registration.held_unconfirmed(uuid)")
    op.drop_index("ix_registrations_unconfirmed", table_name="registrations", schema="registration")
    op.drop_table("spent_proofs", schema="registration")
