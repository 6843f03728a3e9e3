"""One's own hours and certificates: routes for programs that send the secret of a link."""

from __future__ import annotations

from fastapi import Path
from starlette.responses import Response

from services.kernel.limits import costing
from services.kernel.problems import documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running, Writing
from services.registration.certificates import actions as certificates
from services.registration.certificates import pages
from services.registration.certificates.rules import (
    CertificateNotFound,
    NothingToCertify,
    NotPrintable,
    TooMuchToCertify,
)
from services.registration.certificates.schemas import CertificateWanted, MyCertificate, MyCertificates, MyHours
from services.registration.privacy import actions, rules
from services.registration.privacy.holder import PerhapsSecret, Secret, needed

router = make_router(tag="certificates")

PRIVATE = {"Cache-Control": "private, no-store"}


@router.get("/me/hours", responses=documented(rules.LinkNeeded))
async def get_my_hours(session: Reading, response: Response, secret: Secret) -> MyHours:
    """One's hours over all activities that are over, by academic year and class of participants."""
    who = await actions.person(session, secret)
    response.headers.update(PRIVATE)
    return await certificates.hours(session, who.id)


@router.get("/me/certificates", responses=documented(rules.LinkNeeded))
async def list_my_certificates(session: Reading, response: Response, secret: Secret) -> MyCertificates:
    """One's certificates, latest first."""
    who = await actions.person(session, secret)
    response.headers.update(PRIVATE)
    return MyCertificates(items=await certificates.mine(session, who.id), next=None)


@router.post(
    "/me/certificates",
    status_code=201,
    response_model=MyCertificate,
    responses={
        200: {"model": MyCertificate, "description": "One that states the same was issued before: it is this one."},
        **documented(rules.LinkNeeded, NothingToCertify, TooMuchToCertify),
    },
)
async def get_certified(
    session: Writing, runtime: Running, secret: PerhapsSecret, wanted: CertificateWanted
) -> Response:
    """Get one's hours certified, as they are recorded now, of activities that are over.

    It needs no key: the same hours in the same language are the same certificate.
    """
    who = await actions.person(session, needed(secret), locked=True)
    row, is_new = await certificates.issue(session, runtime.settings, who.id, wanted)
    shown = certificates.shown(row)
    headers = {**PRIVATE, "Location": f"{runtime.settings.base_url}/registration/v1/certificates/{shown.number}"}
    status = 201 if is_new else 200
    return Response(shown.model_dump_json(), status_code=status, media_type="application/json", headers=headers)


@router.get(
    "/certificates/{number}.pdf",
    response_class=Response,
    dependencies=[costing(5)],
    responses={
        200: {"content": {"application/pdf": {}}, "description": "PDF/A-2a and PDF/UA-1, the same bytes each time."},
        **documented(rules.LinkNeeded, CertificateNotFound, NotPrintable),
    },
)
async def print_certificate(
    session: Reading, secret: Secret, number: str = Path(description="Of a certificate of one's own.")
) -> Response:
    """A certificate of one's own, to print or to send."""
    who = await actions.person(session, secret)
    return pages.file(*await certificates.printed(session, who.id, number))
