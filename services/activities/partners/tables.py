"""Partners, each with who entered it and the partner that it turned out to be."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table

_Instant = sa.DateTime(timezone=True)


class Partner(Table):
    """An organisation that takes part in activities.

    `section` and `owner_country` entered it; with neither it is ESN International's. `is_followed` says whether the
    activities show its present name, or after a merger its successor.
    """

    __tablename__ = "partners"
    __table_args__ = (
        sa.CheckConstraint("level IN ('local', 'national', 'international')", name="level"),
        sa.CheckConstraint("section IS NULL OR owner_country IS NOT NULL", name="country_of_a_section"),
        sa.CheckConstraint("level = 'international' OR country IS NOT NULL", name="country_of_a_local_one"),
        sa.CheckConstraint("merged_into <> id", name="not_merged_into_itself"),
        sa.Index("ix_partners_by_name", "plain_name", "id", postgresql_where=sa.text("merged_into IS NULL")),
        sa.Index(
            "ix_partners_plain_words",
            "plain_words",
            postgresql_using="gin",
            postgresql_ops={"plain_words": "gin_trgm_ops"},
            postgresql_with={"fastupdate": "off"},
        ),
        sa.Index("ix_partners_not_followed", "id", postgresql_where=sa.text("NOT is_followed")),
    )

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer)
    name: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    level: Mapped[str] = mapped_column(sa.Text)
    city: Mapped[str | None] = mapped_column(sa.Text)
    country: Mapped[str | None] = mapped_column(sa.Text, index=True)
    website: Mapped[str | None] = mapped_column(sa.Text)
    causes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    areas: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    description: Mapped[str | None] = mapped_column(sa.Text)
    contact_email: Mapped[str | None] = mapped_column(sa.Text)
    section: Mapped[str | None] = mapped_column(sa.ForeignKey("activities.sections.code"), index=True)
    owner_country: Mapped[str | None] = mapped_column(sa.Text)
    merged_into: Mapped[UUID | None] = mapped_column(sa.ForeignKey("activities.partners.id"), index=True)
    is_followed: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.true())
    created_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(_Instant, server_default=sa.func.now())
    plain_name: Mapped[str] = mapped_column(
        sa.Text, sa.Computed("activities.plain_text(name)", persisted=True), deferred=True, deferred_raiseload=True
    )
    plain_words: Mapped[str] = mapped_column(
        sa.Text,
        sa.Computed("activities.plain_text(((name || ' '::text) || COALESCE(city, ''::text)))", persisted=True),
        deferred=True,
        deferred_raiseload=True,
    )
