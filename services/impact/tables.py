"""What every table of the service's schema shares, and the kernel's tables (audit, keys, mail, webhooks)."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from services.kernel import db, idempotency, mail
from services.kernel.audit.tables import audit_of
from services.kernel.webhooks.tables import webhooks_of

METADATA = db.metadata("impact")
AUDIT = audit_of(METADATA)
IDEMPOTENCY_KEYS = idempotency.keys_table(METADATA)
OUTGOING_MAIL = mail.outgoing_table(METADATA)
WEBHOOKS = webhooks_of(
    METADATA,
    mails=OUTGOING_MAIL,
    kinds={
        "report.submitted": "A section submitted its report, which is to be verified.",
        "report.verified": "A report was verified: its figures count.",
        "report.returned": "A report was returned to its section; what was verified of it counts no longer.",
    },
)


class Table(DeclarativeBase):
    """The declarative base of the schema `impact`."""

    metadata = METADATA
