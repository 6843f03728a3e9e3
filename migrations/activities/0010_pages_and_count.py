"""Every activity's document names the page for people; changes are counted as the log counts."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A document is text, whose order stays; its own address comes before everything that somebody else wrote.
_OWN = r'"url":"([^"]*)/activities/v1/activities/([0-9a-f-]{36})"'
_WITH_PAGE = r'"url":"\1/activities/v1/activities/\2","page_url":"\1/activities/\2"'

_NOTE_CHANGE = """
CREATE OR REPLACE FUNCTION activities.note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END;
    was_public boolean := TG_OP <> 'INSERT' AND OLD.state IN ('published', 'held', 'cancelled');
    is_public boolean := TG_OP <> 'DELETE' AND NEW.state IN ('published', 'held', 'cancelled');
BEGIN
    IF was_public OR is_public THEN
        UPDATE activities.changes SET xid = {position} WHERE id = changed;
        -- Not as INSERT ... ON CONFLICT, which takes a number each time; the activity's own row is locked by now.
        IF NOT FOUND THEN
            INSERT INTO activities.changes (id, xid) VALUES (changed, {position});
        END IF;
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Write the page's address behind the document's own; what the version before still writes gets it later."""
    op.execute(_NOTE_CHANGE.format(position="events.position()"))
    op.execute(
        f"UPDATE activities.activities SET document = regexp_replace(document, '{_OWN}', '{_WITH_PAGE}') "
        """WHERE document NOT LIKE '%"page_url":%'"""
    )


def downgrade() -> None:
    """Take it out again."""
    op.execute(_NOTE_CHANGE.format(position="pg_current_xact_id()"))
    op.execute(
        """UPDATE activities.activities SET document = regexp_replace(document, ',"page_url":"[^"]*"', '') """
        """WHERE document LIKE '%"page_url":%'"""
    )
