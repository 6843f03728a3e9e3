"""Schemes, their terms, the crosswalk between terms, and what was changed in either, by whom."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table

_Instant = sa.DateTime(timezone=True)


def _term(*columns: str) -> sa.ForeignKeyConstraint:
    targets = ["activities.taxonomy_terms.scheme", "activities.taxonomy_terms.code"]
    return sa.ForeignKeyConstraint(columns, targets)


class Scheme(Table):
    """A code list of one generation; `version` counts the changes of its terms."""

    __tablename__ = "taxonomy_schemes"

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    title: Mapped[str] = mapped_column(sa.Text)
    authority: Mapped[str] = mapped_column(sa.Text)
    official: Mapped[bool] = mapped_column(sa.Boolean)
    complete: Mapped[bool] = mapped_column(sa.Boolean)
    kept_here: Mapped[bool] = mapped_column(sa.Boolean)
    source: Mapped[str] = mapped_column(sa.Text)
    uri: Mapped[str | None] = mapped_column(sa.Text)
    first_year: Mapped[int | None] = mapped_column(sa.Integer)
    last_year: Mapped[int | None] = mapped_column(sa.Integer)
    replaced_by: Mapped[str | None] = mapped_column(sa.ForeignKey("activities.taxonomy_schemes.code"))
    position: Mapped[int] = mapped_column(sa.Integer)
    version: Mapped[int] = mapped_column(sa.Integer)
    updated_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())


class Term(Table):
    """A code of a scheme with its names by language; it is never deleted, only retired."""

    __tablename__ = "taxonomy_terms"
    __table_args__ = (
        sa.CheckConstraint("names ? 'en'", name="has_an_english_name"),
        sa.CheckConstraint("retired_on >= begins_on", name="retired_after_its_beginning"),
        sa.CheckConstraint("replaced_by <> code", name="not_replaced_by_itself"),
        _term("scheme", "replaced_by"),
    )

    scheme: Mapped[str] = mapped_column(sa.ForeignKey("activities.taxonomy_schemes.code"), primary_key=True)
    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    definition: Mapped[str | None] = mapped_column(sa.Text)
    uri: Mapped[str | None] = mapped_column(sa.Text)
    position: Mapped[int] = mapped_column(sa.Integer)
    begins_on: Mapped[date | None] = mapped_column(sa.Date)
    retired_on: Mapped[date | None] = mapped_column(sa.Date)
    replaced_by: Mapped[str | None] = mapped_column(sa.Text)
    revision: Mapped[int] = mapped_column(sa.Integer)
    updated_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())


class TermRound(Table):
    """A renamed term, of whose activities it is to be said that they changed: up to `after` it is done."""

    __tablename__ = "taxonomy_rounds"

    number: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    scheme: Mapped[str] = mapped_column(sa.Text)
    code: Mapped[str] = mapped_column(sa.Text)
    after: Mapped[UUID | None] = mapped_column(sa.Uuid)
    renamed_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())


class TermChange(Table):
    """One change of a scheme's terms; the database refuses to change or delete it."""

    __tablename__ = "taxonomy_history"
    __table_args__ = (_term("scheme", "code"),)

    scheme: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    version: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    code: Mapped[str] = mapped_column(sa.Text)
    actor_id: Mapped[UUID] = mapped_column(sa.Uuid)
    actor_role: Mapped[str] = mapped_column(sa.Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.clock_timestamp())


class Mapping(Table):
    """How one term lies to a term of another scheme; `ours` says that it is our proposal and not ESN's word."""

    __tablename__ = "crosswalk"
    __table_args__ = (
        sa.CheckConstraint("relation IN ('exactMatch', 'closeMatch', 'broadMatch', 'relatedMatch')", name="relation"),
        sa.CheckConstraint("source_scheme <> target_scheme", name="between_two_schemes"),
        _term("source_scheme", "source_code"),
        _term("target_scheme", "target_code"),
    )

    source_scheme: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    source_code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    target_scheme: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    target_code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    relation: Mapped[str] = mapped_column(sa.Text)
    note: Mapped[str | None] = mapped_column(sa.Text)
    ours: Mapped[bool] = mapped_column(sa.Boolean)
    revision: Mapped[int] = mapped_column(sa.Integer)
    updated_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())


class MappingChange(Table):
    """One change of the crosswalk, `after` null where a mapping was taken away; never changed or deleted either."""

    __tablename__ = "crosswalk_history"

    source_scheme: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    source_code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    target_scheme: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    target_code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid)
    actor_role: Mapped[str] = mapped_column(sa.Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.clock_timestamp())
