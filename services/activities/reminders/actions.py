"""Whom a reminder goes to, and in which language."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.catalogue import store as catalogue
from services.activities.catalogue.rules import State
from services.activities.directory import store as directory
from services.activities.directory.country_codes import languages_of
from services.activities.directory.tables import Section
from services.activities.enquiries import store as enquiries
from services.activities.reminders import letters
from services.activities.tables import OUTGOING_MAIL
from services.contracts import ReportMissing
from services.kernel import mail
from services.kernel.logs import logger
from services.kernel.mailboxes import mailbox
from services.kernel.settings import Settings

log = logger(__name__)


async def remind(session: AsyncSession, settings: Settings, told: ReportMissing) -> None:
    """Queue the reminder for the mailbox of the section, else of its country; with neither, nobody is reminded.

    The mail is known by the activity and the stage, so that an event that is heard again writes nothing again.
    """
    activity = await catalogue.activity(session, told.activity_id)
    section = await directory.section(session, told.section)
    if activity is None or activity.state not in {State.PUBLISHED, State.HELD} or section is None:
        return
    # Who took a section over answers for what it organised.
    section = [section, *await directory.successors(session, section)][-1]
    known = await enquiries.mailboxes(session, [section.code, section.country])
    reader = known.get(section.code) or known.get(section.country)
    if reader is None:
        log.info("nobody to remind", section=section.code, activity=str(activity.id))
        return
    letter = letters.write(
        activity, told, languages=_languages(section), mailbox=reader.code, base_url=settings.base_url
    )
    await mail.queue(
        session,
        OUTGOING_MAIL,
        mail.Mail(
            business_key=f"report_missing:{told.activity_id}:{told.stage}",
            recipient=mailbox(reader.address).reachable,
            subject=letter.subject,
            body=letter.body,
            language=letter.language,
        ),
    )


def _languages(section: Section) -> list[str]:
    return languages_of(section.country) if section.languages is None else section.languages
