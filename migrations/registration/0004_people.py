"""People can be forgotten: registrations of nobody, consents that only grow, mails known by what they are about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What cascades from a registration or a participant is deleted by Postgres' own trigger, one level deeper.
_APPEND_ONLY = """
CREATE FUNCTION registration.refuse_change_of_consent() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'consents are only added, and go with the person' USING ERRCODE = 'insufficient_privilege';
END $$
"""
_GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON registration.consents
FOR EACH ROW EXECUTE FUNCTION registration.refuse_change_of_consent()
"""
_ABOUT = "split_part(business_key, ':', 1)"


def upgrade() -> None:
    """Add what is needed; the version before goes on as it did."""
    op.add_column("registrations", sa.Column("forgotten_at", sa.DateTime(timezone=True)), schema="registration")
    op.add_column("participants", sa.Column("link_mailed_at", sa.DateTime(timezone=True)), schema="registration")
    op.add_column(
        "consents",
        sa.Column("act", sa.Text(), server_default=sa.text("'given'"), nullable=False),
        schema="registration",
    )
    op.add_column("consents", sa.Column("text_hash", sa.Text()), schema="registration")
    op.create_check_constraint(
        op.f("ck_consents_act"), "consents", "act IN ('given', 'withdrawn')", schema="registration"
    )
    op.execute(_APPEND_ONLY)
    op.execute(_GUARD)
    op.add_column(
        "outgoing_mail", sa.Column("about", sa.Text(), sa.Computed(_ABOUT, persisted=True)), schema="registration"
    )
    op.add_column("outgoing_mail", sa.Column("html", sa.Text()), schema="registration")
    op.add_column("outgoing_mail", sa.Column("status", sa.Text()), schema="registration")
    op.add_column("outgoing_mail", sa.Column("bounced_at", sa.DateTime(timezone=True)), schema="registration")
    op.create_index(op.f("ix_outgoing_mail_about"), "outgoing_mail", ["about"], schema="registration")


def downgrade() -> None:
    """Undo it; registrations that are nobody's any more go."""
    op.drop_index(op.f("ix_outgoing_mail_about"), table_name="outgoing_mail", schema="registration")
    for name in ("bounced_at", "status", "html", "about"):
        op.drop_column("outgoing_mail", name, schema="registration")
    op.execute("DROP TRIGGER append_only ON registration.consents")
    op.execute("DROP FUNCTION registration.refuse_change_of_consent()")
    op.drop_constraint(op.f("ck_consents_act"), "consents", schema="registration")
    op.drop_column("consents", "text_hash", schema="registration")
    op.drop_column("consents", "act", schema="registration")
    op.drop_column("participants", "link_mailed_at", schema="registration")
    op.execute("DELETE FROM registration.registrations WHERE forgotten_at IS NOT NULL")
    op.drop_column("registrations", "forgotten_at", schema="registration")
