"""The mail that tells a section, a country or International who wants to become a partner."""

from __future__ import annotations

from services.activities.enquiries.rules import KEPT_AFTER_SENDING
from services.activities.enquiries.tables import Enquiry
from services.activities.partners.rules import KINDS
from services.kernel.texts import one_line

_TEXT = """Hello,

an organisation would like to become your partner. To answer it, answer this
mail.

Organisation: {organisation}
Kind:         {kind}
Place:        {place}
Asks for:     {asked}
Name:         {name}
Language:     {language}

{message}

--
The words above come from a form on the web; nobody has checked them, nor the
address. The list of enquiries has this one until {days} days after this mail:
{id}
SocialErasmus, an initiative of the Erasmus Student Network
"""


def write(row: Enquiry) -> tuple[str, str]:
    """Subject and text; what was sent stands in lines of its own, and each line of the message behind a mark."""
    said = {
        "organisation": one_line(row.organisation),
        "kind": KINDS[row.kind],
        "place": one_line(f"{row.city}, {row.country}" if row.city else row.country),
        "asked": row.section or f"any section in {row.home}",
        "name": one_line(row.name) if row.name else "not given",
        "language": row.language,
        "message": "\n".join(f"> {one_line(line)}" for line in row.message.splitlines()),
        "id": str(row.id),
        "days": KEPT_AFTER_SENDING.days,
    }
    return f"Would like to become a partner: {said['organisation']}", _TEXT.format_map(said)
