"""Series and their editions, the dates of countries that differ, and the days whose activities must be looked at."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table


class Series(Table):
    """What editions have in common: SocialErasmus Weeks, their successors, and gatherings, which claim no activities.

    `listed_as` is what lists of editions call it, and what an edition names it by.
    """

    __tablename__ = "series"
    __table_args__ = (sa.CheckConstraint("last_year >= first_year", name="years_in_order"),)

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    listed_as: Mapped[str] = mapped_column(sa.Text, unique=True)
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    first_year: Mapped[int] = mapped_column(sa.Integer)
    last_year: Mapped[int | None] = mapped_column(sa.Integer)
    predecessor: Mapped[str | None] = mapped_column(sa.ForeignKey("activities.series.code"))
    claims_activities: Mapped[bool] = mapped_column(sa.Boolean)


class Edition(Table):
    """One edition of a series, such as `2016-autumn`; a gathering such as `secm-2014` claims no activities."""

    __tablename__ = "editions"
    __table_args__ = (
        sa.CheckConstraint("precision IN ('day', 'month', 'unknown')", name="precision"),
        sa.CheckConstraint("ends_on >= starts_on", name="ends_after_its_start"),
        sa.CheckConstraint("(precision = 'unknown') = (starts_on IS NULL)", name="dates_as_known"),
    )

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    series: Mapped[str] = mapped_column(sa.ForeignKey("activities.series.listed_as", onupdate="CASCADE"))
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


class NationalDates(Table):
    """The days of an edition in one country, in the place of the edition's own."""

    __tablename__ = "national_dates"
    __table_args__ = (sa.CheckConstraint("ends_on >= starts_on", name="ends_after_its_start"),)

    edition: Mapped[str] = mapped_column(sa.ForeignKey("activities.editions.code"), primary_key=True)
    country: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    starts_on: Mapped[date] = mapped_column(sa.Date)
    ends_on: Mapped[date] = mapped_column(sa.Date)
    theme: Mapped[str | None] = mapped_column(sa.Text)
    note: Mapped[str | None] = mapped_column(sa.Text)
    updated_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())


class ChangedDays(Table):
    """Days that changed hands: activities that begin on them may belong to another edition now.

    `country` None is every country. The row goes when all of them are where they belong.
    """

    __tablename__ = "changed_days"

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    country: Mapped[str | None] = mapped_column(sa.Text)
    starts_on: Mapped[date] = mapped_column(sa.Date)
    ends_on: Mapped[date] = mapped_column(sa.Date)
