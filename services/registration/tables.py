"""What every table of the service's schema shares: one metadata, the kernel's tables of answered keys and of mail."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from services.kernel import db, idempotency, mail

METADATA = db.metadata("registration")
IDEMPOTENCY_KEYS = idempotency.keys_table(METADATA)
OUTGOING_MAIL = mail.outgoing_table(METADATA, can_be_declined=True, shows_codes=True)


class Table(DeclarativeBase):
    """The declarative base of the schema `registration`."""

    metadata = METADATA
