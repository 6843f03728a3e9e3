"""The second wall itself: what Postgres shows the role of registration, by what a transaction says of its reach."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.kernel.auth import hashed
from services.registration.privacy.register import RECORDS
from services.registration.privacy.volunteers import VOLUNTEERS
from tests.harness.databases import Databases, at

# An answer kept for its key holds ids alone, and is found by who asked and the key. The audit is of volunteers, and has
# no column of a person's.
WITHOUT = {"registration.idempotency_keys", "registration.audit_entries"}
SASSARI, WARSAW = uuid4(), uuid4()
_PLACES = """
INSERT INTO registration.places (activity_id, revision, state, title, language, section_codes, country, time_zone,
    takes_sign_ups, taken, availability_revision, to_call_off)
VALUES ($1, 1, 'published', 'Beach', 'en', ARRAY[$2::text], $3, 'UTC', true, 0, 0, false)
"""
_PERSON = "INSERT INTO registration.participants (id, email, email_key) VALUES ($1, $2, $2)"
_REGISTRATION = """
INSERT INTO registration.registrations (id, activity_id, participant_id, state, participant_class, given_name,
    family_name, language, answers, code, attendance_key)
VALUES ($1, $2, $3, 'confirmed', 'local', 'Ada', 'Lovelace', 'en', '{}', left($1::uuid::text, 8), gen_random_uuid())
"""
_BELONGING = """
INSERT INTO registration.handles (id, registration_id) VALUES (gen_random_uuid(), '{0}');
INSERT INTO registration.attendances (registration_id, revision, hours) VALUES ('{0}', 1, 2);
INSERT INTO registration.check_ins (activity_id, nonce, registration_id, at, actor_id)
    VALUES ('{1}', '{0}', '{0}', now(), gen_random_uuid());
INSERT INTO registration.attendance_history (id, registration_id, act, present_after)
    VALUES (gen_random_uuid(), '{0}', 'marked_no_show', false);
INSERT INTO registration.links (token_hash, registration_id, purpose, expires_at)
    VALUES ('\\x{3}', '{0}', 'manage', now() + interval '1 day');
INSERT INTO registration.certificates (number_hash, number, participant_id, content, issued_at)
    VALUES ('\\x{3}', 'N', '{2}', '{{}}', now());
INSERT INTO registration.certified_attendances (number_hash, registration_id, hours) VALUES ('\\x{3}', '{0}', 2);
INSERT INTO registration.consents (id, participant_id, registration_id, purpose, text_version, language)
    VALUES (gen_random_uuid(), '{2}', '{0}', 'participation', '1', 'en');
INSERT INTO registration.cards (registration_id) VALUES ('{0}');
INSERT INTO registration.outgoing_mail (id, business_key, language, trace_id)
    VALUES (gen_random_uuid(), '{0}:confirm', 'en', 'x');
INSERT INTO registration.walk_ins (id, activity_id, nonce, participant_class, at, attendance_key, actor_id, revision)
    VALUES (gen_random_uuid(), '{1}', 'n', 'local', now(), gen_random_uuid(), gen_random_uuid(), 1);
INSERT INTO registration.check_in_passes (id, activity_id, secret_hash, made_by, begins_at, expires_at)
    VALUES (gen_random_uuid(), '{1}', '\\x{3}', gen_random_uuid(), now(), now());
"""
_ENDPOINT = "INSERT INTO registration.webhook_endpoints (id, section, country, url) VALUES ($1, $2, $3, 'https://a')"
_DELIVERY = """INSERT INTO registration.webhook_deliveries (id, endpoint_id, kind, about, data)
VALUES (gen_random_uuid(), $1, 'registration.confirmed', $2, '{}')"""
_POLICIES = "SELECT DISTINCT 'registration.' || tablename FROM pg_policies WHERE schemaname = 'registration'"


@pytest.fixture(scope="module")
async def owner(databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    """The owner of a database in which each of two sections has one student, and a row in every table."""
    async with databases.fresh() as url:
        made = await asyncpg.connect(url)
        for number, (activity, section) in enumerate(((SASSARI, "IT-SASS-ESN"), (WARSAW, "PL-WARS-UKS"))):
            person, registration, endpoint = uuid4(), uuid4(), uuid4()
            await made.execute(_PLACES, activity, section, section[:2])
            await made.execute(_PERSON, person, f"{number}@students.example")
            await made.execute(_REGISTRATION, registration, activity, person)
            secret = hashed(f"secret-{number}").hex()
            await made.execute(_BELONGING.format(registration, activity, person, secret))
            await made.execute(_ENDPOINT, endpoint, section, section[:2])
            await made.execute(_DELIVERY, endpoint, str(registration))
        yield made
        await made.close()


@asynccontextmanager
async def _as_the_service(
    owner: asyncpg.Connection, reach: str | None = None, proof: str | None = None
) -> AsyncIterator[asyncpg.Connection]:
    transaction = owner.transaction()
    await transaction.start()
    try:
        await owner.execute("SET LOCAL ROLE registration")
        for name, value in (("reach", reach), ("proof", proof)):
            if value is not None:
                await owner.execute(f"SELECT set_config('socialerasmus.{name}', $1, true)", value)
        yield owner
    finally:
        await transaction.rollback()


async def _seen(connection: asyncpg.Connection) -> dict[str, int]:
    walled = sorted(row[0] for row in await connection.fetch(_POLICIES))
    return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in walled}


async def test_every_table_about_people_is_behind_the_wall(owner: asyncpg.Connection) -> None:
    personal = {record.table for record in (*RECORDS, *VOLUNTEERS) if record.table.startswith("registration.")}
    statement = "SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity"
    behind = {row[0] for row in await owner.fetch(statement)}
    assert personal - WITHOUT == behind
    assert behind == {row[0] for row in await owner.fetch(_POLICIES)}


@pytest.mark.parametrize("reach", [None, "", "nothing", "nobody", "section:", "section:XX", "country:", "everythingx"])
async def test_who_says_nothing_of_a_reach_sees_nothing(owner: asyncpg.Connection, reach: str | None) -> None:
    async with _as_the_service(owner, reach) as connection:
        assert set((await _seen(connection)).values()) == {0}


@pytest.mark.parametrize("reach", ["section:IT-SASS-ESN", "country:IT", "section:PL-WARS-UKS", "country:PL"])
async def test_a_section_and_a_country_see_their_own(owner: asyncpg.Connection, reach: str) -> None:
    async with _as_the_service(owner, reach) as connection:
        assert set((await _seen(connection)).values()) == {1}
        activity = await connection.fetchval("SELECT activity_id FROM registration.registrations")
    assert activity == (SASSARI if "IT" in reach else WARSAW)


@pytest.mark.parametrize("reach", ["everything", "network"])
async def test_the_service_itself_and_the_whole_network_see_all(owner: asyncpg.Connection, reach: str) -> None:
    async with _as_the_service(owner, reach) as connection:
        assert set((await _seen(connection)).values()) == {2}


@pytest.mark.parametrize("proof", [f"link:{hashed('secret-0').hex()}", "mailbox:0@students.example"])
async def test_whoever_proves_who_they_are_sees_their_own(owner: asyncpg.Connection, proof: str) -> None:
    async with _as_the_service(owner, "nothing", proof) as connection:
        seen = await _seen(connection)
        mine = await connection.fetchval("SELECT activity_id FROM registration.registrations")
    assert mine == SASSARI
    organisers = (".walk_ins", ".webhook_endpoints", ".check_in_passes")
    assert seen == {table: 0 if table.endswith(organisers) else 1 for table in seen}


async def test_a_certificate_s_number_shows_what_it_states_and_changes_nothing(owner: asyncpg.Connection) -> None:
    async with _as_the_service(owner, "nothing", f"certificate:{hashed('secret-0').hex()}") as connection:
        seen = await _seen(connection)
        changed = await connection.execute("UPDATE registration.certificates SET revoked_at = now()")
    assert (seen["registration.certificates"], seen["registration.participants"], changed) == (1, 0, "UPDATE 0")
    assert (seen["registration.links"], seen["registration.consents"], seen["registration.outgoing_mail"]) == (0, 0, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE registration.registrations SET given_name = 'x' WHERE activity_id = $1",
        "DELETE FROM registration.check_ins WHERE activity_id = $1",
        "UPDATE registration.outgoing_mail SET recipient = 'me@x.example' WHERE $1::uuid IS NOT NULL AND about <> ''",
    ],
)
async def test_nothing_beyond_the_reach_is_changed(owner: asyncpg.Connection, statement: str) -> None:
    async with _as_the_service(owner, "section:PL-WARS-UKS") as connection:
        told = await connection.execute(statement, SASSARI)
    assert told.split()[1] == ("1" if "outgoing_mail" in statement else "0")


async def test_nothing_is_moved_or_put_beyond_the_reach(owner: asyncpg.Connection) -> None:
    async with _as_the_service(owner, "section:PL-WARS-UKS") as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await connection.execute("UPDATE registration.registrations SET activity_id = $1", SASSARI)
    for values in ((UUID(int=1), SASSARI, None), (UUID(int=1), uuid4(), None)):
        async with _as_the_service(owner, "section:PL-WARS-UKS") as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await connection.execute(_REGISTRATION, *values)


async def test_the_version_before_goes_on_as_it_did(owner: asyncpg.Connection) -> None:
    url = at(os.environ["DATABASE_URL"], await owner.fetchval("SELECT current_database()"))
    named = {"application_name": "socialerasmus registration", "role": "registration"}
    before = await asyncpg.connect(url, server_settings=named)
    try:
        seen = await _seen(before)
        # It does not know of passes.
        assert (seen.pop("registration.check_in_passes"), set(seen.values())) == (0, {2})
    finally:
        await before.close()


async def test_the_wall_keeps_the_indexes(owner: asyncpg.Connection) -> None:
    transaction = owner.transaction()
    await transaction.start()
    try:
        await owner.execute(
            "INSERT INTO registration.registrations (id, activity_id, state, participant_class, given_name, "
            "family_name, language, answers, code, attendance_key) SELECT gen_random_uuid(), $1, 'confirmed', 'local', "
            "'A', 'B', 'en', '{}', n::text, gen_random_uuid() FROM generate_series(1, 3000) AS n", WARSAW,
        )  # fmt: skip
        await owner.execute("ANALYZE registration.registrations")
        await owner.execute("SET LOCAL ROLE registration")
        for reach, statement in {
            "section:IT-SASS-ESN": f"WHERE activity_id = '{SASSARI}' AND id > '{UUID(int=0)}' ORDER BY id LIMIT 51",
            "nothing": f"WHERE id = '{UUID(int=0)}' FOR NO KEY UPDATE",
            "everything": "WHERE state IN ('unconfirmed', 'offered') AND held_until <= now() ORDER BY held_until",
        }.items():
            await owner.execute("SELECT set_config('socialerasmus.reach', $1, true)", reach)
            plan = await owner.fetch(f"EXPLAIN SELECT * FROM registration.registrations {statement}")
            told = "\n".join(row[0] for row in plan)
            assert "on registrations" in told
            assert "Seq Scan on registrations" not in told, told
    finally:
        await transaction.rollback()


async def test_a_pass_shows_itself_and_nobody_yet(owner: asyncpg.Connection) -> None:
    async with _as_the_service(owner, "nothing", f"pass:{hashed('secret-0').hex()}") as connection:
        seen = await _seen(connection)
    assert seen == {table: int(table.endswith(".check_in_passes")) for table in seen}
