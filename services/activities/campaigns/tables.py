"""Editions: a SocialErasmus Week or one of its successors, with its dates as far as they are known."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table


class Edition(Table):
    """One edition of a series, such as `2016-autumn`; a gathering such as `secm-2014` claims no activities."""

    __tablename__ = "editions"
    __table_args__ = (
        sa.CheckConstraint("precision IN ('day', 'month', 'unknown')", name="precision"),
        sa.CheckConstraint("ends_on >= starts_on", name="ends_after_its_start"),
        sa.CheckConstraint("(precision = 'unknown') = (starts_on IS NULL)", name="dates_as_known"),
    )

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    series: Mapped[str] = mapped_column(sa.Text)
    season: Mapped[str | None] = mapped_column(sa.Text)
    year: Mapped[int] = mapped_column(sa.Integer)
    starts_on: Mapped[date | None] = mapped_column(sa.Date)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)
    precision: Mapped[str] = mapped_column(sa.Text)
    certainty: Mapped[str] = mapped_column(sa.Text)
    theme: Mapped[str | None] = mapped_column(sa.Text)
    published_numbers: Mapped[str | None] = mapped_column(sa.Text)
    source: Mapped[str] = mapped_column(sa.Text)
    sample: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    updated_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
