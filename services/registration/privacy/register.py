"""The register of personal data: every column that tells something of a person, why it is kept, and until when.

A test compares it with the database, so that a new column of this service fails until somebody has decided whether it
is personal. The privacy notice is made of it (GDPR, articles 13, 14 and 30).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Basis(StrEnum):
    """The legal basis of processing, by article of the GDPR."""

    CONSENT = "Art. 6(1)(a): consent"
    DUTY = "Art. 6(1)(c): the duty to show that consent was given (Art. 7(1))"
    INTEREST = "Art. 6(1)(f): the legitimate interest that the service is safe, works, and can be answered for"


class Aim(StrEnum):
    """What personal data is used for."""

    PLACE = "to give you a place in an activity and to know who was there"
    WRITING = "to write to you about the activity that you signed up for"
    ACCESS = "to let you, and nobody else, manage what you signed up for"
    PROOF = "to be able to show what you consented to"
    SAFETY = "to carry out a repeated request only once, and to find the cause of faults"
    CERTIFYING = "to certify your hours, because you asked for it, and to let others verify that"
    ENQUIRY = "to bring your organisation's enquiry to the section or country that it is for, and to be answered"
    ANSWERING = "to know which volunteer of ESN did what, and to keep strangers out"


class Until(StrEnum):
    """How long personal data is kept. `{people}` and `{unconfirmed}` are settings, in days."""

    FORGOTTEN = (
        "{people} days after the activity's end ({unconfirmed} days after it ended for a sign-up that nobody "
        "confirmed); at once when you ask for it"
    )
    LEFT = "until no registration of yours is kept any more; at once when you ask for it"
    ERASED = (
        "until you ask for its deletion; once no registration of yours is kept any more it leads to nobody who does "
        "not hold the certificate"
    )
    CHECKED = "until it was checked, which is after a day at most"
    SENT = "until the mail is sent or given up, which is after a week at most"
    ANSWERED = "30 days after the mail with it was sent or given up"
    PARTNER = "as long as the organisation is known as a partner"
    TOLD = "30 days, a few days longer if the organisers' system is not reached; at once when you ask for it"
    TWO_DAYS = "48 hours; at once when you ask for it"
    EXPIRED = "30 days after the link expires; at once when you ask for it"
    EXPORTED = "a week after the link to the export has ended"
    PASSED = "30 days after the pass ends"
    SIGNED_IN = "until they sign out; 30 minutes after they used it last, and 8 hours at most"
    ACCESS = "as long as the volunteer's access is accounted for"
    AUDITED = "two years"
    ACTIVITY = "as long as the activity is kept"


class Seen(StrEnum):
    """Who can see personal data, beside the person and those who operate the servers."""

    ORGANISERS = "the organisers of the activity: its sections, their national coordinator and ESN International"
    ENQUIRED = "the coordinators of the section or country that the enquiry is for, and ESN International"
    NUMBERED = "whoever you give the number of the certificate"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Record:
    """The personal columns of one table that are kept for the same reason."""

    table: str
    aim: Aim
    basis: Basis
    until: Until
    seen_by: Seen
    columns: Mapping[str, str]


_REGISTRATION: Final = "the registration that it belongs to"

RECORDS: Final = (
    Record("registration.participants", Aim.WRITING, Basis.CONSENT, Until.LEFT, Seen.NOBODY, {
        "id": "a random number for you",
        "email": "your e-mail address, as you wrote it",
        "email_key": "your e-mail address, as it is compared",
        "known_since": "when you first signed up",
        "proved_at": "when you first opened a link that only your mailbox got",
        "link_mailed_at": "when you last asked for a link to what is kept of you",
        "person_key": "a random number by which you are counted once at several activities; it is destroyed "
        "with the rest",
        "reminders_declined_at": "when you asked not to be reminded of activities any more",
    }),
    Record("registration.registrations", Aim.PLACE, Basis.CONSENT, Until.FORGOTTEN, Seen.ORGANISERS, {
        "id": "a random number for your registration",
        "activity_id": "the activity",
        "state": "whether you have a place",
        "participant_class": "whether you are an international student, local or a volunteer of ESN",
        "given_name": "your given name",
        "family_name": "your family name",
        "home_country": "your home country, if you told it",
        "host_section": "the ESN section that hosts you, if you told it",
        "mobility": "whether you are here to study or for a traineeship, if you told it",
        "answers": "your answers to the organisers' questions",
        "code": "your check-in code",
        "lead_id": "who signed you up, if somebody brings you along",
        "party_size": "how many you come with",
        "signed_up_at": "when you signed up",
        "waiting_since": "since when you wait for a place",
        "checked_in_at": "when you were checked in",
        "asked_again_at": "when you were asked again because time or place had changed",
        "still_comes_at": "when you said that you come all the same",
    }),
    Record("registration.registrations", Aim.PLACE, Basis.CONSENT, Until.FORGOTTEN, Seen.NOBODY, {
        "participant_id": "who you are",
        "language": "the language in which you are written to",
        "attendance_key": "a random number under which your attendance is counted; it is destroyed with the rest",
        "held_until": "until when a place was held for you",
        "together_id": "with which other registrations of yours it was made, if it is for one date of several",
        "reminded_at": "when you were last written to because somebody signed up with your address again",
        "confirmed_at": "when you confirmed",
        "reminded_for": "the start that you were last reminded of",
        "ended_at": "when your registration ended",
    }),
    Record("registration.handles", Aim.PLACE, Basis.CONSENT, Until.FORGOTTEN, Seen.NOBODY, {
        "id": "a further number for your registration",
        "registration_id": _REGISTRATION,
    }),
    Record("registration.cards", Aim.PLACE, Basis.CONSENT, Until.CHECKED, Seen.NOBODY, {
        "number": "the number of your ESNcard, if you told it",
    }),
    Record("registration.cards", Aim.PLACE, Basis.CONSENT, Until.FORGOTTEN, Seen.ORGANISERS, {
        "registration_id": _REGISTRATION,
        "outcome": "whether your ESNcard was valid",
        "checked_at": "when that was asked",
    }),
    Record("registration.attendances", Aim.PLACE, Basis.CONSENT, Until.FORGOTTEN, Seen.NOBODY, {
        "registration_id": _REGISTRATION,
        "hours": "how many hours you were there",
        "present": "whether you were there",
        "corrected": "whether the organisers corrected that",
    }),
    Record("registration.attendance_history", Aim.PLACE, Basis.CONSENT, Until.FORGOTTEN, Seen.ORGANISERS, {
        "id": "a random number for a correction",
        "registration_id": _REGISTRATION,
        "act": "whether your attendance was corrected, or nobody had seen you",
        "present_before": "whether you were taken to have been there",
        "hours_before": "for how many hours",
        "present_after": "whether you are taken to have been there from then on",
        "hours_after": "for how many hours",
        "reason": "why the organisers corrected it",
        "at": "when",
    }),
    Record("registration.check_ins", Aim.PLACE, Basis.CONSENT, Until.FORGOTTEN, Seen.NOBODY, {
        "registration_id": _REGISTRATION,
        "nonce": "the number that the organisers' device gave the check-in",
        "at": "when you came",
        "hours": "how many hours you stayed",
        "told_at": "when the device told it",
    }),
    Record("registration.certificates", Aim.CERTIFYING, Basis.CONSENT, Until.LEFT, Seen.NUMBERED, {
        "number": "the number of your certificate",
        "content": "what it states: your name, activities, days, organisers and hours, and its language",
    }),
    Record("registration.certificates", Aim.CERTIFYING, Basis.CONSENT, Until.LEFT, Seen.NOBODY, {
        "participant_id": "who you are",
        "content_hash": "a hash of what it states",
        "revoked_reason": "why it was revoked, if it was",
    }),
    Record("registration.certificates", Aim.CERTIFYING, Basis.CONSENT, Until.ERASED, Seen.NUMBERED, {
        "name_digest": "a hash of number and name together: whoever has both on paper can see that they match",
        "activities": "how many activities it states",
        "hours": "how many hours",
        "first_on": "the day of the first of them",
        "last_on": "the day of the last of them",
        "issued_at": "when it was issued",
        "revoked_at": "when it was revoked, if it was",
    }),
    Record("registration.certified_attendances", Aim.CERTIFYING, Basis.CONSENT, Until.FORGOTTEN, Seen.NOBODY, {
        "number_hash": "a hash of the certificate's number",
        "registration_id": _REGISTRATION,
        "hours": "how many hours the certificate states of it",
        "is_barred": "whether it can be certified no more, since organisers revoked a certificate of it",
    }),
    Record("registration.consents", Aim.PROOF, Basis.DUTY, Until.LEFT, Seen.NOBODY, {
        "id": "a random number for the act",
        "participant_id": "who consented",
        "registration_id": _REGISTRATION,
        "purpose": "what you consented to",
        "text_version": "which text you read",
        "text_hash": "the hash of that text",
        "language": "in which language",
        "act": "whether you gave or withdrew it",
        "given_at": "when",
    }),
    Record("registration.links", Aim.ACCESS, Basis.CONSENT, Until.EXPIRED, Seen.NOBODY, {
        "token_hash": "the hash of the secret in a link that you were mailed",
        "registration_id": _REGISTRATION,
        "purpose": "what the link is for",
        "expires_at": "until when it works",
        "used_at": "when you used it",
    }),
    Record("registration.outgoing_mail", Aim.WRITING, Basis.CONSENT, Until.SENT, Seen.NOBODY, {
        "recipient": "your e-mail address",
        "subject": "what the mail is about",
        "body": "what it says",
        "html": "what it says, as HTML",
        "unsubscribe_url": "where you can say that you want no more mails of its kind",
        "codes": "the check-in codes that it shows as pictures",
        "facts": "what it will tell you: your first name, the activity, your link and your check-in code",
    }),
    Record("registration.outgoing_mail", Aim.WRITING, Basis.CONSENT, Until.FORGOTTEN, Seen.ORGANISERS, {
        "id": "a random number for the mail",
        "business_key": "the registration that it is about, and which letter it is",
        "about": "the registration that it is about",
        "language": "in which language it is written",
        "queued_at": "when it was written",
        "sent_at": "when it was sent",
        "given_up_at": "when it was given up",
        "bounced_at": "when it came back",
        "status": "why it could not be delivered, as a number",
        "error": "why it could not be delivered, in a word",
    }),
    Record("registration.idempotency_keys", Aim.SAFETY, Basis.INTEREST, Until.TWO_DAYS, Seen.NOBODY, {
        "key": "the number that your browser gave the request",
        "body": "what your sign-up was answered: the number of your registration",
        "headers": "the headers of that answer",
        "request_hash": "a keyed hash of what you sent, from which it can't be read",
        "answered_at": "when you sent it",
    }),
    Record("registration.webhook_deliveries", Aim.PLACE, Basis.INTEREST, Until.TOLD, Seen.ORGANISERS, {
        "about": "the registration of whose state the organisers' own system was told",
        "data": "the registration, its activity and the state",
        "kind": "the state",
        "made_at": "when it took that state",
        "delivered_at": "when their system was told",
    }),
    Record("activities.enquiries", Aim.ENQUIRY, Basis.CONSENT, Until.ANSWERED, Seen.ENQUIRED, {
        "id": "a random number for your enquiry",
        "organisation": "for which organisation you write",
        "email": "your e-mail address",
        "email_key": "your e-mail address, as it is compared",
        "name": "your name, if you told it",
        "message": "what you wrote",
        "language": "in which language",
        "city": "where",
        "asked_at": "when you wrote",
        "answered_at": "when somebody noted that you were answered",
    }),
    Record("activities.outgoing_mail", Aim.ENQUIRY, Basis.CONSENT, Until.SENT, Seen.NOBODY, {
        "recipient": "the mailbox that your enquiry goes to",
        "reply_to": "your e-mail address",
        "subject": "what the mail is about",
        "body": "what you wrote",
        "html": "what you wrote, as HTML",
        "given_up_at": "when the mail was given up",
    }),
)  # fmt: skip
"""What is known of those who take part, and of those who write to ESN."""

IMPERSONAL: Final[Mapping[str, frozenset[str]]] = {
    "registration.places": frozenset({
        "activity_id", "revision", "state", "title", "language", "section_codes", "country", "starts_at", "ends_at",
        "time_zone", "location", "minimum_age", "takes_sign_ups", "opens_at", "closes_at", "capacity", "taken",
        "availability_revision", "to_call_off", "choosing", "guests_at_most", "hold_minutes", "keeps_waiting_list",
        "offer_hours", "offers_due", "offers_end_hours", "questions", "quota_esn_volunteer", "quota_international",
        "quota_local", "taken_esn_volunteer", "taken_international", "taken_local", "terms_revision", "waiting",
        "part_of", "relation", "has_parts", "no_shows_due", "organiser_names", "asks_esncard", "confirm_until",
        "remind_at", "move_due_at", "move_noted_at", "moved_at", "moved_from_starts_at", "moved_from_ends_at",
        "moved_from_location", "to_ask_again",
    }),
    # The hash of a number that nobody guesses, and when a certificate was withdrawn, to the month.
    "registration.certificates": frozenset({"number_hash", "withdrawn_at"}),
    "registration.spent_proofs": frozenset({"nonce", "expires_at"}),
    "registration.sections": frozenset({"code", "title", "country", "successor"}),
    "registration.cards": frozenset({"tries", "due_at"}),
    # When somebody was forgotten, to the month: by then the row is nobody's.
    "registration.registrations": frozenset({"forgotten_at"}),
    "registration.attendances": frozenset({"revision"}),
    "registration.check_ins": frozenset({"activity_id"}),
    "registration.check_in_passes": frozenset({"activity_id"}),
    "registration.attendance_history": frozenset({"walk_in_id"}),
    # Of somebody of whom nobody knows who they are.
    "registration.walk_ins": frozenset({
        "id", "activity_id", "nonce", "participant_class", "at", "attendance_key", "told_at", "revision", "hours",
        "present", "corrected",
    }),
    "registration.outgoing_mail": frozenset({"trace_id", "tries", "due_at"}),
    "registration.idempotency_keys": frozenset({"status"}),
    # What is noted of changes has no personal column (tests/migrations/test_audit.py).
    "registration.audit_entries": frozenset({
        "id", "xid", "number", "by_key", "verb", "sections", "country", "status", "details", "trace_id",
    }),
    "registration.audit_changes": frozenset({
        "number", "entry", "at", "kind", "key", "act", "before", "after", "named",
    }),
    "registration.audit_links": frozenset({
        "position", "entry", "xid", "number", "at", "digest", "hash", "linked_at",
    }),
    "registration.webhook_endpoints": frozenset({
        "id", "revision", "section", "country", "url", "kinds", "description", "state", "disabled_because", "salt",
        "former_salt", "former_until", "failures", "failing_since", "resting_until", "made_at",
    }),
    "registration.webhook_deliveries": frozenset({
        "id", "endpoint_id", "tries", "due_at", "tried_at", "failed_at", "status", "error", "took_ms",
    }),
}  # fmt: skip
"""The columns of this service that tell nothing of anybody."""
