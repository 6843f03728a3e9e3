"""The chain: each entry, once it is certain, is linked to the one before it, so that what is changed later shows.

Writers don't contend for its end: a sweep links what lies below the event log's horizon, in that order. A link is an
HMAC, so that whoever can write to the database, and has not the service's secret, can't make one.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.audit.tables import KEPT_DAYS, Audit
from services.kernel.events import HORIZON
from services.kernel.logs import logger
from services.kernel.runtime import Runtime
from services.kernel.service import Sweep
from services.kernel.settings import Settings

BATCH: Final = 500
MOST_SHOWN: Final = 50
_BEFORE_THE_FIRST: Final = bytes(32)

ALGORITHMS = {32: "sha256"}
"""By what links and digests are made: what is stored tells it by its length. Each is one of Postgres's too."""

NEWEST = 32
"""The length of what is made from now on; along a chain it never becomes less."""

log = logger(__name__)

# All of an entry and of what changed by it, as Postgres writes JSON, which it does in one way only.
_TOLD = """
(convert_to(CAST(jsonb_build_array(
    e.id, CAST(e.xid AS text), e.number, CAST(extract(epoch FROM e.at) * 1000000 AS bigint), e.actor_id, e.actor_role,
    e.actor_section, e.actor_country, e.by_key, e.client_network, e.verb, e.object, e.sections, e.country, e.status,
    e.details, e.trace_id,
    (SELECT jsonb_agg(jsonb_build_array(
        c.number, CAST(extract(epoch FROM c.at) * 1000000 AS bigint), c.kind, c.key, c.act, c.before, c.after, c.named
     ) ORDER BY c.number) FROM {schema}.audit_changes AS c WHERE c.entry = e.id)
) AS text), 'UTF8'))
"""
_NEWS = """
SELECT e.id, CAST(e.xid AS text) AS xid, e.number, e.at, {newest}{told} AS digest FROM {schema}.audit_entries AS e
WHERE (e.xid, e.number) > (CAST(CAST(:xid AS text) AS xid8), :number) AND e.xid < CAST(CAST(:horizon AS text) AS xid8)
ORDER BY e.xid, e.number LIMIT :limit
"""
_LINKED = """
SELECT l.position, l.entry, CAST(l.xid AS text) AS xid, l.number, l.at, l.digest, l.hash,
       e.id IS NOT NULL AS is_there, CASE octet_length(l.digest) {digests} END AS found
FROM {schema}.audit_links AS l LEFT JOIN {schema}.audit_entries AS e ON e.id = l.entry
WHERE l.position > :after ORDER BY l.position LIMIT :limit
"""
_NOT_LINKED = """
SELECT e.id, e.number, (e.xid, e.number) < (CAST(CAST(:xid AS text) AS xid8), :number) AS is_late
FROM {schema}.audit_entries AS e
WHERE NOT EXISTS (SELECT FROM {schema}.audit_links AS l WHERE l.entry = e.id) ORDER BY e.number LIMIT 1000
"""
_OF_NO_ENTRY = """
SELECT count(*) FROM {schema}.audit_changes AS c
WHERE NOT EXISTS (SELECT FROM {schema}.audit_entries AS e WHERE e.id = c.entry)
"""
_GIVEN_OUT = """
SELECT coalesce(pg_sequence_last_value(CAST(pg_get_serial_sequence('{schema}.audit_entries', 'number') AS regclass)), 0)
"""


@dataclass(slots=True)
class Finding:
    """What a check found of one service's audit."""

    schema: str
    position: int = 0
    head: bytes = _BEFORE_THE_FIRST
    waiting: int = 0
    forgotten: int = 0
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report, as a command prints it: what is wrong, then what is worth knowing, the head last."""
        wrong = [f"{self.schema}: {fault}" for fault in self.faults[:MOST_SHOWN]]
        if len(self.faults) > MOST_SHOWN:
            wrong.append(f"{self.schema}: and {len(self.faults) - MOST_SHOWN} more")
        head = f"{self.position}:{self.head.hex()}"
        known = f"{self.position} linked, {self.forgotten} of them forgotten in their time, {self.waiting} to be linked"
        return [
            *wrong,
            *(f"{self.schema}: note: {remark}" for remark in self.remarks),
            f"{self.schema}: {'NOT WHOLE' if self.faults else 'whole'}; {known}; head {head}",
        ]


def _key(settings: Settings, schema: str) -> bytes:
    secret = (settings.audit_secret or settings.secret).get_secret_value()
    return hmac.digest(secret.encode(), f"audit\0{schema}".encode(), "sha256")


def _hash(
    key: bytes, before: bytes, position: int, link: Row[Any], entry: str, digest: bytes, *, length: int
) -> bytes | None:
    """What links an entry to the one before it, by the algorithm of a length; None where there is none of it."""
    if length not in ALGORITHMS:
        return None
    at = int((link.at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    told = f"{position}\n{before.hex()}\n{entry}\n{link.xid}\n{link.number}\n{at}\n{digest.hex()}"
    return hmac.digest(key, told.encode(), ALGORITHMS[length])


def _sql(statement: str, audit: Audit) -> sa.TextClause:
    told = _TOLD.format(schema=audit.schema)
    # A length that is none of ours has no digest, and so is a change that shows.
    digests = " ".join(f"WHEN {length} THEN {name}{told}" for length, name in ALGORITHMS.items())
    newest = ALGORITHMS[NEWEST]
    return sa.text(statement.format(schema=audit.schema, told=told, digests=digests, newest=newest))


def sweeps(audit: Audit) -> tuple[Sweep, ...]:
    """What keeps one service's chain."""

    async def link_entries(session: AsyncSession, runtime: Runtime) -> int:
        return await link(session, runtime, audit)

    async def forget_entries(session: AsyncSession, _: Runtime) -> int:
        found = await session.execute(sa.text(f"SELECT {audit.schema}.forget_old_audit()"))
        return int(found.scalar_one())

    return (
        Sweep("link audit", link_entries, every_seconds=5),
        Sweep("forget old audit", forget_entries, every_seconds=3600),
    )


async def link(session: AsyncSession, runtime: Runtime, audit: Audit) -> int:
    """Link the next entries that are certain; answers how many, or 0 where there will hardly be more."""
    mine = sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtext(f"{audit.schema} audit")))
    if not (await session.execute(mine)).scalar_one():
        return 0
    links = audit.links
    head = (await session.execute(sa.select(links).order_by(links.c.position.desc()).limit(1))).one_or_none()
    told = {
        "xid": head.xid if head else "0",
        "number": head.number if head else 0,
        "horizon": (await session.execute(HORIZON)).scalar_one(),
        "limit": BATCH,
    }
    found = (await session.execute(_sql(_NEWS, audit), told)).all()
    if not found:
        return 0
    key, before, position = _key(runtime.settings, audit.schema), head.hash if head else _BEFORE_THE_FIRST, 0
    made = []
    for position, row in enumerate(found, head.position + 1 if head else 1):
        linked = _hash(key, before, position, row, str(row.id), row.digest, length=NEWEST)
        assert linked is not None
        before = linked
        made.append({
            "position": position, "entry": row.id, "xid": row.xid, "number": row.number, "at": row.at,
            "digest": row.digest, "hash": before,
        })  # fmt: skip
    await session.execute(sa.insert(links), made)
    # Outside of the database this line shows how far the chain went, should its end be cut off.
    log.info("audit linked", audit=audit.schema, head=f"{position}:{before.hex()}")
    return len(found) if len(found) == BATCH else 0


async def check(
    session: AsyncSession, settings: Settings, audit: Audit, *, holds: tuple[int, str] | None = None
) -> Finding:
    """Follow the chain from its beginning and say what does not fit; `holds` is a head that was noted before."""
    found, key = Finding(audit.schema), _key(settings, audit.schema)
    kept_since = datetime.now(UTC) - timedelta(days=KEPT_DAYS)
    xid, number, is_held = "0", 0, holds is None
    async for row in _links(session, audit):
        expected = found.position + 1
        if row.position != expected:
            found.faults.append(f"links {expected} to {row.position - 1} are missing")
        length = len(row.hash)
        if row.hash != _hash(key, found.head, row.position, row, str(row.entry), row.digest, length=length):
            found.faults.append(f"link {row.position} does not follow from the one before it")
        elif min(length, len(row.digest)) < len(found.head):
            found.faults.append(f"link {row.position} is made by a lesser algorithm than the one before it")
        if not row.is_there and row.at >= kept_since:
            found.faults.append(f"entry {row.entry} (link {row.position}) was deleted")
        elif not row.is_there:
            found.forgotten += 1
        elif row.found != row.digest:
            found.faults.append(f"entry {row.entry} (link {row.position}) was changed")
        found.position, found.head, xid, number = row.position, row.hash, row.xid, row.number
        is_held = is_held or holds == (row.position, row.hash.hex())
    if not is_held:
        found.faults.append("the head that was noted is not in the chain: its end was cut off, or all of it made anew")
    await _beside_the_chain(session, audit, found, xid, number)
    return found


async def _beside_the_chain(session: AsyncSession, audit: Audit, found: Finding, xid: str, number: int) -> None:
    loose = (await session.execute(_sql(_NOT_LINKED, audit), {"xid": xid, "number": number})).all()
    found.faults += [f"entry {row.id} was slipped in behind the chain's end" for row in loose if row.is_late]
    found.waiting = sum(not row.is_late for row in loose)
    if orphans := (await session.execute(_sql(_OF_NO_ENTRY, audit))).scalar_one():
        found.faults.append(f"{orphans} changes are of no entry")
    last = max([number, *(row.number for row in loose)])
    if (given := (await session.execute(_sql(_GIVEN_OUT, audit))).scalar_one()) > last:
        found.remarks.append(
            f"numbers up to {given} were given out and {last} is the last that is kept: "
            "acts that failed at their end, or an end that was cut off; compare with a head that was noted"
        )


async def _links(session: AsyncSession, audit: Audit) -> AsyncIterator[Row[Any]]:
    after = 0
    while rows := (await session.execute(_sql(_LINKED, audit), {"after": after, "limit": BATCH})).all():
        for row in rows:
            yield row
        after = rows[-1].position
