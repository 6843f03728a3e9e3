"""Scopes with their numbers of people, and how often each key was present at each place."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.impact.tables import Table


class PeopleScope(Table):
    """A place and a time, how many different people were present there, and how often somebody without a key was."""

    __tablename__ = "people_scopes"
    __table_args__ = (
        sa.Index(
            "uq_people_scopes_scope",
            "kind",
            "place",
            "period_kind",
            "period",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(sa.Integer, sa.Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.Text)
    place: Mapped[str | None] = mapped_column(sa.Text)
    period_kind: Mapped[str] = mapped_column(sa.Text)
    period: Mapped[str] = mapped_column(sa.Text)
    people: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    guests: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))


class PeoplePlace(Table):
    """Where people are counted: what the activities that share it have in common, and the scopes that it lies in."""

    __tablename__ = "people_places"
    __table_args__ = (sa.UniqueConstraint("section", "country", "edition", "academic_year", name="uq_people_places"),)

    id: Mapped[int] = mapped_column(sa.Integer, sa.Identity(always=True), primary_key=True)
    # Empty where it is not stated, so that a place is found by its index.
    section: Mapped[str] = mapped_column(sa.Text)
    country: Mapped[str] = mapped_column(sa.Text)
    edition: Mapped[str] = mapped_column(sa.Text)
    academic_year: Mapped[str] = mapped_column(sa.Text)
    scopes: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))


class PersonPlace(Table):
    """How often one key was present at a place; who was never there has no row."""

    __tablename__ = "person_places"

    person_key: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    place_id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    times: Mapped[int] = mapped_column(sa.Integer)
