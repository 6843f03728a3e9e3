"""Routes of signing in and out. They are for browsers; programs send a token."""

from __future__ import annotations

import secrets
import time
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Header, Query
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.kernel import sessions
from services.kernel.auth import Actor
from services.kernel.issuer import NoRole, SignInRefused
from services.kernel.limits import costing
from services.kernel.logs import logger
from services.kernel.problems import Unauthenticated, Unavailable
from services.kernel.routes import pages as make_pages
from services.kernel.runtime import Reading, Running, Writing
from services.kernel.sessions import FromElsewhere, Sessions
from services.kernel.settings import Settings
from services.registration.mail.languages import Language, chosen
from services.registration.signing_in import pages, rules
from services.registration.signing_in.rules import Attempt, NobodySignsIn

router = make_pages(tag="signing in")
log = logger(__name__)

Accepted = Annotated[str, Header(alias="Accept-Language")]


async def _offered(request: Request) -> Sessions:
    found: Sessions | None = request.app.state.sessions
    if found is None:
        raise NobodySignsIn
    return found


Offered = Annotated[Sessions, Depends(_offered)]


@router.get("/sign-in")
async def begin_sign_in(
    runtime: Running, offered: Offered, back_to: Annotated[str, Query(alias="next")] = ""
) -> RedirectResponse:
    """Send a browser to the issuer. `next` is a page of ours to come back to; any other address counts for nothing."""
    told = runtime.settings
    page = back_to if rules.is_ours(back_to, told.base_url) else None
    attempt = Attempt(secrets.token_urlsafe(32), int(time.time()) + rules.SECONDS, page)
    ours = _ours(told)
    address = offered.issuer.sign_in_address(
        state=attempt.derived(ours, "state"),
        nonce=attempt.derived(ours, "nonce"),
        challenge=attempt.challenge(ours),
        back_to=told.base_url + rules.CALLBACK,
    )
    reply = _to(address)
    _keep(reply, rules.COOKIE, attempt.written(ours), seconds=rules.SECONDS)
    return reply


@router.get("/sign-in/callback", dependencies=[costing(10)])
async def end_sign_in(
    request: Request, session: Writing, runtime: Running, offered: Offered, accepted: Accepted = ""
) -> Response:
    """Take a browser back from the issuer, if it is the one that was sent there (RFC 6749, RFC 7636, RFC 9207)."""
    language, told = chosen(None, accepted), runtime.settings
    attempt = rules.read(request.cookies.get(rules.COOKIE, ""), _ours(told), now=time.time())
    if attempt is None or not _is_answered(request, attempt, told):
        log.info("not signed in", why="another attempt")
        # An attempt that somebody else's answer came to goes on: else any website could end it.
        return pages.failed(language, "sign_in.failed", status=400, again=_again(None))
    code = request.query_params.get("code", "")
    if "error" in request.query_params or not 1 <= len(code) <= rules.LONGEST_CODE:
        log.info("not signed in", why="declined")
        reply: Response = pages.failed(language, "sign_in.declined", status=400, again=_again(attempt))
    else:
        reply = await _admit(request, session, offered, attempt, code, language, told)
    _drop(reply, rules.COOKIE)
    return reply


@router.get("/sign-in/done")
async def show_done(_: Offered, accepted: Accepted = "") -> HTMLResponse:
    """That somebody is signed in, where they did not come from a page of ours."""
    return pages.done(chosen(None, accepted))


@router.post("/sign-out")
async def sign_out(
    request: Request, session: Writing, runtime: Running, offered: Offered, accepted: Accepted = ""
) -> HTMLResponse:
    """End the session of a browser at once. Doing it twice is as good as once."""
    if not sessions.is_own(request, runtime.settings.base_url):
        raise FromElsewhere
    secret = request.cookies.get(sessions.COOKIE)
    if secret:
        await offered.end(session, secret)
        log.info("signed out")
    reply = pages.left(chosen(None, accepted))
    _drop(reply, sessions.COOKIE)
    return reply


@router.get("/sign-in/browsers")
async def list_browsers(
    request: Request, session: Reading, runtime: Running, offered: Offered, accepted: Accepted = ""
) -> HTMLResponse:
    """Where whoever asks is signed in, with the means to end it."""
    language, actor = chosen(None, accepted), await offered.actor(runtime, request)
    if actor is None:
        return pages.failed(language, "sign_in.nobody", status=401, again="../sign-in")
    return pages.browsers(language, await offered.browsers(session, actor.id, _secret(request)))


@router.post("/sign-in/browsers/end")
async def end_elsewhere(request: Request, session: Writing, runtime: Running, offered: Offered) -> RedirectResponse:
    """End every session of one's own but this one, at once."""
    actor = await _own(request, runtime, offered)
    await offered.end_elsewhere(session, actor.id, _secret(request))
    log.info("sessions ended", actor=str(actor.id))
    return _to("../browsers")


@router.post("/sign-in/browsers/{browser_id}/end")
async def end_browser(
    browser_id: UUID, request: Request, session: Writing, runtime: Running, offered: Offered
) -> RedirectResponse:
    """End one session of one's own, at once; what is nobody's or somebody else's stays as it is."""
    actor = await _own(request, runtime, offered)
    await offered.end_elsewhere(session, actor.id, _secret(request), identity=browser_id)
    log.info("sessions ended", actor=str(actor.id))
    return _to("../../browsers")


async def _own(request: Request, runtime: Running, offered: Sessions) -> Actor:
    """Whoever is signed in, if it is a page of ours that asks."""
    actor = await offered.actor(runtime, request)
    if actor is None:
        raise Unauthenticated("Nobody is signed in in this browser.")
    return actor


def _secret(request: Request) -> str:
    return request.cookies.get(sessions.COOKIE, "")


async def _admit(
    request: Request,
    session: AsyncSession,
    offered: Sessions,
    attempt: Attempt,
    code: str,
    language: Language,
    told: Settings,
) -> Response:
    ours = _ours(told)
    try:
        grant, actor = await offered.issuer.signed_in(
            code=code,
            verifier=attempt.derived(ours, "verifier"),
            nonce=attempt.derived(ours, "nonce"),
            back_to=told.base_url + rules.CALLBACK,
        )
    except SignInRefused:
        log.warning("not signed in", why="refused")
        return pages.failed(language, "sign_in.failed", status=400, again=_again(attempt))
    except NoRole:
        log.info("not signed in", why="no role")
        return pages.failed(language, "sign_in.no_role", status=403, again=_again(attempt))
    except Unavailable:
        log.warning("not signed in", why="issuer away")
        return pages.failed(language, "sign_in.away", status=503, again=_again(attempt))
    before = request.cookies.get(sessions.COOKIE)
    if before:
        await offered.end(session, before)
    secret = await offered.begin(session, grant, actor.id)
    log.info("signed in", actor=str(actor.id), role=actor.role.value)
    reply = _to(attempt.back_to or "done")
    _keep(reply, sessions.COOKIE, secret, seconds=int(sessions.LASTS.total_seconds()))
    return reply


def _is_answered(request: Request, attempt: Attempt, told: Settings) -> bool:
    """Whether the issuer that this browser was sent to answers this attempt, saying each thing once."""
    names = [name for name, _ in request.query_params.multi_items()]
    if len(names) != len(set(names)):
        return False
    issuer = request.query_params.get("iss", told.issuer)
    state = request.query_params.get("state", "")
    return issuer == told.issuer and rules.is_same(state, attempt.derived(_ours(told), "state"))


def _again(attempt: Attempt | None) -> str:
    """The way to sign in from the page to which the issuer sends people back."""
    if attempt is None or attempt.back_to is None:
        return "../sign-in"
    return f"../sign-in?{urlencode({'next': attempt.back_to})}"


def _ours(told: Settings) -> bytes:
    return told.secret.get_secret_value().encode()


def _to(address: str) -> RedirectResponse:
    headers = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(address, status_code=303, headers=headers)


def _keep(reply: Response, name: str, value: str, *, seconds: int) -> None:
    # Lax, for a browser comes back from another website with it.
    reply.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def _drop(reply: Response, name: str) -> None:
    reply.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
