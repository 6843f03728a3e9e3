"""The day itself: who came without a place, who did not come, and corrections with their trace; whose attendance it is.

The version before knows only who was there: it adds rows as before, and looks at no column that is new.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_Instant = sa.DateTime(timezone=True)
_WAS_THERE = "present OR hours IS NULL"

# What cascades from a registration is deleted by Postgres' own trigger, one level deeper.
_APPEND_ONLY = """
CREATE FUNCTION registration.refuse_change_of_attendance_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'corrections are only added, and go with the registration' USING ERRCODE = 'insufficient_privilege';
END $$
"""
_GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON registration.attendance_history
FOR EACH ROW EXECUTE FUNCTION registration.refuse_change_of_attendance_history()
"""


def upgrade() -> None:
    """Add what is needed; the version before goes on as it did."""
    op.add_column("participants", sa.Column("person_key", sa.Uuid()), schema="registration")
    op.add_column(
        "places",
        sa.Column("no_shows_due", sa.Boolean(), server_default=sa.false(), nullable=False),
        schema="registration",
    )
    op.create_index(
        "ix_places_no_shows_due",
        "places",
        ["activity_id"],
        schema="registration",
        postgresql_where=sa.text("no_shows_due"),
    )
    for name, default in (("present", sa.true()), ("corrected", sa.false())):
        column = sa.Column(name, sa.Boolean(), server_default=default, nullable=False)
        op.add_column("attendances", column, schema="registration")
    op.create_check_constraint(
        op.f("ck_attendances_no_hours_of_a_no_show"), "attendances", _WAS_THERE, schema="registration"
    )
    op.create_table(
        "walk_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("participant_class", sa.Text(), nullable=False),
        sa.Column("at", _Instant, nullable=False),
        sa.Column("attendance_key", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", _Instant, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Numeric(4, 2)),
        sa.Column("present", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("corrected", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint(_WAS_THERE, name=op.f("ck_walk_ins_no_hours_of_a_no_show")),
        sa.CheckConstraint(
            "participant_class IN ('international', 'local', 'esn_volunteer')",
            name=op.f("ck_walk_ins_participant_class"),
        ),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["registration.places.activity_id"], name=op.f("fk_walk_ins_activity_id_places")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_walk_ins")),
        sa.UniqueConstraint("activity_id", "nonce", name=op.f("uq_walk_ins_activity_id_nonce")),
        sa.UniqueConstraint("attendance_key", name=op.f("uq_walk_ins_attendance_key")),
        schema="registration",
    )
    op.create_table(
        "attendance_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid()),
        sa.Column("walk_in_id", sa.Uuid()),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("present_before", sa.Boolean()),
        sa.Column("hours_before", sa.Numeric(4, 2)),
        sa.Column("present_after", sa.Boolean(), nullable=False),
        sa.Column("hours_after", sa.Numeric(4, 2)),
        sa.Column("reason", sa.Text()),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("actor_role", sa.Text()),
        sa.Column("at", _Instant, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("act IN ('corrected', 'marked_no_show')", name=op.f("ck_attendance_history_act")),
        sa.CheckConstraint(
            "(registration_id IS NULL) <> (walk_in_id IS NULL)", name=op.f("ck_attendance_history_of_one")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.registrations.id"],
            name=op.f("fk_attendance_history_registration_id_registrations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["walk_in_id"],
            ["registration.walk_ins.id"],
            name=op.f("fk_attendance_history_walk_in_id_walk_ins"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_history")),
        schema="registration",
    )
    for name in ("registration_id", "walk_in_id"):
        op.create_index(op.f(f"ix_attendance_history_{name}"), "attendance_history", [name], schema="registration")
    op.execute(_APPEND_ONLY)
    op.execute(_GUARD)


def downgrade() -> None:
    """Undo it; what the version before can't tell from somebody who was there goes."""
    op.drop_table("attendance_history", schema="registration")
    op.execute("DROP FUNCTION registration.refuse_change_of_attendance_history()")
    op.drop_table("walk_ins", schema="registration")
    op.execute("DELETE FROM registration.attendances WHERE NOT present")
    op.drop_constraint(op.f("ck_attendances_no_hours_of_a_no_show"), "attendances", schema="registration")
    for name in ("corrected", "present"):
        op.drop_column("attendances", name, schema="registration")
    op.drop_index("ix_places_no_shows_due", table_name="places", schema="registration")
    op.drop_column("places", "no_shows_due", schema="registration")
    op.drop_column("participants", "person_key", schema="registration")
