"""The form by which people sign up. It is for people; programs take `POST /registrations`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Header, Query
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.contracts import ActivityState
from services.kernel.problems import Conflict, Invalid, NotFound
from services.kernel.routes import pages as make_router
from services.kernel.runtime import Reading, Running, Writing
from services.registration.form import filling
from services.registration.form.fields import Filled
from services.registration.form.pages import done, form, missing, told
from services.registration.mail.languages import Language, chosen
from services.registration.places import hosts as sections
from services.registration.places import rules, signing_up, store
from services.registration.places.schemas import SignUp
from services.registration.places.tables import Places
from services.registration.proofs.actions import Asker
from services.registration.proofs.actions import asker as asker_of
from services.registration.proofs.rules import ProofRequired

router = make_router(tag="places")

Accepted = Annotated[str, Header(alias="Accept-Language")]

_ENDED: Final = {ActivityState.CANCELLED: "form.cancelled", ActivityState.HELD: "form.held"}
_REFUSED: Final = {
    rules.ActivityNotOpen: "form.not_offered",
    rules.SignUpNotYetOpen: "form.not_yet_open",
    rules.SignUpClosed: "form.closed",
}
_EMPTY: Final = Filled()
_SCRIPT: Final = Path(__file__).with_name("proof.js").read_bytes()


@router.get("/proof.js")
async def proof_script() -> Response:
    """What solves a challenge: for the form, and for apps to import."""
    return Response(_SCRIPT, media_type="text/javascript")


@router.get("/activities/{activity_id}", response_class=HTMLResponse)
async def show_form(
    session: Reading,
    runtime: Running,
    activity_id: UUID,
    lang: Annotated[str | None, Query()] = None,
    accepted: Accepted = "",
) -> HTMLResponse:
    """The form of an activity, or why there is none now."""
    language = chosen(lang, accepted)
    found = await store.places_now(session, activity_id)
    if found is None:
        return missing(language)
    places, now = found
    return _refused(language, places, now) or await _shown(session, runtime, language, places, now)


@router.post("/activities/{activity_id}", response_class=HTMLResponse)
async def take_form(
    request: Request, session: Writing, runtime: Running, activity_id: UUID, accepted: Accepted = ""
) -> HTMLResponse:
    """Take the form as a browser sends it; the same form once more is answered alike and is the same sign-up."""
    body = await request.body()
    is_small = len(body) <= filling.MOST_BYTES
    sent = filling.parse(request.headers.get("content-type", ""), body) if is_small else None
    language = chosen(sent.get("lang") if sent else None, accepted)
    found = await store.places_now(session, activity_id)
    if found is None:
        return missing(language)
    places, now = found
    refused = _refused(language, places, now, was_sent=True)
    if refused is not None:
        return refused
    if _is_from_elsewhere(request, runtime.settings.base_url):
        return await _shown(session, runtime, language, places, now, notice="form.elsewhere", status=403)
    if sent is None:
        status = 400 if is_small else 413
        return await _shown(session, runtime, language, places, now, notice="form.not_understood", status=status)
    wanted, filled = filling.read(places, sent, language.tag)
    if wanted is None:
        return await _shown(session, runtime, language, places, now, filled, status=422)
    asker = await asker_of(request, activity_id, sent.get(filling.PROOF) or None)
    return await _sign_up(session, runtime, language, wanted, filled, asker)


async def _sign_up(
    session: AsyncSession, runtime: Running, language: Language, wanted: SignUp, filled: Filled, asker: Asker
) -> HTMLResponse:
    try:
        # A refusal may come after the first rows, and this request answers it instead of failing.
        async with session.begin_nested():
            signed = await signing_up.sign_up(session, runtime.settings, wanted, asker)
    except (Invalid, Conflict, NotFound, ProofRequired) as problem:
        found = await store.places_now(session, wanted.activity_id)
        if found is None:
            return missing(language)
        places, now = found
        if isinstance(problem, ProofRequired):
            return await _shown(
                session, runtime, language, places, now, filled, notice="form.proof", proof=problem, status=403
            )
        if isinstance(problem, Invalid):
            faults = filling.explained(places, problem.errors)
            again = Filled(filled.values, faults)
            return await _shown(session, runtime, language, places, now, again, status=422)
        refused = _refused(language, places, now, was_sent=True)
        return refused or await _no_room(session, runtime, language, places, now, filled, status=problem.status)
    after = await store.places(session, wanted.activity_id)
    assert after is not None
    return done(language, after, signed, wanted.email.given)


def _refused(language: Language, places: Places, now: datetime, *, was_sent: bool = False) -> HTMLResponse | None:
    """What is said instead of the form, if anything is; who sent one is told that it was of no use."""
    refusal = places.window_refusal(now)
    if refusal is None:
        return None
    ended = _ENDED.get(ActivityState(places.state))
    return told(language, places, ended or _REFUSED[refusal], status=refusal.status if was_sent else 200)


async def _shown(
    session: AsyncSession,
    runtime: Running,
    language: Language,
    places: Places,
    now: datetime,
    filled: Filled = _EMPTY,
    *,
    notice: str | None = None,
    proof: ProofRequired | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The form, unless there is neither a place nor a waiting list."""
    if not places.has_places and not _may_wait(places, now):
        return told(language, places, "form.full", status=status)
    # Whoever was told once that there is no room for their group is asked as long as they come back.
    waits = not places.has_places or "waiting_list" in filled.values or "waiting_list" in filled.faults
    hosts = await sections.listed(session)
    card = places.asks_esncard and runtime.settings.esncard_check_url is not None
    return form(
        language, places, filled, waits=waits, hosts=hosts, card=card, notice=notice, proof=proof, status=status
    )


async def _no_room(
    session: AsyncSession,
    runtime: Running,
    language: Language,
    places: Places,
    now: datetime,
    filled: Filled,
    *,
    status: int,
) -> HTMLResponse:
    """The form again for those for whom there was no room, with the waiting list if there is one."""
    if _may_wait(places, now):
        again = Filled(filled.values, {"waiting_list": "form.fault.wait"})
        return await _shown(session, runtime, language, places, now, again, status=status)
    return await _shown(session, runtime, language, places, now, filled, notice="form.full", status=status)


def _may_wait(places: Places, now: datetime) -> bool:
    return places.keeps_waiting_list and places.offers(now)


def _is_from_elsewhere(request: Request, base_url: str) -> bool:
    """Whether the form of another website was sent; a browser says so, and who says nothing is no browser."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    ours = {urlsplit(base_url).netloc, request.headers.get("host", "")}
    return origin is not None and urlsplit(origin).netloc not in ours
