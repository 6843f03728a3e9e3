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
    """What a first letter tells of a registration that is not a row yet."""

    id: UUID
    activity_id: UUID
    given_name: str
    code: str


def shared_facts(places: Places, *, held_until: datetime | None) -> dict[str, Any]:
    """What first letters about an activity tell everybody; with `own_facts` it is what `written` tells."""
    return letters.kept(replace(about(places), held_until=held_until))


def own_facts(settings: Settings, fresh: Fresh, token: str) -> dict[str, Any]:
    """What a first letter tells somebody alone."""
    return {
        "given_name": fresh.given_name,
        "code": show_code(fresh.code),
        "link": address(settings, token),
        "scanned": codes.address(settings.base_url, fresh.activity_id, fresh.code),
    }


def tag_of(language: str) -> str:
    """The language that somebody is written to in who asked for one."""
    return letters.language_of(language).tag


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
    row: Registration,
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


def scanned(settings: Settings, row: Registration) -> str:
    """What a phone reads from a registration's check-in code."""
    return codes.address(settings.base_url, row.activity_id, row.code)


def dates_of(registrations: Sequence[tuple[Registration, Places]]) -> list[letters.Facts]:
    """What is said about several dates that nobody has confirmed yet, or that were confirmed before: no codes."""
    return [replace(facts(row, places), code="") for row, places in registrations]


def facts(row: Registration, places: Places, *, link: str = "", position: int | None = None) -> letters.Facts:
    """What letters and pages say about a registration."""
    return replace(
        about(places), held_until=row.held_until, given_name=row.given_name, code=show_code(row.code), link=link,
        position=position,
    )  # fmt: skip


def about(places: Places) -> letters.Facts:
    """What they say about its activity."""
    return letters.Facts(
        title=places.title,
        starts_at=places.starts_at,
        ends_at=places.ends_at,
        time_zone=places.time_zone,
        location=places.location,
        minimum_age=places.minimum_age,
        held_until=None,
    )
