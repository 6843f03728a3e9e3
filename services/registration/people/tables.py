"""Participants, what they consented to, and the links that were mailed to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registration.tables import Table

_Instant = sa.DateTime(timezone=True)


class Participant(Table):
    """A mailbox and the person behind it.

    What they call themselves stands on each registration: whoever signs up has not yet shown that the mailbox is
    theirs, and must not change what its owner gave. `person_key` names the person to the other services once they were
    somewhere; it is made when it is first needed, and another one when an attendance of theirs is forgotten.
    """

    __tablename__ = "participants"

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    email: Mapped[str] = mapped_column(sa.Text)
    email_key: Mapped[str] = mapped_column(sa.Text, unique=True)
    proved_at: Mapped[datetime | None] = mapped_column(_Instant)
    known_since: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    link_mailed_at: Mapped[datetime | None] = mapped_column(_Instant)
    person_key: Mapped[UUID | None] = mapped_column(sa.Uuid)
    reminders_declined_at: Mapped[datetime | None] = mapped_column(_Instant)


class Consent(Table):
    """One act of consenting or of withdrawing. A trigger keeps rows from changing; they go with the person only."""

    __tablename__ = "consents"
    __table_args__ = (sa.CheckConstraint("act IN ('given', 'withdrawn')", name="act"),)

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    participant_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("registration.participants.id", ondelete="CASCADE"), index=True
    )
    registration_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("registration.registrations.id", ondelete="CASCADE"), index=True
    )
    purpose: Mapped[str] = mapped_column(sa.Text)
    text_version: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.Text)
    text_hash: Mapped[str | None] = mapped_column(sa.Text)
    act: Mapped[str] = mapped_column(sa.Text, server_default="given")
    given_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.clock_timestamp())


class Link(Table):
    """A secret that was mailed to a participant, as a hash."""

    __tablename__ = "links"
    __table_args__ = (sa.CheckConstraint("purpose IN ('confirm', 'manage', 'reminders')", name="purpose"),)

    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary, primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("registration.registrations.id", ondelete="CASCADE"), index=True
    )
    purpose: Mapped[str] = mapped_column(sa.Text)
    expires_at: Mapped[datetime] = mapped_column(_Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(_Instant)
