"""Routes of places for apps, websites and organisers; the pages behind mailed links are in `link_api`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Header, Query
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.contracts import ParticipantClass
from services.kernel import idempotency, mail, reach
from services.kernel.auth import Caller, PerhapsCaller, Role
from services.kernel.problems import Invalid, Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running, Writing, WritingForActors
from services.registration.cards import store as cards
from services.registration.cards.rules import Outcome
from services.registration.cards.schemas import CardCheck
from services.registration.cards.tables import Card
from services.registration.people import rules as people_rules
from services.registration.people.schemas import LinkToken
from services.registration.places import actions, at_once, rules, signing_up, store, together
from services.registration.places.rules import AskedAgain, State
from services.registration.places.schemas import (
    AvailabilityList,
    AvailabilityOut,
    Bounce,
    ClassAvailability,
    RegistrationEntry,
    RegistrationOut,
    SignedUp,
    SignedUpTogether,
    SignUp,
    SignUpTogether,
)
from services.registration.places.tables import Places, Registration
from services.registration.proofs.actions import asker as asker_of
from services.registration.proofs.rules import HEADER, ProofRequired
from services.registration.tables import OUTGOING_MAIL

MOST_ACTIVITIES = 200

router = make_router(tag="places")

_LINKED = (
    people_rules.LinkNotFound,
    people_rules.LinkExpired,
    rules.HoldEnded,
    rules.RegistrationCancelled,
    rules.ActivityCalledOff,
)
Solved = Annotated[
    str | None,
    Header(alias=HEADER, description="The solution of a challenge of `proof-required`, as ALTCHA writes it."),
]
_ids: TypeAdapter[list[UUID]] = TypeAdapter(list[UUID])


@router.post(
    "/registrations",
    status_code=201,
    response_model=SignedUp,
    responses=documented(
        rules.ActivityNotFound,
        rules.ActivityNotOpen,
        rules.ActivityFull,
        rules.NotWaitedFor,
        rules.SignUpClosed,
        rules.SignUpNotYetOpen,
        ProofRequired,
    ),
)
async def sign_up(
    session: WritingForActors,
    request: Request,
    runtime: Running,
    actor: PerhapsCaller,
    claim: idempotency.Claimed,
    wanted: SignUp,
    proof: Solved = None,
) -> SignedUp | Response:
    """Hold a place for somebody and their guests. They keep it by opening the link in the mail that they get.

    Where there is no room they wait, if they want to; where organisers choose, they apply. A mail says so.
    """
    asker = await asker_of(request, wanted.activity_id, proof, actor=actor)
    if session is None:
        return await at_once.sign_up(runtime, claim, wanted, asker)
    await idempotency.check(session, runtime, claim)
    request.state.claim = claim
    return await signing_up.sign_up(session, runtime.settings, wanted, asker)


@router.post(
    "/series/{series_id}/registrations",
    status_code=201,
    dependencies=[idempotency.required],
    responses=documented(rules.SeriesNotFound, rules.NotTogether, rules.NoDateOpen, ProofRequired),
)
async def sign_up_together(
    request: Request,
    session: Writing,
    runtime: Running,
    actor: PerhapsCaller,
    series_id: UUID,
    wanted: SignUpTogether,
    proof: Solved = None,
) -> SignedUpTogether:
    """Hold a place on several dates of a series, or on all that are open. One link in one mail confirms them all.

    Each date is a registration of its own from then on, with its own check-in code and its own link to give it back.
    """
    asker = await asker_of(request, series_id, proof, actor=actor)
    return await together.sign_up(session, runtime.settings, series_id, wanted, asker)


@router.get("/series/{series_id}/availability", responses=documented(rules.SeriesNotFound))
async def get_availability_of_series(session: Reading, response: Response, series_id: UUID) -> AvailabilityList:
    """How many places each date of a series has and how many are taken, in the order of the dates."""
    dates = await together.dates_of(session, series_id)
    response.headers["Cache-Control"] = "public, max-age=5"
    return AvailabilityList(items=await _availability(session, dates), next=None)


@router.post(
    "/registrations/{registration_id}/confirm",
    responses=documented(*_LINKED),
)
async def confirm_registration(
    session: Writing, runtime: Running, registration_id: UUID, link: LinkToken
) -> RegistrationOut:
    """Keep the place that is held or offered, by the secret of the mailed link; once more is as good as once."""
    return await out(
        session, (await actions.confirm(session, runtime.settings, link.token, handle=registration_id)).row
    )


@router.post(
    "/registrations/{registration_id}/cancel",
    responses=documented(*_LINKED, people_rules.LinkUsed, rules.ActivityBegan, rules.AlreadyCheckedIn),
)
async def cancel_registration(
    session: Writing, runtime: Running, registration_id: UUID, link: LinkToken
) -> RegistrationOut:
    """Give the place back, by the secret of a mailed link; once more is as good as once."""
    return await out(session, (await actions.cancel(session, runtime.settings, link.token, handle=registration_id)).row)


@router.get("/activities/{activity_id}/availability", responses=documented(rules.ActivityNotFound))
async def get_availability(session: Reading, response: Response, activity_id: UUID) -> AvailabilityOut:
    """How many places an activity has and how many are taken."""
    places = await store.places(session, activity_id)
    if places is None:
        raise rules.ActivityNotFound
    response.headers["Cache-Control"] = "public, max-age=5"
    return (await _availability(session, [places]))[0]


@router.get("/availability")
async def list_availability(
    session: Reading,
    response: Response,
    activity: Annotated[list[str], Query(description="Ids of up to 200 activities, repeated or with commas between.")],
) -> AvailabilityList:
    """How many places each of several activities has; unknown ones are left out."""
    written = [identity for value in activity for identity in value.split(",")]
    if len(written) > MOST_ACTIVITIES:
        raise Invalid.at("query/activity", f"Name at most {MOST_ACTIVITIES} activities.")
    try:
        identities = _ids.validate_python(written)
    except ValidationError:
        raise Invalid.at("query/activity", "Must be UUIDs with commas between.") from None
    response.headers["Cache-Control"] = "public, max-age=5"
    return AvailabilityList(items=await _availability(session, await store.places_of(session, identities)), next=None)


@router.post(
    "/mail/bounces",
    status_code=204,
    dependencies=[idempotency.optional],
    responses=documented(Unauthenticated, rules.NotTheMailServer, rules.MailNotFound),
)
async def record_bounce(session: Writing, actor: Caller, bounce: Bounce) -> None:
    """Tell that a mail came back for good; for the mail server's own hook, with the token of a machine or operator."""
    if actor.role not in {Role.MACHINE, Role.OPERATOR}:
        raise rules.NotTheMailServer
    await reach.take(session, reach.EVERYTHING)  # Mails are told apart by their ids alone.
    if not await mail.bounced(session, OUTGOING_MAIL, bounce.mail_id, bounce.status):
        raise rules.MailNotFound


async def _availability(session: Reading, known: Sequence[Places]) -> list[AvailabilityOut]:
    now = await store.now(session)
    return [
        AvailabilityOut(
            activity_id=places.activity_id,
            capacity=places.capacity,
            taken=places.taken,
            waiting=places.waiting,
            by_class=[
                ClassAvailability(participant_class=each, capacity=quota, taken=places.room.taken_by_class[each])
                for each, quota in places.room.quotas.items()
            ],
            open=places.refusal(now) is None,
            closes_at=places.sign_up_ends_at,
        )
        for places in known
    ]


async def out(session: Writing, row: Registration) -> RegistrationOut:
    """A registration for whoever holds its secret."""
    state = State(row.state)
    return RegistrationOut(
        id=row.id,
        activity_id=row.activity_id,
        state=state,
        held_until=row.held_until if state in rules.HELD else None,
        position=await store.position(session, row) if state is State.WAITLISTED else None,
        code=row.code if state is State.CONFIRMED else None,
    )


async def entries(session: Reading | Writing, rows: Sequence[Registration]) -> list[RegistrationEntry]:
    """Registrations for their activity's organisers, with what became of the latest mail to each."""
    # The mail about several dates is about the first of them.
    written_about = {str(identity) for row in rows for identity in (row.id, row.together_id) if identity is not None}
    mailed = await mail.outcomes(session, OUTGOING_MAIL, sorted(written_about))
    named = await cards.of(session, [row.id for row in rows])
    return [_entry(row, mailed.get(str(row.id)) or mailed.get(str(row.together_id)), named.get(row.id)) for row in rows]


def _after_move(row: Registration) -> AskedAgain | None:
    if row.asked_again_at is None:
        return None
    return AskedAgain.ASKED if row.still_comes_at is None else AskedAgain.COMES


def _entry(row: Registration, mailed: mail.Outcome | None, card: Card | None) -> RegistrationEntry:
    return RegistrationEntry(
        id=row.id,
        lead_id=row.lead_id,
        party_size=row.party_size,
        state=State(row.state),
        given_name=row.given_name,
        family_name=row.family_name,
        participant_class=ParticipantClass(row.participant_class),
        home_country=row.home_country,
        host_section=row.host_section,
        mobility=None if row.mobility is None else rules.Mobility(row.mobility),
        esncard=card and CardCheck(outcome=Outcome(card.outcome or Outcome.UNKNOWN), checked_at=card.checked_at),
        answers=row.answers,
        code=row.code,
        mail=mailed,
        checked_in=row.checked_in_at is not None,
        signed_up_at=row.signed_up_at,
        held_until=row.held_until if State(row.state) in rules.HELD else None,
        waiting_since=row.waiting_since if State(row.state) is State.WAITLISTED else None,
        after_move=_after_move(row),
    )
