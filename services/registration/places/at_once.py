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
from services.kernel import idempotency, mail
from services.kernel.auth import hashed
from services.kernel.grouping import AGAIN, Again, Group
from services.kernel.idempotency import Claim
from services.kernel.ids import new_id
from services.kernel.problems import Problem
from services.kernel.proofs import Proof
from services.kernel.reach import EVERYTHING
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.trace import current_trace_id
from services.registration.people import at_once_store as people
from services.registration.people import rules as people_rules
from services.registration.people.rules import Purpose
from services.registration.places import actions, at_once_store, hosts, letters, rules, signing_up
from services.registration.places.rules import State
from services.registration.places.schemas import SignedUp, SignUp
from services.registration.places.tables import Places, Registration
from services.registration.proofs import store as proofs_store
from services.registration.proofs.actions import Asker
from services.registration.proofs.rules import ProofRequired
from services.registration.tables import OUTGOING_MAIL


@dataclass(frozen=True, slots=True)
class Asked:
    """A sign-up, the key of its request and the trace that it belongs to."""

    wanted: SignUp
    claim: Claim
    trace_id: str
    asker: Asker

    @property
    def is_plain(self) -> bool:
        """Whether one person comes, of whom nothing is looked up elsewhere."""
        return not self.wanted.guests and self.wanted.esncard_number is None


Answered = Response | Problem | Again | None


async def sign_up(runtime: Runtime, claim: Claim, wanted: SignUp, asker: Asker) -> Response:
    """Hold a place for somebody, together with those who sign up at this moment; raises the refusal of this one."""
    return await runtime.group(group).ask(Asked(wanted, claim, current_trace_id(), asker))


def group(runtime: Runtime) -> Group[Asked, Response]:
    """Those who sign up in this process."""

    async def together(asked: Sequence[Asked]) -> Sequence[Answered]:
        # It is of many mailboxes; what it reads of people is whether they are there.
        async with runtime.unit_of_work(EVERYTHING) as session:
            return await _Moment(session, runtime, asked).answers()

    async def alone(asked: Asked) -> Response:
        async with runtime.unit_of_work() as session:
            await idempotency.check(session, runtime, asked.claim)
            answer = _response(await signing_up.sign_up(session, runtime.settings, asked.wanted, asked.asker))
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
    held: int = 0
    """How many places were held before, by people who have not confirmed."""
    given: Counter[ParticipantClass] = field(default_factory=Counter)
    waiting: int = 0

    def state_of(self, wanted: SignUp) -> State:
        """What a sign-up comes to after those before it; raises why it comes to nothing."""
        room = self.places.room.after(self.given, waiting=self.waiting)
        party = wanted.party()
        return signing_up.state_of(self.places, party, self.now, waits=wanted.waiting_list, room=room)

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
        self._spent: set[bytes] = set()

    async def answers(self) -> list[Answered]:
        """What each came to; None for whoever has to go alone."""
        plain = await self._first_of_their_kind()
        if not plain:
            return self._answers
        decided = await self._decide(plain)
        if decided:
            kept = await self._keep(decided)
            if kept:
                await self._finish(kept)
        return self._answers

    async def _first_of_their_kind(self) -> list[int]:
        """Whose key is new; of several with one key or of one person for one activity, the first."""
        await at_once_store.wait_briefly(self._session)
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
        before = await idempotency.check_all(self._session, self._runtime, claims)
        for number, answer in zip(chosen, before, strict=True):
            self._answers[number] = answer
        return [number for number in chosen if self._answers[number] is None]

    async def _decide(self, plain: Sequence[int]) -> list[_Decided]:
        wanted = {self._asked[number].wanted.activity_id for number in plain}
        percent = self._settings.proof_after_held_percent
        found = await at_once_store.lock_places(self._session, wanted, percent=percent, at_most=len(plain))
        rooms = {identity: _Room(places, now, held) for identity, (places, now, held) in found.items()}
        proofs = {each.nonce for number in plain if isinstance(each := self._asked[number].asker.proof, Proof)}
        self._spent = await proofs_store.spent(self._session, proofs) if proofs else set()
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
            try:
                self._let_in(asked, room)
            except ProofRequired as refused:
                self._answers[number] = refused
                continue
            room.count(state, asked.wanted)
            values = _values(self._settings, asked.wanted, room, state)
            values["host_section"] = await self._host(asked.wanted)
            decided.append(_Decided(number, asked, room, state, values))
        return decided

    def _let_in(self, asked: Asked, room: _Room) -> None:
        """Let one of them in, or ask for a proof that nobody has used, in this group neither."""
        held = room.held + sum(room.given.values())
        signing_up.let_in(asked.asker, asked.wanted, [(room.places, held)])
        if asked.asker.spends is not None:
            if asked.asker.spends.nonce in self._spent:
                raise asked.asker.refuse_used()
            self._spent.add(asked.asker.spends.nonce)

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

    async def _keep(self, decided: Sequence[_Decided]) -> list[_Decided]:
        """Insert people and registrations; answers whose are new."""
        mailboxes = [each.asked.wanted.email for each in decided]
        known = await people.participants(self._session, mailboxes)
        for each in decided:
            each.values["participant_id"] = known.get(each.asked.wanted.email.key)
        candidates = [each for each in decided if each.values["participant_id"] is not None]
        added = await at_once_store.add_registrations(self._session, [each.values for each in candidates])
        return [each for each in candidates if each.id in added]

    async def _finish(self, kept: Sequence[_Decided]) -> None:
        """Count everybody in, and write all that belongs to a new registration."""
        rooms: dict[UUID, _Room] = {}
        for each in kept:
            room = _Room(each.room.places, each.room.now)
            rooms.setdefault(each.asked.wanted.activity_id, room).count(each.state, each.asked.wanted)
        changed = {identity: room for identity, room in rooms.items() if room.given or room.waiting}
        if changed:
            counted = {identity: (room.given, room.waiting) for identity, room in changed.items()}
            await at_once_store.count_in(self._session, counted)
        for room in changed.values():
            await self._tell_if_turned(room)
        await people.add_consents(
            self._session,
            [
                (each.values["participant_id"], each.id, each.asked.wanted.language,
                 [(consent.purpose, consent.text_version) for consent in each.asked.wanted.consents])
                for each in kept
            ],
        )  # fmt: skip
        ends = {each.id: actions.link_ends(each.values["signed_up_at"], each.room.places) for each in kept}
        await people.add_links(
            self._session, [(hashed(each.token), each.id, each.purpose, ends[each.id]) for each in kept]
        )
        spent = [proof for each in kept if (proof := each.asked.asker.spends) is not None]
        if spent:
            await proofs_store.spend_all(self._session, spent)
        await mail.queue_all(self._session, OUTGOING_MAIL, [(self._letter(each), each.asked.trace_id) for each in kept])
        answers = [(each.asked.claim, _response(_answer(each))) for each in kept]
        await idempotency.keep_all(self._session, self._runtime, answers)
        for each, (_, answer) in zip(kept, answers, strict=True):
            self._answers[each.number] = answer

    async def _tell_if_turned(self, room: _Room) -> None:
        had = room.places.room
        if had.has_places != had.after(room.given, waiting=room.waiting).has_places:
            fresh = await at_once_store.fresh(self._session, room.places.activity_id)
            await actions.tell_if_turned(self._session, fresh, had=had)

    def _letter(self, each: _Decided) -> mail.Mail:
        row = Registration(**each.values)
        recipient = each.asked.wanted.email
        return letters.written(
            self._settings, signing_up.FIRST_LETTER[each.state], row, each.room.places, recipient, token=each.token
        )


def _values(settings: Settings, wanted: SignUp, room: _Room, state: State) -> dict[str, Any]:
    places, now = room.places, room.now
    minutes = places.hold_minutes or settings.hold_minutes
    held_until = rules.held_until(now, minutes=minutes, starts_at=places.starts_at, ends_at=places.ends_at)
    return {
        "id": new_id(), "participant_id": None, "state": state.value, "party_size": 1,
        "code": rules.new_code(), "attendance_key": uuid4(), "participant_class": wanted.participant_class.value,
        "held_until": held_until if state is State.UNCONFIRMED else None,
        "waiting_since": now if state is State.WAITLISTED else None,
        "signed_up_at": now,
        **wanted.model_dump(include={"activity_id", "given_name", "family_name", "language", "home_country",
                                     "mobility", "answers"}),
    }  # fmt: skip


def _answer(each: _Decided) -> SignedUp:
    return SignedUp(
        id=each.id,
        activity_id=each.asked.wanted.activity_id,
        state=each.state,
        held_until=each.values["held_until"],
    )
