"""What people may ask for: to see what is known of them, to take it with them, to withdraw, to be forgotten.

Forgetting leaves a registration of nobody behind, so that every count stays what it was: places taken, attendances and
hours here, and the facts in `impact`, whose other end was the attendance key. Nothing that is left names the person, or
was ever shown beside their name.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.auth import hashed
from services.kernel.mailboxes import Mailbox
from services.kernel.settings import Settings
from services.registration.certificates import store as certificates
from services.registration.mail.languages import Letter
from services.registration.people import actions as links
from services.registration.people.rules import OF_AGE, PARTICIPATION, Purpose
from services.registration.people.tables import Participant
from services.registration.places import actions as places_actions
from services.registration.places import letters
from services.registration.places import store as places_store
from services.registration.privacy import rules, store
from services.registration.privacy.schemas import ExportOut

AT_ONCE = 100


async def person(session: AsyncSession, secret: str, *, locked: bool = False) -> Participant:
    """Who was mailed this secret. Only a mailbox gets a managing link, so whoever holds one reads that mailbox."""
    identity = await store.behind_link(session, hashed(secret))
    found = await store.participant(session, identity, locked=locked) if identity is not None else None
    if found is None:
        raise rules.LinkNeeded("This link is not valid, has expired, or is not one to manage a registration.")
    return found


async def export(session: AsyncSession, settings: Settings, who: Participant) -> ExportOut:
    """Everything that is kept of somebody."""
    return ExportOut(
        exported_at=await places_store.now(session),
        notice=f"{settings.base_url}/registration/privacy",
        tables=await store.everything_of(session, who.id),
    )


async def send_link(session: AsyncSession, settings: Settings, mailbox: Mailbox) -> None:
    """Mail a link to what is known of a mailbox, if anything is; its sender can't tell whether it was."""
    found = await store.lock_mailbox(session, mailbox.key)
    now = await places_store.now(session)
    if found is None or (found.link_mailed_at is not None and found.link_mailed_at + rules.LINK_EVERY > now):
        return
    rows = await store.registrations_of(session, found.id)
    if not rows:
        return
    row, places, _ = rows[0]
    until = now + rules.LINK_LASTS
    token = await links.issue_link(session, registration_id=row.id, purpose=Purpose.MANAGE, expires_at=until)
    await letters.send(
        session, settings, Letter.YOUR_LINKS, row, places, token=token, page="/me", occasion=now, until=until
    )
    await store.link_mailed(session, found, now)


async def withdraw_consent(session: AsyncSession, who: Participant, purpose: str) -> None:
    """Withdraw consent to a purpose wherever it was given; those who must consent have no place then."""
    for said in await store.consents_of(session, who.id):
        if said.purpose == purpose and said.act == "given":
            await store.withdraw(session, said)
    if purpose in {PARTICIPATION, OF_AGE}:
        await places_actions.release(session, who.id)


async def forget_person(session: AsyncSession, who: Participant) -> None:
    """Erase somebody from every table; places that others can still use become free."""
    await places_actions.release(session, who.id)
    await session.flush()
    identities = await store.lock_registrations(session, who.id)
    await store.forget_answers(session, identities)
    await certificates.withdraw(session, who.id)
    await _forget(session, identities)
    await session.delete(who)
    await session.flush()


async def forget_old(session: AsyncSession, settings: Settings) -> int:
    """Forget who registered for what is long over; answers how many registrations and people that were."""
    identities = await store.lock_old(
        session,
        people_days=settings.keep_people_days,
        unconfirmed_days=settings.keep_unconfirmed_days,
        limit=AT_ONCE,
    )
    await _forget(session, identities)
    return len(identities) + await store.forget_participants_without_registration(session, limit=AT_ONCE)


async def _forget(session: AsyncSession, identities: Sequence[UUID]) -> None:
    for identity in identities:
        await store.forget_registration(session, identity)
