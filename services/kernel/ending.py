"""How operators see and end what opens the services: tokens, and sessions of whoever signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.access import SESSIONS, TOKENS


async def live_tokens(session: AsyncSession) -> list[Any]:
    """Every token that opens something, the newest first."""
    kept = [TOKENS.c[name] for name in ("id", "role", "section", "country", "label", "issued_at", "expires_at")]
    statement = sa.select(*kept).where(_is_live()).order_by(TOKENS.c.issued_at.desc(), TOKENS.c.id)
    return list(await session.execute(statement))


async def revoke_tokens(session: AsyncSession, identity: UUID | None) -> int:
    """Revoke one token, or all; they open nothing within half a minute. Answers how many there were."""
    is_meant = sa.true() if identity is None else TOKENS.c.id == identity
    revoked = sa.update(TOKENS).where(_is_live(), is_meant).values(revoked_at=sa.func.now()).returning(TOKENS.c.id)
    return len((await session.execute(revoked)).all())


async def sessions(session: AsyncSession) -> list[Any]:
    """Every session, the newest first."""
    kept = [SESSIONS.c[name] for name in ("id", "holder", "begun_at", "seen_at")]
    return list(await session.execute(sa.select(*kept).order_by(SESSIONS.c.begun_at.desc(), SESSIONS.c.id)))


async def end_sessions(session: AsyncSession, identity: UUID | None) -> int:
    """End one session, all of a holder's, or all, at once. Answers how many there were."""
    is_meant = sa.true() if identity is None else sa.or_(SESSIONS.c.id == identity, SESSIONS.c.holder == identity)
    return len((await session.execute(sa.delete(SESSIONS).where(is_meant).returning(SESSIONS.c.id))).all())


def _is_live() -> sa.ColumnElement[bool]:
    return sa.and_(TOKENS.c.revoked_at.is_(None), TOKENS.c.expires_at > sa.func.now())
