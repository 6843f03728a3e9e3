"""The privacy notice: the register with the settings of this installation filled in, as data and as a page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from jinja2 import Environment, PackageLoader

from services.kernel.page_policy import page_policy
from services.kernel.settings import Settings
from services.registration.mail.languages import Language
from services.registration.people import consenting_ages
from services.registration.privacy.register import RECORDS, VOLUNTEERS, Record
from services.registration.privacy.schemas import KeptColumn, KeptRecord, NoticeOut

RIGHTS: Final = {
    "access (Art. 15)": "GET /registration/v1/me",
    "portability (Art. 20)": "GET /registration/v1/me/export",
    "erasure (Art. 17)": "DELETE /registration/v1/me",
    "withdrawal of consent (Art. 7(3))": "POST /registration/v1/me/consents/{purpose}/withdraw",
    "a new link": "POST /registration/v1/me/links",
}
_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:2rem 1rem}"
    "h1{font-size:1.75rem;line-height:1.2}section{margin:2rem 0}dt{font-weight:700}dd{margin:0 0 .5rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:start;vertical-align:top;padding:.25rem .5rem;"
    "border-bottom:1px solid}code{overflow-wrap:anywhere}"
)
HEADERS: Final = {
    "Content-Security-Policy": page_policy(_STYLE),
    "Cache-Control": "public, max-age=300",
    "Vary": "Accept-Language",
}
_pages = Environment(loader=PackageLoader("services.registration.privacy", "."), autoescape=True)


def notice(settings: Settings) -> NoticeOut:
    """The privacy notice of this installation."""
    told: dict[str, Any] = {
        "controller": settings.controller,
        "contact": settings.privacy_contact,
        "purposes": sorted({record.aim.value for record in RECORDS}),
        "records": _records("participants", RECORDS, settings) + _records("volunteers", VOLUNTEERS, settings),
        "rights": RIGHTS,
        "consenting_ages": dict(consenting_ages.listed()),
    }
    written = json.dumps(told, default=lambda record: record.model_dump(), sort_keys=True)
    return NoticeOut(version=hashlib.sha256(written.encode()).hexdigest()[:12], **told)


def page(settings: Settings, language: Language) -> str:
    """The privacy notice as a page, its frame in a language."""
    return _pages.get_template("notice.html").render(
        notice=notice(settings), text=language.text, tag=language.tag, direction=language.direction, style=_STYLE
    )


def _records(of: str, records: Sequence[Record], settings: Settings) -> list[KeptRecord]:
    days = {"people": settings.keep_people_days, "unconfirmed": settings.keep_unconfirmed_days}
    return [
        KeptRecord(
            table=record.table,
            of=of,
            purpose=record.aim.value,
            legal_basis=record.basis.value,
            kept=record.until.value.format_map(days),
            seen_by=record.seen_by.value,
            columns=[KeptColumn(name=name, what=what) for name, what in record.columns.items()],
        )
        for record in records
    ]
