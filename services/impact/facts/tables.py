"""Facts of activities and their quantities, and the totals that they add up to, at the grain of every dimension."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.impact.tables import Table

KEY = ("section", "country", "edition", "starts_on", "area", "cause", "kind", "programme", "source")
"""What makes a cell one of its own; month and academic year follow from the day."""


class _Dimensions:
    section: Mapped[str | None] = mapped_column(sa.Text)
    country: Mapped[str | None] = mapped_column(sa.Text)
    edition: Mapped[str | None] = mapped_column(sa.Text)
    starts_on: Mapped[date | None] = mapped_column(sa.Date)
    month: Mapped[str | None] = mapped_column(sa.Text)
    academic_year: Mapped[str | None] = mapped_column(sa.Text)
    area: Mapped[str | None] = mapped_column(sa.Text)
    cause: Mapped[str | None] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    programme: Mapped[str] = mapped_column(sa.Text)
    source: Mapped[str] = mapped_column(sa.Text)


class _Figures:
    activities: Mapped[int] = mapped_column(sa.BigInteger)
    cancelled: Mapped[int] = mapped_column(sa.BigInteger)
    participants_international: Mapped[int] = mapped_column(sa.BigInteger)
    participants_local: Mapped[int] = mapped_column(sa.BigInteger)
    participants_esn_volunteer: Mapped[int] = mapped_column(sa.BigInteger)
    participants_unclassified: Mapped[int] = mapped_column(sa.BigInteger)
    attendances: Mapped[int] = mapped_column(sa.BigInteger)
    hours: Mapped[Decimal] = mapped_column(sa.Numeric)


class ActivityFacts(_Dimensions, _Figures, Table):
    """What one activity contributes; there is a row only while its report is verified."""

    __tablename__ = "activity_facts"

    activity_id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)


class QuantityFact(Table):
    """An amount that one activity contributes."""

    __tablename__ = "quantity_facts"

    activity_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("impact.activity_facts.activity_id", ondelete="CASCADE"), primary_key=True
    )
    measure: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    unit: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    amount: Mapped[Decimal] = mapped_column(sa.Numeric)


class Total(_Dimensions, _Figures, Table):
    """The sum of the facts of one cell; a cell without facts has no row."""

    __tablename__ = "totals"
    __table_args__ = (sa.Index("uq_totals_cell", *KEY, unique=True, postgresql_nulls_not_distinct=True),)

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)


class QuantityTotal(_Dimensions, Table):
    """The sum of the amounts of one quantity in one cell."""

    __tablename__ = "quantity_totals"
    __table_args__ = (
        sa.Index("uq_quantity_totals_cell", *KEY, "measure", "unit", unique=True, postgresql_nulls_not_distinct=True),
    )

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    measure: Mapped[str] = mapped_column(sa.Text)
    unit: Mapped[str] = mapped_column(sa.Text)
    amount: Mapped[Decimal] = mapped_column(sa.Numeric)
