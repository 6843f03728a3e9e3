"""Projections: rows that events of the other services write and nothing else does."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.impact.tables import Table


class Activity(Table):
    """A public activity at its highest revision heard of. `areas` and `causes` name the main one first."""

    __tablename__ = "activities"
    __table_args__ = (
        sa.CheckConstraint("state IN ('published', 'held', 'cancelled')", name="state"),
        sa.Index(
            "ix_activities_occurrences",
            "part_of",
            "activity_id",
            postgresql_where=sa.text("relation = 'occurrence'"),
        ),
        sa.Index("ix_activities_section_and_day", "section", "starts_on"),
        sa.Index(
            "ix_activities_country_and_last_day",
            "country",
            sa.text("starts_on DESC NULLS LAST"),
            postgresql_where=sa.text("platform IS NOT NULL"),
        ),
        sa.Index(
            "ix_activities_over",
            "ends_at",
            "activity_id",
            postgresql_where=sa.text("NOT has_parts AND state <> 'cancelled'"),
        ),
    )

    activity_id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[str] = mapped_column(sa.Text)
    title: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    programme: Mapped[str] = mapped_column(sa.Text)
    edition: Mapped[str | None] = mapped_column(sa.Text)
    areas: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    causes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    sdgs: Mapped[list[int]] = mapped_column(ARRAY(sa.SmallInteger))
    objectives: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=sa.text("'{}'"))
    section: Mapped[str | None] = mapped_column(sa.Text)
    section_codes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    country: Mapped[str | None] = mapped_column(sa.Text)
    platform: Mapped[str | None] = mapped_column(sa.Text)
    starts_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))
    starts_on: Mapped[date | None] = mapped_column(sa.Date)
    ends_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))
    capacity: Mapped[int | None] = mapped_column(sa.Integer)
    sample: Mapped[bool] = mapped_column(sa.Boolean)
    part_of: Mapped[UUID | None] = mapped_column(sa.Uuid)
    relation: Mapped[str | None] = mapped_column(sa.Text)
    has_parts: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    partners: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=sa.text("'{}'::text[]"))


class OrganisedDay(Table):
    """How many activities a section organised, alone or with others, began on a day; a trigger of activities counts.

    Without those that were called off, and without samples. Rows may have come to nothing.
    """

    __tablename__ = "organised_days"

    section: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    starts_on: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    activities: Mapped[int] = mapped_column(sa.Integer)


class Section(Table):
    """A section of the network."""

    __tablename__ = "sections"

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    title: Mapped[str] = mapped_column(sa.Text)
    country: Mapped[str] = mapped_column(sa.Text, index=True)
    state: Mapped[str] = mapped_column(sa.Text)
    successor: Mapped[str | None] = mapped_column(sa.Text)


class Edition(Table):
    """An edition of a campaign."""

    __tablename__ = "editions"

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    series: Mapped[str] = mapped_column(sa.Text)
    starts_on: Mapped[date | None] = mapped_column(sa.Date)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)


class Attendance(Table):
    """Whether somebody of a class was there; both keys are random and lead to nobody here.

    It is the fact that figures of presence are made of. Its day, section and country are those of its activity.
    """

    __tablename__ = "attendances"
    # By hash: facts are kept for ever and found by their activity, and no day has to be known or can move a row.
    # Whoever reads events by SQL has no other judge of what they say.
    __table_args__ = (
        sa.CheckConstraint("participant_class IN ('international', 'local', 'esn_volunteer')", name="class"),
        {"postgresql_partition_by": "HASH (activity_id)"},
    )

    activity_id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    attendance_key: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer)
    participant_class: Mapped[str] = mapped_column(sa.Text)
    present: Mapped[bool] = mapped_column(sa.Boolean)
    hours: Mapped[Decimal | None] = mapped_column(sa.Numeric(7, 2))
    person_key: Mapped[UUID | None] = mapped_column(sa.Uuid)
    home_country: Mapped[str | None] = mapped_column(sa.Text)
    mobility: Mapped[str | None] = mapped_column(sa.Text)
