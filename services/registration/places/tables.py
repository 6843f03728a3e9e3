"""What this service knows of activities, and the registrations of people for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.contracts import ActivityState
from services.kernel.problems import Problem
from services.registration.places import rules
from services.registration.tables import Table

_Instant = sa.DateTime(timezone=True)

# Spelt out in statements too, since a partial index is not used for a parameter.
IS_LIVE = sa.text("state IN ('unconfirmed', 'confirmed')")


class Places(Table):
    """The places of one activity: the activity as this service last heard of it, and how many places are taken.

    `taken` may lie above `capacity`: when organisers lower it nobody is thrown out.
    """

    __tablename__ = "places"
    __table_args__ = (
        sa.CheckConstraint("state IN ('published', 'held', 'cancelled')", name="state"),
        sa.CheckConstraint("taken >= 0", name="taken_not_negative"),
        sa.Index("ix_places_to_call_off", "activity_id", postgresql_where=sa.text("to_call_off")),
    )

    activity_id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[str] = mapped_column(sa.Text)
    title: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.Text)
    section_codes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    country: Mapped[str | None] = mapped_column(sa.Text)
    starts_at: Mapped[datetime | None] = mapped_column(_Instant)
    ends_at: Mapped[datetime | None] = mapped_column(_Instant)
    time_zone: Mapped[str] = mapped_column(sa.Text)
    location: Mapped[str | None] = mapped_column(sa.Text)
    minimum_age: Mapped[int | None] = mapped_column(sa.SmallInteger)
    takes_sign_ups: Mapped[bool] = mapped_column(sa.Boolean)
    opens_at: Mapped[datetime | None] = mapped_column(_Instant)
    closes_at: Mapped[datetime | None] = mapped_column(_Instant)
    capacity: Mapped[int | None] = mapped_column(sa.Integer)
    taken: Mapped[int] = mapped_column(sa.Integer)
    availability_revision: Mapped[int] = mapped_column(sa.Integer)
    to_call_off: Mapped[bool] = mapped_column(sa.Boolean)

    @property
    def has_places(self) -> bool:
        """Whether one more person could have a place."""
        return rules.has_places(self.capacity, self.taken)

    @property
    def sign_up_ends_at(self) -> datetime | None:
        """When sign-up closes."""
        return rules.closes_at(self.closes_at, self.starts_at, self.ends_at)

    def refusal(self, now: datetime) -> type[Problem] | None:
        """What keeps a sign-up from getting a place at `now`, if anything does."""
        return rules.refusal(
            state=ActivityState(self.state),
            takes_sign_ups=self.takes_sign_ups,
            opens_at=self.opens_at,
            closes_at=self.sign_up_ends_at,
            has_places=self.has_places,
            now=now,
        )


class Registration(Table):
    """One person's registration for one activity. At most one of a person is live; the others are its past.

    `attendance_key` names the person's attendance to other services and is shown to nobody. A registration that was
    `forgotten` stands for somebody whom nobody can name any more: it has ids of its own and no participant.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        sa.CheckConstraint("state IN ('unconfirmed', 'confirmed', 'cancelled', 'expired')", name="state"),
        sa.CheckConstraint(
            "participant_class IN ('international', 'local', 'esn_volunteer')", name="participant_class"
        ),
        sa.Index("uq_registrations_live", "activity_id", "participant_id", unique=True, postgresql_where=IS_LIVE),
        sa.Index("ix_registrations_held_until", "held_until", postgresql_where=sa.text("state = 'unconfirmed'")),
        sa.Index(None, "activity_id", "id"),
        sa.UniqueConstraint("activity_id", "code"),
    )

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(sa.ForeignKey("registration.places.activity_id"))
    participant_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("registration.participants.id"), index=True)
    state: Mapped[str] = mapped_column(sa.Text)
    participant_class: Mapped[str] = mapped_column(sa.Text)
    given_name: Mapped[str] = mapped_column(sa.Text)
    family_name: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.Text)
    home_country: Mapped[str | None] = mapped_column(sa.Text)
    host_section: Mapped[str | None] = mapped_column(sa.Text)
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    code: Mapped[str] = mapped_column(sa.Text)
    attendance_key: Mapped[UUID] = mapped_column(sa.Uuid, unique=True)
    signed_up_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    held_until: Mapped[datetime] = mapped_column(_Instant)
    reminded_at: Mapped[datetime | None] = mapped_column(_Instant)
    confirmed_at: Mapped[datetime | None] = mapped_column(_Instant)
    checked_in_at: Mapped[datetime | None] = mapped_column(_Instant)
    ended_at: Mapped[datetime | None] = mapped_column(_Instant)
    forgotten_at: Mapped[datetime | None] = mapped_column(_Instant)


class Section(Table):
    """A section that the directory knows: where a student may say that they are hosted."""

    __tablename__ = "sections"

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)


class Handle(Table):
    """A further id under which a registration was answered: to a sign-up by somebody who had a place already."""

    __tablename__ = "handles"

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("registration.registrations.id", ondelete="CASCADE"), index=True
    )
