"""Certificates, the attendances that they state, and the names of those who organise an activity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What was told of each activity last. A version before goes on without the names; its revisions are told again.
_NAMES = """
DO $$ BEGIN
  IF to_regclass('events.log') IS NOT NULL THEN
    UPDATE registration.places SET organiser_names = told.names
    FROM (
      SELECT DISTINCT ON (payload -> 'activity' ->> 'activity_id')
        (payload -> 'activity' ->> 'activity_id')::uuid AS activity_id,
        ARRAY(SELECT each ->> 'name' FROM jsonb_array_elements(payload -> 'activity' -> 'organisers')
              WITH ORDINALITY AS listed (each, place) ORDER BY place) AS names
      FROM events.log
      WHERE name IN ('activities.activity_published.v1', 'activities.activity_revised.v1',
                     'activities.activity_held.v1', 'activities.activity_cancelled.v1')
      ORDER BY payload -> 'activity' ->> 'activity_id', (payload -> 'activity' ->> 'revision')::integer DESC
    ) AS told
    WHERE places.activity_id = told.activity_id;
  END IF;
END $$
"""


def upgrade() -> None:
    """Add what is needed; the version before goes on as it did."""
    op.add_column("places", sa.Column("organiser_names", postgresql.ARRAY(sa.Text())), schema="registration")
    op.execute(_NAMES)
    op.create_table(
        "certificates",
        sa.Column("number_hash", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Text()),
        sa.Column("participant_id", sa.Uuid()),
        sa.Column("content", postgresql.JSONB()),
        sa.Column("content_hash", sa.LargeBinary()),
        sa.Column("name_digest", sa.LargeBinary()),
        sa.Column("activities", sa.Integer()),
        sa.Column("hours", sa.Numeric(8, 2)),
        sa.Column("first_on", sa.Date()),
        sa.Column("last_on", sa.Date()),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_by", sa.Uuid()),
        sa.Column("revoked_reason", sa.Text()),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "(number IS NULL) = (participant_id IS NULL)", name=op.f("ck_certificates_number_of_somebody")
        ),
        sa.CheckConstraint(
            "(content IS NULL) = (participant_id IS NULL)", name=op.f("ck_certificates_content_of_somebody")
        ),
        sa.CheckConstraint(
            "withdrawn_at IS NULL OR participant_id IS NULL", name=op.f("ck_certificates_withdrawn_is_nobodys")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["registration.participants.id"],
            name=op.f("fk_certificates_participant_id_participants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number_hash", name=op.f("pk_certificates")),
        schema="registration",
    )
    op.create_index(op.f("ix_certificates_participant_id"), "certificates", ["participant_id"], schema="registration")
    op.create_index(
        "uq_certificates_current",
        "certificates",
        ["participant_id", "content_hash"],
        unique=True,
        schema="registration",
        postgresql_where=sa.text("revoked_at IS NULL AND participant_id IS NOT NULL"),
    )
    op.create_table(
        "certified_attendances",
        sa.Column("number_hash", sa.LargeBinary(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("hours", sa.Numeric(4, 2), nullable=False),
        sa.Column("is_barred", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number_hash"],
            ["registration.certificates.number_hash"],
            name=op.f("fk_certified_attendances_number_hash_certificates"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.registrations.id"],
            name=op.f("fk_certified_attendances_registration_id_registrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number_hash", "registration_id", name=op.f("pk_certified_attendances")),
        schema="registration",
    )
    op.create_index(
        op.f("ix_certified_attendances_registration_id"),
        "certified_attendances",
        ["registration_id"],
        schema="registration",
    )


def downgrade() -> None:
    """Undo it; certificates that were issued can't be verified any more."""
    op.drop_table("certified_attendances", schema="registration")
    op.drop_table("certificates", schema="registration")
    op.drop_column("places", "organiser_names", schema="registration")
