"""A country's national coordinator decides whether nothing is published there without the label."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.label import rules, store
from services.activities.label.rules import Policy
from services.activities.label.tables import LabelPolicy
from services.kernel.auth import Actor, Role


async def decide(
    session: AsyncSession, actor: Actor, country: str, wanted: Policy, *, check_seen: Callable[[LabelPolicy], None]
) -> LabelPolicy:
    """Say what a country makes of the label; `check_seen` refuses a change of what its caller has not seen."""
    may = actor.role is Role.INTERNATIONAL or (actor.role is Role.NATIONAL_COORDINATOR and actor.country == country)
    if not may:
        raise rules.PolicyOutOfReach
    is_new = await store.enter_policy(session, country, wanted, actor.id)
    row = await store.policy(session, country, locked=True)
    assert row is not None
    if not is_new:
        check_seen(row)
        await store.change_policy(session, row, wanted, actor.id)
    return row
