"""What sign-ups come to that are decided together, and by what they are decided.

A `Moment` looks at the places without locking them and keeps what was decided if that still holds: on the same terms,
nobody waits who did not, and as many places are free as were given and one more. So nobody else is kept waiting while
it is decided, and whoever gets nothing is told so without any lock. If it holds no longer they are asked again. Who
would get the last places, or be the first to wait, is decided in a transaction that locks the places first, in the
order of the activities' ids (`Locked`): there the catalogue is told, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from services.kernel import idempotency
from services.kernel.grouping import AGAIN, Again
from services.kernel.idempotency import Claim
from services.kernel.problems import Problem
from services.kernel.proofs import Proof
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.registration.people import rules as people_rules
from services.registration.places import actions, at_once_store, hosts, rules, signing_up
from services.registration.places.schemas import SignUp
from services.registration.places.seats import Outcome, Seats, counted
from services.registration.proofs import store as proofs_store
from services.registration.proofs.actions import Asker
from services.registration.proofs.rules import ProofRequired

Answered = Response | Problem | Again | None


@dataclass(slots=True)
class Asked:
    """A sign-up, the key of its request and the trace that it belongs to."""

    wanted: SignUp
    claim: Claim
    trace_id: str
    asker: Asker
    kept: Prepared | None
    """What is kept of it, as far as that hangs on nobody else; None for whoever goes alone."""
    is_last: bool = False
    """Whether they may get the last place, or be the first to wait: then it is locked before it is decided."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is kept of one person who comes alone, of whom nothing is looked up elsewhere: ready while others commit."""

    id: UUID
    row: bytes
    consents: bytes


@dataclass(frozen=True, slots=True)
class _Decided:
    """Somebody new and what their sign-up comes to, unless they are there already."""

    number: int
    asked: Asked
    kept: Prepared
    room: Seats
    outcome: Outcome
    host: str | None


class Moment:
    """Several sign-ups that are decided by what is seen, and kept if it still holds: one statement each."""

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
        chosen = self._first_of_their_kind()
        if not chosen:
            return self._answers
        rooms = await self._look(chosen)
        plain = [number for number in chosen if self._answers[number] is None]
        decided = self._to_be_kept(await self._decide(plain, rooms)) if plain else []
        if decided:
            await self._keep(decided)
        return self._answers

    def _first_of_their_kind(self) -> list[int]:
        """Of several with one key or of one person for one activity, the first."""
        keys: set[object] = set()
        chosen = []
        for number, asked in enumerate(self._asked):
            key = (asked.claim.caller, asked.claim.key)
            person = (asked.wanted.activity_id, asked.wanted.email.key)
            if asked.kept is not None and key not in keys and person not in keys:
                chosen.append(number)
            keys |= {key, person}
        return chosen

    async def _look(self, chosen: Sequence[int]) -> dict[UUID, Seats]:
        """What activities are decided by; answers whose key was answered before."""
        claims = [self._asked[number].claim for number in chosen]
        percent = self._settings.proof_after_held_percent
        before, found = await at_once_store.look(
            self._session, claims, self._activities(chosen), percent=percent, at_most=len(chosen)
        )
        self._answer(chosen, before)
        return {identity: Seats(self._settings, *each) for identity, each in found.items()}

    def _activities(self, numbers: Sequence[int]) -> Collection[UUID]:
        return {self._asked[number].wanted.activity_id for number in numbers}

    def _answer(self, numbers: Sequence[int], answers: Sequence[Answered]) -> None:
        for number, answer in zip(numbers, answers, strict=True):
            self._answers[number] = answer

    async def _decide(self, plain: Sequence[int], rooms: Mapping[UUID, Seats]) -> list[_Decided]:
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

    def _to_be_kept(self, decided: Sequence[_Decided]) -> Sequence[_Decided]:
        """Those who don't get the last places; the others are asked again, and decided under a lock."""
        kept = []
        for each in decided:
            if each.room.still_holds is None:
                each.asked.is_last = True
                self._answers[each.number] = AGAIN
            else:
                kept.append(each)
        return kept

    def _let_in(self, asked: Asked, room: Seats) -> None:
        """Let one of them in, or ask for a proof that nobody has used, in this group neither."""
        signing_up.let_in(asked.asker, asked.wanted, [(room.places, room.held)])
        if asked.asker.spends is not None:
            if asked.asker.spends.nonce in self._spent:
                raise asked.asker.refuse_used()
            self._spent.add(asked.asker.spends.nonce)

    async def _refusal(self, wanted: SignUp, room: Seats) -> Problem | None:
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
        rooms = {id(each.room): each.room for each in decided}
        kept = await at_once_store.keep(
            self._session,
            [(each.kept.row, each.outcome.state, each.host, each.asked.asker.spends) for each in decided],
            [each.kept.consents for each in decided],
            [outcome.told for outcome in outcomes.values()],
            [self._must_hold(room) for room in rooms.values()],
        )
        for each in decided:
            if each.kept.id in kept.ids:
                self._answers[each.number] = each.outcome.answer(each.kept.id)
            elif each.room.places.activity_id not in kept.activities:
                self._answers[each.number] = AGAIN
        await self._tell([each for each in decided if each.kept.id in kept.ids])

    def _must_hold(self, room: Seats) -> Mapping[str, Any]:
        assert room.still_holds is not None
        return room.still_holds

    async def _tell(self, added: Sequence[_Decided]) -> None:
        """Tell whoever has to hear of those who were kept: while places are left, nobody."""


class Locked(Moment):
    """Several sign-ups of which some may get the last places: these are locked before it is decided."""

    async def _look(self, chosen: Sequence[int]) -> dict[UUID, Seats]:
        claims = [self._asked[number].claim for number in chosen]
        self._answer(chosen, await idempotency.check_all(self._session, self._runtime, claims, at_once_store.SETTINGS))
        plain = [number for number in chosen if self._answers[number] is None]
        percent = self._settings.proof_after_held_percent
        found = await at_once_store.lock_places(
            self._session, self._activities(plain), percent=percent, at_most=len(plain)
        )
        return {identity: Seats(self._settings, *each) for identity, each in found.items()}

    def _to_be_kept(self, decided: Sequence[_Decided]) -> Sequence[_Decided]:
        return decided

    def _must_hold(self, room: Seats) -> Mapping[str, Any]:
        return {"activity_id": room.places.activity_id}

    async def _tell(self, added: Sequence[_Decided]) -> None:
        after: dict[UUID, tuple[Seats, rules.Room]] = {}
        for each in added:
            wanted = each.asked.wanted
            _, room = after.get(wanted.activity_id, (each.room, each.room.before))
            after[wanted.activity_id] = (each.room, counted(room, each.outcome.state, wanted))
        for before, room in after.values():
            if before.before.has_places != room.has_places:
                fresh = await at_once_store.fresh(self._session, before.places.activity_id)
                await actions.tell_if_turned(self._session, fresh, had=before.before)
