"""What is done with keys: make, rotate, revoke."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.directory import store as directory
from services.activities.keys import rules, store
from services.activities.keys.schemas import NewKey
from services.kernel.access import KEY_PREFIXES, Kind, drawn
from services.kernel.auth import Actor, Role, hashed
from services.kernel.ids import new_id
from services.kernel.problems import FieldError, Invalid


def check_person(actor: Actor) -> None:
    """Refuse keys and machines, so that none can make itself another."""
    if actor.scopes is not None or actor.role is Role.MACHINE:
        raise rules.KeysNeedPeople


async def make(session: AsyncSession, actor: Actor, wanted: NewKey) -> tuple[Row[Any], str]:
    """A new key, which is told this once."""
    check_person(actor)
    country = wanted.country
    faults = _faults(wanted)
    if wanted.section is not None:
        section = await directory.section(session, wanted.section)
        country = section.country if section is not None else None
        if section is None:
            faults.append(FieldError(pointer="#/section", detail="There is no section with this code."))
    if faults:
        raise Invalid(errors=faults)
    _check_reach(actor, wanted.section, country)
    secret = drawn(KEY_PREFIXES[wanted.kind])
    values = {
        "id": new_id(), "kind": wanted.kind.value, "name": wanted.name, "key_hash": hashed(secret),
        "last_four": secret[-4:], "scopes": sorted(wanted.scopes), "origins": wanted.origins,
        "section": wanted.section, "country": country, "made_by": actor.id,
    }  # fmt: skip
    return await store.add(session, values, days=wanted.valid_days), secret


def _faults(wanted: NewKey) -> list[FieldError]:
    found = []
    is_secret = wanted.kind is Kind.SECRET
    if bool(wanted.scopes) is not is_secret:
        detail = "A secret key has at least one scope." if is_secret else "A publishable key has no scopes."
        found.append(FieldError(pointer="#/scopes", detail=detail))
    if bool(wanted.origins) is is_secret:
        detail = "A secret key has no origins." if is_secret else "A publishable key has at least one origin."
        found.append(FieldError(pointer="#/origins", detail=detail))
    # What a country or the network decides is decided by people.
    if wanted.section is None and any(scope.endswith(":write") for scope in wanted.scopes):
        found.append(FieldError(pointer="#/scopes", detail="Only the key of a section may write."))
    return found


def _check_reach(actor: Actor, section: str | None, country: str | None) -> None:
    if actor.role in {Role.INTERNATIONAL, Role.OPERATOR}:
        return
    # `reaches` with no section: a local coordinator makes no key of a country.
    if country is None or not actor.reaches(sections=frozenset({section} if section else ()), country=country):
        raise rules.KeyOutOfReach


async def found(session: AsyncSession, actor: Actor, key_id: UUID, *, lock: bool = False) -> Row[Any]:
    """A key within reach, or the 404."""
    check_person(actor)
    row = await store.key(session, actor, key_id, lock=lock)
    if row is None:
        raise rules.KeyNotFound
    return row


async def revoke(session: AsyncSession, actor: Actor, key_id: UUID) -> Row[Any]:
    """End a key; once more is as good as once."""
    row = await found(session, actor, key_id, lock=True)
    return row if row.revoked_at is not None else await store.revoke(session, key_id)


async def rotate(session: AsyncSession, row: Row[Any], *, hours: int) -> tuple[Row[Any], str]:
    """Another secret for a locked key. The one before the former stops at once."""
    if row.state != "active":
        raise rules.KeyHasEnded
    secret = drawn(KEY_PREFIXES[Kind(row.kind)])
    return await store.rotate(session, row, key_hash=hashed(secret), last_four=secret[-4:], hours=hours), secret
