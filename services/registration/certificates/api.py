"""Routes by which anybody verifies a certificate and organisers revoke one; one's own ones are in `privacy`."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.kernel import idempotency, preferences
from services.kernel.auth import Caller
from services.kernel.problems import Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Writing
from services.registration.certificates import actions, rules
from services.registration.certificates.schemas import NameChecked, NameToCheck, Revocation, Verification

router = make_router(tag="certificates")

HTML = "text/html"
LED_ON: dict[int | str, dict[str, Any]] = {303: {"description": "A browser is led to the page that says the same."}}
Number = Annotated[
    str, Path(description="As it stands on the certificate; small letters and left out dashes are fine.")
]


@router.get(
    "/certificates/{number}",
    response_model=Verification,
    responses={**LED_ON, **documented(rules.CertificateNotFound)},
)
async def verify_certificate(request: Request, session: Reading, number: Number) -> Response:
    """Whether a certificate is valid, and what it states, for whoever holds its number. A browser is led to a page."""
    if preferences.prefers(request.headers.get("accept", ""), HTML):
        # Relative, since a proxy may serve all of this below an address of its own.
        return RedirectResponse(f"../../certificates/{quote(number, safe='')}", 303, headers={"Vary": "Accept"})
    found = await actions.verify(session, number)
    headers = {"Cache-Control": "private, no-store", "Vary": "Accept", "X-Robots-Tag": "noindex, nofollow, noarchive"}
    return Response(found.model_dump_json(), media_type="application/json", headers=headers)


@router.post("/certificates/{number}/name-check", responses=documented(rules.CertificateNotFound))
async def check_name(session: Reading, number: Number, told: NameToCheck) -> NameChecked:
    """Whether a certificate was issued to a name, also when that is not kept any more. It changes nothing."""
    return NameChecked(matches=await actions.is_name(session, number, told.name))


@router.post(
    "/certificates/{number}/revoke",
    status_code=204,
    dependencies=[idempotency.optional],
    responses=documented(
        Unauthenticated, rules.CertificateOutOfReach, rules.CertificateNotFound, rules.CertificateEnded
    ),
)
async def revoke_certificate(session: Writing, actor: Caller, number: Number, why: Revocation) -> None:
    """Revoke a certificate, as an organiser of one of its activities or whoever oversees them.

    Attendances within your reach get on to no other certificate. Where hours are wrong, correct the attendance instead.
    """
    await actions.revoke(session, actor, number, why.reason)
