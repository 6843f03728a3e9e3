"""Sign-ups of one process that arrive at once: decided together under one lock and committed once.

Whoever comes without guests is decided here: they get a place, apply or wait. All else goes the way of `signing_up` in
a transaction of its own: groups, and somebody who is there already. The places are locked before anything is written,
in the order of the activities' ids, so that what is decided here stands; a lock that is not had soon is left to those
who wait for it alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from services.contracts import ParticipantClass
from services.kernel import idempotency
from services.kernel.auth import hashed
from services.kernel.grouping import AGAIN, Again, Group
from services.kernel.idempotency import Claim
from services.kernel.ids import new_id, new_id_text
from services.kernel.problems import Problem
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A sign-up, the key of its request and the trace that it belongs to."""

    wanted: SignUp
    claim: Claim
    trace_id: str

    @property
    def is_plain(self) -> bool:
        """Whether one person comes, of whom nothing is looked up elsewhere."""
        return not self.wanted.guests and self.wanted.esncard_number is None


Answered = Response | Problem | Again | None


async def sign_up(runtime: Runtime, claim: Claim, wanted: SignUp) -> Response:
    """Hold a place for somebody, together with those who sign up at this moment; raises the refusal of this one."""
    return await runtime.group(group).ask(Asked(wanted, claim, current_trace_id()))


def group(runtime: Runtime) -> Group[Asked, Response]:
    """Those who sign up in this process."""

    async def together(asked: Sequence[Asked]) -> Sequence[Answered]:
        async with runtime.unit_of_work() as session:
            return await _Moment(session, runtime, asked).answers()

    async def alone(asked: Asked) -> Response:
        async with runtime.unit_of_work() as session:
            await idempotency.check(session, runtime, asked.claim)
            answer = _response(await signing_up.sign_up(session, runtime.settings, asked.wanted))
            await asked.claim.keep(session, runtime, answer)
            return answer

    return Group(together, alone)


def _response(answer: SignedUp) -> Response:
    return Response(answer.model_dump_json().encode(), 201, media_type="application/json")


@dataclass(slots=True)
class _Room:
    """An activity's places, with those counted that were given at this moment."""

    places: Places
    now: datetime
    given: Counter[ParticipantClass] = field(default_factory=Counter)
    waiting: int = 0

    def state_of(self, wanted: SignUp) -> State:
        """What a sign-up comes to after those before it; raises why it comes to nothing."""
        room = self.places.room.after(self.given, waiting=self.waiting)
        party = wanted.party()
        state = signing_up.state_of(self.places, party, self.now, waits=wanted.waiting_list, room=room)
        self.count(state, wanted)
        return state

    def count(self, state: State, wanted: SignUp) -> None:
        """Count one more in."""
        if state is State.UNCONFIRMED:
            self.given.update(wanted.party())
        elif state is State.WAITLISTED:
            self.waiting += 1


@dataclass(slots=True)
class _Decided:
    """Somebody new and what their sign-up comes to, unless they are there already."""

    number: int
    asked: Asked
    room: _Room
    state: State
    values: dict[str, Any]
    token: str = field(default_factory=people_rules.new_token)

    @property
    def id(self) -> UUID:
        """Of the registration."""
        identity: UUID = self.values["id"]
        return identity

    @property
    def purpose(self) -> Purpose:
        """What the link is for that is mailed first."""
        return Purpose.CONFIRM if self.state is State.UNCONFIRMED else Purpose.MANAGE


class _Moment:
    """One transaction of several sign-ups."""

    def __init__(self, session: AsyncSession, runtime: Runtime, asked: Sequence[Asked]) -> None:
        self._session = session
        self._runtime = runtime
        self._settings: Settings = runtime.settings
        self._asked = asked
        self._answers: list[Answered] = [None] * len(asked)
        self._hosts: dict[str | None, str | None] = {None: None}

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
            if asked.is_plain and key not in keys and person not in keys:
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
        found = await at_once_store.lock_places(self._session, wanted)
        rooms = {identity: _Room(places, now) for identity, (places, now) in found.items()}
        decided = []
        for number in plain:
            asked = self._asked[number]
            room = rooms.get(asked.wanted.activity_id)
            if room is None:
                self._answers[number] = rules.ActivityNotFound()
                continue
            refusal = await self._refusal(asked.wanted, room)
            if refusal is not None:
                self._answers[number] = refusal
                continue
            is_as_it_was = not room.given
            try:
                state = room.state_of(asked.wanted)
            except Problem as full:
                # One of those who got the last places may be there already: the next group sees what is left.
                self._answers[number] = full if is_as_it_was else AGAIN
                continue
            values = _values(self._settings, asked.wanted, room, state)
            values["host_section"] = await self._host(asked.wanted)
            decided.append(_Decided(number, asked, room, state, values))
        return decided

    async def _refusal(self, wanted: SignUp, room: _Room) -> Problem | None:
        closed = room.places.window_refusal(room.now)
        if closed is not None:
            return closed()
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
        answers = [_response(_answer(each)) for each in decided]
        written = [self._kept(each, answer) for each, answer in zip(decided, answers, strict=True)]
        added = await at_once_store.keep(self._session, written)
        rooms: dict[UUID, _Room] = {}
        for each, answer in zip(decided, answers, strict=True):
            if each.id in added:
                self._answers[each.number] = answer
                room = _Room(each.room.places, each.room.now)
                rooms.setdefault(each.asked.wanted.activity_id, room).count(each.state, each.asked.wanted)
        for room in rooms.values():
            await self._tell_if_turned(room)

    def _kept(self, each: _Decided, answer: Response) -> at_once_store.Kept:
        wanted, places = each.asked.wanted, each.room.places
        fresh = letters.Fresh(**{name: each.values[name] for name in letters.Fresh._fields})
        letter = letters.written(
            self._settings, signing_up.FIRST_LETTER[each.state], fresh, places, wanted.email, token=each.token
        )
        row = {
            **each.values,
            "person": new_id_text(), "email": wanted.email.given, "email_key": wanted.email.key,
            "token_hash": hashed(each.token), "purpose": each.purpose.value,
            "expires_at": actions.link_ends(each.room.now, places),
            "mail_id": new_id_text(), "business_key": letter.business_key, "recipient": letter.recipient,
            "mail_language": letter.language, "facts": letter.facts, "trace_id": each.asked.trace_id,
            **each.asked.claim.row(answer),
        }  # fmt: skip
        consents = [
            {
                "id": new_id_text(), "registration_id": each.id, "purpose": given.purpose, "language": wanted.language,
                "text_version": given.text_version,
                "text_hash": agreement(given.purpose, given.text_version, wanted.language).sha256,
            }
            for given in wanted.consents
        ]  # fmt: skip
        return at_once_store.Kept(row, consents)

    async def _tell_if_turned(self, room: _Room) -> None:
        had = room.places.room
        if had.has_places != had.after(room.given, waiting=room.waiting).has_places:
            fresh = await at_once_store.fresh(self._session, room.places.activity_id)
            await actions.tell_if_turned(self._session, fresh, had=had)


def _values(settings: Settings, wanted: SignUp, room: _Room, state: State) -> dict[str, Any]:
    places, now = room.places, room.now
    minutes = places.hold_minutes or settings.hold_minutes
    held_until = rules.held_until(now, minutes=minutes, starts_at=places.starts_at, ends_at=places.ends_at)
    return {
        "id": new_id(), "state": state.value,
        "code": rules.new_code(), "attendance_key": uuid4(), "participant_class": wanted.participant_class.value,
        "held_until": held_until if state is State.UNCONFIRMED else None,
        "waiting_since": now if state is State.WAITLISTED else None,
        "signed_up_at": now,
        "activity_id": wanted.activity_id, "given_name": wanted.given_name, "family_name": wanted.family_name,
        "language": wanted.language, "home_country": wanted.home_country, "mobility": wanted.mobility,
        "answers": wanted.answers,
    }  # fmt: skip


def _answer(each: _Decided) -> SignedUp:
    return SignedUp(
        id=each.id,
        activity_id=each.asked.wanted.activity_id,
        state=each.state,
        held_until=each.values["held_until"],
    )
