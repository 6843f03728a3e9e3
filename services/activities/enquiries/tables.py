"""Enquiries of organisations, and the mailboxes that they go to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table

_Instant = sa.DateTime(timezone=True)


class FunctionMailbox(Table):
    """Where mail for a section, by its code, or for a country, by its two letters, is read."""

    __tablename__ = "mailboxes"

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    address: Mapped[str] = mapped_column(sa.Text)
    revision: Mapped[int] = mapped_column(sa.Integer)
    updated_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())


class Enquiry(Table):
    """An organisation that wants to become a partner; deleted some time after its mail was sent.

    `home` is the country whose coordinators see it: the section's, else the organisation's. `went_to` is the code of
    the section or country whose mailbox got it, null for the international one.
    """

    __tablename__ = "enquiries"
    __table_args__ = (
        sa.Index(None, "home", "id"),
        sa.Index(None, "section", "id"),
        sa.Index(None, "email_key", "asked_at"),
        sa.Index(None, "level", "went_to", "asked_at"),
    )

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    organisation: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    city: Mapped[str | None] = mapped_column(sa.Text)
    country: Mapped[str] = mapped_column(sa.Text)
    section: Mapped[str | None] = mapped_column(sa.ForeignKey("activities.sections.code"))
    home: Mapped[str] = mapped_column(sa.Text)
    level: Mapped[str] = mapped_column(sa.Text)
    went_to: Mapped[str | None] = mapped_column(sa.Text)
    message: Mapped[str] = mapped_column(sa.Text)
    email: Mapped[str] = mapped_column(sa.Text)
    email_key: Mapped[str] = mapped_column(sa.Text)
    name: Mapped[str | None] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.Text)
    asked_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    answered_at: Mapped[datetime | None] = mapped_column(_Instant)
