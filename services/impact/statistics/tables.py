"""What was told of editions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.impact.tables import Table


class ToldEdition(Table):
    """The figures of an edition as the others heard of them last; `revision` counts how often."""

    __tablename__ = "told_editions"

    edition: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer)
    told_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    activities: Mapped[int] = mapped_column(sa.BigInteger)
    participants_international: Mapped[int] = mapped_column(sa.BigInteger)
    participants_local: Mapped[int] = mapped_column(sa.BigInteger)
    participants_esn_volunteer: Mapped[int] = mapped_column(sa.BigInteger)
    participants_unclassified: Mapped[int] = mapped_column(sa.BigInteger)
    attendances: Mapped[int] = mapped_column(sa.BigInteger)
    hours: Mapped[Decimal] = mapped_column(sa.Numeric)
