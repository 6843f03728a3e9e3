"""Ideas with what they say about themselves and what was made of them, and who endorses them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table

_Instant = sa.DateTime(timezone=True)
_IS_OFFERED = sa.text("state = 'offered'")


class Idea(Table):
    """An activity that was held, as a recipe. What is known of the activity was copied: it can't change any more.

    Postgres keeps `adapted_sections` and `adapted_countries`: a trigger counts again when an adaptation changes.
    """

    __tablename__ = "ideas"
    __table_args__ = (
        sa.CheckConstraint("state IN ('offered', 'withdrawn')", name="state"),
        sa.CheckConstraint("group_max >= group_min", name="group_has_a_size"),
        sa.Index("ix_ideas_by_adaptations", "adapted_sections", "id", postgresql_where=_IS_OFFERED),
        sa.Index("ix_ideas_by_endorsements", "endorsements", "id", postgresql_where=_IS_OFFERED),
        sa.Index("ix_ideas_by_age", "id", postgresql_where=_IS_OFFERED),
        sa.Index(
            "ix_ideas_search",
            "search",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            postgresql_where=_IS_OFFERED,
        ),
        sa.Index(
            "ix_ideas_plain_words",
            "plain_words",
            postgresql_using="gin",
            postgresql_ops={"plain_words": "gin_trgm_ops"},
            postgresql_with={"fastupdate": "off"},
            postgresql_where=_IS_OFFERED,
        ),
    )

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(sa.ForeignKey("activities.activities.id"), unique=True)
    state: Mapped[str] = mapped_column(sa.Text)
    revision: Mapped[int] = mapped_column(sa.Integer)
    language: Mapped[str] = mapped_column(sa.Text)
    title: Mapped[str] = mapped_column(sa.Text)
    what: Mapped[str] = mapped_column(sa.Text)
    how: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    needs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    cost_amount: Mapped[Any] = mapped_column(sa.Numeric(9, 2))
    cost_currency: Mapped[str | None] = mapped_column(sa.Text)
    group_min: Mapped[int | None] = mapped_column(sa.Integer)
    group_max: Mapped[int | None] = mapped_column(sa.Integer)
    seasons: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    settings: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    partner_kinds: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    lessons: Mapped[str | None] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    programme: Mapped[str] = mapped_column(sa.Text)
    mode: Mapped[str] = mapped_column(sa.Text)
    areas: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    causes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    sdgs: Mapped[list[int]] = mapped_column(ARRAY(sa.SmallInteger))
    country: Mapped[str | None] = mapped_column(sa.Text)
    section_codes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    organisers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    activity_title: Mapped[str] = mapped_column(sa.Text)
    held_on: Mapped[date | None] = mapped_column(sa.Date)
    hours: Mapped[float | None] = mapped_column(sa.Double)
    capacity: Mapped[int | None] = mapped_column(sa.Integer)
    adapted_sections: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    adapted_countries: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    endorsements: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    offered_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    search: Mapped[Any] = mapped_column(
        TSVECTOR,
        sa.Computed(
            "activities.search_document(language, title, ((what || ' '::text) || COALESCE(lessons, ''::text)), "
            "organisers, '{}'::jsonb, '[]'::jsonb)",
            persisted=True,
        ),
        nullable=True,
        deferred=True,
        deferred_raiseload=True,
    )
    plain_words: Mapped[str] = mapped_column(
        sa.Text,
        sa.Computed("activities.plain_text(title)", persisted=True),
        nullable=True,
        deferred=True,
        deferred_raiseload=True,
    )


class Endorsement(Table):
    """That a country's coordinator, or ESN International, recommends an idea."""

    __tablename__ = "idea_endorsements"

    idea_id: Mapped[UUID] = mapped_column(sa.ForeignKey("activities.ideas.id", ondelete="CASCADE"), primary_key=True)
    endorser: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    note: Mapped[str | None] = mapped_column(sa.Text)
    endorsed_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())


class ActivityFigures(Table):
    """What an activity did according to its verified report; an event writes it and nothing else does.

    Without a verified report `is_verified` is false and nothing is stated.
    """

    __tablename__ = "activity_figures"

    activity_id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer)
    is_verified: Mapped[bool] = mapped_column(sa.Boolean)
    participants_international: Mapped[int | None] = mapped_column(sa.BigInteger)
    participants_local: Mapped[int | None] = mapped_column(sa.BigInteger)
    participants_esn_volunteer: Mapped[int | None] = mapped_column(sa.BigInteger)
    participants_unclassified: Mapped[int | None] = mapped_column(sa.BigInteger)
    hours: Mapped[Decimal | None] = mapped_column(sa.Numeric)
    quantities: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
