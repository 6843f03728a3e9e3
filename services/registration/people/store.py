"""Every statement about participants, consents and links."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import reach
from services.kernel.ids import new_id
from services.kernel.mailboxes import Mailbox
from services.registration.people.agreements import agreement
from services.registration.people.rules import Purpose
from services.registration.people.tables import Consent, Link, Participant


async def participant(session: AsyncSession, mailbox: Mailbox) -> UUID:
    """The person behind a mailbox, made if the mailbox is new; what is known of them stays as it is."""
    await reach.show(session, "mailbox", mailbox.key)
    made = (
        insert(Participant)
        .values(id=new_id(), email=mailbox.given, email_key=mailbox.key)
        .on_conflict_do_nothing(index_elements=["email_key"])
        .returning(Participant.id)
    )
    # Locked against being forgotten at this moment; whoever was, is made anew.
    known = (
        sa.select(Participant.id).where(Participant.email_key == mailbox.key).with_for_update(read=True, key_share=True)
    )
    while True:
        found = await session.scalar(made) or await session.scalar(known)
        if found is not None:
            return found


async def address(session: AsyncSession, identity: UUID) -> str:
    """A participant's address, as it was given."""
    return (await session.execute(sa.select(Participant.email).where(Participant.id == identity))).scalar_one()


async def prove(session: AsyncSession, identity: UUID) -> None:
    """Remember that a participant has opened a link that only their mailbox got."""
    unproved = sa.and_(Participant.id == identity, Participant.proved_at.is_(None))
    await session.execute(sa.update(Participant).where(unproved).values(proved_at=sa.func.now()))


async def person_keys(session: AsyncSession, identities: Collection[UUID]) -> dict[UUID, UUID]:
    """The random key of each of several participants, made for those who have none yet; locked in one order."""
    without = sa.and_(Participant.id.in_(identities), Participant.person_key.is_(None))
    locked = sa.select(Participant.id).where(without).order_by(Participant.id).with_for_update(key_share=True)
    found = (await session.scalars(locked)).all()
    if found:
        given = sa.update(Participant).where(Participant.id.in_(found)).values(person_key=sa.func.gen_random_uuid())
        await session.execute(given, execution_options={"synchronize_session": False})
    known = sa.select(Participant.id, Participant.person_key).where(Participant.id.in_(identities))
    return {identity: key for identity, key in await session.execute(known) if key is not None}


async def change_person_key(session: AsyncSession, identity: UUID) -> None:
    """Forget somebody's key, so that what was told under it leads to nobody; they get another one when it is needed."""
    forgotten = sa.update(Participant).where(Participant.id == identity).values(person_key=None)
    await session.execute(forgotten, execution_options={"synchronize_session": False})


async def decline_reminders(session: AsyncSession, identity: UUID, *, declined: bool) -> None:
    """Remember whether a participant wants no reminders; from when, if they had said so before."""
    at = sa.func.coalesce(Participant.reminders_declined_at, sa.func.now()) if declined else sa.null()
    statement = sa.update(Participant).where(Participant.id == identity).values(reminders_declined_at=at)
    await session.execute(statement, execution_options={"synchronize_session": False})


async def add_consents(
    session: AsyncSession,
    *,
    participant_id: UUID,
    registration_id: UUID,
    language: str,
    consents: Sequence[tuple[str, str]],
) -> None:
    """Keep what somebody consented to: (purpose, version of the text)."""
    rows = [
        {
            "id": new_id(),
            "participant_id": participant_id,
            "registration_id": registration_id,
            "purpose": purpose,
            "text_version": text_version,
            "text_hash": agreement(purpose, text_version, language).sha256,
            "language": language,
        }
        for purpose, text_version in consents
    ]
    await session.execute(insert(Consent).values(rows))


async def add_link(
    session: AsyncSession, *, token_hash: bytes, registration_id: UUID, purpose: Purpose, expires_at: datetime
) -> None:
    """Let a secret lead to a registration."""
    values = {"registration_id": registration_id, "purpose": purpose.value, "expires_at": expires_at}
    await session.execute(insert(Link).values(token_hash=token_hash, **values))


async def link(session: AsyncSession, token_hash: bytes) -> Link | None:
    """The link with this secret, whether or not it still works."""
    return await session.get(Link, token_hash)


async def use_link(session: AsyncSession, token_hash: bytes) -> None:
    """Remember that a link has done what it is for."""
    unused = sa.and_(Link.token_hash == token_hash, Link.used_at.is_(None))
    await session.execute(sa.update(Link).where(unused).values(used_at=sa.func.now()))


async def forget_expired_links(session: AsyncSession) -> int:
    """Delete links that expired a month ago: until then they can still say that they did."""
    old = Link.expires_at < sa.func.now() - sa.func.make_interval(0, 1)
    return len((await session.execute(sa.delete(Link).where(old).returning(Link.token_hash))).all())
