"""Every statement about check-ins and attendance."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registration.attendance.tables import Attendance, CheckIn
from services.registration.places.tables import Registration


async def lock_registrations(
    session: AsyncSession, activity_id: UUID, *, identities: Collection[UUID], codes: Collection[str]
) -> Sequence[Registration]:
    """Registrations for an activity by id or code, locked in one order: two devices never wait for each other."""
    statement = (
        sa.select(Registration)
        .where(
            Registration.activity_id == activity_id,
            sa.or_(Registration.id.in_(identities), Registration.code.in_(codes)),
        )
        .order_by(Registration.id)
        .with_for_update(key_share=True)
    )
    return (await session.scalars(statement)).all()


async def check_ins_of(session: AsyncSession, registrations: Collection[UUID]) -> Sequence[CheckIn]:
    """Every check-in of some registrations."""
    return (await session.scalars(sa.select(CheckIn).where(CheckIn.registration_id.in_(registrations)))).all()


async def owners_of_nonces(session: AsyncSession, activity_id: UUID, nonces: Collection[str]) -> dict[str, UUID]:
    """Which registration each nonce that was told before stands for."""
    statement = sa.select(CheckIn.nonce, CheckIn.registration_id).where(
        CheckIn.activity_id == activity_id, CheckIn.nonce.in_(nonces)
    )
    return {row.nonce: row.registration_id for row in await session.execute(statement)}


async def add_check_ins(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Keep check-ins as they were told; answers the nonces that were new."""
    if not rows:
        return set()
    statement = insert(CheckIn).values(list(rows)).on_conflict_do_nothing().returning(CheckIn.nonce)
    return set(await session.scalars(statement))


async def attendances_of(session: AsyncSession, registrations: Collection[UUID]) -> dict[UUID, Attendance]:
    """What is recorded of some registrations."""
    found = await session.scalars(sa.select(Attendance).where(Attendance.registration_id.in_(registrations)))
    return {row.registration_id: row for row in found}


def add_attendance(session: AsyncSession, row: Attendance) -> None:
    """Record somebody for the first time."""
    session.add(row)
