"""Every statement about what is known of somebody, and the one way in which it is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import reach
from services.kernel.ids import new_id
from services.registration.attendance.tables import Attendance, CheckIn
from services.registration.certificates import store as certificates
from services.registration.people import store as people
from services.registration.people.tables import Consent, Link, Participant
from services.registration.places.rules import new_code
from services.registration.places.tables import Handle, Places, Registration
from services.registration.privacy.register import RECORDS
from services.registration.tables import IDEMPOTENCY_KEYS, METADATA, OUTGOING_MAIL, WEBHOOKS

NOT_EXPORTED: Final = {
    "registration.certificates": {"content_hash", "name_digest"},  # Of what is given.
    "registration.certified_attendances": {"number_hash"},
    "registration.links": {"token_hash"},  # It opens nothing and tells nothing.
    "registration.registrations": {"attendance_key"},  # A copy of it would keep alive what erasure cuts.
    "registration.participants": {"person_key"},  # Nor one of this.
    "registration.idempotency_keys": {"key", "body", "headers", "request_hash", "answered_at"},  # Told once already.
}
"""What somebody is not given of the columns that are personal."""


async def behind_link(session: AsyncSession, token_hash: bytes) -> UUID | None:
    """Who was mailed a managing link that still works."""
    await reach.show(session, "link", token_hash.hex())
    statement = (
        sa.select(Registration.participant_id)
        .join(Link, Link.registration_id == Registration.id)
        .where(Link.token_hash == token_hash, Link.purpose == "manage", Link.expires_at > sa.func.now())
    )
    return await session.scalar(statement)


async def participant(session: AsyncSession, identity: UUID, *, locked: bool) -> Participant | None:
    """A person, locked against new registrations if they are to change."""
    return await session.get(Participant, identity, with_for_update=locked or None, populate_existing=True)


async def lock_mailbox(session: AsyncSession, key: str) -> Participant | None:
    """The person of a mailbox, locked."""
    await reach.show(session, "mailbox", key)
    return await session.scalar(sa.select(Participant).where(Participant.email_key == key).with_for_update())


async def registrations_of(
    session: AsyncSession, participant_id: UUID
) -> Sequence[tuple[Registration, Places, Attendance | None]]:
    """Somebody's registrations with their activities and attendance, latest first."""
    statement = (
        sa.select(Registration, Places, Attendance)
        .join(Places, Places.activity_id == Registration.activity_id)
        .outerjoin(Attendance, Attendance.registration_id == Registration.id)
        .where(Registration.participant_id == participant_id)
        .order_by(Registration.id.desc())
    )
    return [(row, places, there) for row, places, there in await session.execute(statement)]


async def consents_of(session: AsyncSession, participant_id: UUID) -> Sequence[Consent]:
    """What somebody last said about each purpose for each registration."""
    statement = (
        sa.select(Consent)
        .where(Consent.participant_id == participant_id)
        .ext(distinct_on(Consent.registration_id, Consent.purpose))
        .order_by(Consent.registration_id, Consent.purpose, Consent.given_at.desc(), Consent.id.desc())
    )
    return (await session.scalars(statement)).all()


async def withdraw(session: AsyncSession, given: Consent) -> None:
    """Add that a consent was withdrawn."""
    kept = {name: getattr(given, name) for name in ("participant_id", "registration_id", "purpose", "text_version",
                                                    "text_hash", "language")}  # fmt: skip
    await session.execute(insert(Consent).values(id=new_id(), act="withdrawn", **kept))


async def everything_of(session: AsyncSession, participant_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Every personal column of every table that holds something of somebody."""
    ids = (await session.scalars(sa.select(Registration.id).where(Registration.participant_id == participant_id))).all()
    found = {}
    for table, columns in _exported():
        statement = sa.select(*columns).where(_is_of(table, participant_id, ids)).order_by(*table.primary_key.columns)
        found[table.fullname] = [dict(row) for row in (await session.execute(statement)).mappings()]
    return found


def _exported() -> Iterator[tuple[sa.Table, list[sa.Column[Any]]]]:
    for name in dict.fromkeys(record.table for record in RECORDS if record.table in METADATA.tables):
        personal = [column for record in RECORDS if record.table == name for column in record.columns]
        told = [column for column in personal if column not in NOT_EXPORTED.get(name, ())]
        if told:
            table = METADATA.tables[name]
            yield table, [table.c[column] for column in told]


def _is_of(table: sa.Table, participant_id: UUID, ids: Collection[UUID]) -> sa.ColumnElement[bool]:
    if table in {OUTGOING_MAIL, WEBHOOKS.deliveries}:
        return table.c.about.in_([str(identity) for identity in ids])
    if "participant_id" in table.c:
        return table.c.participant_id == participant_id
    return table.c.registration_id.in_(ids) if "registration_id" in table.c else table.c.id == participant_id


async def lock_old(session: AsyncSession, *, people_days: int, unconfirmed_days: int, limit: int) -> Sequence[UUID]:
    """Registrations that have been kept for long enough, locked; those that somebody is busy with wait."""
    never_confirmed = sa.and_(
        Registration.confirmed_at.is_(None), Registration.ended_at < sa.func.now() - _days(unconfirmed_days)
    )
    over = sa.func.coalesce(Places.ends_at, Places.starts_at, Registration.signed_up_at + _days(365))
    statement = (
        sa.select(Registration.id)
        .join(Places, Places.activity_id == Registration.activity_id)
        .where(Registration.forgotten_at.is_(None), sa.or_(never_confirmed, over < sa.func.now() - _days(people_days)))
        .order_by(Registration.id)
        .limit(limit)
        .with_for_update(of=Registration, skip_locked=True)
    )
    return (await session.scalars(statement)).all()


def _days(many: int) -> sa.ColumnElement[Any]:
    return sa.func.make_interval(0, 0, 0, many)


async def lock_registrations(session: AsyncSession, participant_id: UUID) -> Sequence[UUID]:
    """Somebody's registrations and those of their guests, locked."""
    own = sa.select(Registration.id).where(Registration.participant_id == participant_id)
    theirs = sa.or_(Registration.participant_id == participant_id, Registration.lead_id.in_(own))
    statement = sa.select(Registration.id).where(theirs)
    return (await session.scalars(statement.order_by(Registration.id).with_for_update())).all()


async def forget_registration(session: AsyncSession, identity: UUID) -> None:
    """Put a registration of nobody into the place of somebody's.

    What is counted stays: that there was a registration, its state, the class and the hours. Ids, the key that leads to
    the attendance fact and the exact times are others from now on, since any of them could have been written down
    beside a name. What hangs on the registration goes with it.
    """
    was_there = sa.select(Attendance.registration_id).where(Attendance.registration_id == identity).exists()
    whose = await session.scalar(sa.select(Registration.participant_id).where(Registration.id == identity, was_there))
    if whose is not None:
        # What was told of this attendance must not lead to the person through another one.
        await people.change_person_key(session, whose)
    anonymous = uuid4()
    month = {
        name: sa.func.date_trunc("month", getattr(Registration, name))
        for name in ("signed_up_at", "held_until", "confirmed_at", "checked_in_at", "ended_at")
    }
    values: dict[str, Any] = {
        "id": sa.literal(anonymous), "activity_id": Registration.activity_id, "state": Registration.state,
        "participant_class": Registration.participant_class, "given_name": sa.literal(""),
        "family_name": sa.literal(""), "language": sa.literal("und"),
        "answers": sa.literal({}, Registration.answers.type),
        "code": sa.literal(new_code()), "attendance_key": sa.literal(uuid4()),
        "forgotten_at": sa.func.date_trunc("month", sa.func.now()), **month,
    }  # fmt: skip
    copied = sa.select(*values.values()).where(Registration.id == identity)
    await session.execute(sa.insert(Registration).from_select(list(values), copied, include_defaults=False))
    day = {name: sa.func.date_trunc("day", getattr(CheckIn, name)) for name in ("at", "told_at")}
    nonce = sa.cast(sa.func.gen_random_uuid(), sa.Text)
    told = sa.update(CheckIn).where(CheckIn.registration_id == identity)
    there = sa.update(Attendance).where(Attendance.registration_id == identity)
    unsynchronised = {"synchronize_session": False}
    await session.execute(told.values(registration_id=anonymous, nonce=nonce, **day), execution_options=unsynchronised)
    await session.execute(there.values(registration_id=anonymous), execution_options=unsynchronised)
    await session.execute(sa.delete(Registration).where(Registration.id == identity), execution_options=unsynchronised)
    for table in (OUTGOING_MAIL, WEBHOOKS.deliveries):
        await session.execute(sa.delete(table).where(table.c.about == str(identity)))


async def forget_answers(session: AsyncSession, identities: Collection[UUID]) -> None:
    """Delete every answer kept for repetition that names one of these registrations, or a further id of one."""
    handles = await session.scalars(sa.select(Handle.id).where(Handle.registration_id.in_(identities)))
    body = sa.func.convert_from(IDEMPOTENCY_KEYS.c.body, "UTF8")
    for identity in [*identities, *handles]:
        await session.execute(sa.delete(IDEMPOTENCY_KEYS).where(sa.func.strpos(body, str(identity)) > 0))


async def forget_participants_without_registration(session: AsyncSession, *, limit: int) -> int:
    """Delete people of whom no registration is left."""
    left = sa.select(Registration.id).where(Registration.participant_id == Participant.id)
    alone = sa.select(Participant.id).where(~left.exists()).limit(limit).with_for_update(skip_locked=True)
    found = (await session.scalars(alone)).all()
    # Asked again now that nobody can sign up with these mailboxes.
    still_alone = sa.select(Participant.id).where(Participant.id.in_(found), ~left.exists())
    await certificates.forget_holders(session, (await session.scalars(still_alone)).all())
    gone = sa.delete(Participant).where(Participant.id.in_(found), ~left.exists()).returning(Participant.id)
    return len((await session.scalars(gone, execution_options={"synchronize_session": False})).all())


async def link_mailed(session: AsyncSession, person: Participant, at: datetime) -> None:
    """Remember that somebody was sent a link."""
    person.link_mailed_at = at
    await session.flush()
