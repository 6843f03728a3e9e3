"""The form as a page: plain HTML that loads nothing and runs nothing, but where work has to be proved first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader
from starlette.responses import HTMLResponse

from services.kernel.page_policy import page_policy
from services.registration.form.fields import Asked, Filled, asked, changeable
from services.registration.mail import letters
from services.registration.mail.languages import Language, others
from services.registration.places.rules import Choosing
from services.registration.places.schemas import SignedUp
from services.registration.places.tables import Places, Section
from services.registration.proofs.rules import ProofRequired

_STYLE: Final = (
    ":root{color-scheme:light dark;--accent:#2e3192;--wrong:#b3261e;--line:#6f6f7c;--muted:#54545f}"
    "@media (prefers-color-scheme:dark){:root{--accent:#aab4ff;--wrong:#ff8a80;--line:#9a9aa8;--muted:#b9b9c6}}"
    "html{background:Canvas;color:CanvasText}*{box-sizing:border-box}"
    "body{font:1.0625rem/1.5 system-ui,sans-serif;max-width:38rem;margin:0 auto;padding:2rem 1rem;"
    "overflow-wrap:anywhere}h1{font-size:1.75rem;line-height:1.2}h2{font-size:1.125rem}"
    "dt{font-size:.875rem;color:var(--muted)}dd{margin:0 0 .75rem;font-weight:600}"
    "fieldset{border:0;border-block-start:1px solid var(--line);margin:2rem 0 0;padding:0;min-width:0}"
    "legend{font-size:1.25rem;font-weight:700;padding:0 .5rem 0 0}label{display:block;font-weight:600;"
    "margin:1.25rem 0 .25rem}small{font-weight:400;color:var(--muted)}"
    ".hint{margin:0 0 .25rem;color:var(--muted)}"
    "input,select,textarea{font:inherit;width:100%;padding:.5rem;border:1px solid var(--line);"
    "border-radius:.375rem;background:Field;color:FieldText}"
    "[aria-invalid]{border:2px solid var(--wrong)}"
    ".tick{display:flex;gap:.75rem;align-items:start;font-weight:400}"
    ".tick input{width:1.5rem;height:1.5rem;flex:none;margin:0;accent-color:var(--accent)}"
    ".fault{margin:.25rem 0;font-weight:700;color:var(--wrong)}"
    ".faults{border:3px solid var(--wrong);border-radius:.5rem;padding:0 1rem;margin:1.5rem 0}"
    "details{border-block-start:1px solid var(--line);margin-block-start:2rem;padding-block-start:.75rem}"
    "summary{font-size:1.25rem;font-weight:700;cursor:pointer;min-height:24px}"
    "details fieldset{margin-block-start:1rem}details legend{font-size:1.0625rem}"
    "button{font:inherit;font-weight:700;margin-block-start:1.5rem;padding:.75rem 2rem;border:0;"
    "border-radius:.5rem;cursor:pointer;background:#2e3192;color:#fff}"
    "a{color:var(--accent);display:inline-block;min-height:24px;text-underline-offset:.2em}"
    ":focus-visible{outline:3px solid var(--accent);outline-offset:3px}"
    "footer{border-block-start:1px solid var(--line);margin-block-start:2rem}"
    "nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.5rem 1.25rem}"
)
_HEADERS: Final = {
    "Content-Security-Policy": page_policy(_STYLE, forms=True),
    "Cache-Control": "private, no-store",
    # With `no-referrer` a browser would say of its own form that it comes from nowhere (`Origin: null`).
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Vary": "Accept-Language",
}
_WITH_SCRIPT: Final = page_policy(_STYLE, forms=True, scripts=True)
_pages = Environment(loader=PackageLoader("services.registration.form", "."), autoescape=True)


def form(
    language: Language,
    places: Places,
    filled: Filled,
    *,
    waits: bool,
    hosts: Sequence[Section],
    card: bool,
    notice: str | None = None,
    proof: ProofRequired | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The form of an activity, with what was filled in and what is wrong with it; or with work that is to be proved."""
    fields = asked(places, language, filled, waits=waits, hosts=hosts, card=card)
    until = places.sign_up_ends_at
    zone = ZoneInfo(places.time_zone)
    paragraphs = [
        _facts(language, places)["minimum_age"],
        _room(language, places),
        language.text("form.until").format(at=language.date(until, zone)) if until else "",
    ]
    said = language.text(notice) if notice else None
    return _page(language, places, paragraphs, fields=fields, notice=said, proof=proof, status=status)


def answers(
    language: Language,
    places: Places,
    filled: Filled,
    *,
    hosts: Sequence[Section],
    token: str,
    guests: int = 0,
    saved: bool = False,
    status: int = 200,
) -> HTMLResponse:
    """What somebody told about themselves, to be changed."""
    person, answered, guested = changeable(places, language, filled, hosts=hosts, guests=guests)
    facts = _facts(language, places)
    page = _pages.get_template("answers.html").render(
        language=language,
        text=language.text,
        style=_STYLE,
        title=f"{language.text('answers.heading')}: {facts['title']}",
        facts=facts,
        person=person,
        answers=answered,
        guests=guested,
        faulty=[each for each in [*person, *answered, *(each for guest in guested for each in guest)] if each.fault],
        saved=saved,
        token=token,
    )
    # The address holds a secret.
    headers = {**_HEADERS, "Referrer-Policy": "no-referrer", "Content-Language": language.tag}
    return HTMLResponse(page, status_code=status, headers=headers)


def told(language: Language, places: Places, name: str, *, status: int = 200) -> HTMLResponse:
    """Why nobody signs up for an activity now: the words of a name."""
    at = language.date(places.opens_at, ZoneInfo(places.time_zone)) if places.opens_at else ""
    return _page(language, places, [language.text(name).format(at=at)], status=status)


def done(language: Language, places: Places, signed: SignedUp, email: str) -> HTMLResponse:
    """That a mail is on its way, and what it is about."""
    held = language.date(signed.held_until, ZoneInfo(places.time_zone)) if signed.held_until else ""
    words = language.text(f"form.done.{signed.state}").format(email=email, held_until=held)
    paragraphs = [words, language.text("form.done.no_mail")]
    return _page(language, places, paragraphs, heading=language.text("form.done"), languages=False)


def missing(language: Language) -> HTMLResponse:
    """That there is no such activity."""
    return _page(language, None, [language.text("form.not_found")], status=404)


def _page(
    language: Language,
    places: Places | None,
    paragraphs: Sequence[str],
    *,
    fields: Asked | None = None,
    notice: str | None = None,
    proof: ProofRequired | None = None,
    heading: str | None = None,
    languages: bool = True,
    status: int = 200,
) -> HTMLResponse:
    facts = _facts(language, places) if places else None
    title = (
        language.text("form.title").format(title=facts["title"]) if facts else language.text("form.not_found.heading")
    )
    identity: UUID | None = places.activity_id if places else None
    page = _pages.get_template("form.html").render(
        language=language,
        text=language.text,
        style=_STYLE,
        title=f"{heading}: {facts['title']}" if heading and facts else title,
        heading=heading or title,
        facts=facts,
        paragraphs=[words for words in paragraphs if words],
        asked=fields,
        faulty=bool(fields and (fields.faulty or fields.guests_fault)),
        notice=notice,
        challenge=proof and proof.challenge and proof.challenge.model_dump_json(by_alias=True),
        sends=proof is not None and not proof.errors,
        activity_id=identity,
        languages=others(language) if languages else [],
    )
    headers = {**_HEADERS, "Content-Language": language.tag}
    if proof is not None:
        headers["Content-Security-Policy"] = _WITH_SCRIPT
    return HTMLResponse(page, status_code=status, headers=headers)


def _facts(language: Language, places: Places) -> dict[str, Any]:
    facts = letters.Facts(
        title=places.title,
        starts_at=places.starts_at,
        ends_at=places.ends_at,
        time_zone=places.time_zone,
        location=places.location,
        minimum_age=places.minimum_age,
        held_until=None,
    )
    return dict(letters.words(language, facts))


def _room(language: Language, places: Places) -> str:
    """How much room there is, as anybody may know."""
    room = places.room
    if room.choosing is Choosing.APPROVAL:
        return language.text("form.approval")
    if not places.has_places:
        return language.text("form.full_waiting")
    if room.capacity is None:
        return language.text("form.unlimited")
    free = room.capacity - room.taken
    return language.counted("form.places", free).format(free=free, capacity=room.capacity)
