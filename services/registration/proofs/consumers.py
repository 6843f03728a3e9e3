"""What is done about proofs when time passes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.runtime import Runtime
from services.registration.proofs import store


async def forget_old(session: AsyncSession, _: Runtime) -> int:
    """Forget used proofs that have expired."""
    return await store.forget_old(session)
