"""Every activity's document names the page for people."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0003"
branch_labels = None
depends_on = None

# A document is text, whose order stays; its own address comes before everything that somebody else wrote.
_OWN = r'"url":"([^"]*)/activities/v1/activities/([0-9a-f-]{36})"'
_WITH_PAGE = r'"url":"\1/activities/v1/activities/\2","page_url":"\1/activities/\2"'


def upgrade() -> None:
    """Write the page's address behind the document's own; what the version before still writes gets it later."""
    op.execute(
        f"UPDATE activities.activities SET document = regexp_replace(document, '{_OWN}', '{_WITH_PAGE}') "
        """WHERE document NOT LIKE '%"page_url":%'"""
    )


def downgrade() -> None:
    """Take it out again."""
    op.execute(
        """UPDATE activities.activities SET document = regexp_replace(document, ',"page_url":"[^"]*"', '') """
        """WHERE document LIKE '%"page_url":%'"""
    )
