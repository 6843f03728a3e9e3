"""Prints a certificate as PDF/A: the same bytes each time, since everything in it was frozen when it was issued.

PDF/A-2a is for keeping it for long, PDF/UA-1 for those who have it read out. The typesetter and its fonts are large, so
a process loads them when somebody first prints.
"""

from __future__ import annotations

import asyncio
import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import segno
from babel.dates import format_date
from babel.numbers import format_decimal

from services.registration.certificates.rules import NotPrintable, printable
from services.registration.certificates.schemas import Content
from services.registration.mail.languages import Language, language_of

if TYPE_CHECKING:
    import typst

STANDARDS: Final = ("a-2a", "ua-1")
AT_ONCE: Final = 2
"""How many are set at a time in one process; others wait."""

_LACKS_GLYPH: Final = "could not be displayed with font"
_TEMPLATE: Final = Path(__file__).with_name("certificate.typ")
_presses = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="certificates")


async def print_certificate(content: Content, *, number: str, address: str, issued_at: datetime) -> bytes:
    """A certificate as PDF. It is set beside the event loop, which goes on."""
    inputs = {
        "told": json.dumps(_told(content, number, address, issued_at), ensure_ascii=False),
        "code": _code(address),
    }
    return await asyncio.get_running_loop().run_in_executor(_presses, _set, inputs, issued_at)


def day(on: date, language: Language) -> str:
    """A day as a language writes it."""
    return format_date(on, "long", locale=language.catalogue.locale)


def number_of_hours(hours: Any, language: Language) -> str:
    """A number of hours as a language writes it."""
    return format_decimal(hours, format="#,##0.##", locale=language.catalogue.locale)


def _set(inputs: dict[str, str], issued_at: datetime) -> bytes:
    import typst  # noqa: PLC0415

    for of_the_system in (False, True):
        compiler = typst.Compiler(
            _TEMPLATE.read_bytes(), font_paths=_fonts(of_the_system=of_the_system), sys_inputs=inputs
        )
        try:
            made = compiler.compile(format="pdf", pdf_standards=list(STANDARDS), timestamp=int(issued_at.timestamp()))
        except typst.TypstError as error:
            if _LACKS_GLYPH not in error.message:
                raise
        else:
            assert isinstance(made, bytes)
            return made
    raise NotPrintable


@cache
def _fonts(*, of_the_system: bool) -> typst.Fonts:
    """Our own fonts, so that every machine prints alike; those of the system are asked for what these lack only."""
    import fontpkg_noto_sans  # noqa: PLC0415
    import typst  # noqa: PLC0415

    return typst.Fonts(include_system_fonts=of_the_system, font_paths=[str(fontpkg_noto_sans.ROOT)])


def _code(address: str) -> str:
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", border=0, xmldecl=False, dark="#1d1d3b")
    return drawn.getvalue().decode()


def _told(content: Content, number: str, address: str, issued_at: datetime) -> dict[str, Any]:
    language = language_of(content.language)
    text, hours = language.text, number_of_hours(content.hours, language)
    at = issued_at.astimezone(UTC)
    many = len(content.activities)
    return {
        "language": language.tag,
        "title": text("certificate.title"),
        "publisher": "SocialErasmus",
        "issued": [at.year, at.month, at.day, at.hour, at.minute, at.second],
        "number": number,
        "is_certified": text("certificate.is_certified"),
        "name": printable(content.name) or "–",
        "took_part": language.counted("certificate.took_part", many).format(many=many, hours=hours),
        "columns": [text(f"certificate.{name}") for name in ("on", "activity", "hours")],
        "rows": [
            {
                "on": day(each.on, language),
                "title": printable(each.title) or "–",
                "organisers": printable(", ".join(each.organisers)),
                "hours": number_of_hours(each.hours, language),
            }
            for each in content.activities
        ],
        "total": text("certificate.total"),
        "hours": hours,
        "issued_on": text("certificate.issued_on").format(date=day(at.date(), language)),
        "number_is": text("certificate.number"),
        "verified_at": text("certificate.verified_at"),
        "address": address,
        "small_print": text("certificate.small_print"),
        "code_is": text("certificate.code"),
    }
