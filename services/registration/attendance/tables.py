"""Check-ins as devices told them, what they come to, who came without a place, and what organisers corrected."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registration.attendance.rules import Standing
from services.registration.tables import Table

_Instant = sa.DateTime(timezone=True)
_ACTIVITY = "registration.places.activity_id"
_REGISTRATION = "registration.registrations.id"


class CheckIn(Table):
    """One check-in that was accepted; rows are only ever added. The nonce makes telling it again harmless."""

    __tablename__ = "check_ins"

    activity_id: Mapped[UUID] = mapped_column(sa.ForeignKey(_ACTIVITY), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(sa.ForeignKey(_REGISTRATION, ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(_Instant)
    hours: Mapped[Decimal | None] = mapped_column(sa.Numeric(4, 2))
    actor_id: Mapped[UUID] = mapped_column(sa.Uuid)
    told_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.clock_timestamp())


class _Attended(Table):
    """Whether somebody was there, and what the other services were told of it: nothing while `revision` is 0."""

    __abstract__ = True

    revision: Mapped[int] = mapped_column(sa.Integer)
    hours: Mapped[Decimal | None] = mapped_column(sa.Numeric(4, 2))
    present: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.true())
    corrected: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())

    @property
    def standing(self) -> Standing:
        """What is known."""
        return Standing(self.present, self.hours, self.corrected)


class Attendance(_Attended):
    """What is known of somebody who has a place: present, or a no-show."""

    __tablename__ = "attendances"
    __table_args__ = (sa.CheckConstraint("present OR hours IS NULL", name="no_hours_of_a_no_show"),)

    registration_id: Mapped[UUID] = mapped_column(sa.ForeignKey(_REGISTRATION, ondelete="CASCADE"), primary_key=True)


class WalkIn(_Attended):
    """Somebody who came without a place: of a class, and nobody knows who. Not present where it was a mistake."""

    __tablename__ = "walk_ins"
    __table_args__ = (
        sa.UniqueConstraint("activity_id", "nonce"),
        sa.CheckConstraint("present OR hours IS NULL", name="no_hours_of_a_no_show"),
        sa.CheckConstraint(
            "participant_class IN ('international', 'local', 'esn_volunteer')", name="participant_class"
        ),
    )

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(sa.ForeignKey(_ACTIVITY))
    nonce: Mapped[str] = mapped_column(sa.Text)
    participant_class: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(_Instant)
    attendance_key: Mapped[UUID] = mapped_column(sa.Uuid, unique=True)
    actor_id: Mapped[UUID] = mapped_column(sa.Uuid)
    told_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.clock_timestamp())


class AttendanceHistory(Table):
    """What was decided about somebody's attendance, by whom and why. A trigger keeps rows from changing.

    They go with the registration when somebody is forgotten. Without an actor it was the time that passed.
    """

    __tablename__ = "attendance_history"
    __table_args__ = (
        sa.CheckConstraint("act IN ('corrected', 'marked_no_show')", name="act"),
        sa.CheckConstraint("(registration_id IS NULL) <> (walk_in_id IS NULL)", name="of_one"),
    )

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    registration_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(_REGISTRATION, ondelete="CASCADE"), index=True)
    walk_in_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("registration.walk_ins.id", ondelete="CASCADE"), index=True
    )
    act: Mapped[str] = mapped_column(sa.Text)
    present_before: Mapped[bool | None] = mapped_column(sa.Boolean)
    hours_before: Mapped[Decimal | None] = mapped_column(sa.Numeric(4, 2))
    present_after: Mapped[bool] = mapped_column(sa.Boolean)
    hours_after: Mapped[Decimal | None] = mapped_column(sa.Numeric(4, 2))
    reason: Mapped[str | None] = mapped_column(sa.Text)
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid)
    actor_role: Mapped[str | None] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.clock_timestamp())
