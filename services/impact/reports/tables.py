"""Reports with their quantities, and the history of who did what to them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.impact.tables import Table

_Instant = sa.DateTime(timezone=True)
_NONE = sa.text("'{}'::text[]")


class Report(Table):
    """What became of one activity. None is "not stated"; `checked_in_…` is what check-ins said when it was written.

    `stated_total` is what somebody counted at the door, kept where it was said. `acknowledged` are the codes of hints
    that stood when it was submitted and were said to be right. `submitted_at` is the first time.
    """

    __tablename__ = "reports"
    __table_args__ = (
        sa.CheckConstraint("state IN ('draft', 'submitted', 'returned', 'verified')", name="state"),
        sa.CheckConstraint("outcome IN ('held', 'shrunk', 'cancelled')", name="outcome"),
        sa.CheckConstraint("source IN ('check_in', 'organiser', 'import')", name="source"),
        sa.CheckConstraint(
            "least(international, local, esn_volunteer, unclassified, hours, beneficiaries) >= 0", name="not_negative"
        ),
        sa.CheckConstraint('least(newcomers, "returning", stated_total) >= 0', name="further_not_negative"),
        sa.Index("ix_reports_queue", "updated_at", "activity_id"),
        sa.Index("ix_reports_queue_of_state", "state", "updated_at", "activity_id"),
    )

    activity_id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    state: Mapped[str] = mapped_column(sa.Text)
    revision: Mapped[int] = mapped_column(sa.Integer)
    source: Mapped[str] = mapped_column(sa.Text)
    outcome: Mapped[str] = mapped_column(sa.Text)
    reason: Mapped[str | None] = mapped_column(sa.Text)
    international: Mapped[int | None] = mapped_column(sa.Integer)
    local: Mapped[int | None] = mapped_column(sa.Integer)
    esn_volunteer: Mapped[int | None] = mapped_column(sa.Integer)
    unclassified: Mapped[int | None] = mapped_column(sa.Integer)
    stated_total: Mapped[int | None] = mapped_column(sa.Integer)
    newcomers: Mapped[int | None] = mapped_column(sa.Integer)
    returning: Mapped[int | None] = mapped_column(sa.Integer)
    hours: Mapped[Decimal | None] = mapped_column(sa.Numeric(12, 2))
    checked_in_international: Mapped[int | None] = mapped_column(sa.Integer)
    checked_in_local: Mapped[int | None] = mapped_column(sa.Integer)
    checked_in_esn_volunteer: Mapped[int | None] = mapped_column(sa.Integer)
    checked_in_hours: Mapped[Decimal | None] = mapped_column(sa.Numeric(12, 2))
    beneficiaries: Mapped[int | None] = mapped_column(sa.Integer)
    partner: Mapped[str | None] = mapped_column(sa.Text)
    partner_contribution: Mapped[str | None] = mapped_column(sa.Text)
    photos: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=sa.text("'[]'::jsonb"))
    outcome_text: Mapped[str | None] = mapped_column(sa.Text)
    learned: Mapped[str | None] = mapped_column(sa.Text)
    returned_because: Mapped[str | None] = mapped_column(sa.Text)
    acknowledged: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=_NONE)
    submitted_at: Mapped[datetime | None] = mapped_column(_Instant)
    created_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())


class ReportQuantity(Table):
    """An amount that an activity moved, each measure and unit once."""

    __tablename__ = "report_quantities"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    activity_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("impact.reports.activity_id", ondelete="CASCADE"), primary_key=True
    )
    measure: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    unit: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    amount: Mapped[Decimal] = mapped_column(sa.Numeric(18, 6))
    qualifier: Mapped[str] = mapped_column(sa.Text)
    given_to: Mapped[str | None] = mapped_column(sa.Text)


class ReportHistoryEntry(Table):
    """Who did what to a report, and the figures that it had then, without its texts; never changed."""

    __tablename__ = "report_history"

    activity_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("impact.reports.activity_id", ondelete="CASCADE"), primary_key=True
    )
    revision: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    verb: Mapped[str] = mapped_column(sa.Text)
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid)
    actor_role: Mapped[str] = mapped_column(sa.Text)
    reason: Mapped[str | None] = mapped_column(sa.Text)
    acknowledged: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=_NONE)
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.clock_timestamp())


class ReportReminder(Table):
    """That a section was told, at one stage, that the report on an activity is missing: once, whatever happens."""

    __tablename__ = "report_reminders"
    __table_args__ = (sa.CheckConstraint("stage IN ('first', 'deadline')", name="stage"),)

    activity_id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    stage: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    told_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
