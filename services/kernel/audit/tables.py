"""The three tables of one service's audit: entries, what changed by each, and the links of the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.kernel.events import Xid8

KEPT_DAYS: Final = 730
"""How long an entry is kept; the links, which tell nothing of anybody, are kept for good."""

APPEND_ONLY: Final = ("audit_entries", "audit_changes", "audit_links")


@dataclass(frozen=True)
class Audit:
    """Where one service keeps who did what."""

    entries: sa.Table
    changes: sa.Table
    links: sa.Table

    @property
    def schema(self) -> str:
        """The service's own schema."""
        return str(self.entries.schema)


def audit_of(metadata: sa.MetaData) -> Audit:
    """The tables of one service."""
    return Audit(_entries(metadata), _changes(metadata), _links(metadata))


def audit_in(metadata: sa.MetaData) -> Audit:
    """The tables of a service whose metadata has them."""
    return Audit(*(metadata.tables[f"{metadata.schema}.{name}"] for name in APPEND_ONLY))


def _instant(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, **more)


def _entries(metadata: sa.MetaData) -> sa.Table:
    """Acts. `sections` and `country` say to whom an act is shown; `actor_role` is `command` for what operators run."""
    return sa.Table(
        "audit_entries",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("xid", Xid8, nullable=False),
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        _instant("at", server_default=sa.text("clock_timestamp()")),
        sa.Column("actor_id", sa.Uuid),
        sa.Column("actor_role", sa.Text, nullable=False),
        sa.Column("actor_section", sa.Text),
        sa.Column("actor_country", sa.Text),
        sa.Column("by_key", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("client_network", sa.Text),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("sections", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("country", sa.Text),
        sa.Column("status", sa.SmallInteger),
        sa.Column("details", JSONB),
        sa.Column("trace_id", sa.Text, nullable=False),
        sa.Index("ix_audit_entries_order", "xid", "number"),
        sa.Index(None, "sections", postgresql_using="gin"),
        sa.Index(None, "country", "number"),
        sa.Index(None, "actor_id", "number"),
        sa.Index(None, "object", postgresql_ops={"object": "text_pattern_ops"}),
    )


def _changes(metadata: sa.MetaData) -> sa.Table:
    """What an act changed, row by row, as triggers note it.

    The key to the entry is checked at the end of the transaction: none in which something was noted ends without one.
    """
    return sa.Table(
        "audit_changes",
        metadata,
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column(
            "entry",
            sa.ForeignKey(f"{metadata.schema}.audit_entries.id", deferrable=True, initially="DEFERRED"),
            nullable=False,
        ),
        _instant("at", server_default=sa.text("clock_timestamp()")),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("before", JSONB),
        sa.Column("after", JSONB),
        sa.Column("named", ARRAY(sa.Text)),
        sa.Index(None, "entry", "number"),
    )


def _links(metadata: sa.MetaData) -> sa.Table:
    """The chain: a link holds the digest of an entry with its changes, and a keyed hash of it and the link before."""
    return sa.Table(
        "audit_links",
        metadata,
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.Uuid, nullable=False, unique=True),
        sa.Column("xid", Xid8, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        _instant("at"),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        _instant("linked_at", server_default=sa.text("clock_timestamp()")),
    )
