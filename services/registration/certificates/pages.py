"""Pages about certificates: plain HTML that loads nothing, runs nothing and needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from jinja2 import Environment, PackageLoader
from starlette.responses import HTMLResponse, Response

from services.kernel.page_policy import page_policy
from services.registration.certificates.rendering import day, number_of_hours
from services.registration.certificates.rules import Standing
from services.registration.certificates.schemas import MyCertificate, MyHours, Verification
from services.registration.mail.catalogues import tags
from services.registration.mail.languages import Language, language_of

_STYLE: Final = (
    ":root{color-scheme:light dark;--accent:#2e3192;--good:#1b6e3c;--bad:#b3261e;--line:#6f6f7c;--muted:#54545f}"
    "@media (prefers-color-scheme:dark){:root{--accent:#aab4ff;--good:#7fd6a0;--bad:#ff8a80;--line:#9a9aa8;"
    "--muted:#b9b9c6}}html{background:Canvas;color:CanvasText}*{box-sizing:border-box}"
    "body{font:1.0625rem/1.5 system-ui,sans-serif;max-width:42rem;margin:0 auto;padding:2rem 1rem;"
    "overflow-wrap:anywhere}h1{font-size:1.75rem;line-height:1.2}h2{font-size:1.25rem;margin:2rem 0 .5rem}"
    ".standing{border-inline-start:.375rem solid var(--bad);padding:.5rem 1rem;font-weight:700}"
    ".good{border-color:var(--good)}dt{font-size:.875rem;color:var(--muted)}dd{margin:0 0 .75rem;font-weight:600}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:start;vertical-align:top;"
    "padding:.375rem .75rem .375rem 0;border-block-end:1px solid var(--line);overflow-wrap:break-word}"
    "th{font-size:.875rem}.long{overflow-wrap:anywhere}@media (max-width:30rem){th,td{font-size:.8125rem;"
    "padding-inline-end:.5rem}}"
    ".many{text-align:end;white-space:nowrap;padding-inline-end:0}small{color:var(--muted);display:block}"
    "label{display:block;font-weight:600;margin:1rem 0 .25rem}input,select{font:inherit;width:100%;padding:.5rem;"
    "border:1px solid var(--line);border-radius:.375rem;background:Field;color:FieldText}"
    "button{font:inherit;font-weight:700;margin-block-start:1rem;padding:.75rem 2rem;border:0;border-radius:.5rem;"
    "cursor:pointer;background:#2e3192;color:#fff}"
    "a{color:var(--accent);display:inline-block;min-height:24px;text-underline-offset:.2em}"
    ":focus-visible{outline:3px solid var(--accent);outline-offset:3px}"
    "footer{border-block-start:1px solid var(--line);margin-block-start:2rem}"
    "nav ul,.cards{list-style:none;padding:0}nav ul{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem}"
    ".cards li{border:1px solid var(--line);border-radius:.5rem;padding:.5rem 1rem;margin:1rem 0}"
    ".cards p{margin:.25rem 0}.cards a{margin-inline-end:1.25rem}@media print{footer,form{display:none}}"
)
_HEADERS: Final = {
    "Content-Security-Policy": page_policy(_STYLE, forms=True),
    "Cache-Control": "private, no-store",
    # With `no-referrer` a browser would say of its own form that it comes from nowhere (`Origin: null`).
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Vary": "Accept, Accept-Language",
}
_pages = Environment(loader=PackageLoader("services.registration.certificates", "."), autoescape=True)


def verified(language: Language, found: Verification, *, checked: tuple[str, bool] | None = None) -> HTMLResponse:
    """What anybody is told of a certificate; `checked` is a name that was written and whether it belongs to it."""
    revoked_on = day(found.revoked_on, language) if found.revoked_on else ""
    return _page(
        "verified.html",
        language,
        path=f"../certificates/{found.number}",
        found=found,
        told=language.text(f"verify.{found.standing}").format(date=revoked_on),
        is_good=found.standing is Standing.VALID,
        asks_name=found.hours is not None and found.name is None,
        checked=checked,
    )


def asked(language: Language, *, below: str = "../", is_unknown: bool = False) -> HTMLResponse:
    """The page that asks for a number, after one that there is not with the reason; `below` leads up to it."""
    status = 404 if is_unknown else 200
    return _page("asked.html", language, path=f"{below}certificates", status=status, is_unknown=is_unknown)


def mine(
    language: Language,
    hours: MyHours,
    certificates: Sequence[MyCertificate],
    attended: Sequence[tuple[UUID, str, date]],
    *,
    said: str | None,
    status: int = 200,
) -> HTMLResponse:
    """Somebody's own hours and certificates; `said` names the text that tells what was done, or why not."""
    return _page(
        "mine.html",
        language,
        status=status,
        of_hours=hours,
        certificates=certificates,
        attended=attended,
        years=sorted({each.academic_year for each in hours.items}, reverse=True),
        said=said,
    )


def file(number: str, pdf: bytes) -> Response:
    """A certificate as a file to look at, to print or to keep."""
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'inline; filename="{number}.pdf"',
        "X-Robots-Tag": "noindex, nofollow, noarchive",
    }
    return Response(pdf, media_type="application/pdf", headers=headers)


def _page(template: str, language: Language, *, path: str = "", status: int = 200, **more: Any) -> HTMLResponse:
    page = _pages.get_template(template).render(
        language=language,
        text=language.text,
        style=_STYLE,
        day=lambda on: day(on, language),
        hours=lambda many: number_of_hours(many, language),
        tags=[(tag, language_of(tag).catalogue.locale.get_language_name(tag) or tag) for tag in tags()],
        path=path,
        **more,
    )
    return HTMLResponse(page, status_code=status, headers={**_HEADERS, "Content-Language": language.tag})
