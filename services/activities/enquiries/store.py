"""Every statement about enquiries and mailboxes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.enquiries.rules import KEPT_AFTER_SENDING, State
from services.activities.enquiries.tables import Enquiry, FunctionMailbox
from services.activities.tables import OUTGOING_MAIL

_DAY = timedelta(days=1)
_LOCK = 7_300_614_475  # Any number, as long as nobody else takes an advisory lock of it in this database.
_MAIL_KEY = sa.func.concat("enquiry:", Enquiry.id)


def mail_key(identity: UUID) -> str:
    """The business key of an enquiry's mail."""
    return f"enquiry:{identity}"


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def mailboxes(session: AsyncSession, codes: Collection[str]) -> dict[str, FunctionMailbox]:
    """The mailboxes of sections and countries, by code."""
    rows = await session.scalars(sa.select(FunctionMailbox).where(FunctionMailbox.code.in_(codes)))
    return {row.code: row for row in rows}


async def lock_mailbox(session: AsyncSession, code: str) -> FunctionMailbox | None:
    """One mailbox, locked; nobody else sets it up meanwhile."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"mailbox:{code}"))))
    return await session.get(FunctionMailbox, code, with_for_update=True)


def add_mailbox(session: AsyncSession, row: FunctionMailbox) -> None:
    """Set one up."""
    session.add(row)


async def take_away(session: AsyncSession, row: FunctionMailbox) -> None:
    """Delete one."""
    await session.delete(row)


async def one_at_a_time(session: AsyncSession) -> None:
    """Let nobody else enquire until the transaction ends, so that counts hold."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


async def same_today(session: AsyncSession, wanted: dict[str, Any]) -> Enquiry | None:
    """The enquiry of the last day that says the same."""
    same = [getattr(Enquiry, name).is_not_distinct_from(value) for name, value in wanted.items()]
    statement = sa.select(Enquiry).where(*same, Enquiry.asked_at > sa.func.now() - _DAY)
    return await session.scalar(statement.order_by(Enquiry.id).limit(1))


async def count_today(
    session: AsyncSession, *, email_key: str, level: str, went_to: str | None, home: str
) -> tuple[int, int]:
    """How many enquiries came in the last day from one address, and how many went to one mailbox for one country.

    The international mailbox is that of many countries: what floods it for one does not shut the others out.
    """
    recent = Enquiry.asked_at > sa.func.now() - _DAY
    sent = sa.select(sa.func.count()).where(Enquiry.email_key == email_key, recent).scalar_subquery()
    to_one = [Enquiry.level == level, Enquiry.went_to.is_not_distinct_from(went_to), Enquiry.home == home]
    got = sa.select(sa.func.count()).where(*to_one, recent).scalar_subquery()
    from_one, to_that = (await session.execute(sa.select(sent, got))).one()
    return from_one, to_that


def add(session: AsyncSession, row: Enquiry) -> None:
    """Keep an enquiry."""
    session.add(row)


def _with_mail() -> sa.Select[Any]:
    state = sa.case(
        (Enquiry.answered_at.is_not(None), State.ANSWERED.value),
        (OUTGOING_MAIL.c.sent_at.is_not(None), State.SENT.value),
        (OUTGOING_MAIL.c.given_up_at.is_not(None), State.FAILED.value),
        else_=State.QUEUED.value,
    )
    columns = [column for column in Enquiry.__table__.columns if column.name not in {"email_key", "home", "went_to"}]
    return sa.select(*columns, state.label("state"), OUTGOING_MAIL.c.sent_at).outerjoin(
        OUTGOING_MAIL, OUTGOING_MAIL.c.business_key == _MAIL_KEY
    )


async def page_of_enquiries(
    session: AsyncSession,
    *,
    section: str | None,
    country: str | None,
    state: State | None,
    after: UUID | None,
    limit: int,
) -> Sequence[sa.RowMapping]:
    """Enquiries with the state of their mails, the newest first."""
    statement = _with_mail().order_by(Enquiry.id.desc()).limit(limit)
    if section is not None:
        statement = statement.where(Enquiry.section == section)
    if country is not None:
        statement = statement.where(Enquiry.home == country)
    if after is not None:
        statement = statement.where(Enquiry.id < after)
    if state is not None:
        every = statement.limit(None).order_by(None).subquery()
        statement = sa.select(every).where(every.c.state == state.value).order_by(every.c.id.desc()).limit(limit)
    found: Sequence[sa.RowMapping] = (await session.execute(statement)).mappings().all()
    return found


async def lock_enquiry(session: AsyncSession, identity: UUID) -> Enquiry | None:
    """One enquiry, locked until the transaction ends."""
    return await session.get(Enquiry, identity, with_for_update=True)


async def with_mail(session: AsyncSession, identity: UUID) -> sa.RowMapping:
    """One enquiry with the state of its mail."""
    found: sa.RowMapping = (await session.execute(_with_mail().where(Enquiry.id == identity))).mappings().one()
    return found


async def forget_old(session: AsyncSession) -> int:
    """Delete enquiries whose mail was sent or given up long ago, and what is left of their mails."""
    over = sa.func.coalesce(OUTGOING_MAIL.c.sent_at, OUTGOING_MAIL.c.given_up_at)
    old = sa.select(Enquiry.id).join(OUTGOING_MAIL, OUTGOING_MAIL.c.business_key == _MAIL_KEY)
    old = old.where(over < sa.func.now() - KEPT_AFTER_SENDING)
    gone = (await session.scalars(sa.delete(Enquiry).where(Enquiry.id.in_(old)).returning(Enquiry.id))).all()
    await session.execute(
        sa.delete(OUTGOING_MAIL).where(OUTGOING_MAIL.c.business_key.in_([mail_key(each) for each in gone]))
    )
    return len(gone)
