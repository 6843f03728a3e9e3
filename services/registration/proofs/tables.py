"""Proofs that were used."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.registration.tables import Table


class SpentProof(Table):
    """The nonce of a challenge whose solution was taken, until it has expired; nothing says whose."""

    __tablename__ = "spent_proofs"

    nonce: Mapped[bytes] = mapped_column(sa.LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), index=True)
