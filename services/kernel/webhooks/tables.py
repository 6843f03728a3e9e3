"""The two tables of one service's webhooks: endpoints, and what each of them is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

_NOW = sa.text("now()")


@dataclass(frozen=True)
class Webhooks:
    """What one service tells by webhooks, where it keeps that, and the queue of mails to those who own an endpoint."""

    endpoints: sa.Table
    deliveries: sa.Table
    mails: sa.Table
    kinds: Mapping[str, str]
    """Each kind of message with what it says."""


def webhooks_of(metadata: sa.MetaData, *, mails: sa.Table, kinds: Mapping[str, str]) -> Webhooks:
    """The tables of one service."""
    return Webhooks(_endpoints(metadata), _deliveries(metadata), mails, kinds)


def _instant(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), **more)


def _endpoints(metadata: sa.MetaData) -> sa.Table:
    """Endpoints: of a section, of a country, or with neither of ESN International.

    No secret is kept: one is made of the service's own and of a `salt`; the former one holds until `former_until`.
    Until `resting_until` nothing is sent: it is being sent something, or was not reached a moment ago.
    """
    return sa.Table(
        "webhook_endpoints",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("section", sa.Text),
        sa.Column("country", sa.Text),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("kinds", ARRAY(sa.Text)),
        sa.Column("description", sa.Text),
        sa.Column("contact_email", sa.Text),
        sa.Column("state", sa.Text, nullable=False, server_default=sa.text("'active'")),
        sa.Column("disabled_because", sa.Text),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("former_salt", sa.LargeBinary),
        _instant("former_until"),
        sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")),
        _instant("failing_since"),
        _instant("resting_until", nullable=False, server_default=_NOW),
        _instant("made_at", nullable=False, server_default=_NOW),
        sa.CheckConstraint("state IN ('active', 'disabled')", name="state"),
        sa.CheckConstraint("disabled_because IN ('gone', 'failing', 'owner')", name="disabled_because"),
        sa.CheckConstraint("(state = 'disabled') = (disabled_because IS NOT NULL)", name="reason_if_disabled"),
    )


def _deliveries(metadata: sa.MetaData) -> sa.Table:
    """What each endpoint is told; `about` names the object where that may have to be forgotten."""
    return sa.Table(
        "webhook_deliveries",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "endpoint_id",
            sa.ForeignKey(f"{metadata.schema}.webhook_endpoints.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False, index=True),
        sa.Column("data", JSONB, nullable=False),
        _instant("made_at", nullable=False, server_default=_NOW, index=True),
        sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
        _instant("due_at", server_default=_NOW),
        _instant("tried_at"),
        _instant("delivered_at"),
        _instant("failed_at"),
        sa.Column("status", sa.SmallInteger),
        sa.Column("error", sa.Text),
        sa.Column("took_ms", sa.Integer),
        sa.Index(None, "endpoint_id", "made_at", "id"),
        sa.Index("ix_webhook_deliveries_due", "endpoint_id", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    )
