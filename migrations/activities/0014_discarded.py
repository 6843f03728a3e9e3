"""What was never public can be discarded."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_BEFORE = "state IN ('draft', 'submitted', 'returned', 'approved', 'published', 'held', 'cancelled')"
_SINCE = "state IN ('draft', 'submitted', 'returned', 'approved', 'published', 'held', 'cancelled', 'discarded')"


def _allow(states: str) -> None:
    op.drop_constraint(op.f("ck_activities_state"), "activities", schema="activities")
    op.create_check_constraint(op.f("ck_activities_state"), "activities", states, schema="activities")


def upgrade() -> None:
    """Allow one more state."""
    _allow(_SINCE)


def downgrade() -> None:
    """What was discarded is a draft again."""
    op.execute(
        "UPDATE activities.activities SET state = 'draft', "
        """document = replace(document, '"state"\\:"discarded"', '"state"\\:"draft"'), """
        r"""documents = replace(documents\:\:text, '\"state\"\:\"discarded\"', '\"state\"\:\"draft\"')\:\:jsonb """
        "WHERE state = 'discarded'"
    )
    _allow(_BEFORE)
