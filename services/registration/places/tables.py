"""What this service knows of activities, and the registrations of people for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.contracts import ActivityState, ParticipantClass
from services.kernel.problems import Problem
from services.registration.people import rules as people_rules
from services.registration.places import rules
from services.registration.places.timing import Whereabouts
from services.registration.tables import Table

_Instant = sa.DateTime(timezone=True)

# Spelt out in statements too, since a partial index is not used for a parameter.
IS_LIVE = sa.text("state IN ('unconfirmed', 'pending_approval', 'waitlisted', 'offered', 'confirmed')")
IS_HELD = sa.text("state IN ('unconfirmed', 'offered')")


class Places(Table):
    """The places of one activity: as this service last heard of it, on the organisers' terms, and how many are taken.

    `taken` may lie above `capacity`: when organisers lower it nobody is thrown out. `waiting` counts people, and
    `offers_due` says that somebody who waits may fit in since it was last looked. A quota that is null is no limit.
    `move_due_at` is when those who signed up are to be told that it moved from `moved_from_…`, unless it is back there
    by then; `to_ask_again` says that they are being told of the move noted at `moved_at`.
    """

    __tablename__ = "places"
    __table_args__ = (
        sa.CheckConstraint("state IN ('published', 'held', 'cancelled')", name="state"),
        sa.CheckConstraint("taken >= 0", name="taken_not_negative"),
        sa.CheckConstraint("waiting >= 0", name="waiting_not_negative"),
        sa.CheckConstraint("choosing IN ('first_come', 'approval')", name="choosing"),
        sa.Index("ix_places_to_call_off", "activity_id", postgresql_where=sa.text("to_call_off")),
        sa.Index("ix_places_offers_due", "activity_id", postgresql_where=sa.text("offers_due")),
        sa.Index("ix_places_no_shows_due", "activity_id", postgresql_where=sa.text("no_shows_due")),
        sa.Index("ix_places_remind_at", "remind_at", postgresql_where=sa.text("remind_at IS NOT NULL")),
        sa.Index("ix_places_move_due_at", "move_due_at", postgresql_where=sa.text("move_due_at IS NOT NULL")),
        sa.Index("ix_places_to_ask_again", "to_ask_again", postgresql_where=sa.text("to_ask_again")),
        sa.Index("ix_places_part_of", "part_of", postgresql_where=sa.text("part_of IS NOT NULL")),
    )

    activity_id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[str] = mapped_column(sa.Text)
    title: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.Text)
    section_codes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    organiser_names: Mapped[list[str] | None] = mapped_column(ARRAY(sa.Text))
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
    waiting: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    offers_due: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    taken_international: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    taken_local: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    taken_esn_volunteer: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    terms_revision: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    choosing: Mapped[str] = mapped_column(sa.Text, server_default=sa.text("'first_come'"))
    quota_international: Mapped[int | None] = mapped_column(sa.Integer)
    quota_local: Mapped[int | None] = mapped_column(sa.Integer)
    quota_esn_volunteer: Mapped[int | None] = mapped_column(sa.Integer)
    guests_at_most: Mapped[int] = mapped_column(sa.SmallInteger, server_default=sa.text("0"))
    keeps_waiting_list: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.true())
    hold_minutes: Mapped[int | None] = mapped_column(sa.Integer)
    offer_hours: Mapped[int] = mapped_column(sa.SmallInteger, server_default=sa.text("24"))
    offers_end_hours: Mapped[int] = mapped_column(sa.SmallInteger, server_default=sa.text("2"))
    questions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=sa.text("'[]'"))
    part_of: Mapped[UUID | None] = mapped_column(sa.Uuid)
    relation: Mapped[str | None] = mapped_column(sa.Text)
    has_parts: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    no_shows_due: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    asks_esncard: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    confirm_until: Mapped[datetime | None] = mapped_column(_Instant)
    remind_at: Mapped[datetime | None] = mapped_column(_Instant)
    move_due_at: Mapped[datetime | None] = mapped_column(_Instant)
    move_noted_at: Mapped[datetime | None] = mapped_column(_Instant)
    moved_at: Mapped[datetime | None] = mapped_column(_Instant)
    moved_from_starts_at: Mapped[datetime | None] = mapped_column(_Instant)
    moved_from_ends_at: Mapped[datetime | None] = mapped_column(_Instant)
    moved_from_location: Mapped[str | None] = mapped_column(sa.Text)
    to_ask_again: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())

    @property
    def room(self) -> rules.Room:
        """How much room there is."""
        limits = {each: getattr(self, f"quota_{each}") for each in ParticipantClass}
        return rules.Room(
            capacity=self.capacity,
            taken=self.taken,
            waiting=self.waiting,
            choosing=rules.Choosing(self.choosing),
            quotas={each: limit for each, limit in limits.items() if limit is not None},
            taken_by_class={each: getattr(self, f"taken_{each}") for each in ParticipantClass},
        )

    @property
    def whereabouts(self) -> Whereabouts:
        """When and where it is."""
        return Whereabouts(self.starts_at, self.ends_at, self.location)

    @property
    def youngest(self) -> int:
        """From which age somebody can sign up."""
        return people_rules.youngest(self.country, self.minimum_age)

    @property
    def has_places(self) -> bool:
        """Whether somebody who signs up now could have a place."""
        return self.room.has_places

    @property
    def offers_end_at(self) -> datetime | None:
        """When the last place is offered to those who wait."""
        return rules.offers_end_at(self.starts_at, self.ends_at, hours_before=self.offers_end_hours)

    def offers(self, now: datetime) -> bool:
        """Whether free places are offered at `now` to those who wait."""
        ends = self.offers_end_at
        return self.state == ActivityState.PUBLISHED and self.takes_sign_ups and (ends is None or now < ends)

    @property
    def sign_up_ends_at(self) -> datetime | None:
        """When sign-up closes."""
        return rules.closes_at(self.closes_at, self.starts_at, self.ends_at)

    def refusal(self, now: datetime) -> type[Problem] | None:
        """What keeps a sign-up from getting a place at `now`, if anything does."""
        closed = self.window_refusal(now)
        return closed or (None if self.has_places else rules.ActivityFull)

    def window_refusal(self, now: datetime) -> type[Problem] | None:
        """What keeps everybody from signing up at `now`, whether or not there are places."""
        return rules.refusal(
            state=ActivityState(self.state),
            takes_sign_ups=self.takes_sign_ups,
            opens_at=self.opens_at,
            closes_at=self.sign_up_ends_at,
            now=now,
        )


class Registration(Table):
    """One person's registration for one activity. At most one of a person is live; the others are its past.

    A group is the registration of the one who signed it up and one for each guest, who has no mailbox here and whose
    `lead_id` names the first. Its state is the state of all; `party_size` stands with the first and is 1 elsewhere.
    Several for dates of a series that one link confirms have the id of the first of them as `together_id`.
    `asked_again_at` is when they were last written to because the activity moved, `still_comes_at` when they answered
    that they come all the same, `reminded_for` the start that they were last reminded of.
    `attendance_key` names the person's attendance to other services and is shown to nobody. A registration that was
    `forgotten` stands for somebody whom nobody can name any more: it has ids of its own and no participant.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('unconfirmed', 'pending_approval', 'waitlisted', 'offered', 'confirmed', 'cancelled', "
            "'declined', 'expired')",
            name="state",
        ),
        sa.CheckConstraint("lead_id IS NULL OR participant_id IS NULL", name="guests_have_no_mailbox"),
        sa.Index("ix_registrations_lead_id", "lead_id", postgresql_where=sa.text("lead_id IS NOT NULL")),
        sa.Index("ix_registrations_together_id", "together_id", postgresql_where=sa.text("together_id IS NOT NULL")),
        sa.CheckConstraint(
            "participant_class IN ('international', 'local', 'esn_volunteer')", name="participant_class"
        ),
        sa.CheckConstraint("mobility IN ('study', 'traineeship')", name="mobility"),
        sa.Index("uq_registrations_live", "activity_id", "participant_id", unique=True, postgresql_where=IS_LIVE),
        sa.Index("ix_registrations_held_until", "held_until", postgresql_where=IS_HELD),
        sa.Index(
            "ix_registrations_waiting",
            "activity_id",
            "waiting_since",
            "id",
            postgresql_where=sa.text("state = 'waitlisted' AND lead_id IS NULL"),
        ),
        sa.Index(
            "ix_registrations_undecided",
            "activity_id",
            postgresql_where=sa.text("state IN ('waitlisted', 'pending_approval') AND lead_id IS NULL"),
        ),
        sa.Index("ix_registrations_unconfirmed", "activity_id", postgresql_where=sa.text("state = 'unconfirmed'")),
        sa.Index(None, "activity_id", "id"),
        sa.UniqueConstraint("activity_id", "code"),
    )

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(sa.ForeignKey("registration.places.activity_id"))
    participant_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("registration.participants.id"), index=True)
    lead_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("registration.registrations.id", ondelete="SET NULL"))
    together_id: Mapped[UUID | None] = mapped_column(sa.Uuid)
    party_size: Mapped[int] = mapped_column(sa.SmallInteger, server_default=sa.text("1"))
    state: Mapped[str] = mapped_column(sa.Text)
    participant_class: Mapped[str] = mapped_column(sa.Text)
    given_name: Mapped[str] = mapped_column(sa.Text)
    family_name: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.Text)
    home_country: Mapped[str | None] = mapped_column(sa.Text)
    host_section: Mapped[str | None] = mapped_column(sa.Text)
    mobility: Mapped[str | None] = mapped_column(sa.Text)
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    code: Mapped[str] = mapped_column(sa.Text)
    attendance_key: Mapped[UUID] = mapped_column(sa.Uuid, unique=True)
    signed_up_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    held_until: Mapped[datetime | None] = mapped_column(_Instant)
    waiting_since: Mapped[datetime | None] = mapped_column(_Instant)
    reminded_at: Mapped[datetime | None] = mapped_column(_Instant)
    confirmed_at: Mapped[datetime | None] = mapped_column(_Instant)
    checked_in_at: Mapped[datetime | None] = mapped_column(_Instant)
    asked_again_at: Mapped[datetime | None] = mapped_column(_Instant)
    still_comes_at: Mapped[datetime | None] = mapped_column(_Instant)
    reminded_for: Mapped[datetime | None] = mapped_column(_Instant)
    ended_at: Mapped[datetime | None] = mapped_column(_Instant)
    forgotten_at: Mapped[datetime | None] = mapped_column(_Instant)


class Section(Table):
    """A section that the directory knows: where a student may say that they are hosted, or at its successor.

    Without a title if it was heard of before titles were kept, and not since.
    """

    __tablename__ = "sections"

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    title: Mapped[str | None] = mapped_column(sa.Text)
    country: Mapped[str | None] = mapped_column(sa.Text)
    successor: Mapped[str | None] = mapped_column(sa.Text)


class Handle(Table):
    """A further id under which a registration was answered: to a sign-up by somebody who had a place already."""

    __tablename__ = "handles"

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("registration.registrations.id", ondelete="CASCADE"), index=True
    )
