"""Webhooks: who wants to be told, and what they are told; states of registrations tell themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Told in the transaction that changes a state, whichever statement does; guests follow the one who brings them, and who
# was forgotten is nobody. An endpoint that is being deleted is passed over, so that nobody's sign-up waits for it.
_TELL = """
CREATE FUNCTION registration.tell_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registration.webhook_deliveries (id, endpoint_id, kind, about, data)
    SELECT gen_random_uuid(), endpoint.id, 'registration.' || NEW.state, NEW.id::text, jsonb_build_object(
        'registration_id', NEW.id, 'activity_id', NEW.activity_id, 'state', NEW.state)
    FROM registration.webhook_endpoints AS endpoint
    JOIN registration.places AS place ON place.activity_id = NEW.activity_id
    WHERE endpoint.state = 'active' AND endpoint.salt IS NOT NULL
        AND (endpoint.kinds IS NULL OR 'registration.' || NEW.state = ANY (endpoint.kinds))
        AND (endpoint.section = ANY (place.section_codes) OR (endpoint.section IS NULL
            AND (endpoint.country IS NULL OR endpoint.country = place.country)))
    FOR KEY SHARE OF endpoint SKIP LOCKED;
    RETURN NULL;
END $$
"""
_ADDED = """
CREATE TRIGGER tell_webhooks_insert AFTER INSERT ON registration.registrations FOR EACH ROW
WHEN (NEW.lead_id IS NULL AND NEW.forgotten_at IS NULL) EXECUTE FUNCTION registration.tell_webhooks()
"""
_CHANGED = """
CREATE TRIGGER tell_webhooks_update AFTER UPDATE OF state ON registration.registrations FOR EACH ROW
WHEN (NEW.lead_id IS NULL AND NEW.forgotten_at IS NULL AND OLD.state IS DISTINCT FROM NEW.state)
EXECUTE FUNCTION registration.tell_webhooks()
"""


def upgrade() -> None:
    """Add the tables, which the version before does not know."""
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("section", sa.Text()),
        sa.Column("country", sa.Text()),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text())),
        sa.Column("description", sa.Text()),
        sa.Column("contact_email", sa.Text()),
        sa.Column("state", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("disabled_because", sa.Text()),
        sa.Column("salt", sa.LargeBinary()),
        sa.Column("former_salt", sa.LargeBinary()),
        sa.Column("former_until", sa.DateTime(timezone=True)),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True)),
        sa.Column("resting_until", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('active', 'disabled')", name=op.f("ck_webhook_endpoints_state")),
        sa.CheckConstraint(
            "disabled_because IN ('gone', 'failing', 'owner')", name=op.f("ck_webhook_endpoints_disabled_because")
        ),
        sa.CheckConstraint(
            "(state = 'disabled') = (disabled_because IS NOT NULL)",
            name=op.f("ck_webhook_endpoints_reason_if_disabled"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
        schema="registration",
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()")),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
        sa.Column("delivered_at", sa.DateTime(timezone=True)),
        sa.Column("failed_at", sa.DateTime(timezone=True)),
        sa.Column("status", sa.SmallInteger()),
        sa.Column("error", sa.Text()),
        sa.Column("took_ms", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["registration.webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_endpoint_id_webhook_endpoints"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        schema="registration",
    )
    op.create_index(op.f("ix_webhook_deliveries_about"), "webhook_deliveries", ["about"], schema="registration")
    op.create_index(op.f("ix_webhook_deliveries_made_at"), "webhook_deliveries", ["made_at"], schema="registration")
    op.create_index(
        op.f("ix_webhook_deliveries_endpoint_id_made_at_id"),
        "webhook_deliveries",
        ["endpoint_id", "made_at", "id"],
        schema="registration",
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["endpoint_id", "due_at"],
        schema="registration",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    for statement in (_TELL, _ADDED, _CHANGED):
        op.execute(sa.text(statement.replace(":", r"\:")))


def downgrade() -> None:
    """Undo it."""
    for name in ("insert", "update"):
        op.execute(f"DROP TRIGGER tell_webhooks_{name} ON registration.registrations")
    op.execute("DROP FUNCTION registration.tell_webhooks")
    op.drop_table("webhook_deliveries", schema="registration")
    op.drop_table("webhook_endpoints", schema="registration")
