"""Queues letters about registrations as what they tell; they are written when they are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import mail
from services.kernel.mailboxes import Mailbox, mailbox
from services.kernel.settings import Settings
from services.registration.mail import letters
from services.registration.mail.languages import Letter
from services.registration.people import store as people
from services.registration.places import codes
from services.registration.places.rules import show_code
from services.registration.places.tables import Places, Registration
from services.registration.tables import OUTGOING_MAIL


class Fresh(NamedTuple):
    """What a letter tells of a registration that is not a row yet."""

    id: UUID
    activity_id: UUID
    language: str
    given_name: str
    code: str
    held_until: datetime | None


async def send(
    session: AsyncSession,
    settings: Settings,
    letter: Letter,
    row: Registration,
    places: Places,
    *,
    token: str | None = None,
    page: str = "",
    occasion: datetime | None = None,
    recipient: Mailbox | None = None,
    position: int | None = None,
    until: datetime | None = None,
    dates: Sequence[letters.Facts] = (),
    stop: str | None = None,
) -> None:
    """Write to the person behind a registration, once for each letter (and occasion, where there may be several).

    The link leads to `page` of its secret; `until` is told instead of the end of the hold. A letter about several
    `dates` says them instead of the registration's own. The secret `stop` leads to where such letters are ended.
    A registration of nobody gets no letter.
    """
    if row.participant_id is None:
        return
    if recipient is None:
        recipient = mailbox(await people.address(session, row.participant_id))
    mailed = written(
        settings, letter, row, places, recipient, token=token, page=page, occasion=occasion, position=position,
        until=until, dates=dates, stop=stop,
    )  # fmt: skip
    await mail.queue(session, OUTGOING_MAIL, mailed)


def written(
    settings: Settings,
    letter: Letter,
    row: Registration | Fresh,
    places: Places,
    recipient: Mailbox,
    *,
    token: str | None = None,
    page: str = "",
    occasion: datetime | None = None,
    position: int | None = None,
    until: datetime | None = None,
    dates: Sequence[letters.Facts] = (),
    stop: str | None = None,
) -> mail.Mail:
    """The same letter, not yet queued: what it tells, as it is now."""
    language = letters.language_of(row.language)
    link = address(settings, token) + page if token is not None else ""
    unsubscribe_url = f"{address(settings, stop)}/reminders" if stop is not None else None
    told = replace(
        facts(row, places, link=link, position=position),
        held_until=until or row.held_until, stop=unsubscribe_url or "", scanned=scanned(settings, row),
    )  # fmt: skip
    if dates:
        told = replace(told, dates=tuple(dates), minimum_age=max(each.minimum_age or 0 for each in dates) or None)
    when = f":{occasion.isoformat()}" if occasion is not None else ""
    return mail.Mail(
        business_key=f"{row.id}:{letter}{when}",
        recipient=recipient.reachable,
        subject=None,
        body=None,
        language=language.tag,
        unsubscribe_url=unsubscribe_url,
        facts=letters.kept(told),
    )


def write(row: sa.RowMapping) -> Mapping[str, Any]:
    """The words of a queued letter, which its key names."""
    letter = Letter(row["business_key"].split(":")[1])
    words = letters.write(letter, letters.language_of(row["language"]), letters.read(row["facts"]))
    return {"subject": words.subject, "body": words.text, "html": words.html, "codes": words.scanned}


def address(settings: Settings, token: str) -> str:
    """Where a mailed secret leads."""
    return f"{settings.base_url}/registration/v1/links/{token}"


def scanned(settings: Settings, row: Registration | Fresh) -> str:
    """What a phone reads from a registration's check-in code."""
    return codes.address(settings.base_url, row.activity_id, row.code)


def dates_of(registrations: Sequence[tuple[Registration, Places]]) -> list[letters.Facts]:
    """What is said about several dates that nobody has confirmed yet, or that were confirmed before: no codes."""
    return [replace(facts(row, places), code="") for row, places in registrations]


def facts(row: Registration | Fresh, places: Places, *, link: str = "", position: int | None = None) -> letters.Facts:
    """What letters and pages say about a registration."""
    return letters.Facts(
        title=places.title,
        starts_at=places.starts_at,
        ends_at=places.ends_at,
        time_zone=places.time_zone,
        location=places.location,
        minimum_age=places.minimum_age,
        held_until=row.held_until,
        given_name=row.given_name,
        code=show_code(row.code),
        link=link,
        position=position,
    )
