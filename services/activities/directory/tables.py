"""Countries, their regional platforms, sections, and what a list of sections would change."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table

_Instant = sa.DateTime(timezone=True)


class Country(Table):
    """A country of the network; its row is locked while its memberships are read to be written into an activity.

    Once its organisation is edited here (`organisation_revision`), no list of others overwrites what it is called.
    """

    __tablename__ = "countries"

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text)
    organisation_name: Mapped[str | None] = mapped_column(sa.Text)
    organisation_website: Mapped[str | None] = mapped_column(sa.Text)
    organisation_revision: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    updated_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())


class OrganisationChange(Table):
    """One change of a national organisation's entry; the database refuses to change or delete it."""

    __tablename__ = "organisation_history"

    country: Mapped[str] = mapped_column(sa.ForeignKey("activities.countries.code"), primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    actor_id: Mapped[UUID] = mapped_column(sa.Uuid)
    actor_role: Mapped[str] = mapped_column(sa.Text)
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.clock_timestamp())


class Platform(Table):
    """A regional platform: countries that meet and plan together."""

    __tablename__ = "platforms"

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text)


class PlatformMembership(Table):
    """A country in a platform from `starts_on` until the day before `ends_on`; None where no end of it is known."""

    __tablename__ = "platform_memberships"
    __table_args__ = (
        sa.CheckConstraint("ends_on > starts_on", name="ends_after_its_start"),
        sa.CheckConstraint("certainty IN ('stated', 'inferred')", name="certainty"),
        ExcludeConstraint(
            (sa.column("country"), "="),
            (sa.text("daterange(starts_on, ends_on)"), "&&"),
            using="gist",
            name="ex_platform_memberships_one_at_a_time",
        ),
    )

    number: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    country: Mapped[str] = mapped_column(sa.ForeignKey("activities.countries.code"))
    platform: Mapped[str] = mapped_column(sa.ForeignKey("activities.platforms.code"), index=True)
    starts_on: Mapped[date | None] = mapped_column(sa.Date)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)
    certainty: Mapped[str] = mapped_column(sa.Text)
    source: Mapped[str | None] = mapped_column(sa.Text)


class PlatformRound(Table):
    """A country whose activities are to be put right, up to `after` done; `announces` tells of unchanged ones too."""

    __tablename__ = "platform_rounds"

    number: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    country: Mapped[str] = mapped_column(sa.Text)
    announces: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    after: Mapped[UUID | None] = mapped_column(sa.Uuid)


class Section(Table):
    """A local section of ESN; its code is its key everywhere in ESN.

    `languages` is None for those of its country. `edited` names the fields that the section states itself, which no
    list of others overwrites. `is_followed` says whether the activities that name it show its present name and
    country; until then `former_names` are those that they may show.
    """

    __tablename__ = "sections"
    __table_args__ = (
        sa.CheckConstraint("state IN ('active', 'warned', 'merged', 'withdrew')", name="state"),
        sa.CheckConstraint("merged_into IS NULL OR state = 'merged'", name="merged_only_when_merged"),
        sa.CheckConstraint("merged_into <> code", name="merged_into_another"),
        sa.Index("ix_sections_not_followed", "code", postgresql_where=sa.text("NOT is_followed")),
    )

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text)
    country: Mapped[str] = mapped_column(sa.Text, index=True)
    cities: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    university: Mapped[str | None] = mapped_column(sa.Text)
    website: Mapped[str | None] = mapped_column(sa.Text)
    latitude: Mapped[float | None] = mapped_column(sa.Double)
    longitude: Mapped[float | None] = mapped_column(sa.Double)
    state: Mapped[str] = mapped_column(sa.Text)
    same_as: Mapped[str | None] = mapped_column(sa.Text)
    merged_into: Mapped[str | None] = mapped_column(sa.ForeignKey("activities.sections.code"), index=True)
    languages: Mapped[list[str] | None] = mapped_column(ARRAY(sa.Text))
    time_zone: Mapped[str] = mapped_column(sa.Text)
    edited: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=sa.text("'{}'::text[]"))
    is_followed: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.true())
    former_names: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=sa.text("'{}'::text[]"))
    updated_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())


class DirectorySync(Table):
    """A list of sections that was sent, and what it would change: applied as it was seen, or not at all.

    `records` is JSON as text, which unlike JSONB holds whatever somebody sends.
    """

    __tablename__ = "directory_syncs"

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    digest: Mapped[str] = mapped_column(sa.Text)
    records: Mapped[str] = mapped_column(sa.Text)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    applied_at: Mapped[datetime | None] = mapped_column(_Instant)
