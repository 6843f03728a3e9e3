"""Facts of activities and their quantities, the totals that they add up to by every dimension, and their roll-ups."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.impact.tables import Table

KEY = (
    "section",
    "country",
    "platform",
    "edition",
    "starts_on",
    "academic_year",
    "area",
    "cause",
    "kind",
    "programme",
    "source",
)
"""What makes a cell one of its own; the month follows from the day."""


ROLLED_UP = (
    "edition",
    "academic_year",
    "month",
    "country",
    "platform",
    "section",
    "area",
    "cause",
    "kind",
    "programme",
    "source",
)
"""The dimensions of roll-ups; `facts.grains` says which of them each keeps, and the others are null there."""


class _Dimensions:
    section: Mapped[str | None] = mapped_column(sa.Text)
    country: Mapped[str | None] = mapped_column(sa.Text)
    platform: Mapped[str | None] = mapped_column(sa.Text)
    edition: Mapped[str | None] = mapped_column(sa.Text)
    starts_on: Mapped[date | None] = mapped_column(sa.Date)
    month: Mapped[str | None] = mapped_column(sa.Text)
    academic_year: Mapped[str | None] = mapped_column(sa.Text)
    area: Mapped[str | None] = mapped_column(sa.Text)
    cause: Mapped[str | None] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    programme: Mapped[str] = mapped_column(sa.Text)
    source: Mapped[str] = mapped_column(sa.Text)


class _RolledUp:
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    grain: Mapped[str] = mapped_column(sa.Text)
    edition: Mapped[str | None] = mapped_column(sa.Text)
    academic_year: Mapped[str | None] = mapped_column(sa.Text)
    month: Mapped[str | None] = mapped_column(sa.Text)
    country: Mapped[str | None] = mapped_column(sa.Text)
    platform: Mapped[str | None] = mapped_column(sa.Text)
    section: Mapped[str | None] = mapped_column(sa.Text)
    area: Mapped[str | None] = mapped_column(sa.Text)
    cause: Mapped[str | None] = mapped_column(sa.Text)
    kind: Mapped[str | None] = mapped_column(sa.Text)
    programme: Mapped[str | None] = mapped_column(sa.Text)
    source: Mapped[str | None] = mapped_column(sa.Text)


class _Figures:
    reports: Mapped[int] = mapped_column(sa.BigInteger)
    activities: Mapped[int] = mapped_column(sa.BigInteger)
    cancelled: Mapped[int] = mapped_column(sa.BigInteger)
    participants_international: Mapped[int] = mapped_column(sa.BigInteger)
    participants_local: Mapped[int] = mapped_column(sa.BigInteger)
    participants_esn_volunteer: Mapped[int] = mapped_column(sa.BigInteger)
    participants_unclassified: Mapped[int] = mapped_column(sa.BigInteger)
    beneficiaries: Mapped[int] = mapped_column(sa.BigInteger)
    hours: Mapped[Decimal] = mapped_column(sa.Numeric)
    attendances_international: Mapped[int] = mapped_column(sa.BigInteger)
    attendances_local: Mapped[int] = mapped_column(sa.BigInteger)
    attendances_esn_volunteer: Mapped[int] = mapped_column(sa.BigInteger)
    checked_in_hours: Mapped[Decimal] = mapped_column(sa.Numeric)
    newcomers: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    returning: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    shrunk: Mapped[int] = mapped_column(sa.BigInteger)


class _Amount:
    measure: Mapped[str] = mapped_column(sa.Text)
    unit: Mapped[str] = mapped_column(sa.Text)
    amount: Mapped[Decimal] = mapped_column(sa.Numeric)


class _Label:
    scheme: Mapped[str] = mapped_column(sa.Text)
    label: Mapped[str] = mapped_column(sa.Text)


def _cell(table: str, *key: str) -> tuple[sa.Index]:
    return (sa.Index(f"uq_{table}_cell", *key, unique=True, postgresql_nulls_not_distinct=True),)


class ActivityFacts(_Dimensions, _Figures, Table):
    """What one activity contributes; there is a row only while its report is verified or somebody was there."""

    __tablename__ = "activity_facts"
    __table_args__ = (sa.Index(None, "labels", postgresql_using="gin"),)

    activity_id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    labels: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    """Each as `scheme:label`, main or not."""

    place_id: Mapped[int | None] = mapped_column(sa.Integer)
    """Where the people of the activity are counted."""


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
    __table_args__ = (
        *_cell("totals", *KEY),
        sa.Index(None, "starts_on"),
        sa.Index("ix_totals_reported_days", "section", "starts_on", postgresql_where=sa.text("reports > 0")),
    )

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    attendances: Mapped[int] = mapped_column(
        sa.BigInteger,
        # The version before reads it until its last process has ended.
        sa.Computed("attendances_international + attendances_local + attendances_esn_volunteer", persisted=True),
    )


class QuantityTotal(_Dimensions, _Amount, Table):
    """The sum of the amounts of one quantity in one cell."""

    __tablename__ = "quantity_totals"
    __table_args__ = _cell("quantity_totals", *KEY, "measure", "unit")

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)


class LabelTotal(_Dimensions, _Label, _Figures, Table):
    """The sum of the facts of one cell that have a label, main or not: an activity counts once for each of its labels.

    `scheme` is area, cause, sdg or objective. Rows of different labels must not be added: they share activities.
    """

    __tablename__ = "label_totals"
    __table_args__ = _cell("label_totals", *KEY, "scheme", "label")

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)


class LabelQuantityTotal(_Dimensions, _Label, _Amount, Table):
    """The sum of the amounts of one quantity in one cell of activities that have a label."""

    __tablename__ = "label_quantity_totals"
    __table_args__ = _cell("label_quantity_totals", *KEY, "scheme", "label", "measure", "unit")

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)


class RollUp(_RolledUp, _Figures, Table):
    """The totals of a few dimensions, added up over the others."""

    __tablename__ = "roll_ups"
    __table_args__ = (*_cell("roll_ups", "grain", *ROLLED_UP), sa.Index(None, "grain", "academic_year"))


class QuantityRollUp(_RolledUp, _Amount, Table):
    """The totals of one quantity by a few dimensions."""

    __tablename__ = "quantity_roll_ups"
    __table_args__ = (
        *_cell("quantity_roll_ups", "grain", *ROLLED_UP, "measure", "unit"),
        sa.Index(None, "grain", "academic_year"),
    )


class LabelRollUp(_RolledUp, _Label, _Figures, Table):
    """The totals of one label by a few dimensions."""

    __tablename__ = "label_roll_ups"
    __table_args__ = _cell("label_roll_ups", "grain", *ROLLED_UP, "scheme", "label")


class LabelQuantityRollUp(_RolledUp, _Label, _Amount, Table):
    """The totals of one label and quantity by a few dimensions."""

    __tablename__ = "label_quantity_roll_ups"
    __table_args__ = _cell("label_quantity_roll_ups", "grain", *ROLLED_UP, "scheme", "label", "measure", "unit")
