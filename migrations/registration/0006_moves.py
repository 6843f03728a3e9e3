"""Moves and reminders, study or traineeship, ESNcards, sections by name, and until when the chosen ones confirm."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_INSTANTS = {
    "places": (
        "confirm_until",
        "remind_at",
        "move_due_at",
        "move_noted_at",
        "moved_at",
        "moved_from_starts_at",
        "moved_from_ends_at",
    ),
    "registrations": ("asked_again_at", "still_comes_at", "reminded_for"),
    "participants": ("reminders_declined_at",),
}
_TEXTS = {
    "places": ("moved_from_location",),
    "registrations": ("mobility",),
    "outgoing_mail": ("unsubscribe_url",),
    "sections": ("title", "country"),
}
_FLAGS = ("asks_esncard", "to_ask_again")
_DUE = {
    "remind_at": "remind_at IS NOT NULL",
    "move_due_at": "move_due_at IS NOT NULL",
    "to_ask_again": "to_ask_again",
}
# As services/registration/places/timing.py says it: the day before at the same time of day, from nine to eight.
_REMIND = """
UPDATE registration.places SET remind_at = (
  date_trunc('day', starts_at AT TIME ZONE time_zone) - interval '1 day'
  + least(greatest((starts_at AT TIME ZONE time_zone)::time, time '09:00'), time '20:00')
) AT TIME ZONE time_zone
WHERE state = 'published' AND takes_sign_ups AND starts_at > now() + interval '39 hours'
"""
# What was told before the cursor passed it is known again from the log, where there is one.
_NAMES = """
DO $$ BEGIN
  IF to_regclass('events.log') IS NOT NULL THEN
    UPDATE registration.sections SET title = told.title, country = told.country
    FROM (
      SELECT DISTINCT ON (payload ->> 'code') payload ->> 'code' AS code, payload ->> 'title' AS title,
        payload ->> 'country' AS country
      FROM events.log WHERE name = 'activities.section_recorded.v1' ORDER BY payload ->> 'code', number DESC
    ) AS told
    WHERE told.code = sections.code;
  END IF;
END $$
"""


def upgrade() -> None:
    """Add what is needed; the version before goes on as it did."""
    for kind, added in ((_INSTANT, _INSTANTS), (sa.Text(), _TEXTS)):
        for table, names in added.items():
            for name in names:
                op.add_column(table, sa.Column(name, kind), schema="registration")
    for name in _FLAGS:
        flag = sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)
        op.add_column("places", flag, schema="registration")
    op.create_check_constraint(
        op.f("ck_registrations_mobility"), "registrations", "mobility IN ('study', 'traineeship')",
        schema="registration",
    )  # fmt: skip
    for name, where in _DUE.items():
        op.create_index(f"ix_places_{name}", "places", [name], schema="registration", postgresql_where=sa.text(where))
    op.execute(_REMIND)
    op.execute(_NAMES)
    op.drop_constraint(op.f("ck_links_purpose"), "links", schema="registration")
    op.create_check_constraint(
        op.f("ck_links_purpose"), "links", "purpose IN ('confirm', 'manage', 'reminders')", schema="registration"
    )
    op.create_table(
        "cards",
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("checked_at", _INSTANT),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", _INSTANT, server_default=sa.text("now()")),
        sa.CheckConstraint("outcome IN ('valid', 'invalid', 'unknown')", name=op.f("ck_cards_outcome")),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.registrations.id"],
            name=op.f("fk_cards_registration_id_registrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registration_id", name=op.f("pk_cards")),
        schema="registration",
    )
    op.create_index(
        "ix_cards_due_at", "cards", ["due_at"], schema="registration", postgresql_where=sa.text("due_at IS NOT NULL")
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("cards", schema="registration")
    op.execute("DELETE FROM registration.links WHERE purpose = 'reminders'")
    op.drop_constraint(op.f("ck_links_purpose"), "links", schema="registration")
    op.create_check_constraint(
        op.f("ck_links_purpose"), "links", "purpose IN ('confirm', 'manage')", schema="registration"
    )
    for name in _DUE:
        op.drop_index(f"ix_places_{name}", table_name="places", schema="registration")
    op.drop_constraint(op.f("ck_registrations_mobility"), "registrations", schema="registration")
    for name in _FLAGS:
        op.drop_column("places", name, schema="registration")
    for added in (_INSTANTS, _TEXTS):
        for table, names in added.items():
            for name in names:
                op.drop_column(table, name, schema="registration")
