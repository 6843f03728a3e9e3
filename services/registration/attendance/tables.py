"""Check-ins as devices told them, and what they come to for each registration."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registration.tables import Table

_Instant = sa.DateTime(timezone=True)
_REGISTRATION = "registration.registrations.id"


class CheckIn(Table):
    """One check-in that was accepted; rows are only ever added. The nonce makes telling it again harmless."""

    __tablename__ = "check_ins"

    activity_id: Mapped[UUID] = mapped_column(sa.ForeignKey("registration.places.activity_id"), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(sa.ForeignKey(_REGISTRATION, ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(_Instant)
    hours: Mapped[Decimal | None] = mapped_column(sa.Numeric(4, 2))
    actor_id: Mapped[UUID] = mapped_column(sa.Uuid)
    told_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.clock_timestamp())


class Attendance(Table):
    """That somebody was there, as it was last told to the other services."""

    __tablename__ = "attendances"

    registration_id: Mapped[UUID] = mapped_column(sa.ForeignKey(_REGISTRATION, ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer)
    hours: Mapped[Decimal | None] = mapped_column(sa.Numeric(4, 2))
