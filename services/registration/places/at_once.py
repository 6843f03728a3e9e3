"""Sign-ups of one process that arrive at once: decided together under one lock and committed once.

Whoever comes without guests is decided here: they get a place, apply or wait. All else goes the way of `signing_up` in
a transaction of its own: groups, and somebody who is there already. The places are locked before anything is written,
in the order of the activities' ids, so that what is decided here stands; a lock that is not had soon is left to those
who wait for it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from services.kernel import idempotency
from services.kernel.auth import hashed
from services.kernel.grouping import AGAIN, Again, Group
from services.kernel.idempotency import Claim
from services.kernel.ids import new_id, new_id_text
from services.kernel.problems import Problem
from services.kernel.proofs import Proof
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.trace import current_trace_id
from services.registration.people import rules as people_rules
from services.registration.people.agreements import agreement
from services.registration.people.rules import Purpose
from services.registration.places import actions, at_once_store, hosts, letters, rules, signing_up
from services.registration.places.rules import State
from services.registration.places.schemas import SignedUp, SignUp
from services.registration.places.tables import Places
from services.registration.proofs import store as proofs_store
from services.registration.proofs.actions import Asker
from services.registration.proofs.rules import ProofRequired


@dataclass(frozen=True, slots=True)
class Asked:
    """A sign-up, the key of its request and the trace that it belongs to."""

    wanted: SignUp
    claim: Claim
    trace_id: str
    asker: Asker
    kept: Prepared | None
    """What is kept of it, as far as that hangs on nobody else; None for whoever goes alone."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is kept of one person who comes alone, of whom nothing is looked up elsewhere: ready while others commit."""

    id: UUID
    row: bytes
    consents: bytes


def _prepared(settings: Settings, wanted: SignUp, claim: Claim, trace_id: str) -> Prepared | None:
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
        "caller": claim.caller, "key": claim.key, "request_hash": claim.request_hash,
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


PLANNED_BY_THE: Final = 6

Answered = Response | Problem | Again | None


async def sign_up_straight(runtime: Runtime, claim: Claim, wanted: SignUp, address: str) -> Response:
    """The same for a stranger at an address who shows no proof of work."""
    return await sign_up(runtime, claim, wanted, Asker(runtime, str(wanted.activity_id), address, None, None))


async def sign_up(runtime: Runtime, claim: Claim, wanted: SignUp, asker: Asker) -> Response:
    """Hold a place for somebody, together with those who sign up at this moment; raises the refusal of this one."""
    trace_id = current_trace_id()
    kept = _prepared(runtime.settings, wanted, claim, trace_id)
    return await runtime.group(group).ask(Asked(wanted, claim, trace_id, asker, kept))


async def warm_up(runtime: Runtime) -> None:
    """Have a connection on which all statements of a group are prepared and planned."""
    async with runtime.unit_of_work() as session:
        await idempotency.check_all(session, runtime, [Claim("", "", b"")], at_once_store.SETTINGS)
        percent = runtime.settings.proof_after_held_percent
        await at_once_store.lock_places(session, [_NO_ID], percent=percent, at_most=1)
        # From the sixth time on a plan is for any rows.
        for _ in range(PLANNED_BY_THE):
            await at_once_store.keep(session, [], [], [])


def group(runtime: Runtime) -> Group[Asked, Response]:
    """Those who sign up in this process."""

    async def together(asked: Sequence[Asked]) -> Sequence[Answered]:
        async with runtime.unit_of_work() as session:
            return await _Moment(session, runtime, asked).answers()

    async def alone(asked: Asked) -> Response:
        async with runtime.unit_of_work() as session:
            await idempotency.check(session, runtime, asked.claim)
            answer = await signing_up.sign_up(session, runtime.settings, asked.wanted, asked.asker)
            response = _response(answer.model_dump_json().encode())
            await asked.claim.keep(session, runtime, response)
            return response

    return Group(together, alone)


def _response(body: bytes) -> Response:
    return Response(body, 201, media_type="application/json")


class _Room:
    """An activity's places, with those counted that were given at this moment."""

    def __init__(self, settings: Settings, places: Places, now: datetime, held: int) -> None:
        self.places = places
        self.now = now
        self._held_before = held
        self.closed = places.window_refusal(now)
        self.before = self.room = places.room
        self._settings = settings
        self._outcomes: dict[State, _Outcome] = {}

    @property
    def is_as_it_was(self) -> bool:
        """Whether nothing of it was given at this moment."""
        return self.room.taken == self.before.taken

    @property
    def held(self) -> int:
        """How many places are held by people who have not confirmed."""
        return self._held_before + self.room.taken - self.before.taken

    def state_of(self, wanted: SignUp) -> State:
        """What a sign-up comes to after those before it; raises why it comes to nothing."""
        party = {wanted.participant_class: 1}
        return signing_up.state_of(self.places, party, self.now, waits=wanted.waiting_list, room=self.room)

    def count(self, state: State, wanted: SignUp) -> _Outcome:
        """Count one more in, and say what comes of it."""
        self.room = counted(self.room, state, wanted)
        found = self._outcomes.get(state)
        if found is None:
            found = self._outcomes[state] = self._outcome(wanted.activity_id, state)
        return found

    def _outcome(self, activity_id: UUID, state: State) -> _Outcome:
        places, now = self.places, self.now
        minutes = places.hold_minutes or self._settings.hold_minutes
        until = rules.held_until(now, minutes=minutes, starts_at=places.starts_at, ends_at=places.ends_at)
        held_until = until if state is State.UNCONFIRMED else None
        answer = SignedUp(id=_NO_ID, activity_id=activity_id, state=state, held_until=held_until)
        whole = _response(answer.model_dump_json().encode())
        letter = signing_up.FIRST_LETTER[state]
        told = {
            "activity_id": activity_id, "state": state, "signed_up_at": now, "held_until": held_until,
            "waiting_since": now if state is State.WAITLISTED else None,
            "purpose": Purpose.CONFIRM if state is State.UNCONFIRMED else Purpose.MANAGE,
            "expires_at": actions.link_ends(now, places), "letter": letter,
            "shared_facts": letters.shared_facts(places, held_until=held_until),
            "answer": bytes(whole.body).partition(str(_NO_ID).encode())[2].decode(),
            "status": whole.status_code, "headers": idempotency.kept_headers(whole),
        }  # fmt: skip
        return _Outcome(state, told)


_NO_ID: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What sign-ups for one activity come to that get the same."""

    state: State
    told: Mapping[str, Any]

    def answer(self, identity: UUID) -> Response:
        """The answer to one of them."""
        return _response(f'{{"id":"{identity}{self.told["answer"]}'.encode())


def counted(room: rules.Room, state: State, wanted: SignUp) -> rules.Room:
    """The room with one more person."""
    if state is State.UNCONFIRMED:
        return room.after({wanted.participant_class: 1})
    return room.after({}, waiting=1) if state is State.WAITLISTED else room


@dataclass(frozen=True, slots=True)
class _Decided:
    """Somebody new and what their sign-up comes to, unless they are there already."""

    number: int
    asked: Asked
    kept: Prepared
    room: _Room
    outcome: _Outcome
    host: str | None


class _Moment:
    """One transaction of several sign-ups."""

    def __init__(self, session: AsyncSession, runtime: Runtime, asked: Sequence[Asked]) -> None:
        self._session = session
        self._runtime = runtime
        self._settings: Settings = runtime.settings
        self._asked = asked
        self._answers: list[Answered] = [None] * len(asked)
        self._hosts: dict[str | None, str | None] = {None: None}
        self._spent: set[bytes] = set()

    async def answers(self) -> list[Answered]:
        """What each came to; None for whoever has to go alone."""
        plain = await self._first_of_their_kind()
        if not plain:
            return self._answers
        decided = await self._decide(plain)
        if decided:
            await self._keep(decided)
        return self._answers

    async def _first_of_their_kind(self) -> list[int]:
        """Whose key is new; of several with one key or of one person for one activity, the first."""
        keys: set[object] = set()
        chosen = []
        for number, asked in enumerate(self._asked):
            key = (asked.claim.caller, asked.claim.key)
            person = (asked.wanted.activity_id, asked.wanted.email.key)
            if asked.kept is not None and key not in keys and person not in keys:
                chosen.append(number)
            keys |= {key, person}
        if not chosen:
            return []
        claims = [self._asked[number].claim for number in chosen]
        before = await idempotency.check_all(self._session, self._runtime, claims, at_once_store.SETTINGS)
        for number, answer in zip(chosen, before, strict=True):
            self._answers[number] = answer
        return [number for number in chosen if self._answers[number] is None]

    async def _decide(self, plain: Sequence[int]) -> list[_Decided]:
        wanted = {self._asked[number].wanted.activity_id for number in plain}
        percent = self._settings.proof_after_held_percent
        found = await at_once_store.lock_places(self._session, wanted, percent=percent, at_most=len(plain))
        rooms = {identity: _Room(self._settings, *each) for identity, each in found.items()}
        proofs = {each.nonce for number in plain if isinstance(each := self._asked[number].asker.proof, Proof)}
        self._spent = await proofs_store.spent(self._session, proofs) if proofs else set()
        decided = []
        for number in plain:
            asked = self._asked[number]
            room = rooms.get(asked.wanted.activity_id)
            if room is None or asked.kept is None:
                self._answers[number] = rules.ActivityNotFound()
                continue
            refusal = await self._refusal(asked.wanted, room)
            if refusal is not None:
                self._answers[number] = refusal
                continue
            is_as_it_was = room.is_as_it_was
            try:
                state = room.state_of(asked.wanted)
            except Problem as full:
                # One of those who got the last places may be there already: the next group sees what is left.
                self._answers[number] = full if is_as_it_was else AGAIN
                continue
            try:
                self._let_in(asked, room)
            except ProofRequired as refused:
                self._answers[number] = refused
                continue
            outcome = room.count(state, asked.wanted)
            decided.append(_Decided(number, asked, asked.kept, room, outcome, await self._host(asked.wanted)))
        return decided

    def _let_in(self, asked: Asked, room: _Room) -> None:
        """Let one of them in, or ask for a proof that nobody has used, in this group neither."""
        signing_up.let_in(asked.asker, asked.wanted, [(room.places, room.held)])
        if asked.asker.spends is not None:
            if asked.asker.spends.nonce in self._spent:
                raise asked.asker.refuse_used()
            self._spent.add(asked.asker.spends.nonce)

    async def _refusal(self, wanted: SignUp, room: _Room) -> Problem | None:
        if room.closed is not None:
            return room.closed()
        is_known = wanted.host_section is None or await self._host(wanted) is not None
        faults = signing_up.faults_in(self._settings, room.places, wanted, host_is_known=is_known)
        return people_rules.invalid(faults) if faults else None

    async def _host(self, wanted: SignUp) -> str | None:
        """What the section that somebody names as their host is called today."""
        code = wanted.host_section
        if code is not None and code not in self._hosts:
            self._hosts[code] = await hosts.section_today(self._session, code)
        return self._hosts.get(code)

    async def _keep(self, decided: Sequence[_Decided]) -> None:
        """Write all that belongs to new registrations, and answer them."""
        outcomes = {id(each.outcome): each.outcome for each in decided}
        added = await at_once_store.keep(
            self._session,
            [(each.kept.row, each.outcome.state, each.host) for each in decided],
            [each.kept.consents for each in decided],
            [outcome.told for outcome in outcomes.values()],
        )
        proofs = [each.asked.asker.spends for each in decided if each.kept.id in added]
        if spent := [proof for proof in proofs if proof is not None]:
            await proofs_store.spend_all(self._session, spent)
        after: dict[UUID, tuple[_Room, rules.Room]] = {}
        for each in decided:
            if each.kept.id in added:
                wanted = each.asked.wanted
                self._answers[each.number] = each.outcome.answer(each.kept.id)
                _, room = after.get(wanted.activity_id, (each.room, each.room.before))
                after[wanted.activity_id] = (each.room, counted(room, each.outcome.state, wanted))
        for before, room in after.values():
            if before.before.has_places != room.has_places:
                fresh = await at_once_store.fresh(self._session, before.places.activity_id)
                await actions.tell_if_turned(self._session, fresh, had=before.before)
