"""What was told of people: releases, and nothing of what they withheld."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.impact.tables import Table


class Release(Table):
    """The tables of an academic year, released once and never changed."""

    __tablename__ = "releases"

    academic_year: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    as_of: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    released_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())


class ReleasedRow(Table):
    """A row of a table: how many people it counts, and those of their labels that may be told."""

    __tablename__ = "released_rows"
    __table_args__ = (sa.CheckConstraint("people > 0", name="people"),)

    academic_year: Mapped[str] = mapped_column(sa.ForeignKey("impact.releases.academic_year"), primary_key=True)
    table_code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    row_key: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    people: Mapped[int] = mapped_column(sa.Integer)
    counts: Mapped[dict[str, int]] = mapped_column(JSONB)
