"""The statements of sign-ups that are decided together: each is one for all of them.

Mostly there are two: one looks at what they are decided by, and one keeps them if that still holds, which it sees under
a lock. Where the last places are given, what is looked at is locked first. They are written out, for SQLAlchemy takes
as long to put one together as Postgres takes for a dozen rows. All rows go as one JSON parameter, so neither a
statement's text nor its plan grows with them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from services.contracts import ParticipantClass
from services.kernel import reach
from services.kernel.db import GROUP_LOCK_TIMEOUT
from services.kernel.idempotency import Before, Claim
from services.kernel.problems import IdempotencyKeyReused
from services.kernel.proofs import Proof
from services.registration.places.rules import State
from services.registration.places.tables import IS_LIVE, Places
from services.registration.proofs.rules import FEWEST_HELD
from services.registration.proofs.store import held_of

SETTINGS: Final[Mapping[str, str]] = {
    # How long a group waits for a lock: an activity that somebody holds must not keep the others' students waiting.
    "lock_timeout": GROUP_LOCK_TIMEOUT,
    # It is of many mailboxes; what it reads of people is whether they are there.
    reach.SETTING: reach.EVERYTHING,
}
"""What is told of such a transaction."""

# Of each sign-up: what it is whatever it comes to (see `at_once.Prepared`), and what that is.
_TOLD: Final = {
    "id": "uuid", "person": "uuid", "email": "text", "email_key": "text", "recipient": "text", "code": "text",
    "attendance_key": "uuid", "activity_id": "uuid", "participant_class": "text", "given_name": "text",
    "family_name": "text", "language": "text", "home_country": "text", "mobility": "text", "answers": "jsonb",
    "token_hash": "text", "mail_id": "uuid", "mail_language": "text", "facts": "jsonb", "trace_id": "text",
    "caller": "text", "key": "text", "key_lock": "bigint", "request_hash": "text", "state": "text",
    "host_section": "text", "proof": "text", "proof_expires_at": "timestamptz",
}  # fmt: skip
# Of all for one activity that come to the same.
_OUTCOMES: Final = {
    "activity_id": "uuid", "state": "text", "signed_up_at": "timestamptz", "held_until": "timestamptz",
    "waiting_since": "timestamptz", "purpose": "text", "expires_at": "timestamptz", "letter": "text",
    "shared_facts": "jsonb", "answer": "text", "status": "smallint", "headers": "jsonb",
}  # fmt: skip
# By what it was decided, of each activity: which terms, whether somebody waits, and how many may have come meanwhile.
_BY_CLASS: Final = tuple(str(each) for each in ParticipantClass)
_SEEN: Final = {
    "activity_id": "uuid", "revision": "integer", "terms_revision": "integer", "waits": "boolean", "taken": "integer",
    **{f"taken_{each}": "integer" for each in _BY_CLASS},
}  # fmt: skip
STILL_HOLDS: Final = " AND ".join((
    *(f"one.{name} = coalesce(seen.{name}, one.{name})" for name in ("revision", "terms_revision")),
    "(one.waiting > 0) = coalesce(seen.waits, one.waiting > 0)",
    *(f"one.{name} <= coalesce(seen.{name}, one.{name})" for name in _SEEN if name.startswith("taken")),
))  # fmt: skip
"""Whether it does, seen under the lock."""
_OWN: Final = (
    "id", "activity_id", "state", "code", "attendance_key", "participant_class", "given_name", "family_name",
    "language", "home_country", "host_section", "mobility", "answers", "signed_up_at", "held_until", "waiting_since",
)  # fmt: skip
WITHIN: Final = (
    "AND (places.capacity IS NULL OR counts.taken = 0 OR places.taken + counts.taken <= places.capacity)"
) + "".join(
    f" AND (places.quota_{each} IS NULL OR counts.{each} = 0"
    f" OR places.taken_{each} + counts.{each} <= places.quota_{each})"
    for each in _BY_CLASS
)
"""Postgres refuses what would be one too many."""


def _shape(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


_COUNT_BY_CLASS: Final = "".join(
    f"count(*) FILTER (WHERE state = 'unconfirmed' AND participant_class = '{each}') AS {each}, " for each in _BY_CLASS
)
_ADD_BY_CLASS: Final = "".join(f"taken_{each} = places.taken_{each} + counts.{each}, " for each in _BY_CLASS)
KEEP: Final = f"""
WITH seats AS MATERIALIZED (
    -- Each is looked up by itself, in the order in which they are named, as everywhere.
    SELECT place.activity_id
    FROM json_to_recordset($4::text::json) AS seen({_shape(_SEEN)}) CROSS JOIN LATERAL (
        SELECT one.activity_id FROM registration.places AS one
        WHERE one.activity_id = seen.activity_id AND {STILL_HOLDS} FOR NO KEY UPDATE) AS place
), told AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::text::json) AS told({_shape(_TOLD)})
    -- There is one for each. An inner join would be planned for one row, and what follows for every pair of rows.
    LEFT JOIN json_to_recordset($3::text::json) AS outcome({_shape(_OUTCOMES)}) USING (activity_id, state)
    -- In one CASE, for Postgres would take several conditions to leave one row, and plan for that.
    WHERE CASE WHEN activity_id = ANY (ARRAY(SELECT activity_id FROM seats)) THEN
        pg_try_advisory_xact_lock(key_lock) AND (
            SELECT true FROM registration.idempotency_keys AS one
            WHERE one.caller = told.caller AND one.key = told.key LIMIT 1) IS NULL
    ELSE false END
), made AS (
    INSERT INTO registration.participants (id, email, email_key)
    SELECT DISTINCT ON (email_key) person, email, email_key FROM told ORDER BY email_key
    ON CONFLICT (email_key) DO NOTHING RETURNING id, email_key
), known AS (
    -- Each is looked up by itself, however few people there were when this was planned.
    SELECT one.id, asked.email_key FROM (SELECT DISTINCT email_key FROM told) AS asked CROSS JOIN LATERAL (
        SELECT id FROM registration.participants WHERE participants.email_key = asked.email_key LIMIT 1) AS one
), added AS (
    INSERT INTO registration.registrations (participant_id, party_size, {", ".join(_OWN)})
    SELECT people.id, 1, {", ".join(f"told.{name}" for name in _OWN)}
    FROM told JOIN (SELECT * FROM made UNION ALL SELECT * FROM known) AS people USING (email_key) ORDER BY people.id
    ON CONFLICT (activity_id, participant_id) WHERE {IS_LIVE.text} DO NOTHING
    RETURNING id, participant_id, activity_id, state, participant_class
), counts AS (
    SELECT activity_id, count(*) FILTER (WHERE state = 'unconfirmed') AS taken,
        {_COUNT_BY_CLASS}
        count(*) FILTER (WHERE state = 'waitlisted') AS waiting
    FROM added WHERE state IN ('unconfirmed', 'waitlisted') GROUP BY activity_id
), counted AS (
    -- Whoever comes on to a waiting list may fit in at once.
    UPDATE registration.places SET taken = places.taken + counts.taken,
        {_ADD_BY_CLASS}
        waiting = places.waiting + counts.waiting, offers_due = places.offers_due OR counts.waiting > 0
    FROM counts WHERE places.activity_id = counts.activity_id {WITHIN}
    RETURNING places.activity_id
), consented AS (
    INSERT INTO registration.consents
        (id, participant_id, registration_id, purpose, text_version, text_hash, language)
    SELECT given.id, added.participant_id, added.id, purpose, text_version, text_hash, language
    FROM json_to_recordset($2::text::json) AS given(id uuid, registration_id uuid, purpose text, text_version text,
        text_hash text, language text) JOIN added ON added.id = given.registration_id
), linked AS (
    INSERT INTO registration.links (token_hash, registration_id, purpose, expires_at)
    SELECT decode(token_hash, 'hex'), id, purpose, expires_at FROM told JOIN added USING (id)
), mailed AS (
    INSERT INTO registration.outgoing_mail (id, business_key, recipient, language, facts, trace_id)
    SELECT mail_id, id || ':' || letter, recipient, mail_language, shared_facts || facts, trace_id
    FROM told JOIN added USING (id)
    ON CONFLICT (business_key) DO NOTHING
), answered AS (
    INSERT INTO registration.idempotency_keys (caller, key, request_hash, status, headers, body)
    SELECT caller, key, decode(request_hash, 'hex'), status, headers, convert_to('{{"id":"' || id || answer, 'UTF8')
    FROM told JOIN added USING (id)
), spent AS (
    INSERT INTO registration.spent_proofs (nonce, expires_at)
    SELECT decode(proof, 'hex'), proof_expires_at FROM told JOIN added USING (id) WHERE proof IS NOT NULL
)
SELECT ARRAY(SELECT id FROM added), ARRAY(SELECT activity_id FROM seats),
    -- Nothing is kept of what could not be counted: this divides by zero, and each is asked for itself.
    1 / ((SELECT count(*) FROM counts) = (SELECT count(*) FROM counted))::int
"""  # noqa: S608  # Of our own names.


_COLUMNS: Final = tuple(column.name for column in Places.__table__.columns)
LOOK: Final = f"""
SELECT kept.told, {", ".join("place.questions::text" if each == "questions" else f"place.{each}" for each in _COLUMNS)},
    clock_timestamp(), CASE
        WHEN $4 > 0 AND place.capacity IS NOT NULL AND place.taken + $5
            >= greatest({FEWEST_HELD}, place.capacity * $4 / 100)
        THEN registration.held_unconfirmed(place.activity_id) ELSE 0 END
FROM (SELECT (
    SELECT json_agg(json_build_array(one.caller, one.key, encode(one.request_hash, 'hex'), one.status, one.headers,
        encode(one.body, 'hex')))::text
    FROM unnest($1::text[], $2::text[]) AS asked(caller, key) CROSS JOIN LATERAL (
        SELECT * FROM registration.idempotency_keys AS kept WHERE kept.caller = asked.caller AND kept.key = asked.key
        LIMIT 1) AS one
) AS told) AS kept
LEFT JOIN unnest($3::uuid[]) AS wanted(id) ON true
LEFT JOIN LATERAL (SELECT * FROM registration.places AS one WHERE one.activity_id = wanted.id LIMIT 1) AS place ON true
"""  # noqa: S608  # Of our own names.


class Seen(NamedTuple):
    """The places of an activity, at an instant, and how many of them are held by people who have not confirmed."""

    places: Places
    now: datetime
    held: int


async def look(
    session: AsyncSession, claims: Sequence[Claim], ids: Collection[UUID], *, percent: int, at_most: int
) -> tuple[list[Response | IdempotencyKeyReused | None], dict[UUID, Seen]]:
    """What keys were answered before, and the places of activities, as they are at one moment; nothing is locked.

    What is held is counted as `lock_places` does.
    """
    asked = ([claim.caller for claim in claims], [claim.key for claim in claims])
    found = await (await session.connection()).exec_driver_sql(LOOK, (*asked, list(ids), percent, at_most))
    several: list[Any] = [*found]
    told = several[0][0]
    kept = {
        (caller, key): Before(bytes.fromhex(request_hash), status, headers, bytes.fromhex(body))
        for caller, key, request_hash, status, headers, body in (json.loads(told) if told else ())
    }
    seen = {}
    for _, *values, now, held in several:
        columns = dict(zip(_COLUMNS, values, strict=True))
        if columns["activity_id"] is not None:
            columns["questions"] = json.loads(columns["questions"])
            seen[columns["activity_id"]] = Seen(Places(**columns), now, held)
    return [claim.answer(kept.get((claim.caller, claim.key))) for claim in claims], seen


async def lock_places(session: AsyncSession, ids: Collection[UUID], *, percent: int, at_most: int) -> dict[UUID, Seen]:
    """The places of several activities, locked in the order of their ids; with each the database's clock then.

    And how many of an activity's are held by people who have not confirmed: counted only where they may come to this
    part of all places with `at_most` more, which is not before as many are taken.
    """
    now = sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
    free = sa.func.greatest(FEWEST_HELD, Places.capacity * percent // 100)
    matters = sa.and_(sa.literal(percent > 0), Places.capacity.is_not(None), Places.taken + at_most >= free)
    held = sa.case((matters, held_of(Places.activity_id)), else_=0)
    statement = (
        sa.select(Places, now, held)
        .where(Places.activity_id == sa.func.any(sa.bindparam("ids", list(ids), sa.ARRAY(sa.Uuid))))
        .order_by(Places.activity_id)
        .with_for_update(key_share=True)
    )
    found = await session.execute(statement, execution_options={"populate_existing": True})
    return {places.activity_id: Seen(places, at, many) for places, at, many in found}


class Kept(NamedTuple):
    """Which sign-ups were kept, and of which activities what they were decided by still held."""

    ids: set[UUID]
    activities: set[UUID]


async def keep(
    session: AsyncSession,
    rows: Iterable[tuple[bytes, State, str | None, Proof | None]],
    consents: Iterable[bytes],
    outcomes: Sequence[Mapping[str, Any]],
    seen: Sequence[Mapping[str, Any]],
) -> Kept:
    """Keep sign-ups with all that belongs to them, but of whoever has a live one for the activity.

    A row is an object of JSON, with the state that it comes to, the host section and the proof that it spends; consents
    are arrays of them. People are made where a mailbox is new; whoever is made or forgotten by somebody else at this
    very moment is left out, and so is whose key is being answered elsewhere. Places are counted as taken that were
    found free, and people on to waiting lists.
    """
    told = b",".join(
        b'%b,"state":"%b","host_section":%b%b}' % (row[:-1], state.encode(), to_json(host), _spending(proof))
        for row, state, host, proof in rows
    )
    given = b",".join(each[1:-1] for each in consents)
    parameters = (
        f"[{told.decode()}]", f"[{given.decode()}]", to_json(outcomes).decode(),
        to_json(sorted(seen, key=_identity)).decode(),
    )  # fmt: skip
    kept = await (await session.connection()).exec_driver_sql(KEEP, parameters)
    added, activities, _ = tuple[Any, ...](kept.one())
    return Kept(set(added), set(activities))


def _identity(seen: Mapping[str, Any]) -> UUID:
    identity: UUID = seen["activity_id"]
    return identity


def _spending(proof: Proof | None) -> bytes:
    if proof is None:
        return b""
    return b',"proof":"%b","proof_expires_at":%b' % (proof.nonce.hex().encode(), to_json(proof.expires_at))


async def fresh(session: AsyncSession, identity: UUID) -> Places:
    """An activity's places, read again."""
    return (
        await session.scalars(
            sa.select(Places).where(Places.activity_id == identity), execution_options={"populate_existing": True}
        )
    ).one()
