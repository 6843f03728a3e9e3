"""Certificates as they were issued, and the attendances that each of them states."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.registration.tables import Table

_Instant = sa.DateTime(timezone=True)
IS_CURRENT = sa.text("revoked_at IS NULL AND participant_id IS NOT NULL")


class Certificate(Table):
    """A certificate. What it states is written once, so that it is printed alike for as long as it is kept.

    It is found by the hash of its number. When its holder is forgotten by time, number, name and activities go; the
    totals stay, which lead to nobody, and a digest by which whoever reads number and name from the paper can tell that
    they belong together. When the holder wants to be forgotten all of that goes too: it is `withdrawn`.
    """

    __tablename__ = "certificates"
    __table_args__ = (
        sa.CheckConstraint("(number IS NULL) = (participant_id IS NULL)", name="number_of_somebody"),
        sa.CheckConstraint("(content IS NULL) = (participant_id IS NULL)", name="content_of_somebody"),
        sa.CheckConstraint("withdrawn_at IS NULL OR participant_id IS NULL", name="withdrawn_is_nobodys"),
        sa.Index("uq_certificates_current", "participant_id", "content_hash", unique=True, postgresql_where=IS_CURRENT),
    )

    number_hash: Mapped[bytes] = mapped_column(sa.LargeBinary, primary_key=True)
    number: Mapped[str | None] = mapped_column(sa.Text)
    participant_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("registration.participants.id", ondelete="CASCADE"), index=True
    )
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    content_hash: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    name_digest: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    activities: Mapped[int | None] = mapped_column(sa.Integer)
    hours: Mapped[Decimal | None] = mapped_column(sa.Numeric(8, 2))
    first_on: Mapped[date | None] = mapped_column(sa.Date)
    last_on: Mapped[date | None] = mapped_column(sa.Date)
    issued_at: Mapped[datetime] = mapped_column(_Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(_Instant)
    revoked_by: Mapped[UUID | None] = mapped_column(sa.Uuid)
    revoked_reason: Mapped[str | None] = mapped_column(sa.Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(_Instant)


class CertifiedAttendance(Table):
    """An attendance with the hours that a certificate states of it.

    Who revokes a certificate bars what lies within their reach from getting on to another one.
    """

    __tablename__ = "certified_attendances"

    number_hash: Mapped[bytes] = mapped_column(
        sa.ForeignKey("registration.certificates.number_hash", ondelete="CASCADE"), primary_key=True
    )
    registration_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("registration.registrations.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    hours: Mapped[Decimal] = mapped_column(sa.Numeric(4, 2))
    is_barred: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
