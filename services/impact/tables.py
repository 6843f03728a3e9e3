"""What every table of the service's schema shares: one metadata, and the kernel's tables of answered keys."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from services.kernel import db, idempotency

METADATA = db.metadata("impact")
IDEMPOTENCY_KEYS = idempotency.keys_table(METADATA)


class Table(DeclarativeBase):
    """The declarative base of the schema `impact`."""

    metadata = METADATA
