"""Wires the service `registration`."""

from __future__ import annotations

from services.contracts import (
    REGISTRATION,
    ActivityCancelled,
    ActivityHeld,
    ActivityPublished,
    ActivityRevised,
    SectionRecorded,
)
from services.kernel import idempotency, sessions
from services.kernel.audit import api as audit
from services.kernel.audit import chain
from services.kernel.consumers import Consumer
from services.kernel.service import Service, Sweep
from services.kernel.straight import Straight
from services.kernel.webhooks import api as webhooks
from services.kernel.webhooks import sending
from services.registration.attendance import api as attendance
from services.registration.attendance import consumers as attendance_reactions
from services.registration.attendance import link_api as codes
from services.registration.attendance import page_api as check_in_page
from services.registration.cards import consumers as cards
from services.registration.certificates import api as certificates
from services.registration.certificates import page_api as certificate_pages
from services.registration.door import api as door
from services.registration.door import consumers as door_reactions
from services.registration.form import api as details
from services.registration.form import link_api as my_answers
from services.registration.form import page_api as sign_up_form
from services.registration.people import consumers as people_reactions
from services.registration.places import api as places
from services.registration.places import at_once
from services.registration.places import consumers as reactions
from services.registration.places import link_api as links
from services.registration.places.schemas import SignUp
from services.registration.privacy import api as privacy
from services.registration.privacy import certificate_api as my_certificates
from services.registration.privacy import certificate_link_api as my_certificate_pages
from services.registration.privacy import consumers as privacy_reactions
from services.registration.privacy import link_api as my_pages
from services.registration.privacy import notice_api
from services.registration.proofs import consumers as proofs
from services.registration.signing_in import page_api as sign_in
from services.registration.tables import AUDIT, METADATA, WEBHOOKS
from services.registration.telling import consumers as telling
from services.registration.telling import link_api as reminders
from services.registration.terms import api as terms
from services.registration.waiting import api as choosing
from services.registration.waiting import consumers as waiting

SERVICE = Service(
    name=REGISTRATION,
    has_walls=True,
    straight=(Straight("/v1/registrations", SignUp, at_once.sign_up_straight, at_once.warm_up),),
    title="SocialErasmus registration",
    description="Places in activities: sign-up, confirmation by mail, cancellation, and who was there.",
    routers=(
        my_certificates.router,
        my_certificate_pages.router,
        certificates.router,
        certificate_pages.router,
        places.router,
        terms.router,
        choosing.router,
        links.router,
        attendance.router,
        door.router,
        codes.router,
        check_in_page.router,
        check_in_page.visited,
        privacy.router,
        my_pages.router,
        notice_api.router,
        sign_in.router,
        sign_up_form.router,
        details.router,
        my_answers.router,
        reminders.router,
        webhooks.router(WEBHOOKS),
        audit.router(AUDIT),
    ),
    consumer=Consumer(
        REGISTRATION,
        {
            ActivityPublished: reactions.activity_changed,
            ActivityRevised: reactions.activity_changed,
            ActivityHeld: reactions.activity_changed,
            ActivityCancelled: reactions.activity_changed,
            SectionRecorded: reactions.section_recorded,
        },
    ),
    sweeps=(
        Sweep("holds that ended", reactions.expire_holds),
        Sweep("places to offer", waiting.offer_due),
        Sweep("waits in vain", reactions.end_waiting, every_seconds=15),
        Sweep("activities called off", reactions.call_off),
        Sweep("no-shows", attendance_reactions.mark_no_shows, every_seconds=60),
        Sweep("activities moved", telling.tell_of_moves, every_seconds=5),
        Sweep("reminders", telling.remind, every_seconds=15),
        Sweep("ESNcards", cards.check_due, every_seconds=5),
        Sweep("mail", reactions.send_mail, every_seconds=0.5),
        Sweep("forget expired links", people_reactions.forget_expired_links, every_seconds=3600),
        Sweep("forget used proofs", proofs.forget_old, every_seconds=600),
        Sweep("forget people", privacy_reactions.forget_old, every_seconds=3600),
        *sending.sweeps(WEBHOOKS),
        Sweep("forget passes", door_reactions.forget_old, every_seconds=3600),
        Sweep("forget sessions", sessions.forget_old, every_seconds=600),
        *chain.sweeps(AUDIT),
        Sweep("forget answered keys", idempotency.forget_old, every_seconds=600),
    ),
)

__all__ = ["AUDIT", "METADATA", "SERVICE"]
