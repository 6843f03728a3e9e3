"""What every table of the service's schema shares, and the kernel's tables (audit, keys, mail, webhooks)."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from services.kernel import db, idempotency, mail
from services.kernel.audit.tables import audit_of
from services.kernel.webhooks.tables import webhooks_of

METADATA = db.metadata("registration")
AUDIT = audit_of(METADATA)
IDEMPOTENCY_KEYS = idempotency.keys_table(METADATA)
OUTGOING_MAIL = mail.outgoing_table(METADATA, can_be_declined=True, shows_codes=True, writes_late=True)
# A trigger of the table of registrations tells them, whatever statement changes a state.
WEBHOOKS = webhooks_of(
    METADATA,
    mails=OUTGOING_MAIL,
    kinds={
        "registration.unconfirmed": "Somebody signed up and has yet to confirm it.",
        "registration.pending_approval": "The organisers are to decide on a registration.",
        "registration.waitlisted": "A registration waits for a place.",
        "registration.offered": "Who waited is offered a place.",
        "registration.confirmed": "A registration has its place.",
        "registration.cancelled": "A registration was cancelled.",
        "registration.declined": "The organisers declined a registration.",
        "registration.expired": "A registration ended, since nobody confirmed it in time.",
    },
)


class Table(DeclarativeBase):
    """The declarative base of the schema `registration`."""

    metadata = METADATA
