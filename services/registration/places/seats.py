"""An activity's places while several sign-ups are decided together, and what those come to that get the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from services.contracts import ParticipantClass
from services.kernel import idempotency
from services.kernel.settings import Settings
from services.registration.people.rules import Purpose
from services.registration.places import actions, letters, rules, signing_up
from services.registration.places.rules import State
from services.registration.places.schemas import SignedUp, SignUp
from services.registration.places.tables import Places

NO_ID: Final = UUID(int=0)


def response(body: bytes) -> Response:
    """The answer to a sign-up that came to something."""
    return Response(body, 201, media_type="application/json")


class Seats:
    """An activity's places, with those counted that were given at this moment."""

    def __init__(self, settings: Settings, places: Places, now: datetime, held: int) -> None:
        self.places = places
        self.now = now
        self._held_before = held
        self.closed = places.window_refusal(now)
        self.before = self.room = places.room
        self._settings = settings
        self._outcomes: dict[State, Outcome] = {}

    @property
    def is_as_it_was(self) -> bool:
        """Whether nothing of it was given at this moment."""
        return self.room.taken == self.before.taken

    @property
    def still_holds(self) -> Mapping[str, Any] | None:
        """What must hold of the places so that what was decided does, and changes nothing for those who come next.

        None where nobody knows without a lock: somebody would get the last place, or be the first to wait.
        """
        places, before, room = self.places, self.before, self.room
        told: dict[str, Any] = {
            "activity_id": places.activity_id, "revision": places.revision, "terms_revision": places.terms_revision,
        }  # fmt: skip
        if room.choosing is rules.Choosing.APPROVAL:
            return told
        if before.waiting:
            return {**told, "waits": True}
        given = {each: room.taken_by_class[each] - before.taken_by_class[each] for each in ParticipantClass}
        if room.waiting or not room.fits({each: 1 for each, many in given.items() if many}):
            return None
        if room.capacity is not None:
            told["taken"] = room.capacity - sum(given.values()) - 1
        told |= {f"taken_{each}": limit - given[each] - 1 for each, limit in room.quotas.items() if given[each]}
        return {**told, "waits": False}

    @property
    def held(self) -> int:
        """How many places are held by people who have not confirmed."""
        return self._held_before + self.room.taken - self.before.taken

    def state_of(self, wanted: SignUp) -> State:
        """What a sign-up comes to after those before it; raises why it comes to nothing."""
        party = {wanted.participant_class: 1}
        return signing_up.state_of(self.places, party, self.now, waits=wanted.waiting_list, room=self.room)

    def count(self, state: State, wanted: SignUp) -> Outcome:
        """Count one more in, and say what comes of it."""
        self.room = counted(self.room, state, wanted)
        found = self._outcomes.get(state)
        if found is None:
            found = self._outcomes[state] = self._outcome(wanted.activity_id, state)
        return found

    def _outcome(self, activity_id: UUID, state: State) -> Outcome:
        places, now = self.places, self.now
        minutes = places.hold_minutes or self._settings.hold_minutes
        until = rules.held_until(now, minutes=minutes, starts_at=places.starts_at, ends_at=places.ends_at)
        held_until = until if state is State.UNCONFIRMED else None
        answer = SignedUp(id=NO_ID, activity_id=activity_id, state=state, held_until=held_until)
        whole = response(answer.model_dump_json().encode())
        letter = signing_up.FIRST_LETTER[state]
        told = {
            "activity_id": activity_id, "state": state, "signed_up_at": now, "held_until": held_until,
            "waiting_since": now if state is State.WAITLISTED else None,
            "purpose": Purpose.CONFIRM if state is State.UNCONFIRMED else Purpose.MANAGE,
            "expires_at": actions.link_ends(now, places), "letter": letter,
            "shared_facts": letters.shared_facts(places, held_until=held_until),
            "answer": bytes(whole.body).partition(str(NO_ID).encode())[2].decode(),
            "status": whole.status_code, "headers": idempotency.kept_headers(whole),
        }  # fmt: skip
        return Outcome(state, told)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What sign-ups for one activity come to that get the same."""

    state: State
    told: Mapping[str, Any]

    def answer(self, identity: UUID) -> Response:
        """The answer to one of them."""
        return response(f'{{"id":"{identity}{self.told["answer"]}'.encode())


def counted(room: rules.Room, state: State, wanted: SignUp) -> rules.Room:
    """The room with one more person."""
    if state is State.UNCONFIRMED:
        return room.after({wanted.participant_class: 1})
    return room.after({}, waiting=1) if state is State.WAITLISTED else room
