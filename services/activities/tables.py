"""What every table of the service's schema shares, and the kernel's tables (audit, keys, mail, webhooks)."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from services.kernel import db, idempotency, mail
from services.kernel.audit.tables import audit_of
from services.kernel.webhooks.tables import webhooks_of

METADATA = db.metadata("activities")
AUDIT = audit_of(METADATA)
IDEMPOTENCY_KEYS = idempotency.keys_table(METADATA)
OUTGOING_MAIL = mail.outgoing_table(METADATA, takes_replies=True)
WEBHOOKS = webhooks_of(
    METADATA,
    mails=OUTGOING_MAIL,
    kinds={
        "activity.published": "The activity is in the catalogue.",
        "activity.revised": "Something of a public activity changed.",
        "activity.held": "The activity took place.",
        "activity.cancelled": "The activity will not or did not take place.",
    },
)


class Table(DeclarativeBase):
    """The declarative base of the schema `activities`."""

    metadata = METADATA
