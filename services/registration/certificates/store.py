"""Every statement about certificates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.registration.attendance.tables import Attendance
from services.registration.certificates.tables import Certificate, CertifiedAttendance
from services.registration.places.tables import Places, Registration

_UNSYNCHRONISED: Final = {"synchronize_session": False}
_STANDS: Final = sa.and_(Registration.state == "confirmed", Places.state != "cancelled", Attendance.hours > 0)
"""Whether an attendance is worth certifying: somebody was there, for some time, at what took place."""


@dataclass(frozen=True, slots=True)
class Attended:
    """An attendance of somebody at an activity that is over."""

    registration: Registration
    places: Places
    began_at: datetime
    hours: Decimal
    is_barred: bool


async def attended(session: AsyncSession, participant_id: UUID) -> Sequence[Attended]:
    """Somebody's attendances with hours of activities that are over, in the order in which those began."""
    began = sa.func.coalesce(Places.starts_at, Registration.checked_in_at, Registration.signed_up_at)
    over = sa.func.coalesce(Places.ends_at, began)
    barred = sa.exists().where(CertifiedAttendance.registration_id == Registration.id, CertifiedAttendance.is_barred)
    statement = (
        sa.select(Registration, Places, began, Attendance.hours, barred)
        .join(Places, Places.activity_id == Registration.activity_id)
        .join(Attendance, Attendance.registration_id == Registration.id)
        .where(Registration.participant_id == participant_id, _STANDS, over <= sa.func.now())
        .order_by(began, Registration.id)
    )
    return [
        Attended(row, places, began_at, hours, is_barred)
        for row, places, began_at, hours, is_barred in await session.execute(statement)
        if hours is not None
    ]


async def current(session: AsyncSession, participant_id: UUID, content_hash: bytes) -> Certificate | None:
    """Somebody's certificate that states exactly this, unless it was revoked."""
    statement = sa.select(Certificate).where(
        Certificate.participant_id == participant_id,
        Certificate.content_hash == content_hash,
        Certificate.revoked_at.is_(None),
    )
    return await session.scalar(statement)


async def count_of(session: AsyncSession, participant_id: UUID) -> int:
    """How many certificates of somebody are kept."""
    statement = sa.select(sa.func.count()).where(Certificate.participant_id == participant_id)
    return (await session.execute(statement)).scalar_one()


async def add(session: AsyncSession, row: Certificate, hours: Mapping[UUID, Decimal]) -> None:
    """Keep a new certificate with the hours that it states of each registration."""
    session.add(row)
    await session.flush()
    lines = [
        {"number_hash": row.number_hash, "registration_id": identity, "hours": many} for identity, many in hours.items()
    ]
    await session.execute(insert(CertifiedAttendance).values(lines))


async def certificate(session: AsyncSession, number_hash: bytes, *, locked: bool = False) -> Certificate | None:
    """The certificate with a number of this hash; only who reaches what it states can lock it."""
    return await session.get(Certificate, number_hash, with_for_update=locked or None, populate_existing=True)


async def certificates_of(session: AsyncSession, participant_id: UUID) -> Sequence[Certificate]:
    """Somebody's certificates, latest first."""
    statement = sa.select(Certificate).where(Certificate.participant_id == participant_id)
    return (await session.scalars(statement.order_by(Certificate.issued_at.desc(), Certificate.number_hash))).all()


async def changed(session: AsyncSession, number_hashes: Collection[bytes]) -> set[bytes]:
    """Those of some certificates of which an attendance is not what it was any more, or is barred by another one."""
    line, other = CertifiedAttendance, aliased(CertifiedAttendance)
    barred = sa.exists().where(other.registration_id == line.registration_id, other.is_barred)
    statement = (
        sa.select(line.number_hash)
        .join(Registration, Registration.id == line.registration_id)
        .join(Places, Places.activity_id == Registration.activity_id)
        .outerjoin(Attendance, Attendance.registration_id == line.registration_id)
        .where(
            line.number_hash.in_(number_hashes),
            sa.or_(Attendance.hours.is_distinct_from(line.hours), sa.not_(_STANDS), barred),
        )
        .distinct()
    )
    return set(await session.scalars(statement))


async def lines_of(session: AsyncSession, number_hash: bytes) -> Sequence[tuple[UUID, Places]]:
    """The registrations that a certificate states, each with its activity."""
    statement = (
        sa.select(CertifiedAttendance.registration_id, Places)
        .join(Registration, Registration.id == CertifiedAttendance.registration_id)
        .join(Places, Places.activity_id == Registration.activity_id)
        .where(CertifiedAttendance.number_hash == number_hash)
    )
    return [(identity, places) for identity, places in await session.execute(statement)]


async def bar(session: AsyncSession, number_hash: bytes, registrations: Collection[UUID]) -> None:
    """Keep some attendances of a certificate from getting on to another one."""
    theirs = sa.and_(
        CertifiedAttendance.number_hash == number_hash, CertifiedAttendance.registration_id.in_(registrations)
    )
    barred = sa.update(CertifiedAttendance).where(theirs).values(is_barred=True)
    await session.execute(barred, execution_options=_UNSYNCHRONISED)


async def withdraw(session: AsyncSession, participant_id: UUID) -> None:
    """Let every certificate of somebody say nothing but that its holder has withdrawn it."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("name_digest", "activities", "hours", "first_on", "last_on", "revoked_at", "revoked_by")
    )
    month = sa.func.date_trunc("month", sa.func.now())
    await _let_go(
        session, Certificate.participant_id == participant_id, {**nothing, "issued_at": month, "withdrawn_at": month}
    )


async def forget_holders(session: AsyncSession, participants: Collection[UUID]) -> None:
    """Keep of certificates what leads to nobody: that they were issued, and the totals."""
    day = {name: sa.func.date_trunc("day", getattr(Certificate, name)) for name in ("issued_at", "revoked_at")}
    await _let_go(session, Certificate.participant_id.in_(participants), day)


async def _let_go(session: AsyncSession, whose: sa.ColumnElement[bool], values: Mapping[str, Any]) -> None:
    theirs = sa.select(Certificate.number_hash).where(whose)
    lines = sa.delete(CertifiedAttendance).where(CertifiedAttendance.number_hash.in_(theirs))
    await session.execute(lines, execution_options=_UNSYNCHRONISED)
    personal = dict.fromkeys(("number", "participant_id", "content", "content_hash", "revoked_reason"))
    cleared = sa.update(Certificate).where(whose).values({**personal, **values})
    await session.execute(cleared, execution_options=_UNSYNCHRONISED)
