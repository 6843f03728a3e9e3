"""How many listed activities have a label: kept by triggers of the table of activities, for facets of everything."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table


class LabelCount(Table):
    """How many listed activities had a label, as `country` and `IT`, before the news."""

    __tablename__ = "label_counts"

    facet: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    activities: Mapped[int] = mapped_column(sa.BigInteger)


class LabelNews(Table):
    """By how many the activities with a label became more or fewer in one statement; a sweep adds it to the counts."""

    __tablename__ = "label_news"

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    facet: Mapped[str] = mapped_column(sa.Text)
    code: Mapped[str] = mapped_column(sa.Text)
    difference: Mapped[int] = mapped_column(sa.BigInteger)
