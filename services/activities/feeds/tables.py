"""When each public activity last changed, in the order in which transactions began to write."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table
from services.kernel.events import Xid8


class Change(Table):
    """One row for each activity that ever was public, kept by the trigger `note_change` on every change of it.

    It outlives the activity, and then is its tombstone. `number` is what stands for it where only a number will do.
    """

    __tablename__ = "changes"
    __table_args__ = (sa.Index(None, "xid", "id"), sa.UniqueConstraint("number"))

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    # The trigger writes it, counted as the log is.
    xid: Mapped[str] = mapped_column(Xid8, server_default=sa.text("pg_current_xact_id()"))
    number: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True))
