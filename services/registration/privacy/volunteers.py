"""The part of the register that is of ESN's volunteers: what is known of whoever organises."""

from __future__ import annotations

from typing import Final

from services.registration.privacy.register import Aim, Basis, Record, Seen, Until

VOLUNTEERS: Final = (
    *(
        record
        for service in ("activities", "registration", "impact")
        for record in (
            Record(f"{service}.audit_entries", Aim.ANSWERING, Basis.INTEREST, Until.AUDITED, Seen.ORGANISERS, {
                "actor_id": "the number of the access of whoever did something",
                "actor_role": "in which role",
                "actor_section": "for which section",
                "actor_country": "for which country",
                "client_network": "from which network, the last part of its address left out",
                "at": "when",
                "object": "to what",
            }),
            Record(f"{service}.idempotency_keys", Aim.SAFETY, Basis.INTEREST, Until.TWO_DAYS, Seen.NOBODY, {
                "caller": "the number of the access with which the request was sent",
            }),
            Record(f"{service}.webhook_endpoints", Aim.WRITING, Basis.INTEREST, Until.ACCESS, Seen.ORGANISERS, {
                "contact_email": "the address that is told when a webhook fails, of a function and not of a person",
            }),
        )
    ),
    Record("access.keys", Aim.ANSWERING, Basis.INTEREST, Until.ACCESS, Seen.ORGANISERS, {
        "made_by": "the number of the access of whoever made a key for a website or a program",
        "name": "what the key is for, as they wrote it down",
        "last_used_at": "when the key was used last, to the minute",
    }),
    Record("access.tokens", Aim.ANSWERING, Basis.INTEREST, Until.ACCESS, Seen.NOBODY, {
        "id": "a random number for the access of a volunteer or a program",
        "label": "whose access it is, as whoever gave it wrote it down",
        "token_hash": "the hash of the access token",
        "role": "what they may do",
        "section": "for which section",
        "country": "for which country",
    }),
    Record("access.sessions", Aim.ANSWERING, Basis.INTEREST, Until.SIGNED_IN, Seen.NOBODY, {
        "id": "a random number for a browser in which somebody signed in", "secret_hash": "the hash of its cookie",
        "sealed": "what lets us ask ESN Accounts who they are, readable with the cookie only",
        "token_ends_at": "until when ESN Accounts answers", "begun_at": "when they signed in",
        "seen_at": "when they used our pages last, to the minute",
        "holder": "the number of the account with which they signed in",
    }),
    Record("registration.check_ins", Aim.ANSWERING, Basis.INTEREST, Until.ACTIVITY, Seen.NOBODY, {
        "actor_id": "the number of the access of whoever checked somebody in",
    }),
    Record("registration.walk_ins", Aim.ANSWERING, Basis.INTEREST, Until.ACTIVITY, Seen.NOBODY, {
        "actor_id": "the number of the access of whoever counted somebody who came without a place",
    }),
    Record("registration.check_in_passes", Aim.ANSWERING, Basis.INTEREST, Until.PASSED, Seen.ORGANISERS, {
        "id": "a random number for the pass of a helper", "secret_hash": "the hash of the pass",
        "made_by": "the number of the access of whoever lent it",
        "label": "whose pass it is or where they stand, as whoever lent it wrote it down",
        "made_at": "when it was lent", "revoked_at": "when it was taken back",
        "begins_at": "from when it can be used", "expires_at": "until when",
    }),
    Record("registration.attendance_history", Aim.ANSWERING, Basis.INTEREST, Until.ACTIVITY, Seen.ORGANISERS, {
        "actor_id": "the number of the access of whoever corrected an attendance",
        "actor_role": "in which role",
    }),
    Record("registration.certificates", Aim.ANSWERING, Basis.INTEREST, Until.ACCESS, Seen.NOBODY, {
        "revoked_by": "the number of the access of whoever revoked a certificate",
    }),
    Record("activities.activity_history", Aim.ANSWERING, Basis.INTEREST, Until.ACTIVITY, Seen.NOBODY, {
        "actor_id": "the number of the access of whoever changed the activity",
        "actor_role": "in which role",
        "actor_section": "for which section",
        "actor_country": "for which country",
    }),
    Record("activities.organisation_history", Aim.ANSWERING, Basis.INTEREST, Until.ACCESS, Seen.ORGANISERS, {
        "actor_id": "the number of the access of whoever changed a national organisation",
        "actor_role": "in which role",
    }),
    Record("activities.taxonomy_history", Aim.ANSWERING, Basis.INTEREST, Until.ACCESS, Seen.NOBODY, {
        "actor_id": "the number of the access of whoever changed a term",
        "actor_role": "in which role",
    }),
    Record("activities.crosswalk_history", Aim.ANSWERING, Basis.INTEREST, Until.ACCESS, Seen.NOBODY, {
        "actor_id": "the number of the access of whoever changed a mapping",
        "actor_role": "in which role",
    }),
    Record("activities.label_policies", Aim.ANSWERING, Basis.INTEREST, Until.ACCESS, Seen.NOBODY, {
        "decided_by": "the number of the access of whoever decided on a country's policy",
    }),
    Record("activities.partners", Aim.WRITING, Basis.INTEREST, Until.PARTNER, Seen.ORGANISERS, {
        "contact_email": "the address of a partner organisation, of a function and not of a person",
    }),
    Record("impact.outgoing_mail", Aim.WRITING, Basis.INTEREST, Until.SENT, Seen.NOBODY, {
        "recipient": "the address that is told when a webhook fails",
        "subject": "what the mail is about",
        "body": "which webhook, and why",
        "given_up_at": "when the mail was given up",
    }),
    Record("impact.exports", Aim.SAFETY, Basis.INTEREST, Until.EXPORTED, Seen.NOBODY, {
        "asked_by": "the number of the access with which an export was asked for",
    }),
    Record("impact.report_quantities", Aim.ANSWERING, Basis.INTEREST, Until.ACTIVITY, Seen.ORGANISERS, {
        "given_to": "who was given what an activity collected: an organisation and not a person",
    }),
    Record("impact.report_history", Aim.ANSWERING, Basis.INTEREST, Until.ACTIVITY, Seen.NOBODY, {
        "actor_id": "the number of the access of whoever changed the report",
        "actor_role": "in which role",
    }),
)  # fmt: skip
"""What is known of volunteers of ESN who organise."""
