"""Statements about several people at once, for sign-ups that are decided together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.ids import new_id
from services.kernel.mailboxes import Mailbox
from services.kernel.recordsets import inserting, written
from services.registration.people.agreements import agreement
from services.registration.people.rules import Purpose
from services.registration.people.tables import Consent, Link, Participant

_PARTICIPANTS: Final = cast("sa.Table", Participant.__table__)
_CONSENTS: Final = cast("sa.Table", Consent.__table__)
_LINKS: Final = cast("sa.Table", Link.__table__)


async def participants(session: AsyncSession, mailboxes: Sequence[Mailbox]) -> dict[str, UUID]:
    """The people behind several mailboxes by their keys, made where a mailbox is new; see `store.participant`.

    Whoever is forgotten at this very moment is not among them.
    """
    by_key = {mailbox.key: mailbox for mailbox in mailboxes}
    rows = [{"id": new_id(), "email": each.given, "email_key": key} for key, each in by_key.items()]
    made = (
        inserting(_PARTICIPANTS, ("id", "email", "email_key"), "email_key")
        .on_conflict_do_nothing(index_elements=["email_key"])
        .returning(_PARTICIPANTS.c.email_key, _PARTICIPANTS.c.id)
    )
    found = {row.email_key: row.id for row in await session.execute(made, written(rows))}
    others = [key for key in by_key if key not in found]
    if others:
        known = (
            sa.select(_PARTICIPANTS.c.email_key, _PARTICIPANTS.c.id)
            .where(_PARTICIPANTS.c.email_key == sa.func.any(sa.bindparam("others", others, sa.ARRAY(sa.Text))))
            .order_by(_PARTICIPANTS.c.email_key)
            .with_for_update(read=True, key_share=True)
        )
        found |= {row.email_key: row.id for row in await session.execute(known)}
    return found


async def add_consents(
    session: AsyncSession, given: Sequence[tuple[UUID, UUID, str, Sequence[tuple[str, str]]]]
) -> None:
    """Keep what people consented to: participant, registration, language, and (purpose, version of the text)."""
    rows = [
        {
            "id": new_id(),
            "participant_id": participant_id,
            "registration_id": registration_id,
            "purpose": purpose,
            "text_version": version,
            "text_hash": agreement(purpose, version, language).sha256,
            "language": language,
        }
        for participant_id, registration_id, language, consents in given
        for purpose, version in consents
    ]
    await session.execute(inserting(_CONSENTS, tuple(rows[0])), written(rows))


async def add_links(session: AsyncSession, links: Sequence[tuple[bytes, UUID, Purpose, datetime]]) -> None:
    """Let secrets, by their hashes, lead to registrations until they expire."""
    columns = ("token_hash", "registration_id", "purpose", "expires_at")
    rows = [
        dict(zip(columns, (token, identity, purpose.value, ends), strict=True))
        for token, identity, purpose, ends in links
    ]
    await session.execute(inserting(_LINKS, columns), written(rows))
