"""Sign-ups of one process that arrive at once: decided together and committed once.

Whoever comes without guests is decided here: they get a place, apply or wait. All else goes the way of `signing_up` in
a transaction of its own: groups, and somebody who is there already. Mostly two statements do it: one looks, and one
keeps what was decided if that still holds (see `moments`); a lock that is not had soon is left to those who wait for it
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import uuid4

from pydantic_core import to_json
from starlette.responses import Response

from services.kernel import idempotency
from services.kernel.auth import hashed
from services.kernel.grouping import Group
from services.kernel.idempotency import Claim
from services.kernel.ids import new_id, new_id_text
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.trace import current_trace_id
from services.registration.people import rules as people_rules
from services.registration.people.agreements import agreement
from services.registration.places import at_once_store, letters, rules, signing_up
from services.registration.places.moments import Answered, Asked, Locked, Moment, Prepared
from services.registration.places.schemas import SignUp
from services.registration.places.seats import NO_ID, response
from services.registration.proofs.actions import Asker

PLANNED_BY_THE: Final = 6


def _prepared(settings: Settings, wanted: SignUp, claim: Claim, trace_id: str, key_lock: int) -> Prepared | None:
    if wanted.guests or wanted.esncard_number is not None:
        return None
    identity, token, code = new_id(), people_rules.new_token(), rules.new_code()
    fresh = letters.Fresh(identity, wanted.activity_id, wanted.given_name, code)
    row = {
        "id": identity, "person": new_id_text(), "email": wanted.email.given, "email_key": wanted.email.key,
        "recipient": wanted.email.reachable, "code": code, "attendance_key": uuid4(),
        "activity_id": wanted.activity_id, "participant_class": wanted.participant_class,
        "given_name": wanted.given_name, "family_name": wanted.family_name, "language": wanted.language,
        "home_country": wanted.home_country, "mobility": wanted.mobility, "answers": wanted.answers,
        "token_hash": hashed(token), "mail_id": new_id_text(), "mail_language": letters.tag_of(wanted.language),
        "facts": letters.own_facts(settings, fresh, token), "trace_id": trace_id,
        "caller": claim.caller, "key": claim.key, "key_lock": key_lock, "request_hash": claim.request_hash,
    }  # fmt: skip
    consents = [
        {
            "id": new_id_text(), "registration_id": identity, "purpose": given.purpose, "language": wanted.language,
            "text_version": given.text_version,
            "text_hash": agreement(given.purpose, given.text_version, wanted.language).sha256,
        }
        for given in wanted.consents
    ]  # fmt: skip
    return Prepared(identity, to_json(row, bytes_mode="hex"), to_json(consents))


async def sign_up_straight(runtime: Runtime, claim: Claim, wanted: SignUp, address: str) -> Response:
    """The same for a stranger at an address who shows no proof of work."""
    return await sign_up(runtime, claim, wanted, Asker(runtime, str(wanted.activity_id), address, None, None))


async def sign_up(runtime: Runtime, claim: Claim, wanted: SignUp, asker: Asker) -> Response:
    """Hold a place for somebody, together with those who sign up at this moment; raises the refusal of this one."""
    trace_id = current_trace_id()
    kept = _prepared(runtime.settings, wanted, claim, trace_id, claim.number(runtime))
    return await runtime.group(group).ask(Asked(wanted, claim, trace_id, asker, kept))


async def warm_up(runtime: Runtime) -> None:
    """Have a connection on which all statements of a group are prepared and planned."""
    async with runtime.grouping() as session:
        # From the sixth time on a plan is for any rows.
        for _ in range(PLANNED_BY_THE):
            await at_once_store.look(session, [Claim("", "", b"")], [NO_ID], percent=1, at_most=1)
            await at_once_store.keep(session, [], [], [], [])
    async with runtime.unit_of_work() as session:
        await idempotency.check_all(session, runtime, [Claim("", "", b"")], at_once_store.SETTINGS)
        await at_once_store.lock_places(session, [NO_ID], percent=1, at_most=1)
        await at_once_store.keep(session, [], [], [], [])


def group(runtime: Runtime) -> Group[Asked, Response]:
    """Those who sign up in this process."""

    async def together(asked: Sequence[Asked]) -> Sequence[Answered]:
        if any(each.is_last for each in asked):
            for each in asked:
                each.is_last = False
            async with runtime.unit_of_work() as session:
                return await Locked(session, runtime, asked).answers()
        async with runtime.grouping() as session:
            return await Moment(session, runtime, asked).answers()

    async def alone(asked: Asked) -> Response:
        async with runtime.unit_of_work() as session:
            await idempotency.check(session, runtime, asked.claim)
            answer = await signing_up.sign_up(session, runtime.settings, asked.wanted, asked.asker)
            reply = response(answer.model_dump_json().encode())
            await asked.claim.keep(session, runtime, reply)
            return reply

    return Group(together, alone)
