"""How far a transaction reaches: what Postgres shows it of people, whatever its statements ask for.

The decisions in code are the first wall, and row-level security is the second: its policies (in migrations) go by what
is said here at the beginning of a transaction. What says nothing reaches nothing.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

SETTING: Final = "socialerasmus.reach"
_PROOF: Final = "socialerasmus.proof"

NOTHING: Final = "nothing"
"""Of a connection, until a transaction says otherwise; and of strangers, who may hold a secret."""

EVERYTHING: Final = "everything"
"""The service's own, for what it does by itself: reactions, sweeps, mail, erasure."""

NETWORK: Final = "network"
NOBODY: Final = "nobody"
"""Of a caller who coordinates nothing: no more than nothing, and no stranger either."""


def of_country(code: str) -> str:
    """What takes place in a country."""
    return f"country:{code}"


def of_section(code: str) -> str:
    """What a section organises."""
    return f"section:{code}"


async def take(session: AsyncSession, how_far: str) -> None:
    """Let a transaction reach so far, to its end."""
    await session.execute(sa.select(sa.func.set_config(SETTING, how_far, True)))


async def show(session: AsyncSession, kind: str, secret: str) -> None:
    """Let a transaction see what belongs to whoever holds a secret; Postgres looks up what that is."""
    await session.execute(sa.select(sa.func.set_config(_PROOF, f"{kind}:{secret}", True)))
