"""The ESNcards that people named, until they are checked, and what the check said."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registration.tables import Table

_Instant = sa.DateTime(timezone=True)


class Card(Table):
    """The ESNcard that belongs to a registration. Its number is wiped when it was checked, or that was given up."""

    __tablename__ = "cards"
    __table_args__ = (
        sa.CheckConstraint("outcome IN ('valid', 'invalid', 'unknown')", name="outcome"),
        sa.Index("ix_cards_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    )

    registration_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("registration.registrations.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[str | None] = mapped_column(sa.Text)
    outcome: Mapped[str | None] = mapped_column(sa.Text)
    checked_at: Mapped[datetime | None] = mapped_column(_Instant)
    tries: Mapped[int] = mapped_column(sa.SmallInteger, server_default=sa.text("0"))
    due_at: Mapped[datetime | None] = mapped_column(_Instant, server_default=sa.func.now())
