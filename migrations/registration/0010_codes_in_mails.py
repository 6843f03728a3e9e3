"""Mails hold check-in codes as pictures, which are drawn when they are sent.

The version before sends a mail without them: its HTML says the code in words in their place.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("outgoing_mail", sa.Column("codes", ARRAY(sa.Text())), schema="registration")


def downgrade() -> None:
    """Undo it."""
    op.drop_column("outgoing_mail", "codes", schema="registration")
