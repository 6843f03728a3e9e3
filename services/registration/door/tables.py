"""Passes that coordinators lent to helpers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registration.tables import Table

_Instant = sa.DateTime(timezone=True)


class CheckInPass(Table):
    """The right to keep one activity's door for a day; only the hash of its secret is kept."""

    __tablename__ = "check_in_passes"

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(sa.ForeignKey("registration.places.activity_id"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    label: Mapped[str | None] = mapped_column(sa.Text)
    made_by: Mapped[UUID] = mapped_column(sa.Uuid)
    made_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    begins_at: Mapped[datetime] = mapped_column(_Instant)
    expires_at: Mapped[datetime] = mapped_column(_Instant, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(_Instant)
