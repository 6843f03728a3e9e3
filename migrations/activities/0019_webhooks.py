"""Webhooks: who wants to be told, and what they are told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


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
        schema="activities",
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
            ["activities.webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_endpoint_id_webhook_endpoints"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        schema="activities",
    )
    op.create_index(op.f("ix_webhook_deliveries_about"), "webhook_deliveries", ["about"], schema="activities")
    op.create_index(op.f("ix_webhook_deliveries_made_at"), "webhook_deliveries", ["made_at"], schema="activities")
    op.create_index(
        op.f("ix_webhook_deliveries_endpoint_id_made_at_id"),
        "webhook_deliveries",
        ["endpoint_id", "made_at", "id"],
        schema="activities",
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["endpoint_id", "due_at"],
        schema="activities",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("webhook_deliveries", schema="activities")
    op.drop_table("webhook_endpoints", schema="activities")
