"""Sign-ups of one process that arrive at once: decided together under one lock and committed once.

What is plain is done here: a place is free for somebody who comes alone. All else goes the way of `signing_up` in a
transaction of its own: groups, waiting, applying, somebody who is there already, and whoever came while the last
places went. The places are locked before anything is written, in the order of the activities' ids, so that what is
decided here stands; a lock that is not had soon is left to those who wait for it alone.
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
from services.kernel.grouping import Group
from services.kernel.idempotency import Claim
from services.kernel.ids import new_id
from services.kernel.problems import Invalid, Problem
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.trace import current_trace_id
from services.registration.mail.languages import Letter
from services.registration.people import at_once_store as people
from services.registration.people import rules as people_rules
from services.registration.people.rules import Purpose
from services.registration.places import actions, at_once_store, letters, rules, signing_up
from services.registration.places.rules import Choosing, State
from services.registration.places.schemas import SignedUp, SignUp
from services.registration.places.tables import Places, Registration
from services.registration.tables import OUTGOING_MAIL


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


Answered = Response | Problem | None


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

    def fits(self, wanted: SignUp) -> bool:
        """Whether somebody more can have a place."""
        room = self.places.room.after(self.given)
        return room.choosing is Choosing.FIRST_COME and room.waiting == 0 and room.fits(wanted.party())


@dataclass(slots=True)
class _Seated:
    """Somebody who gets a place, unless they have one."""

    number: int
    asked: Asked
    room: _Room
    values: dict[str, Any]
    token: str = field(default_factory=people_rules.new_token)

    @property
    def id(self) -> UUID:
        identity: UUID = self.values["id"]
        return identity


class _Moment:
    """One transaction of several sign-ups."""

    def __init__(self, session: AsyncSession, runtime: Runtime, asked: Sequence[Asked]) -> None:
        self._session = session
        self._runtime = runtime
        self._settings: Settings = runtime.settings
        self._asked = asked
        self._answers: list[Answered] = [None] * len(asked)

    async def answers(self) -> list[Answered]:
        """What each came to; None for whoever has to go alone."""
        plain = await self._first_of_their_kind()
        if not plain:
            return self._answers
        seated = await self._decide(plain)
        if seated:
            kept = await self._keep(seated)
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

    async def _decide(self, plain: Sequence[int]) -> list[_Seated]:
        wanted = {self._asked[number].wanted.activity_id for number in plain}
        found = await at_once_store.lock_places(self._session, wanted)
        rooms = {identity: _Room(places, now) for identity, (places, now) in found.items()}
        seated = []
        for number in plain:
            asked = self._asked[number]
            room = rooms.get(asked.wanted.activity_id)
            if room is None:
                self._answers[number] = rules.ActivityNotFound()
                continue
            refusal = await self._refusal(asked.wanted, room)
            if refusal is not None:
                self._answers[number] = refusal
            elif room.fits(asked.wanted):
                room.given.update(asked.wanted.party())
                seated.append(_Seated(number, asked, room, _values(self._settings, asked.wanted, room)))
            elif not room.given:
                self._answers[number] = _without_place(asked.wanted, room)
        return seated

    async def _refusal(self, wanted: SignUp, room: _Room) -> Problem | None:
        closed = room.places.window_refusal(room.now)
        if closed is not None:
            return closed()
        faults = await signing_up.faults_of(self._session, self._settings, room.places, wanted)
        return Invalid(errors=faults) if faults else None

    async def _keep(self, seated: Sequence[_Seated]) -> list[_Seated]:
        """Insert people and registrations; answers whose are new."""
        mailboxes = [each.asked.wanted.email for each in seated]
        known = await people.participants(self._session, mailboxes)
        for each in seated:
            each.values["participant_id"] = known.get(each.asked.wanted.email.key)
        candidates = [each for each in seated if each.values["participant_id"] is not None]
        added = await at_once_store.add_registrations(self._session, [each.values for each in candidates])
        return [each for each in candidates if each.id in added]

    async def _finish(self, kept: Sequence[_Seated]) -> None:
        """Count the places as taken, and write everything that belongs to a new registration."""
        by_activity: dict[UUID, Counter[ParticipantClass]] = {}
        for each in kept:
            by_activity.setdefault(each.asked.wanted.activity_id, Counter()).update(each.asked.wanted.party())
        await at_once_store.take_places(self._session, by_activity)
        for each in kept:
            given = by_activity.pop(each.asked.wanted.activity_id, None)
            if given is not None:
                await self._tell_if_turned(each.room.places, rules.party(given))
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
            self._session, [(hashed(each.token), each.id, Purpose.CONFIRM, ends[each.id]) for each in kept]
        )
        await mail.queue_all(self._session, OUTGOING_MAIL, [(self._letter(each), each.asked.trace_id) for each in kept])
        answers = [(each.asked.claim, _response(_answer(each))) for each in kept]
        await idempotency.keep_all(self._session, self._runtime, answers)
        for each, (_, answer) in zip(kept, answers, strict=True):
            self._answers[each.number] = answer

    async def _tell_if_turned(self, places: Places, given: dict[ParticipantClass, int]) -> None:
        had = places.room
        if had.has_places != had.after(given).has_places:
            fresh = await at_once_store.fresh(self._session, places.activity_id)
            await actions.tell_if_turned(self._session, fresh, had=had)

    def _letter(self, each: _Seated) -> mail.Mail:
        row = Registration(**each.values)
        recipient = each.asked.wanted.email
        return letters.written(self._settings, Letter.CONFIRM, row, each.room.places, recipient, token=each.token)


def _without_place(wanted: SignUp, room: _Room) -> Problem | None:
    """The refusal of somebody for whom there is no place; None where they apply or wait."""
    try:
        signing_up.state_of(room.places, wanted.party(), room.now, waits=wanted.waiting_list)
    except Problem as refusal:
        return refusal
    return None


def _values(settings: Settings, wanted: SignUp, room: _Room) -> dict[str, Any]:
    places, now = room.places, room.now
    minutes = places.hold_minutes or settings.hold_minutes
    return {
        "id": new_id(), "participant_id": None, "state": State.UNCONFIRMED.value, "party_size": 1,
        "code": rules.new_code(), "attendance_key": uuid4(), "participant_class": wanted.participant_class.value,
        "held_until": rules.held_until(now, minutes=minutes, starts_at=places.starts_at, ends_at=places.ends_at),
        "signed_up_at": now,
        **wanted.model_dump(include={"activity_id", "given_name", "family_name", "language", "home_country",
                                     "host_section", "mobility", "answers"}),
    }  # fmt: skip


def _answer(each: _Seated) -> SignedUp:
    return SignedUp(
        id=each.id,
        activity_id=each.asked.wanted.activity_id,
        state=State.UNCONFIRMED,
        held_until=each.values["held_until"],
    )
