"""What is done to webhooks: entered, changed, given a secret, tried out, sent once more; and telling them a fact."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.auth import Actor, Role
from services.kernel.problems import FieldError, Invalid
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.webhooks import rules, signing, store
from services.kernel.webhooks.addresses import fault_of
from services.kernel.webhooks.rules import Reason, State
from services.kernel.webhooks.schemas import EndpointChanges, EndpointIn
from services.kernel.webhooks.tables import Webhooks

_OWNERS: Final = {Role.LOCAL_COORDINATOR, Role.NATIONAL_COORDINATOR, Role.INTERNATIONAL, Role.OPERATOR}


async def tell(
    session: AsyncSession,
    hooks: Webhooks,
    kind: str,
    *,
    about: UUID,
    data: Mapping[str, Any],
    sections: Collection[str],
    country: str | None,
) -> None:
    """Tell a fact, in the transaction that makes it one, to those whose section or country it concerns."""
    assert kind in hooks.kinds
    await store.tell(session, hooks, kind=kind, about=str(about), data=data, sections=sections, country=country)


def check_owner(actor: Actor) -> None:
    """Refuse those who can't own a webhook."""
    if actor.role not in _OWNERS:
        raise rules.OwnerNeeded


async def add(session: AsyncSession, settings: Settings, hooks: Webhooks, actor: Actor, wanted: EndpointIn) -> Any:
    """Enter an endpoint of the caller's section or country, else of International."""
    check_owner(actor)
    _check(settings, hooks, wanted)
    section = actor.section if actor.role is Role.LOCAL_COORDINATOR else None
    country = actor.country if actor.role in {Role.LOCAL_COORDINATOR, Role.NATIONAL_COORDINATOR} else None
    if await store.count_of(session, hooks, section=section, country=country) >= rules.MOST_ENDPOINTS:
        raise rules.TooManyEndpoints
    return await store.add(session, hooks, {"section": section, "country": country, **_described(wanted)})


async def find(session: AsyncSession, hooks: Webhooks, actor: Actor, identity: UUID, *, locked: bool = False) -> Any:
    """An endpoint within the caller's reach, or a 404: nobody learns of others'."""
    check_owner(actor)
    row = await store.endpoint(session, hooks, identity, locked=locked)
    if row is None or not actor.reaches(sections=frozenset([row["section"]]), country=row["country"]):
        raise rules.EndpointNotFound
    return row


async def revise(
    session: AsyncSession, settings: Settings, hooks: Webhooks, row: RowMapping, wanted: EndpointChanges
) -> Any:
    """Change a locked endpoint; enabling it forgets that it failed."""
    _check(settings, hooks, wanted)
    values = _described(wanted)
    if wanted.is_enabled:
        fresh = {"failures": 0, "failing_since": None} if row["state"] == State.DISABLED else {}
        await store.wake(session, hooks, row["id"])
        return await store.change(
            session, hooks, row["id"], {**values, "state": State.ACTIVE, "disabled_because": None, **fresh}
        )
    changed = await store.change(session, hooks, row["id"], values)
    return await store.disable(session, hooks, row["id"], Reason.OWNER) or changed


def description(row: RowMapping) -> dict[str, Any]:
    """What a PATCH is laid over."""
    told = {name: row[name] for name in ("url", "kinds", "description", "contact_email")}
    return {**told, "is_enabled": row["state"] == State.ACTIVE}


async def new_secret(
    session: AsyncSession, runtime: Runtime, hooks: Webhooks, row: RowMapping, overlap_hours: int
) -> tuple[str, Any]:
    """Give a locked endpoint a secret; a former one signs as well for a while."""
    salt = signing.new_salt()
    overlaps = row["salt"] is not None and overlap_hours > 0
    until = await store.now(session) + timedelta(hours=overlap_hours)
    values = {
        "salt": salt,
        "former_salt": row["salt"] if overlaps else None,
        "former_until": until if overlaps else None,
    }
    changed = await store.change(session, hooks, row["id"], values)
    return signing.written(signing.key_of(runtime.settings.secret.get_secret_value(), row["id"], salt)), changed


async def ping(session: AsyncSession, hooks: Webhooks, row: RowMapping) -> Any:
    """Send an endpoint a message that says nothing but that it is reached."""
    _check_ready(row)
    await store.wake(session, hooks, row["id"])
    return await store.tell_one(session, hooks, row["id"], kind=rules.PING, data={"webhook_id": str(row["id"])})


async def replay(session: AsyncSession, hooks: Webhooks, row: RowMapping, delivery_id: UUID) -> Any:
    """Send once more, under the same id, what an endpoint was told."""
    _check_ready(row)
    await store.wake(session, hooks, row["id"])
    delivery = await store.replay(session, hooks, row["id"], delivery_id)
    if delivery is None:
        raise rules.DeliveryNotFound
    return delivery


def _check_ready(row: RowMapping) -> None:
    if row["salt"] is None:
        raise rules.SecretNeeded
    if row["state"] == State.DISABLED:
        raise rules.EndpointDisabled


def _check(settings: Settings, hooks: Webhooks, wanted: EndpointIn) -> None:
    faults = [
        FieldError(pointer=f"#/kinds/{number}", detail="This service tells nothing of this kind.")
        for number, kind in enumerate(wanted.kinds or ())
        if kind not in hooks.kinds
    ]
    if fault := fault_of(wanted.url, loopback_allowed=settings.webhooks_to_loopback):
        faults.append(FieldError(pointer="#/url", detail=fault))
    if faults:
        raise Invalid(errors=faults)


def _described(wanted: EndpointIn) -> dict[str, Any]:
    contact = wanted.contact_email
    return {
        "url": wanted.url,
        "kinds": wanted.kinds,
        "description": wanted.description,
        "contact_email": None if contact is None else contact.reachable,
    }
