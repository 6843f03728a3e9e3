"""What impact told of editions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table


class EditionFigures(Table):
    """People and hours of an edition according to its verified reports; an event writes it and nothing else does."""

    __tablename__ = "edition_figures"

    edition: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer)
    as_of: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    activities: Mapped[int] = mapped_column(sa.BigInteger)
    participants_international: Mapped[int] = mapped_column(sa.BigInteger)
    participants_local: Mapped[int] = mapped_column(sa.BigInteger)
    participants_esn_volunteer: Mapped[int] = mapped_column(sa.BigInteger)
    participants_unclassified: Mapped[int] = mapped_column(sa.BigInteger)
    attendances: Mapped[int] = mapped_column(sa.BigInteger)
    hours: Mapped[Decimal] = mapped_column(sa.Numeric)
