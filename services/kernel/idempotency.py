"""Idempotency-Key: repeating a request answers what was answered before, because key and effect are one transaction."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

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
    columns = ("caller", "key", "request_hash", "status", "headers", "body", "answered_at")
    return sa.table(
        "idempotency_keys",
        *(sa.column(name, JSONB) if name == "headers" else sa.column(name) for name in columns),
        schema=runtime.role,
    )


class Replayed(Exception):  # It is an answer, not an error.
    """This request was answered before; the stored answer is sent again."""

    def __init__(self, response: Response) -> None:
        self.response = response


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that the request at hand answers for the first time."""

    caller: str
    key: str
    request_hash: bytes

    async def keep(self, session: AsyncSession, runtime: Runtime, response: Response) -> None:
        """Store the answer in the transaction of the effect."""
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        await session.execute(
            sa.insert(_table(runtime)).values(
                caller=self.caller,
                key=self.key,
                request_hash=self.request_hash,
                status=response.status_code,
                headers=kept,
                body=bytes(response.body),
            )
        )


def parse(header: str) -> str:
    """The key in an Idempotency-Key header: a structured-field string (`"…"`), or the bare text many clients send."""
    quoted = re.fullmatch(r'"((?:[ !#-\[\]-~]|\\["\\])*)"', header.strip())
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else header.strip()
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise BadRequest("Idempotency-Key must be 1 to 255 printable ASCII characters.")
    return key


async def _claim(
    request: Request,
    session: Writing,
    runtime: Running,
    actor: PerhapsCaller,
    header: Annotated[
        str | None, Header(alias="Idempotency-Key", description="Makes repeating the request safe.")
    ] = None,
) -> None:
    if header is None:
        return
    if len(request.headers.getlist("idempotency-key")) > 1:
        raise BadRequest("More than one Idempotency-Key header.")
    key = parse(header)
    caller = str(actor.id) if actor else "anonymous"
    secret = runtime.settings.secret.get_secret_value().encode()
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    told = b"\0".join([request.method.encode(), address.encode("utf-8", "replace"), await request.body()])
    claim = Claim(caller, key, hmac.digest(secret, told, "sha256"))
    number = int.from_bytes(hmac.digest(secret, f"{runtime.role}\0{caller}\0{key}".encode(), "sha256")[:8], signed=True)
    if not (await session.execute(sa.select(sa.func.pg_try_advisory_xact_lock(number)))).scalar_one():
        raise RequestInFlight
    table = _table(runtime)
    statement = sa.select(table.c.request_hash, table.c.status, table.c.headers, table.c.body).where(
        table.c.caller == caller, table.c.key == key
    )
    before = (await session.execute(statement)).one_or_none()
    if before is None:
        request.state.claim = claim
    elif hmac.compare_digest(before.request_hash, claim.request_hash):
        headers: Mapping[str, str] = before.headers
        raise Replayed(Response(before.body, before.status, headers={**headers, "Idempotency-Replayed": "true"}))
    else:
        raise IdempotencyKeyReused


async def _required(request: Request, _: Annotated[None, Depends(_claim)]) -> None:
    if "idempotency-key" not in request.headers:
        raise IdempotencyKeyMissing


optional = Depends(_claim)
"""For a route whose repetition the key makes safe."""

required = Depends(_required)
"""For a route that creates something: without the key it is a 400."""


def keep_nothing(request: Request) -> None:
    """Answer without keeping the answer: nothing was done that must not be done again."""
    request.state.claim = None


async def forget_old(session: AsyncSession, runtime: Runtime) -> int:
    """Delete answers older than `KEPT_HOURS`; a sweep of every service."""
    table = _table(runtime)
    old = table.c.answered_at < sa.func.now() - sa.func.make_interval(0, 0, 0, 0, KEPT_HOURS)
    gone = await session.execute(sa.delete(table).where(old).returning(table.c.key))
    return len(gone.all())
