"""Letters are queued as what they tell and written when they are sent; webhooks are told of all new registrations.

The version before finds no words in such a letter: its worker comes to nothing with it, and whoever knows how to write
it finds it half a minute later. Its own letters, with their words, are sent as ever.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# As for each row, but once for all rows of a statement.
_TELL: Final = """
CREATE FUNCTION registration.tell_webhooks_of_new() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO registration.webhook_deliveries (id, endpoint_id, kind, about, data)
    SELECT gen_random_uuid(), endpoint.id, 'registration.' || fresh.state, fresh.id::text, jsonb_build_object(
        'registration_id', fresh.id, 'activity_id', fresh.activity_id, 'state', fresh.state)
    FROM registration.webhook_endpoints AS endpoint
    CROSS JOIN fresh
    JOIN registration.places AS place ON place.activity_id = fresh.activity_id
    WHERE fresh.lead_id IS NULL AND fresh.forgotten_at IS NULL
        AND endpoint.state = 'active' AND endpoint.salt IS NOT NULL
        AND (endpoint.kinds IS NULL OR 'registration.' || fresh.state = ANY (endpoint.kinds))
        AND (endpoint.section = ANY (place.section_codes) OR (endpoint.section IS NULL
            AND (endpoint.country IS NULL OR endpoint.country = place.country)))
    FOR KEY SHARE OF endpoint SKIP LOCKED;
    RETURN NULL;
END $$
"""
_OF_ALL: Final = """
CREATE TRIGGER tell_webhooks_insert AFTER INSERT ON registration.registrations
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registration.tell_webhooks_of_new()
"""
_OF_EACH: Final = """
CREATE TRIGGER tell_webhooks_insert AFTER INSERT ON registration.registrations FOR EACH ROW
WHEN (NEW.lead_id IS NULL AND NEW.forgotten_at IS NULL) EXECUTE FUNCTION registration.tell_webhooks()
"""


def upgrade() -> None:
    """Add the column, and tell of many at once."""
    op.add_column("outgoing_mail", sa.Column("facts", JSONB()), schema="registration")
    op.execute(_TELL)
    op.execute("DROP TRIGGER tell_webhooks_insert ON registration.registrations")
    op.execute(_OF_ALL)


def downgrade() -> None:
    """Undo it."""
    op.execute("DROP TRIGGER tell_webhooks_insert ON registration.registrations")
    op.execute("DROP FUNCTION registration.tell_webhooks_of_new()")
    op.execute(_OF_EACH)
    op.drop_column("outgoing_mail", "facts", schema="registration")
