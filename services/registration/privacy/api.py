"""Routes of the person behind a link, of the texts that people consent to, and of the privacy notice."""

from __future__ import annotations

from decimal import Decimal

from starlette.responses import Response

from services.kernel.limits import costing
from services.kernel.problems import documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running, Writing
from services.kernel.texts import Code
from services.registration.people import agreements
from services.registration.people.tables import Participant
from services.registration.places.rules import show_code
from services.registration.privacy import actions, notice, rules, store
from services.registration.privacy.holder import Secret
from services.registration.privacy.schemas import (
    ConsentOut,
    ConsentText,
    ConsentVersion,
    ExportOut,
    LinkWanted,
    MeOut,
    MyConsent,
    MyRegistration,
    NoticeOut,
)

router = make_router(tag="people")


@router.get("/me", responses=documented(rules.LinkNeeded))
async def get_me(session: Reading, response: Response, secret: Secret) -> MeOut:
    """What is known of the person behind a link: their registrations for all activities, and hours attended."""
    who = await actions.person(session, secret)
    response.headers["Cache-Control"] = "private, no-store"
    return await _me(session, who)


@router.get("/me/export", responses=documented(rules.LinkNeeded), dependencies=[costing(5)])
async def export_me(session: Reading, runtime: Running, response: Response, secret: Secret) -> ExportOut:
    """Everything that is kept of the person behind a link, to take along."""
    who = await actions.person(session, secret)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Disposition"] = rules.AS_FILE
    return await actions.export(session, runtime.settings, who)


@router.delete("/me", status_code=204, responses=documented(rules.LinkNeeded))
async def forget_me(session: Writing, secret: Secret) -> None:
    """Erase the person behind a link everywhere, at once and for good; places not used yet become free."""
    await actions.forget_person(session, await actions.person(session, secret, locked=True))


@router.post("/me/links", status_code=202, response_class=Response)
async def send_my_link(session: Writing, runtime: Running, wanted: LinkWanted) -> Response:
    """Mail a link to what is known of a mailbox, once an hour at most. The answer is the same if nothing is known."""
    await actions.send_link(session, runtime.settings, wanted.email)
    return Response(status_code=202)


@router.post("/me/consents/{purpose}/withdraw", responses=documented(rules.LinkNeeded, rules.ConsentNotFound))
async def withdraw_consent(session: Writing, secret: Secret, purpose: Code) -> MeOut:
    """Withdraw consent to a purpose, for all activities; without `participation` or `of_age` places become free."""
    who = await actions.person(session, secret, locked=True)
    if purpose not in agreements.known():
        raise rules.ConsentNotFound
    await actions.withdraw_consent(session, who, purpose)
    return await _me(session, who)


@router.get("/consents/{purpose}", responses=documented(rules.ConsentNotFound))
async def get_consent(response: Response, purpose: Code) -> ConsentOut:
    """The texts with which people are or were asked for consent to a purpose, each with its hash."""
    versions = agreements.known().get(purpose)
    if versions is None:
        raise rules.ConsentNotFound
    response.headers["Cache-Control"] = "public, max-age=300"
    return ConsentOut(
        purpose=purpose,
        current=list(versions)[-1],
        versions=[
            ConsentVersion(text_version=version, texts=[ConsentText.model_validate(text) for text in texts])
            for version, texts in versions.items()
        ],
    )


@router.get("/privacy")
async def get_privacy_notice(runtime: Running, response: Response) -> NoticeOut:
    """The privacy notice: what is known of people, why, until when, and who sees it."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return notice.notice(runtime.settings)


async def _me(session: Reading | Writing, who: Participant) -> MeOut:
    rows = await store.registrations_of(session, who.id)
    registrations = [
        MyRegistration.model_validate({
            **{name: getattr(row, name) for name in MyRegistration.model_fields if hasattr(row, name)},
            **{name: getattr(places, name) for name in ("title", "starts_at", "ends_at", "time_zone")},
            "code": show_code(row.code),
            "hours": there and there.hours,
        })
        for row, places, there in rows
    ]  # fmt: skip
    return MeOut(
        email=who.email,
        known_since=who.known_since,
        registrations=registrations,
        attended_hours=sum((row.hours for row in registrations if row.hours is not None), Decimal(0)),
        consents=[
            MyConsent(
                registration_id=said.registration_id,
                purpose=said.purpose,
                text_version=said.text_version,
                given=said.act == "given",
                at=said.given_at,
            )
            for said in await store.consents_of(session, who.id)
        ],
    )
