"""Waiting lists, groups, quotas and the organisers' choice.

A process of the version before goes on taking places for one person at a time: it knows none of the new states, and
the counts by class, which it does not keep, are taken anew whenever terms are set.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_S = "registration"
_LIVE_BEFORE = "state IN ('unconfirmed', 'confirmed')"
_LIVE = "state IN ('unconfirmed', 'pending_approval', 'waitlisted', 'offered', 'confirmed')"
_STATES_BEFORE = "state IN ('unconfirmed', 'confirmed', 'cancelled', 'expired')"
_STATES = (
    "state IN ('unconfirmed', 'pending_approval', 'waitlisted', 'offered', 'confirmed', 'cancelled', "
    "'declined', 'expired')"
)
_COUNT_BY_CLASS = f"""
UPDATE registration.places SET
  taken_international = counted.international, taken_local = counted.local, taken_esn_volunteer = counted.esn_volunteer
FROM (
  SELECT activity_id,
    count(*) FILTER (WHERE participant_class = 'international') AS international,
    count(*) FILTER (WHERE participant_class = 'local') AS local,
    count(*) FILTER (WHERE participant_class = 'esn_volunteer') AS esn_volunteer
  FROM registration.registrations WHERE {_LIVE_BEFORE} GROUP BY activity_id
) AS counted
WHERE counted.activity_id = places.activity_id
"""  # Nothing in it comes from outside.


def upgrade() -> None:
    """Make the columns, and count the places that are taken by class."""
    _add_to_places()
    op.alter_column("registrations", "participant_id", nullable=True, schema=_S)
    op.alter_column("registrations", "held_until", nullable=True, schema=_S)
    op.add_column("registrations", sa.Column("lead_id", sa.Uuid(), nullable=True), schema=_S)
    op.add_column(
        "registrations",
        sa.Column("party_size", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        schema=_S,
    )
    op.add_column("registrations", sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True), schema=_S)
    op.create_foreign_key(
        op.f("fk_registrations_lead_id_registrations"),
        "registrations",
        "registrations",
        ["lead_id"],
        ["id"],
        source_schema=_S,
        referent_schema=_S,
        ondelete="SET NULL",
    )
    op.drop_constraint(op.f("ck_registrations_state"), "registrations", schema=_S)
    op.create_check_constraint(op.f("ck_registrations_state"), "registrations", _STATES, schema=_S)
    op.create_check_constraint(
        op.f("ck_registrations_guests_have_no_mailbox"),
        "registrations",
        "lead_id IS NULL OR participant_id IS NULL",
        schema=_S,
    )
    _index_registrations()
    op.execute(_COUNT_BY_CLASS)


def _add_to_places() -> None:
    zero, no = sa.text("0"), sa.false()
    columns = [
        sa.Column("waiting", sa.Integer(), server_default=zero, nullable=False),
        sa.Column("offers_due", sa.Boolean(), server_default=no, nullable=False),
        sa.Column("taken_international", sa.Integer(), server_default=zero, nullable=False),
        sa.Column("taken_local", sa.Integer(), server_default=zero, nullable=False),
        sa.Column("taken_esn_volunteer", sa.Integer(), server_default=zero, nullable=False),
        sa.Column("terms_revision", sa.Integer(), server_default=zero, nullable=False),
        sa.Column("choosing", sa.Text(), server_default=sa.text("'first_come'"), nullable=False),
        sa.Column("quota_international", sa.Integer(), nullable=True),
        sa.Column("quota_local", sa.Integer(), nullable=True),
        sa.Column("quota_esn_volunteer", sa.Integer(), nullable=True),
        sa.Column("guests_at_most", sa.SmallInteger(), server_default=zero, nullable=False),
        sa.Column("keeps_waiting_list", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("hold_minutes", sa.Integer(), nullable=True),
        sa.Column("offer_hours", sa.SmallInteger(), server_default=sa.text("24"), nullable=False),
        sa.Column("offers_end_hours", sa.SmallInteger(), server_default=sa.text("2"), nullable=False),
        sa.Column(
            "questions",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    ]
    for column in columns:
        op.add_column("places", column, schema=_S)
    op.create_check_constraint(op.f("ck_places_waiting_not_negative"), "places", "waiting >= 0", schema=_S)
    op.create_check_constraint(
        op.f("ck_places_choosing"), "places", "choosing IN ('first_come', 'approval')", schema=_S
    )
    op.create_index(
        "ix_places_offers_due", "places", ["activity_id"], schema=_S, postgresql_where=sa.text("offers_due")
    )


def _index_registrations() -> None:
    op.drop_index("uq_registrations_live", table_name="registrations", schema=_S)
    op.create_index(
        "uq_registrations_live",
        "registrations",
        ["activity_id", "participant_id"],
        unique=True,
        schema=_S,
        postgresql_where=sa.text(_LIVE),
    )
    op.drop_index("ix_registrations_held_until", table_name="registrations", schema=_S)
    op.create_index(
        "ix_registrations_held_until",
        "registrations",
        ["held_until"],
        schema=_S,
        postgresql_where=sa.text("state IN ('unconfirmed', 'offered')"),
    )
    op.create_index(
        "ix_registrations_lead_id",
        "registrations",
        ["lead_id"],
        schema=_S,
        postgresql_where=sa.text("lead_id IS NOT NULL"),
    )
    op.create_index(
        "ix_registrations_waiting",
        "registrations",
        ["activity_id", "waiting_since", "id"],
        schema=_S,
        postgresql_where=sa.text("state = 'waitlisted' AND lead_id IS NULL"),
    )
    op.create_index(
        "ix_registrations_undecided",
        "registrations",
        ["activity_id"],
        schema=_S,
        postgresql_where=sa.text("state IN ('waitlisted', 'pending_approval') AND lead_id IS NULL"),
    )


_COLUMNS_OF_PLACES = (
    "waiting",
    "offers_due",
    "taken_international",
    "taken_local",
    "taken_esn_volunteer",
    "terms_revision",
    "choosing",
    "quota_international",
    "quota_local",
    "quota_esn_volunteer",
    "guests_at_most",
    "keeps_waiting_list",
    "hold_minutes",
    "offer_hours",
    "offers_end_hours",
    "questions",
)


def downgrade() -> None:
    """Undo it: guests, those who wait and those who applied are forgotten."""
    op.execute("DELETE FROM registration.registrations WHERE lead_id IS NOT NULL")
    op.execute("DELETE FROM registration.registrations WHERE state IN ('pending_approval', 'waitlisted', 'declined')")
    op.execute("UPDATE registration.registrations SET state = 'unconfirmed' WHERE state = 'offered'")
    op.execute("UPDATE registration.registrations SET held_until = signed_up_at WHERE held_until IS NULL")
    for index in ("ix_registrations_undecided", "ix_registrations_waiting", "ix_registrations_lead_id"):
        op.drop_index(index, table_name="registrations", schema=_S)
    op.drop_index("ix_registrations_held_until", table_name="registrations", schema=_S)
    op.create_index(
        "ix_registrations_held_until",
        "registrations",
        ["held_until"],
        schema=_S,
        postgresql_where=sa.text("state = 'unconfirmed'"),
    )
    op.drop_index("uq_registrations_live", table_name="registrations", schema=_S)
    op.create_index(
        "uq_registrations_live",
        "registrations",
        ["activity_id", "participant_id"],
        unique=True,
        schema=_S,
        postgresql_where=sa.text(_LIVE_BEFORE),
    )
    op.drop_constraint(op.f("ck_registrations_guests_have_no_mailbox"), "registrations", schema=_S)
    op.drop_constraint(op.f("ck_registrations_state"), "registrations", schema=_S)
    op.create_check_constraint(op.f("ck_registrations_state"), "registrations", _STATES_BEFORE, schema=_S)
    for column in ("waiting_since", "party_size", "lead_id"):
        op.drop_column("registrations", column, schema=_S)
    op.alter_column("registrations", "held_until", nullable=False, schema=_S)
    op.alter_column("registrations", "participant_id", nullable=False, schema=_S)
    op.drop_index("ix_places_offers_due", table_name="places", schema=_S)
    for column in _COLUMNS_OF_PLACES:
        op.drop_column("places", column, schema=_S)
