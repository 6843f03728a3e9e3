"""Idempotency-Key: repeating a request answers what was answered before, because key and effect are one transaction."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple

import sqlalchemy as sa
from fastapi import Depends, Header
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from services.kernel.auth import PerhapsCaller
from services.kernel.problems import BadRequest, IdempotencyKeyMissing, IdempotencyKeyReused, RequestInFlight
from services.kernel.runtime import Running, Runtime, Writing

KEPT_HOURS = 48
STRANGERS: Final = "anonymous"
"""The caller of all who are nobody in ESN."""

_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_ESCAPED: Final = re.compile(r"\\(.)")
_KEPT_HEADERS = ("content-type", "etag", "link", "location")


def keys_table(metadata: sa.MetaData) -> sa.Table:
    """The table of answered keys in one service's schema, answers and all.

    A route whose answer holds more of a person than ids, a secret or a code at that, takes no key: it is written so
    that once more is as good as once.
    """
    return sa.Table(
        "idempotency_keys",
        metadata,
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column(
            "answered_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"), index=True
        ),
    )


def _table(runtime: Runtime) -> sa.TableClause:
    return _in(runtime.role)


@cache
def _in(schema: str | None) -> sa.TableClause:
    columns = ("caller", "key", "request_hash", "status", "headers", "body", "answered_at")
    return sa.table(
        "idempotency_keys",
        *(sa.column(name, JSONB) if name == "headers" else sa.column(name) for name in columns),
        schema=schema,
    )


_TAKE: Final = """
SELECT array_agg(pg_try_advisory_xact_lock(number) ORDER BY at),
    (SELECT count(set_config(name, value, true)) FROM unnest($2::text[], $3::text[]) AS told(name, value))
FROM unnest($1::bigint[]) WITH ORDINALITY AS each(number, at)
"""
# Each is looked up by itself, however few answers there were when this was planned.
_FIND: Final = """
SELECT kept.caller, kept.key, kept.request_hash, kept.status, kept.headers::text, kept.body
FROM unnest($1::text[], $2::text[]) AS asked(caller, key) CROSS JOIN LATERAL (
    SELECT * FROM {schema}.idempotency_keys AS one WHERE one.caller = asked.caller AND one.key = asked.key LIMIT 1
) AS kept
"""


class Replayed(Exception):  # It is an answer, not an error.
    """This request was answered before; the stored answer is sent again."""

    def __init__(self, response: Response) -> None:
        self.response = response


class Before(NamedTuple):
    """What a key was answered."""

    request_hash: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that the request at hand answers for the first time."""

    caller: str
    key: str
    request_hash: bytes

    async def keep(self, session: AsyncSession, runtime: Runtime, response: Response) -> None:
        """Store the answer in the transaction of the effect."""
        await session.execute(sa.insert(_table(runtime)).values(self.row(response)))

    def row(self, response: Response) -> dict[str, Any]:
        """What is stored of the answer."""
        return {
            "caller": self.caller,
            "key": self.key,
            "request_hash": self.request_hash,
            "status": response.status_code,
            "headers": kept_headers(response),
            "body": bytes(response.body),
        }

    def number(self, runtime: Runtime) -> int:
        """The advisory lock of this key."""
        secret = runtime.settings.secret.get_secret_value().encode()
        told = f"{runtime.role}\0{self.caller}\0{self.key}".encode()
        return int.from_bytes(hmac.digest(secret, told, "sha256")[:8], signed=True)

    def answer(self, before: Before | None) -> Response | IdempotencyKeyReused | None:
        """What the key was answered before; None for the first time."""
        if before is None:
            return None
        if not hmac.compare_digest(before.request_hash, self.request_hash):
            return IdempotencyKeyReused()
        return Response(before.body, before.status, headers={**before.headers, "Idempotency-Replayed": "true"})


def kept_headers(response: Response) -> dict[str, str]:
    """The headers of an answer that are sent again with it."""
    return {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}


def parse(header: str) -> str:
    """The key in an Idempotency-Key header: a structured-field string (`"…"`), or the bare text many clients send."""
    quoted = _QUOTED.fullmatch(header.strip())
    key = _ESCAPED.sub(r"\1", quoted[1]) if quoted else header.strip()
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise BadRequest("Idempotency-Key must be 1 to 255 printable ASCII characters.")
    return key


async def _told(
    request: Request,
    runtime: Running,
    actor: PerhapsCaller,
    header: Annotated[
        str | None, Header(alias="Idempotency-Key", description="Makes repeating the request safe.")
    ] = None,
) -> Claim | None:
    if header is None:
        return None
    if len(request.headers.getlist("idempotency-key")) > 1:
        raise BadRequest("More than one Idempotency-Key header.")
    caller = str(actor.id) if actor else STRANGERS
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return claim_of(runtime, caller, request.method.encode(), address, await request.body(), header)


def claim_of(runtime: Runtime, caller: str, method: bytes, address: str, body: bytes, header: str) -> Claim:
    """The claim of a request by its Idempotency-Key header; raises what is wrong with that."""
    key = parse(header)
    secret = runtime.settings.secret.get_secret_value().encode()
    told = b"\0".join([method, address.encode("utf-8", "replace"), body])
    return Claim(caller, key, hmac.digest(secret, told, "sha256"))


async def check(session: AsyncSession, runtime: Runtime, claim: Claim) -> None:
    """Raise what a key was answered before, or that its request is being answered at this moment."""
    taken = sa.select(sa.func.pg_try_advisory_xact_lock(claim.number(runtime)))
    if not (await session.execute(taken)).scalar_one():
        raise RequestInFlight
    table = _table(runtime)
    statement = sa.select(table.c.request_hash, table.c.status, table.c.headers, table.c.body).where(
        table.c.caller == claim.caller, table.c.key == claim.key
    )
    row = (await session.execute(statement)).one_or_none()
    match claim.answer(None if row is None else Before(*row)):
        case Response() as answer:
            raise Replayed(answer)
        case IdempotencyKeyReused() as refusal:
            raise refusal


async def check_all(
    session: AsyncSession, runtime: Runtime, claims: Sequence[Claim], told: Mapping[str, str] = MappingProxyType({})
) -> list[Response | RequestInFlight | IdempotencyKeyReused | None]:
    """The same for several keys, none of them twice: None for each that is answered for the first time.

    The locks are taken before the answers are read: whoever held one has committed its answer by then. What is `told`
    of this transaction by settings goes along.
    """
    connection = await session.connection()
    numbers = [claim.number(runtime) for claim in claims]
    taken = await connection.exec_driver_sql(_TAKE, (numbers, list(told), list(told.values())))
    is_ours = taken.scalar_one()
    asked = ([claim.caller for claim in claims], [claim.key for claim in claims])
    found = await connection.exec_driver_sql(_FIND.format(schema=runtime.role), asked)
    several: list[Any] = [*found]
    before = {
        (caller, key): Before(request_hash, status, json.loads(headers), body)
        for caller, key, request_hash, status, headers, body in several
    }
    return [
        claim.answer(before.get((claim.caller, claim.key))) if ours else RequestInFlight()
        for claim, ours in zip(claims, is_ours, strict=True)
    ]


async def _claim(
    request: Request, session: Writing, runtime: Running, claim: Annotated[Claim | None, Depends(_told)]
) -> None:
    if claim is not None:
        await check(session, runtime, claim)
        request.state.claim = claim


async def _required(request: Request, _: Annotated[None, Depends(_claim)]) -> None:
    if "idempotency-key" not in request.headers:
        raise IdempotencyKeyMissing


async def _needed(claim: Annotated[Claim | None, Depends(_told)]) -> Claim:
    if claim is None:
        raise IdempotencyKeyMissing
    return claim


Claimed = Annotated[Claim, Depends(_needed)]
"""The key of a route that checks it and keeps its answer by itself."""

optional = Depends(_claim)
"""For a route whose repetition the key makes safe."""

required = Depends(_required)
"""For a route that creates something: without the key it is a 400."""


def keep_nothing(request: Request) -> None:
    """Answer without keeping the answer, nor that anybody did something: nothing was done."""
    request.state.claim = request.state.act = None


async def forget_old(session: AsyncSession, runtime: Runtime) -> int:
    """Delete answers older than `KEPT_HOURS`; a sweep of every service."""
    table = _table(runtime)
    old = table.c.answered_at < sa.func.now() - sa.func.make_interval(0, 0, 0, 0, KEPT_HOURS)
    gone = await session.execute(sa.delete(table).where(old).returning(table.c.key))
    return len(gone.all())
