"""How many students sections host, and which sections are not named in rankings."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.impact.tables import Table


class SectionSize(Table):
    """How many international students a section hosts in an academic year, as its national coordinator says."""

    __tablename__ = "section_sizes"
    __table_args__ = (sa.CheckConstraint("international_students > 0", name="somebody"),)

    section: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    academic_year: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    international_students: Mapped[int] = mapped_column(sa.Integer)
    updated_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())


class Unranked(Table):
    """A section that does not want to stand in rankings."""

    __tablename__ = "unranked_sections"

    section: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    since: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
