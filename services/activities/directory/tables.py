"""Countries and sections."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table


class Section(Table):
    """A local section of ESN; its code is its key everywhere in ESN."""

    __tablename__ = "sections"
    __table_args__ = (sa.CheckConstraint("state IN ('active', 'warned', 'merged', 'withdrew')", name="state"),)

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text)
    country: Mapped[str] = mapped_column(sa.Text, index=True)
    cities: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    university: Mapped[str | None] = mapped_column(sa.Text)
    website: Mapped[str | None] = mapped_column(sa.Text)
    latitude: Mapped[float | None] = mapped_column(sa.Double)
    longitude: Mapped[float | None] = mapped_column(sa.Double)
    state: Mapped[str] = mapped_column(sa.Text)
    same_as: Mapped[str | None] = mapped_column(sa.Text)
    time_zone: Mapped[str] = mapped_column(sa.Text)
    updated_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
