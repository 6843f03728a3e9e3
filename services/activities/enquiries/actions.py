"""What is done with enquiries: taken and sent on, listed, answered; and where they go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from services.activities.directory import store as directory
from services.activities.directory.tables import Section
from services.activities.enquiries import letters, rules, store
from services.activities.enquiries.rules import Level, State
from services.activities.enquiries.schemas import EnquiryIn, MailboxIn
from services.activities.enquiries.tables import Enquiry, FunctionMailbox
from services.activities.tables import OUTGOING_MAIL
from services.kernel import mail
from services.kernel.auth import Actor, Role
from services.kernel.counting import Policy
from services.kernel.ids import new_id
from services.kernel.limits import count
from services.kernel.mailboxes import mailbox
from services.kernel.problems import Forbidden, Invalid
from services.kernel.runtime import of
from services.kernel.settings import Settings


async def enquire(session: AsyncSession, request: Request, wanted: EnquiryIn) -> Enquiry:
    """Take an enquiry and send it to the nearest mailbox; the same words once more are the same enquiry."""
    settings = of(request).settings
    section = await directory.section(session, wanted.section) if wanted.section else None
    if wanted.section and section is None:
        raise Invalid.at("#/section", "There is no section with this code.")
    if section is not None:
        # Who took a section over answers for it.
        section = [section, *await directory.successors(session, section)][-1]
    await store.one_at_a_time(session)
    said = {
        **wanted.model_dump(include={"organisation", "kind", "city", "country", "message", "name"}),
        "section": section.code if section else None,
        "email_key": wanted.email.key,
    }
    again = await store.same_today(session, said)
    if again is not None:
        return again
    home = section.country if section else wanted.country
    level, code, address = await _nearest(session, settings, section, home)
    sent, got = await store.count_today(session, email_key=wanted.email.key, level=level, went_to=code, home=home)
    if sent >= rules.MOST_A_DAY_FROM_ONE or got >= rules.MOST_A_DAY_TO_ONE:
        raise rules.TooManyEnquiries
    # Last, so that what is refused or was asked already takes nothing away from others at the same address.
    standing = count(request, Policy("enquiries", settings.enquiries_a_day, rules.SECONDS_OF_A_DAY))
    if not standing.allowed:
        raise rules.TooManyEnquiries(standing.seconds)
    row = Enquiry(
        id=new_id(),
        **said,
        email=wanted.email.given,
        language=wanted.language,
        home=home,
        level=level.value,
        went_to=code,
        answered_at=None,
    )
    store.add(session, row)
    subject, body = letters.write(row)
    await mail.queue(
        session,
        OUTGOING_MAIL,
        mail.Mail(
            business_key=store.mail_key(row.id),
            recipient=mailbox(address).reachable,
            subject=subject,
            body=body,
            language="en",
            reply_to=wanted.email.reachable,
        ),
    )
    return row


async def _nearest(
    session: AsyncSession, settings: Settings, section: Section | None, home: str
) -> tuple[Level, str | None, str]:
    codes = ([section.code] if section else []) + [home]
    known = await store.mailboxes(session, codes)
    if section is not None and section.code in known:
        return Level.SECTION, section.code, known[section.code].address
    if home in known:
        return Level.COUNTRY, home, known[home].address
    if settings.enquiries_to is not None:
        return Level.INTERNATIONAL, None, settings.enquiries_to
    raise rules.NoMailbox


async def enquiries(
    session: AsyncSession, actor: Actor, *, state: State | None, after: UUID | None, limit: int
) -> Sequence[sa.RowMapping]:
    """The enquiries within an actor's reach, the newest first."""
    if actor.role is Role.MACHINE:
        raise Forbidden
    section = actor.section if actor.role is Role.LOCAL_COORDINATOR else None
    country = actor.country if actor.role is Role.NATIONAL_COORDINATOR else None
    return await store.page_of_enquiries(
        session, section=section, country=country, state=state, after=after, limit=limit
    )


async def mark_answered(session: AsyncSession, actor: Actor, identity: UUID) -> sa.RowMapping:
    """Say that an enquiry within reach was answered; once more changes nothing."""
    row = await store.lock_enquiry(session, identity)
    # Who may not read it can't learn that it is there.
    if row is None or not actor.reaches(sections=frozenset({row.section} if row.section else ()), country=row.home):
        raise rules.EnquiryNotFound
    row.answered_at = row.answered_at or await store.now(session)
    await session.flush()
    return await store.with_mail(session, identity)


async def find_mailbox(session: AsyncSession, actor: Actor, code: str, country: str | None) -> FunctionMailbox | None:
    """The mailbox of a section, or of a country when its code is one, for those in whose reach it is."""
    check_reach(actor, code, country)
    return (await store.mailboxes(session, [code])).get(code)


async def set_mailbox(
    session: AsyncSession,
    actor: Actor,
    code: str,
    country: str | None,
    wanted: MailboxIn,
    check_unchanged: Callable[[FunctionMailbox], None],
) -> FunctionMailbox | None:
    """Set the mailbox of a section or country up, change it, or take it away."""
    check_reach(actor, code, country)
    row = await store.lock_mailbox(session, code)
    if row is not None:
        check_unchanged(row)
    if wanted.address is None:
        if row is not None:
            await store.take_away(session, row)
        return None
    if row is None:
        row = FunctionMailbox(code=code, revision=0)
        store.add_mailbox(session, row)
    row.address = wanted.address.given
    row.revision += 1
    row.updated_at = await store.now(session)
    return row


def check_reach(actor: Actor, code: str, country: str | None) -> None:
    """Refuse an actor into whose reach a section, or a country as a whole, does not fall."""
    if not actor.reaches(sections=frozenset({code}), country=country):
        raise rules.MailboxOutOfReach


async def country_of(session: AsyncSession, code: str) -> str | None:
    """The country of a section that the directory knows."""
    section = await directory.section(session, code)
    return section.country if section else None
