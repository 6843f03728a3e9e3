"""What each country makes of the label."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.tables import Table


class LabelPolicy(Table):
    """A country that has said whether it requires the label; one that has not requires it."""

    __tablename__ = "label_policies"
    __table_args__ = (sa.CheckConstraint("policy IN ('required', 'recorded')", name="policy"),)

    country: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    policy: Mapped[str] = mapped_column(sa.Text)
    since: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    revision: Mapped[int] = mapped_column(sa.Integer)
    decided_by: Mapped[UUID] = mapped_column(sa.Uuid)
