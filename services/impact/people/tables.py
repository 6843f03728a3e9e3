"""Scopes with their numbers of people, and how often each key was present in each."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
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


class PersonCount(Table):
    """How often one key was present in a scope; who was never there has no row."""

    __tablename__ = "person_counts"

    scope_id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    person_key: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    times: Mapped[int] = mapped_column(sa.Integer)
