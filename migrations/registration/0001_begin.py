"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency_keys")),
        schema="registration",
    )
    op.create_index(
        op.f("ix_idempotency_keys_answered_at"),
        "idempotency_keys",
        ["answered_at"],
        unique=False,
        schema="registration",
    )
    op.create_table(
        "outgoing_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
        sa.UniqueConstraint("business_key", name=op.f("uq_outgoing_mail_business_key")),
        schema="registration",
    )
    op.create_index(
        "ix_outgoing_mail_due",
        "outgoing_mail",
        ["due_at"],
        unique=False,
        schema="registration",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "participants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("known_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participants")),
        sa.UniqueConstraint("email_key", name=op.f("uq_participants_email_key")),
        schema="registration",
    )
    op.create_table(
        "places",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("section_codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("minimum_age", sa.SmallInteger(), nullable=True),
        sa.Column("takes_sign_ups", sa.Boolean(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("availability_revision", sa.Integer(), nullable=False),
        sa.Column("to_call_off", sa.Boolean(), nullable=False),
        sa.CheckConstraint("state IN ('published', 'held', 'cancelled')", name=op.f("ck_places_state")),
        sa.CheckConstraint("taken >= 0", name=op.f("ck_places_taken_not_negative")),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_places")),
        schema="registration",
    )
    op.create_index(
        "ix_places_to_call_off",
        "places",
        ["activity_id"],
        unique=False,
        schema="registration",
        postgresql_where=sa.text("to_call_off"),
    )
    op.create_table(
        "registrations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("participant_class", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("home_country", sa.Text(), nullable=True),
        sa.Column("host_section", sa.Text(), nullable=True),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("attendance_key", sa.Uuid(), nullable=False),
        sa.Column("signed_up_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "participant_class IN ('international', 'local', 'esn_volunteer')",
            name=op.f("ck_registrations_participant_class"),
        ),
        sa.CheckConstraint(
            "state IN ('unconfirmed', 'confirmed', 'cancelled', 'expired')", name=op.f("ck_registrations_state")
        ),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["registration.places.activity_id"], name=op.f("fk_registrations_activity_id_places")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["registration.participants.id"],
            name=op.f("fk_registrations_participant_id_participants"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("activity_id", "code", name=op.f("uq_registrations_activity_id_code")),
        sa.UniqueConstraint("attendance_key", name=op.f("uq_registrations_attendance_key")),
        schema="registration",
    )
    op.create_index(
        op.f("ix_registrations_activity_id_id"),
        "registrations",
        ["activity_id", "id"],
        unique=False,
        schema="registration",
    )
    op.create_index(
        "ix_registrations_held_until",
        "registrations",
        ["held_until"],
        unique=False,
        schema="registration",
        postgresql_where=sa.text("state = 'unconfirmed'"),
    )
    op.create_index(
        op.f("ix_registrations_participant_id"),
        "registrations",
        ["participant_id"],
        unique=False,
        schema="registration",
    )
    op.create_index(
        "uq_registrations_live",
        "registrations",
        ["activity_id", "participant_id"],
        unique=True,
        schema="registration",
        postgresql_where=sa.text("state IN ('unconfirmed', 'confirmed')"),
    )
    op.create_table(
        "attendances",
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Numeric(precision=4, scale=2), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.registrations.id"],
            name=op.f("fk_attendances_registration_id_registrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registration_id", name=op.f("pk_attendances")),
        schema="registration",
    )
    op.create_table(
        "check_ins",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hours", sa.Numeric(precision=4, scale=2), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["registration.places.activity_id"], name=op.f("fk_check_ins_activity_id_places")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.registrations.id"],
            name=op.f("fk_check_ins_registration_id_registrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("activity_id", "nonce", name=op.f("pk_check_ins")),
        schema="registration",
    )
    op.create_index(
        op.f("ix_check_ins_registration_id"), "check_ins", ["registration_id"], unique=False, schema="registration"
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["registration.participants.id"],
            name=op.f("fk_consents_participant_id_participants"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.registrations.id"],
            name=op.f("fk_consents_registration_id_registrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        schema="registration",
    )
    op.create_index(
        op.f("ix_consents_participant_id"), "consents", ["participant_id"], unique=False, schema="registration"
    )
    op.create_index(
        op.f("ix_consents_registration_id"), "consents", ["registration_id"], unique=False, schema="registration"
    )
    op.create_table(
        "handles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.registrations.id"],
            name=op.f("fk_handles_registration_id_registrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handles")),
        schema="registration",
    )
    op.create_index(
        op.f("ix_handles_registration_id"), "handles", ["registration_id"], unique=False, schema="registration"
    )
    op.create_table(
        "links",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('confirm', 'manage')", name=op.f("ck_links_purpose")),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.registrations.id"],
            name=op.f("fk_links_registration_id_registrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_links")),
        schema="registration",
    )
    op.create_index(op.f("ix_links_expires_at"), "links", ["expires_at"], unique=False, schema="registration")
    op.create_index(op.f("ix_links_registration_id"), "links", ["registration_id"], unique=False, schema="registration")


def downgrade() -> None:
    """Undo it."""
    op.drop_index(op.f("ix_links_registration_id"), table_name="links", schema="registration")
    op.drop_index(op.f("ix_links_expires_at"), table_name="links", schema="registration")
    op.drop_table("links", schema="registration")
    op.drop_index(op.f("ix_handles_registration_id"), table_name="handles", schema="registration")
    op.drop_table("handles", schema="registration")
    op.drop_index(op.f("ix_consents_registration_id"), table_name="consents", schema="registration")
    op.drop_index(op.f("ix_consents_participant_id"), table_name="consents", schema="registration")
    op.drop_table("consents", schema="registration")
    op.drop_index(op.f("ix_check_ins_registration_id"), table_name="check_ins", schema="registration")
    op.drop_table("check_ins", schema="registration")
    op.drop_table("attendances", schema="registration")
    op.drop_index(
        "uq_registrations_live",
        table_name="registrations",
        schema="registration",
        postgresql_where=sa.text("state IN ('unconfirmed', 'confirmed')"),
    )
    op.drop_index(op.f("ix_registrations_participant_id"), table_name="registrations", schema="registration")
    op.drop_index(
        "ix_registrations_held_until",
        table_name="registrations",
        schema="registration",
        postgresql_where=sa.text("state = 'unconfirmed'"),
    )
    op.drop_index(op.f("ix_registrations_activity_id_id"), table_name="registrations", schema="registration")
    op.drop_table("registrations", schema="registration")
    op.drop_index(
        "ix_places_to_call_off", table_name="places", schema="registration", postgresql_where=sa.text("to_call_off")
    )
    op.drop_table("places", schema="registration")
    op.drop_table("participants", schema="registration")
    op.drop_index(
        "ix_outgoing_mail_due",
        table_name="outgoing_mail",
        schema="registration",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_table("outgoing_mail", schema="registration")
    op.drop_index(op.f("ix_idempotency_keys_answered_at"), table_name="idempotency_keys", schema="registration")
    op.drop_table("idempotency_keys", schema="registration")
