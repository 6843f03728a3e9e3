"""Writes an act down, in its own transaction and at one place: what runs around every unsafe route, and commands."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.audit.reach import Asked
from services.kernel.ids import new_id
from services.kernel.trace import current_trace_id

if TYPE_CHECKING:
    from services.kernel.auth import Actor

COMMAND: Final = "command"
"""The role of whoever runs `python -m services …`."""

NOT_TOLD: Final = frozenset({"number"})
"""Parameters of an address that lead to a person: the number of a certificate opens its holder's name."""

_OF_SOMEBODY: Final = re.compile(r"^(registrations|attendances)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")

_BEGIN = sa.text("SELECT set_config('socialerasmus.audit', :id, true)")
_INSERT = """
INSERT INTO {schema}.audit_entries (
    id, xid, actor_id, actor_role, actor_section, actor_country, by_key, client_network, verb, object, sections,
    country, status, details, trace_id
) VALUES (
    :id, events.position(), :actor_id, :actor_role, :actor_section, :actor_country, :by_key, :client_network, :verb,
    :object, CAST(:sections AS text[]),
    coalesce(:country, (SELECT country FROM {schema}.sections WHERE code = (CAST(:sections AS text[]))[1])),
    :status, CAST(:details AS jsonb), :trace_id
)
"""


@dataclass(slots=True)
class Act:
    """What somebody is doing: its number is known from the beginning, so that triggers can say what changed by it."""

    id: UUID = field(default_factory=new_id)
    asked: Asked = field(default_factory=Asked)
    actor: Actor | None = None


async def begin(session: AsyncSession, act: Act) -> None:
    """Let what changes in this transaction be noted from now on."""
    await session.execute(_BEGIN, {"id": str(act.id)})


async def write(
    session: AsyncSession, act: Act, *, schema: str, verb: str, about: str, status: int, network: str | None
) -> None:
    """Write down what an actor did, in the transaction in which it was done."""
    assert act.actor is not None
    actor = act.actor
    own = frozenset({actor.section} if actor.section else ()), actor.country
    sections, country = act.asked.common() or own
    told = {
        "id": act.id, "actor_id": actor.id, "actor_role": actor.role.value, "actor_section": actor.section,
        "actor_country": actor.country, "by_key": actor.scopes is not None, "client_network": network, "verb": verb,
        "object": about, "sections": sorted(sections), "country": country, "status": status, "details": None,
        "trace_id": current_trace_id(),
    }  # fmt: skip
    await session.execute(sa.text(_INSERT.format(schema=schema)), told)


async def write_command(
    session: AsyncSession, act: Act, *, schema: str, verb: str, details: Mapping[str, Any] | None = None
) -> None:
    """Write down what an operator runs. The login of an operator is the machine's to log."""
    told: dict[str, Any] = {
        "id": act.id, "actor_id": None, "actor_role": COMMAND, "actor_section": None, "actor_country": None,
        "by_key": False, "client_network": None, "verb": verb, "object": verb, "sections": [], "country": None,
        "status": None, "details": None if details is None else json.dumps(details), "trace_id": current_trace_id(),
    }  # fmt: skip
    await session.execute(sa.text(_INSERT.format(schema=schema)), told)


def about(template: str, values: Mapping[str, Any], *, method: str, location: str | None) -> str:
    """The object of a request, as its address below the service's: what was made, else what the verb was sent to."""
    made = urlsplit(location or "")
    if made.path and not made.query:
        return _below_version(made.path)
    segments = template.strip("/").split("/")
    if method == "POST":
        last = max((place for place, each in enumerate(segments) if each.startswith("{")), default=len(segments) - 1)
        segments = segments[: last + 1]
    found: list[str] = []
    for segment in segments:
        name = segment.strip("{}")
        if segment.startswith("{") and name in NOT_TOLD:
            break
        found.append(str(values[name]) if segment.startswith("{") else segment)
    return _below_version("/".join(found))


def veiled(address: str, secret: str) -> str:
    """An address in which a keyed digest stands for the number of somebody's registration.

    Who knows the number finds what was done with it. Once it is forgotten with the person, the digest leads to nobody.
    """

    def digest(found: re.Match[str]) -> str:
        return f"{found[1]}/{hmac.digest(secret.encode(), found[2].encode(), 'sha256')[:16].hex()}"

    return _OF_SOMEBODY.sub(digest, address)


def _below_version(path: str) -> str:
    return (path.partition("v1/")[2] or path).strip("/")
