"""Exports that are made by the worker, and the pieces of what it made."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.impact.tables import Table


class Export(Table):
    """What somebody asked to be exported, and how far it is; `attempt` tells the worker that makes it from others."""

    __tablename__ = "exports"
    __table_args__ = (
        sa.CheckConstraint("state IN ('waiting', 'running', 'ready', 'failed', 'expired')", name="state"),
        sa.Index("ix_exports_open", "asked_at", postgresql_where=sa.text("state IN ('waiting', 'running')")),
        sa.Index("ix_exports_asked_by", "asked_by"),
    )

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    asked_by: Mapped[UUID] = mapped_column(sa.Uuid)
    asked_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    dataset: Mapped[str] = mapped_column(sa.Text)
    shape: Mapped[str] = mapped_column(sa.Text)
    filters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(sa.Text)
    attempt: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    claimed_until: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))
    as_of: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))
    rows_expected: Mapped[int | None] = mapped_column(sa.BigInteger)
    rows_written: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    size: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    reason: Mapped[str | None] = mapped_column(sa.Text)
    expires_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))


class ExportPiece(Table):
    """A piece of an export, of at most a few mebibytes; it goes when the export expires."""

    __tablename__ = "export_pieces"

    export_id: Mapped[UUID] = mapped_column(sa.ForeignKey("impact.exports.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    data: Mapped[bytes] = mapped_column(sa.LargeBinary)
