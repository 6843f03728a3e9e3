"""A second wall around what is known of people: Postgres shows a transaction what lies within its reach, no more.

A transaction says how far it reaches (`socialerasmus.reach`) and which secret its caller holds (`socialerasmus.proof`);
see `services/kernel/reach.py`. Who says neither sees nothing. Tables are not forced: migrations and commands, which own
them, see everything, and so do the triggers and the checks of foreign keys.
"""

from __future__ import annotations

from typing import Final

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_EVERYTHING: Final = "(SELECT current_setting('socialerasmus.reach', true) = 'everything')"
_NETWORK: Final = "(SELECT current_setting('socialerasmus.reach', true) IN ('everything', 'network'))"
_COORDINATES: Final = "(SELECT current_setting('socialerasmus.reach', true) <> 'nothing')"
_SECTION: Final = "(SELECT registration.reach('section'))"
_COUNTRY: Final = "(SELECT registration.reach('country'))"
_PERSON: Final = "(SELECT registration.proved_person())"
_OWN: Final = "(SELECT registration.proved_registrations())::uuid[]"
_ORGANISED: Final = f"""EXISTS (
    SELECT FROM registration.places AS place WHERE place.activity_id = {{table}}.activity_id
    AND ({_SECTION} = ANY (place.section_codes) OR place.country = {_COUNTRY}))"""


def _of_registration(identity: str) -> str:
    """What belongs to a registration is seen by the person, and by the coordinators who see that."""
    return f"""{identity} = ANY ({_OWN}) OR ({_COORDINATES} AND EXISTS (
        SELECT FROM registration.registrations AS one WHERE one.id = {identity}))"""


# Each sub-select without a row of its own is evaluated once a statement, and only if it comes to that.
_SEEN: Final = {
    "registrations": f"""{_NETWORK} OR participant_id = {_PERSON} OR id = ANY ({_OWN}) OR lead_id = ANY ({_OWN})
        OR {_ORGANISED.format(table="registrations")}""",
    "walk_ins": f"{_NETWORK} OR {_ORGANISED.format(table='walk_ins')}",
    "participants": f"""{_EVERYTHING} OR id = {_PERSON} OR email_key = (SELECT registration.proof('mailbox'))
        OR ({_COORDINATES} AND EXISTS (
            SELECT FROM registration.registrations AS one WHERE one.participant_id = participants.id))""",
    "links": f"""{_EVERYTHING} OR token_hash = (SELECT decode(registration.proof('link'), 'hex'))
        OR {_of_registration("links.registration_id")}""",
    "attendance_history": f"""{_EVERYTHING} OR {_of_registration("attendance_history.registration_id")}
        OR EXISTS (SELECT FROM registration.walk_ins AS one WHERE one.id = attendance_history.walk_in_id)""",
    "certificates": f"""{_NETWORK} OR participant_id = {_PERSON} OR ({_COORDINATES} AND EXISTS (
        SELECT FROM registration.certified_attendances AS line WHERE line.number_hash = certificates.number_hash))""",
    "outgoing_mail": f"{_EVERYTHING} OR {_of_registration('registration.as_id(outgoing_mail.about)')}",
    "webhook_endpoints": f"{_NETWORK} OR section = {_SECTION} OR country = {_COUNTRY}",
    "webhook_deliveries": f"""{_EVERYTHING} OR registration.as_id(about) = ANY ({_OWN}) OR EXISTS (
        SELECT FROM registration.webhook_endpoints AS one WHERE one.id = webhook_deliveries.endpoint_id)""",
    **{
        table: f"{_EVERYTHING} OR {_of_registration(f'{table}.registration_id')}"
        for table in ("handles", "cards", "attendances", "check_ins", "consents", "certified_attendances")
    },
}

# Connections of the version before say nothing of a reach, where those of this one say that they reach nothing. The
# next version takes this policy away.
_VERSION_BEFORE: Final = """(SELECT current_setting('socialerasmus.reach', true) IS NULL
    AND current_setting('application_name') = 'socialerasmus registration')"""

_FUNCTIONS: Final = (
    """CREATE FUNCTION registration.reach(kind text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE RETURN
    CASE WHEN split_part(current_setting('socialerasmus.reach', true), ':', 1) = kind
    THEN split_part(current_setting('socialerasmus.reach', true), ':', 2) END""",
    """CREATE FUNCTION registration.proof(kind text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE RETURN
    CASE WHEN starts_with(current_setting('socialerasmus.proof', true), kind || ':')
    THEN substr(current_setting('socialerasmus.proof', true), length(kind) + 2) END""",
    """CREATE FUNCTION registration.as_id(written text) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN written ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN written::uuid END""",
    # These look past the wall, since it stands on what they find: whom a link was mailed to, or whose a mailbox is.
    """CREATE FUNCTION registration.proved_person() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE link text := registration.proof('link'); mailbox text := registration.proof('mailbox');
    BEGIN
        IF link IS NOT NULL THEN
            RETURN (SELECT one.participant_id FROM registration.links JOIN registration.registrations AS one
                ON one.id = links.registration_id WHERE links.token_hash = decode(link, 'hex'));
        ELSIF mailbox IS NOT NULL THEN
            RETURN (SELECT one.id FROM registration.participants AS one WHERE one.email_key = mailbox);
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE FUNCTION registration.proved_registrations() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE person uuid := registration.proved_person();
    BEGIN
        IF person IS NOT NULL THEN
            RETURN (SELECT array_agg(one.id) FROM registration.registrations AS one WHERE one.participant_id = person
                OR one.lead_id IN (SELECT id FROM registration.registrations WHERE participant_id = person));
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE FUNCTION registration.certified_registrations() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE certificate text := registration.proof('certificate');
    BEGIN
        IF certificate IS NOT NULL AND current_setting('socialerasmus.reach', true) = 'nothing' THEN
            RETURN (SELECT array_agg(line.registration_id) FROM registration.certified_attendances AS line
                WHERE line.number_hash = decode(certificate, 'hex'));
        END IF;
        RETURN NULL;
    END $$""",
    # How many wait before somebody is told to them; who they are is not.
    """CREATE FUNCTION registration.place_in_line(activity uuid, since timestamptz, identity uuid) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RETURN (SELECT count(*) FROM registration.registrations AS one
            WHERE one.activity_id = activity AND one.state = 'waitlisted' AND one.lead_id IS NULL
            AND (one.waiting_since, one.id) <= (since, identity));
    END $$""",
)
_CERTIFIED: Final = "(SELECT registration.certified_registrations())::uuid[]"
# A certificate's number shows what it states, to strangers; an organiser sees of it what they organised.
_BY_NUMBER: Final = {
    "certificates": "number_hash = (SELECT decode(registration.proof('certificate'), 'hex'))",
    "certified_attendances": f"registration_id = ANY ({_CERTIFIED})",
    "attendances": f"registration_id = ANY ({_CERTIFIED})",
    "registrations": f"id = ANY ({_CERTIFIED})",
}
# Told by whichever transaction changes a state, a student's too, to endpoints that are not theirs to see.
_TELLS: Final = "ALTER FUNCTION registration.tell_webhooks() SECURITY {} SET search_path = pg_catalog, pg_temp"


def upgrade() -> None:
    """Put up the wall; connections of the version before see over it."""
    for statement in _FUNCTIONS:
        op.execute(statement)
    op.execute(_TELLS.format("DEFINER"))
    for table, seen in _SEEN.items():
        op.execute(f"CREATE POLICY reach ON registration.{table} USING ({seen})")
        op.execute(f"CREATE POLICY version_before ON registration.{table} USING ({_VERSION_BEFORE})")
        op.execute(f"ALTER TABLE registration.{table} ENABLE ROW LEVEL SECURITY")
    for table, seen in _BY_NUMBER.items():
        op.execute(f"CREATE POLICY by_number ON registration.{table} FOR SELECT USING ({seen})")


def downgrade() -> None:
    """Take it down."""
    for table in _BY_NUMBER:
        op.execute(f"DROP POLICY by_number ON registration.{table}")
    for table in reversed(_SEEN):
        op.execute(f"ALTER TABLE registration.{table} DISABLE ROW LEVEL SECURITY")
        for policy in ("reach", "version_before"):
            op.execute(f"DROP POLICY {policy} ON registration.{table}")
    op.execute("ALTER FUNCTION registration.tell_webhooks() SECURITY INVOKER RESET search_path")
    for name in (
        *("place_in_line(uuid, timestamptz, uuid)", "certified_registrations()", "proved_registrations()"),
        *("proved_person()", "as_id(text)", "proof(text)", "reach(text)"),
    ):
        op.execute(f"DROP FUNCTION registration.{name}")
